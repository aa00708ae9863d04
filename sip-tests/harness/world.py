"""What one test is handed: a folder, a network, voices, peers, the program; all ended after it.

Knows how peers are started with the addresses of the test network. Must never judge a test.
"""

import pathlib
import typing

import numpy

from harness import audio_files, conversation, g711, network, voice
from harness.baresip import Baresip
from harness.capture import Capture, Recording
from harness.linphone import Linphone
from harness.sipp import MEDIA_PORT, Sinks, Sipp

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

    # --- peers ----------------------------------------------------------------------------

    def sipp(self, name: str, scenario: str | pathlib.Path, address: str, speaks: int | None = None, law: int = g711.PCMA, **settings: typing.Any) -> Sipp:
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
