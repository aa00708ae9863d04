"""What one test is handed: a folder, a network, voices, peers, the program; all ended after it.

Knows how peers are started with the addresses of the test network. Must never judge a test.
"""

import pathlib
import time
import typing

import numpy

from harness import audio_files, conversation, g711, network, privacy, voice
from harness.baresip import Baresip
from harness.capture import Capture, Recording
from harness.deployment import LINE_NUMBER, PASSWORD, Deployment
from harness.linphone import Linphone
from harness.processes import check, wait_until
from harness.program import Program
from harness.sipp import MEDIA_PORT, SCENARIOS, Sinks, Sipp

# Voices by role, so that a report says at once who was heard: callers from 0, operators from 100.
FIRST_OPERATOR_VOICE = 100


def caller_voice(index: int) -> int:
    """The voice of the caller number `index`."""
    assert index < FIRST_OPERATOR_VOICE
    return index


def operator_voice(index: int) -> int:
    """The voice of the operator number `index`."""
    return FIRST_OPERATOR_VOICE + index


class World:
    """The surroundings of one test."""

    def __init__(self, name: str, folder: pathlib.Path):
        self.name = name
        self.folder = folder
        self._endings: list[typing.Callable[[], object]] = []
        self._capture: Capture | None = None
        self.recording: Recording | None = None
        self.numbers: list[str] = []
        self.notes: list[str] = []
        self.program: Program | None = None

    def at_end(self, ending: typing.Callable[[], object]) -> None:
        """Registers what must be done after the test, last first."""
        self._endings.append(ending)

    def finish(self) -> list[str]:
        """Ends everything; what went wrong in doing so, as text."""
        wrong = []
        for ending in reversed(self._endings):
            try:
                ending()
            except Exception as error:  # noqa: BLE001 - every ending gets its turn
                wrong.append(f"{type(error).__name__}: {error}")
        self._endings.clear()
        return wrong

    def note(self, text: str) -> None:
        """Text that the runner prints with the outcome, also of a test that passes."""
        self.notes.append(text)

    # --- the program -----------------------------------------------------------------------

    def vigie(self, deployment: Deployment) -> Program:
        """Starts the program with a deployment, and records the wire from before its first packet."""
        if self._capture is None:
            self.start_capture()
        home = self.folder / "vigie"
        self.program = Program(self.folder, deployment.write(home))
        self.at_end(self._judge_program)
        return self.program

    def caller(self, index: int = 0) -> str:
        """A caller's number (reserved for fiction), which must not be found anywhere afterwards."""
        number = f"+3363998{index:04d}"
        if number not in self.numbers:
            self.numbers.append(number)
        return number

    def _judge_program(self) -> None:
        """After every test: it did not crash, and left no caller's number anywhere."""
        assert self.program is not None
        outputs = [
            self.program.command(*command).stdout
            for command in (("calls",), ("calls", "--json"), ("status", "--json"), ("operators", "--json"))
        ]
        wrote = [self.folder / "vigie", *map(pathlib.Path, ("/dev/shm", "/run")), self.folder / "tmp"]
        found = privacy.leaks_in_files(wrote, self.numbers)
        self.program.end()
        found += privacy.leaks_in_files(wrote, self.numbers)
        found += privacy.leaks(self.program.log().encode(), self.numbers)
        found += privacy.leaks("\n".join(outputs).encode(), self.numbers)
        found += self._leaks_to_operators()
        check(not found, "\n".join(dict.fromkeys(found)))

    def _leaks_to_operators(self) -> list[str]:
        """No packet from the program to anybody but the trunks may hold a number."""
        # A stranger who calls gets her own number back in the refusal, as everybody does (RFC 3261 §8.2.6.2).
        trunks = (network.TRUNK, network.TRUNK_6, network.TRUNK_WITH_PASSWORD, network.STRANGER)
        here = (network.VIGIE, network.VIGIE_6)
        return [
            f"sent to {packet.destination}: {leak}"
            for packet in self.stop_capture().packets
            if packet.source[0] in here and packet.destination[0] not in trunks and packet.destination[0] not in here
            for leak in privacy.leaks(packet.payload, self.numbers)
        ]

    # --- the wire -------------------------------------------------------------------------

    def start_capture(self) -> None:
        """Starts recording the wire."""
        self._capture = Capture(self.folder)
        self.at_end(self.stop_capture)

    def stop_capture(self, program: tuple[str, ...] = (network.VIGIE, network.VIGIE_6)) -> Recording:
        """Ends the recording and reads it; `program` are the addresses of the one in the middle."""
        if self.recording is None:
            assert self._capture is not None, "start_capture comes first"
            self.recording = self._capture.stop()
            self.recording.program_addresses = frozenset(program)
        return self.recording

    def capture_path(self) -> pathlib.Path:
        """The recording so far, all packets up to now in it."""
        assert self._capture is not None
        self._capture.flush()
        return self._capture.path

    def was_rung(self, address: str) -> bool:
        """Whether a call was offered to an address so far, by a look at the running capture."""
        return any(message.method == "INVITE" for message in Recording(self.capture_path()).find(destination=address, request=True))

    def legs(self) -> list[conversation.Leg]:
        """The INVITE dialogs of the stopped recording."""
        return conversation.legs(self.stop_capture())

    def sinks(self, address: str, ports: range) -> None:
        """Holds UDP ports open, for peers that send audio without listening."""
        sinks = Sinks(address, ports)
        self.at_end(sinks.close)

    # --- audio ----------------------------------------------------------------------------

    def _file(self, name: str, write: typing.Callable[[pathlib.Path], object]) -> pathlib.Path:
        path = self.folder / name
        if not path.exists():
            write(path)
        return path

    def voice_raw(self, spoken: int, law: int = g711.PCMA) -> pathlib.Path:
        """One word of a voice as bare code words; SIPp's `rtp_stream` repeats it."""
        return self._file(f"voice{spoken}.{law}.raw", lambda path: audio_files.write_raw(path, voice.speak(spoken, 0), law))

    def voice_wav(self, spoken: int, seconds: float = 90) -> pathlib.Path:
        """A voice for softphones."""
        return self._file(f"voice{spoken}.wav", lambda path: audio_files.write_wav(path, voice.speak(spoken, seconds)))

    def voice_pcap(self, spoken: int, seconds: float) -> pathlib.Path:
        """So many seconds of a voice for SIPp's `play_pcap_audio`."""
        return self.phone_pcap(f"voice{spoken}", voice.speak(spoken, seconds))

    def phone_pcap(self, name: str, *parts: numpy.ndarray | str, law: int = g711.PCMA) -> pathlib.Path:
        """One RTP stream of sound and digits as a phone sends it; see `audio_files.write_phone_pcap`."""
        return self._file(f"{name}.pcap", lambda path: audio_files.write_phone_pcap(path, parts, law))

    @staticmethod
    def pause(seconds: float) -> None:
        """Lets the peers go on: the time itself is what the test is about."""
        time.sleep(seconds)

    @staticmethod
    def now() -> float:
        """The time as the capture has it."""
        return time.time()

    @staticmethod
    def wait(what: str, seconds: float, condition: typing.Callable[[], object]) -> typing.Any:
        """Waits for a condition; see `processes.wait_until`."""
        return wait_until(what, seconds, condition)

    @staticmethod
    def scenario(name: str) -> pathlib.Path:
        """A scenario file of this folder."""
        return SCENARIOS / name

    # --- peers in their usual parts --------------------------------------------------------

    def call(
        self,
        name: str = "caller",
        scenario: str | pathlib.Path = "caller_calls.xml",
        index: int = 0,
        talk_ms: int = 8000,
        number: str = LINE_NUMBER,
        **settings: typing.Any,
    ) -> Sipp:
        """Calls a line from the trunk's address, as the caller `index` with her number and voice."""
        remote = network.VIGIE_6 if ":" in settings.get("address", "") else network.VIGIE
        settings = {
            "address": network.TRUNK,
            "remote": remote,
            "service": number,
            "port": 5060 + index,
            "media_port": MEDIA_PORT + 10 * index,
            **settings,
        }
        keys = {"caller": self.caller(index), **settings.pop("keys", {})}
        arguments = ("-d", str(talk_ms), *settings.pop("arguments", ()))
        speaks = settings.pop("speaks", caller_voice(index))
        return self.sipp(name, scenario, settings.pop("address"), speaks=speaks, keys=keys, arguments=arguments, **settings)

    def register(
        self,
        user: str,
        address: str,
        port: int = 5060,
        expires: int = 300,
        password: str = PASSWORD,
        scenario: str = "operator_registers.xml",
        remote: str = network.VIGIE,
    ) -> None:
        """Registers a phone by SIPp, which ends; whoever then listens there is that phone."""
        keys = {"expires": str(expires)}
        name = f"register-{user}-{port}-{expires}-{len(self._endings)}"
        self.sipp(
            name,
            scenario,
            address,
            remote=remote,
            port=port,
            service=user,
            keys=keys,
            media_port=19_000,
            seconds=20,
            arguments=("-au", user, "-ap", password),
        ).wait()

    def dial(self, what: str, user: str, address: str, port: int = 5060, password: str = PASSWORD) -> Sipp:
        """An operator's phone dials a code or a number."""
        return self.sipp(
            f"dials-{len(self._endings)}", "operator_dials.xml", address, remote=network.VIGIE, port=port, service=what, keys={"user": user},
            media_port=19_100, arguments=("-au", user, "-ap", password),
        )  # fmt: skip

    def register_many(self, users: typing.Sequence[str], address: str, expires: int = 3600) -> None:
        """Registers many users from one phone's address, as a contact centre's gateway would."""
        rows = self.folder / "users.csv"
        # SIPp takes a password for each call only from the injected file itself.
        rows.write_text("SEQUENTIAL\n" + "".join(f"{user};[authentication username={user} password={PASSWORD}]\n" for user in users))
        scenario = self.folder / "registers_many.xml"
        scenario.write_text(
            self.scenario("operator_registers.xml").read_text().replace("[service]", "[field0]").replace("[authentication]", "[field1]")
        )
        self.sipp(
            "register-many", scenario, address, remote=network.VIGIE, calls=len(users), keys={"expires": str(expires)}, media_port=9_000,
            arguments=("-inf", str(rows), "-r", "50"),
        ).wait()  # fmt: skip

    def ringing_for(self, seconds: float, scenario: str = "operator_answers.xml") -> pathlib.Path:
        """An operator's scenario that answers after so long, so that a prompt has time to be heard."""
        path = self.folder / f"rings.{scenario}"
        text = (SCENARIOS / scenario).read_text()
        assert '<pause milliseconds="500"/>' in text, f"{scenario} does not ring for half a second"
        path.write_text(text.replace('<pause milliseconds="500"/>', f'<pause milliseconds="{int(seconds * 1000)}"/>', 1))
        return path

    def phone(
        self,
        name: str,
        address: str = network.PHONE,
        scenario: str | pathlib.Path = "operator_answers.xml",
        index: int = 0,
        talk_ms: int = 4000,
        **settings: typing.Any,
    ) -> Sipp:
        """A phone of SIPp at an address, with the voice of the operator `index`; takes OPTIONS as they come."""
        settings = {"speaks": operator_voice(index), "media_port": 30_000 + 10 * index, **settings}
        arguments = ("-aa", "-d", str(talk_ms), *settings.pop("arguments", ()))
        return self.sipp(name, scenario, address, arguments=arguments, **settings)

    # --- peers ----------------------------------------------------------------------------

    def sipp(
        self, name: str, scenario: str | pathlib.Path, address: str, speaks: int | None = None, law: int = g711.PCMA, **settings: typing.Any
    ) -> Sipp:
        """Starts SIPp; `speaks` is the voice for scenarios that play `[voice]`."""
        keys = dict(settings.pop("keys", None) or {})
        if speaks is not None:
            # The whole argument of `rtp_stream`: file, repeat for ever, payload type.
            keys["voice"] = f"{self.voice_raw(speaks, law).name},-1,{law}"
        peer = Sipp(self.folder, name, scenario, address, keys=keys, **settings)
        self.at_end(peer.end)
        return peer

    def baresip(self, name: str, address: str, user: str, speaks: int | None = None, **settings: typing.Any) -> Baresip:
        """Starts baresip; without a voice it echoes what it hears."""
        peer = Baresip(self.folder, name, address, user, voice=self.voice_wav(speaks) if speaks is not None else None, **settings)
        self.at_end(peer.end)
        return peer

    def linphone(self, name: str, address: str, user: str, speaks: int | None = None, **settings: typing.Any) -> Linphone:
        """Starts linphone; without a voice it is silent."""
        peer = Linphone(self.folder, name, address, user, voice=self.voice_wav(speaks) if speaks is not None else None, **settings)
        self.at_end(peer.end)
        return peer


__all__ = ["MEDIA_PORT", "World", "caller_voice", "operator_voice"]
