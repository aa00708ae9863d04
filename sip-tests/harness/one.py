"""Runs one test inside the namespaces that the runner made for it.

Called as `python3 -m harness.one CASES.TEST FOLDER`. Writes the outcome to FOLDER/outcome.json.
Knows how a test ends. Must never know the other tests.
"""

import importlib
import json
import os
import pathlib
import sys
import time
import traceback

from harness import network
from harness.marks import Skip
from harness.processes import Failure
from harness.world import World


def main() -> int:
    """Runs the named test; 0 when it ran to an outcome of any kind."""
    name, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    module, _, function = name.rpartition(".")
    temporary = folder / "tmp"
    temporary.mkdir()
    os.environ["TMPDIR"] = str(temporary)
    network.set_up()
    world = World(name, folder)
    start = time.monotonic()
    outcome, message = "passed", ""
    try:
        getattr(importlib.import_module(f"cases.{module}"), function)(world)
    except Skip as reason:
        outcome, message = "skipped", str(reason)
    except Failure as failure:
        outcome, message = "failed", f"{failure}\n{_where(failure)}"
    except Exception:  # noqa: BLE001 - a mistake in the test is a failure too
        outcome, message = "failed", traceback.format_exc()
    wrong = world.finish()
    if outcome == "failed" and world.recording is not None:
        message += f"\nthe wire ({folder / 'wire.pcap'}):\n{_tail(world.recording.ladder())}"
    elif wrong and outcome == "passed":
        outcome, message = "failed", "while ending: " + "; ".join(wrong)
    message = "\n".join([*world.notes, *([message] if message else [])])
    report = {"outcome": outcome, "message": message, "seconds": time.monotonic() - start}
    (folder / "outcome.json").write_text(json.dumps(report))
    return 0


def _where(failure: Failure) -> str:
    """The lines of the test that led to the failure."""
    frames = traceback.extract_tb(failure.__traceback__)
    return "\n".join(f"  {pathlib.Path(f.filename).name}:{f.lineno}: {f.line}" for f in frames if "/cases/" in f.filename)


def _tail(ladder: str, lines_max: int = 60) -> str:
    """The end of a long ladder."""
    lines = ladder.splitlines()
    return "\n".join(lines if len(lines) <= lines_max else ["..."] + lines[-lines_max:])


if __name__ == "__main__":
    sys.exit(main())
