"""Joins signalling and media of a recording: which leg was whose, and what each end heard.

Who belongs together is decided by SDP on the wire, never by what the program says.
Knows messages, streams and voices. Must never know the program's configuration.
"""

import dataclasses
import re

import numpy

from harness import voice
from harness.capture import Recording, decode
from harness.processes import Failure, check
from harness.sip_text import Message


@dataclasses.dataclass
class Leg:
    """One dialog, or attempt at one, between the program and a peer."""

    call_id: str
    peer: tuple[str, int]
    #: True when the peer sent the INVITE.
    inbound: bool
    messages: list[Message]

    @property
    def invite(self) -> Message:
        """The INVITE that began it."""
        return next(m for m in self.messages if m.method == "INVITE" and m.status is None)

    @property
    def callee(self) -> str:
        """The user part of the Request-URI."""
        found = re.search(r"INVITE (?:sips?|tel):([^@;> ]+)", self.invite.start_line)
        return found.group(1) if found else ""

    def _finals(self) -> list[Message]:
        return [m for m in self.messages if m.status and m.status >= 200 and m.method == "INVITE"]

    @property
    def final_status(self) -> int | None:
        """The final status of the first INVITE (a challenge aside); None while there is none."""
        return next((m.status for m in self._finals() if m.status not in (401, 407)), None)

    @property
    def provisionals(self) -> list[int]:
        """The provisional statuses of its INVITEs in order, without 100."""
        return [m.status for m in self.messages if m.status and 100 < m.status < 200]

    @property
    def answered_at(self) -> float | None:
        """When the first 200 to INVITE passed."""
        return next((m.time for m in self._finals() if m.status and m.status < 300), None)

    @property
    def ended_at(self) -> float | None:
        """When the first BYE or CANCEL passed."""
        return next((m.time for m in self.messages if m.status is None and m.method in ("BYE", "CANCEL")), None)

    @property
    def ended_by_peer(self) -> bool | None:
        """Whether the first BYE or CANCEL came from the peer; None when there was none."""
        first = next((m for m in self.messages if m.status is None and m.method in ("BYE", "CANCEL")), None)
        return None if first is None else first.source[0] == self.peer[0]

    def requests(self, method: str) -> list[Message]:
        """Requests of one method in this leg, retransmissions included."""
        return [m for m in self.messages if m.status is None and m.method == method]

    @property
    def peer_media(self) -> list[tuple[str, int]]:
        """Every address at which the peer said it wants audio, in order, once each."""
        return list(dict.fromkeys(m.media for m in self.messages if m.media and m.source[0] == self.peer[0]))

    @property
    def program_media(self) -> list[tuple[str, int]]:
        """Every address at which the program said it wants audio on this leg."""
        return list(dict.fromkeys(m.media for m in self.messages if m.media and m.source[0] != self.peer[0]))


def legs(recording: Recording) -> list[Leg]:
    """Every INVITE dialog on the wire, by first appearance; a fork is a leg for each contact."""
    found: dict[tuple[str, tuple[str, int]], Leg] = {}
    program = _program_addresses(recording)
    for message in recording.messages:
        peer = message.destination if message.source[0] in program else message.source
        key = (message.call_id, peer[0])
        if key not in found:
            if message.method != "INVITE" or message.status is not None:
                continue
            found[key] = Leg(message.call_id, peer, message.destination[0] in program, [])
        found[key].messages.append(message)
    return list(found.values())


def _program_addresses(recording: Recording) -> frozenset[str]:
    """The addresses of the one that stands in the middle; set by whoever knows it."""
    return getattr(recording, "program_addresses", frozenset())


# Packets that were on their way when a leg ended.
_TRAILING_SECONDS = 0.3


def samples_to(recording: Recording, leg: Leg, since: float = 0.0, until: float = float("inf")) -> numpy.ndarray:
    """What arrived at the peer's audio addresses while the leg lived, decoded, stream after stream."""
    # A peer may use the same port again in its next call.
    since, until = max(since, leg.messages[0].time), min(until, leg.messages[-1].time + _TRAILING_SECONDS)
    parts = [
        decode(stream.packets)
        for address in leg.peer_media
        for stream in recording.streams_to(address, since, until)
        if stream.destination[0] == leg.peer[0] or stream.destination == address
    ]
    return numpy.concatenate(parts) if parts else numpy.empty(0, dtype=numpy.int16)


def heard(recording: Recording, leg: Leg, since: float = 0.0, until: float = float("inf")) -> voice.Heard:
    """What the peer of this leg heard, by what arrived at the addresses it announced."""
    return voice.listen(samples_to(recording, leg, since, until))


def packets_to(recording: Recording, leg: Leg, since: float, until: float) -> int:
    """How many RTP packets arrived at the peer between two times."""
    return sum(len(stream.packets) for address in leg.peer_media for stream in recording.streams_to(address, since, until))


def expect_voice(what: str, ear: voice.Heard, spoken: int, seconds_min: float) -> None:
    """Fails unless `spoken`, and no other voice, was heard long enough."""
    others = [other for other in ear.voices if other != spoken]
    check(not others, f"{what} heard somebody else's voice: {ear}; expected only voice {spoken}")
    check(
        ear.voices.get(spoken, 0.0) >= seconds_min,
        f"{what} should have heard voice {spoken} for {seconds_min:g} s, but heard {ear}",
    )


def expect_no_voice(what: str, ear: voice.Heard) -> None:
    """Fails when any voice was recognised."""
    check(not ear.voices, f"{what} should have heard nobody, but heard {ear}")


def one(found: list[Leg], what: str) -> Leg:
    """The only leg of a list."""
    if len(found) != 1:
        raise Failure(f"expected one {what}, found {len(found)}: {[f'{leg.peer} {leg.invite.start_line}' for leg in found]}")
    return found[0]
