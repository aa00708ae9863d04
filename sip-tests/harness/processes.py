"""Starts, watches and ends the processes of one test, each by its own id.

Knows processes, their output files and deadlines. Must never know what they do.
"""

import os
import pathlib
import signal
import subprocess
import time
import typing

POLL_SECONDS = 0.02


class Failure(AssertionError):
    """What a test found wrong: the message is all that a reader gets, so it names what was seen."""


def check(condition: object, message: str) -> None:
    """Fails the test with `message` unless `condition` holds."""
    if not condition:
        raise Failure(message)


def wait_until(what: str, seconds: float, condition: typing.Callable[[], object]) -> typing.Any:
    """Returns the first true value of `condition`; fails when none comes in time."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise Failure(f"waited {seconds:g} s for {what}: it did not come")
        time.sleep(POLL_SECONDS)


class Child:
    """One process. Its output goes to files; its end is awaited or forced."""

    def __init__(
        self, name: str, command: list[str], folder: pathlib.Path, stdin: int = subprocess.DEVNULL, env: dict[str, str] | None = None
    ):
        self.name = name
        self.command = command
        self.output_path = folder / f"{name}.out"
        self.error_path = folder / f"{name}.err"
        with self.output_path.open("ab") as out, self.error_path.open("ab") as err:
            self.process = subprocess.Popen(command, cwd=folder, stdin=stdin, stdout=out, stderr=err, env={**os.environ, **(env or {})})

    @property
    def pid(self) -> int:
        """The process id, also after the end."""
        return self.process.pid

    def running(self) -> bool:
        """Whether it has not ended yet."""
        return self.process.poll() is None

    def output(self) -> str:
        """All it has written to standard output."""
        return self.output_path.read_text(errors="replace")

    def errors(self) -> str:
        """All it has written to standard error."""
        return self.error_path.read_text(errors="replace")

    def wait(self, seconds: float) -> int:
        """Its exit code; fails the test when it has not ended in time."""
        try:
            return self.process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            raise Failure(f"{self.name} did not end within {seconds:g} s") from None

    def send(self, number: int) -> None:
        """Sends a signal if it still runs."""
        if self.running():
            self.process.send_signal(number)

    def end(self, number: int = signal.SIGTERM, seconds: float = 3.0) -> None:
        """Ends it: asks, waits, then kills. Never fails."""
        self.send(number)
        try:
            self.process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
