"""The program under test as a process: started with a deployment, asked by its own commands, ended.

Knows the command line and /proc. Must never know SIP, nor read the program's files.
"""

import dataclasses
import json
import os
import pathlib
import signal
import subprocess
import typing

from harness.network import listens
from harness.processes import Child, Failure, check, wait_until

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


def binary() -> pathlib.Path:
    """The release binary; `VIGIE` names another."""
    named = os.environ.get("VIGIE")
    if named:
        return pathlib.Path(named)
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    return target / "release" / "vigie"


@dataclasses.dataclass
class Usage:
    """What the process has used."""

    cpu_seconds: float
    resident_kib: int
    resident_peak_kib: int
    open_files: int


class Program:
    """One run of `vigie run`."""

    def __init__(self, folder: pathlib.Path, config: pathlib.Path, name: str = "vigie", prefix: tuple[str, ...] = ()):
        self.folder = folder
        self.config = config
        self.name = name
        self._prefix = prefix
        self._starts = 0
        self.start()

    def start(self) -> None:
        """Starts it and waits until it serves; also after an end."""
        program = binary()
        check(program.exists(), f"no program at {program}: cargo build --release")
        self._starts += 1
        self.child = Child(
            f"{self.name}.{self._starts}",
            [*self._prefix, str(program), "run", "--config", str(self.config)],
            self.folder,
            env={"RUST_BACKTRACE": "1"},
        )

        def serves() -> bool:
            if not self.child.running():
                raise Failure(f"vigie ended at once with code {self.child.process.returncode}:\n{self.log()[-3000:]}")
            return listens(5060) and self.command("status", "--json").returncode == 0

        wait_until("vigie to serve", 15, serves)

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """One of the program's own commands, with the same configuration."""
        command = [str(binary()), arguments[0], "--config", str(self.config), *arguments[1:]]
        return subprocess.run(command, capture_output=True, text=True, timeout=15, cwd=self.folder)

    def check(self, config: pathlib.Path) -> subprocess.CompletedProcess[str]:
        """`vigie check` of another deployment."""
        return subprocess.run(
            [str(binary()), "check", "--config", str(config)], capture_output=True, text=True, timeout=15, cwd=self.folder
        )

    def json(self, *arguments: str) -> typing.Any:
        """What a command says with `--json`."""
        result = self.command(*arguments, "--json")
        check(result.returncode == 0, f"vigie {' '.join(arguments)} --json: code {result.returncode}: {result.stderr or result.stdout}")
        return json.loads(result.stdout)

    def do(self, *arguments: str) -> str:
        """A command that must succeed; what it printed."""
        result = self.command(*arguments)
        check(result.returncode == 0, f"vigie {' '.join(arguments)}: code {result.returncode}: {result.stderr or result.stdout}")
        return result.stdout

    def log(self) -> str:
        """Everything it printed, over all starts."""
        texts = []
        for start in range(1, self._starts + 1):
            for end in ("out", "err"):
                path = self.folder / f"{self.name}.{start}.{end}"
                texts.append(path.read_text(errors="replace") if path.exists() else "")
        return "".join(texts)

    def usage(self) -> Usage:
        """CPU time, memory and open files as the kernel has them."""
        process = pathlib.Path(f"/proc/{self._pid()}")
        fields = (process / "stat").read_text().rpartition(")")[2].split()
        status = dict(line.split(":", 1) for line in (process / "status").read_text().splitlines() if ":" in line)
        kib = lambda key: int(status[key].split()[0])  # noqa: E731
        return Usage((int(fields[11]) + int(fields[12])) / TICKS_PER_SECOND, kib("VmRSS"), kib("VmHWM"), len(os.listdir(process / "fd")))

    def reset_peak(self) -> None:
        """Makes `resident_peak_kib` begin anew (proc(5), clear_refs)."""
        pathlib.Path(f"/proc/{self._pid()}/clear_refs").write_text("5")

    def _pid(self) -> int:
        return self.child.pid

    def running(self) -> bool:
        """Whether it has not ended."""
        return self.child.running()

    def kill(self) -> None:
        """kill -9: no farewell, nothing flushed."""
        self.child.process.send_signal(signal.SIGKILL)
        self.child.process.wait()

    def ask_to_stop(self) -> None:
        """SIGTERM: no new calls, the present ones go on."""
        self.child.send(signal.SIGTERM)

    def wait(self, seconds: float = 15) -> int:
        """Its exit code."""
        return self.child.wait(seconds)

    def end(self) -> None:
        """Ends it whatever happens, and fails if it had crashed on the way."""
        crashed = not self.running() and self.child.process.returncode not in (0, -signal.SIGKILL)
        code = self.child.process.returncode
        if self.running():
            self.child.end(signal.SIGTERM, 5)
        panics = [line for line in self.log().splitlines() if "panicked at" in line]
        check(not panics, f"vigie panicked: {panics[:3]}")
        check(not crashed, f"vigie ended by itself with code {code}:\n{self.log()[-2000:]}")
