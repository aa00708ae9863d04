"""Runs baresip as a softphone that records, driven over its JSON control port.

Knows baresip 1.0's configuration and commands. Must never know what the other side is.
"""

import json
import pathlib
import socket
import time

import numpy

from harness.audio_files import read_wav
from harness.processes import Child, Failure, wait_until

_CONFIG = """poll_method epoll
sip_listen {address}:{port}
call_local_timeout 120
call_max_calls 4
audio_player aubridge,ear
audio_source {source}
audio_alert aubridge,alert
ausrc_srate 8000
auplay_srate 8000
ausrc_channels 1
auplay_channels 1
rtp_tos 184
rtp_ports {rtp_min}-{rtp_max}
jitter_buffer_delay 2-20
net_interface {address}
module_path /usr/lib/baresip/modules
module g711.so
module sndfile.so
module aufile.so
module aubridge.so
module_tmp uuid.so
module_tmp account.so
module_app menu.so
module_app ctrl_tcp.so
ctrl_tcp_listen 127.0.0.1:{control}
snd_path {recordings}
ringback_disabled yes
"""


class Baresip:
    """One baresip with one account. `registrar` None: no registration, calls come to its address."""

    def __init__(
        self,
        folder: pathlib.Path,
        name: str,
        address: str,
        user: str,
        password: str = "",
        registrar: str | None = None,
        voice: pathlib.Path | None = None,
        answer: str = "manual",
        port: int = 5060,
        transport: str = "udp",
        codecs: str = "PCMA",
        control: int = 4444,
        rtp_min: int = 30_000,
        expires: int = 60,
    ):
        home = folder / name
        recordings = home / "recordings"
        recordings.mkdir(parents=True)
        self.recordings = recordings
        self._events: list[dict] = []
        self._buffer = b""
        source = f"aufile,{voice}" if voice else "aubridge,mouth"
        (home / "config").write_text(
            _CONFIG.format(
                address=address, port=port, source=source, rtp_min=rtp_min, rtp_max=rtp_min + 100, control=control, recordings=recordings
            )
        )
        host = registrar or address
        account = f"<sip:{user}@{host};transport={transport}>;auth_user={user};auth_pass={password or 'x'};audio_codecs={codecs}/8000/1"
        account += f";answermode={answer};regint={expires if registrar else 0};ptime=20"
        (home / "accounts").write_text("")
        (home / "contacts").write_text("")
        self.child = Child(name, ["baresip", "-f", str(home), "-s"], folder)
        self._control = self._connect(control)
        # Only now, so that not even the first event is missed.
        self.command("uanew", account)

    def _connect(self, port: int) -> socket.socket:
        """The control port, once baresip listens on it."""

        def attempt() -> socket.socket | None:
            if not self.child.running():
                raise Failure(f"baresip ended at once: {self.child.output()[-1500:]}{self.child.errors()[-500:]}")
            try:
                return socket.create_connection(("127.0.0.1", port), timeout=1)
            except OSError:
                return None

        return wait_until("baresip's control port", 10, attempt)

    def command(self, command: str, params: str = "") -> None:
        """Sends one command of baresip's menu."""
        text = json.dumps({"command": command, "params": params, "token": command}).encode()
        self._control.sendall(f"{len(text)}:".encode() + text + b",")

    def _receive(self) -> None:
        """Takes what events have come; netstrings, as https://cr.yp.to/proto/netstrings.txt has them."""
        self._control.settimeout(0.02)
        try:
            self._buffer += self._control.recv(65536)
        except TimeoutError:
            pass
        while b":" in self._buffer:
            head, _, rest = self._buffer.partition(b":")
            length = int(head)
            if len(rest) < length + 1:
                return
            self._events.append(json.loads(rest[:length]))
            self._buffer = rest[length + 1 :]

    def wait_event(self, kind: str, seconds: float = 15) -> dict:
        """The next event of one type (REGISTER_OK, CALL_INCOMING, CALL_ESTABLISHED, CALL_CLOSED, ...)."""
        deadline = time.monotonic() + seconds
        while True:
            for index, event in enumerate(self._events):
                if event.get("type") == kind:
                    del self._events[: index + 1]
                    return event
            if time.monotonic() > deadline:
                seen = [event.get("type") for event in self._events if event.get("event")]
                raise Failure(f"baresip: no {kind} within {seconds:g} s; seen: {seen}\n{self.child.output()[-1500:]}")
            self._receive()

    def recording(self) -> numpy.ndarray:
        """What it has heard in all calls so far, decoded and dejittered by baresip itself."""
        files = sorted(self.recordings.glob("*-dec.wav"), key=lambda path: path.stat().st_mtime)
        parts = [read_wav(path) for path in files]
        return numpy.concatenate(parts) if parts else numpy.empty(0, dtype=numpy.int16)

    def end(self) -> None:
        """Quits as a user would: calls hung up, registration taken back."""
        if self.child.running():
            try:
                self.command("quit")
                self.child.process.wait(timeout=3)
            except Exception:  # noqa: BLE001 - whatever went wrong, it has to end
                pass
        self.child.end()

    def vanish(self) -> None:
        """Dies without a word, as a phone whose battery is empty."""
        self.child.process.kill()
        self.child.process.wait()
