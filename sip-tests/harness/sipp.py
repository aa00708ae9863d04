"""Runs SIPp with the scenarios of this folder or its own, and says how it went.

Knows SIPp's command line, exit codes and log files. Must never know what the other side is.
"""

import pathlib
import socket
import time

from harness.network import listens
from harness.processes import Child, Failure, wait_until

SCENARIOS = pathlib.Path(__file__).resolve().parent.parent / "scenarios"
MEDIA_PORT = 20_000
_EXIT_CODES = {
    0: "all calls succeeded",
    1: "at least one call failed",
    97: "exit on command",
    99: "no calls",
    255: "fatal error",
    254: "cannot bind",
}


class Sipp:
    """One SIPp process: caller (`remote` given) or callee."""

    def __init__(
        self,
        folder: pathlib.Path,
        name: str,
        scenario: str | pathlib.Path,
        address: str,
        remote: str | None = None,
        remote_port: int = 5060,
        port: int = 5060,
        transport: str = "u1",
        service: str | None = None,
        calls: int = 1,
        keys: dict[str, str] | None = None,
        media_port: int = MEDIA_PORT,
        seconds: float = 60,
        arguments: tuple[str, ...] = (),
        log_messages: bool = True,
    ):
        self.name = name
        self._errors = folder / f"{name}.errors.log"
        self._messages = folder / f"{name}.messages.log"
        bracket = f"[{address}]" if ":" in address else address
        command = ["sipp"]
        if remote:
            host = f"[{remote}]" if ":" in remote else remote
            command += [f"{host}:{remote_port}"]
        # Keys come first: SIPp resolves those in `<exec>` while it reads the scenario.
        for key, value in (keys or {}).items():
            command += ["-key", key, value]
        built_in = isinstance(scenario, str) and not scenario.endswith(".xml")
        command += ["-sn", str(scenario)] if built_in else ["-sf", str(SCENARIOS / scenario)]
        command += ["-i", bracket, "-p", str(port), "-t", transport, "-mi", bracket, "-mp", str(media_port), "-bind_local"]
        command += ["-m", str(calls)] if calls else []
        command += ["-s", service] if service else []
        command += ["-timeout", str(int(seconds)), "-timeout_error", "-nostdin", "-f", "60", "-skip_rlimit"]
        command += ["-trace_err", "-error_file", str(self._errors)]
        command += ["-trace_msg", "-message_file", str(self._messages)] if log_messages else []
        command += [*arguments]
        self.seconds = seconds
        self.child = Child(name, command, folder)
        if not remote:
            what = f"SIPp {name} to listen"
            wait_until(what, 10, lambda: listens(port, tcp=transport.startswith("t")) or not self.running())
            # It has the port a moment before it reads from it, and drops what comes in between.
            time.sleep(0.2)

    def wait(self, expected: int = 0) -> None:
        """Waits for its end; fails with SIPp's own words unless it ended as expected."""
        code = self.child.wait(self.seconds + 15)
        if code != expected:
            raise Failure(f"SIPp {self.name}: {_EXIT_CODES.get(code, code)}\n{self.complaint()}")

    def complaint(self) -> str:
        """The first things SIPp complained about."""
        text = self._errors.read_text(errors="replace") if self._errors.exists() else ""
        text = text or self.child.errors() or self.child.output()[-2000:]
        return text[:2500]

    def messages(self) -> str:
        """Every message it sent and received."""
        return self._messages.read_text(errors="replace") if self._messages.exists() else ""

    def running(self) -> bool:
        """Whether it has not ended yet."""
        return self.child.running()

    def end(self) -> None:
        """Ends it without looking at the result."""
        self.child.end()


class Sinks:
    """Sockets that only hold ports open.

    SIPp plays a pcap file by a raw socket and listens on the first media port only; for calls
    beyond the first the kernel would answer every packet of the other side with "port
    unreachable", as no phone would.
    """

    def __init__(self, address: str, ports: range):
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self._sockets = []
        for port in ports:
            sink = socket.socket(family, socket.SOCK_DGRAM)
            sink.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            sink.bind((address, port))
            self._sockets.append(sink)

    def close(self) -> None:
        """Gives the ports back."""
        for sink in self._sockets:
            sink.close()
