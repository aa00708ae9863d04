"""Finds the tests of `cases/`, runs them side by side, and prints how they went.

Usage: python3 -m harness.runner [-k PART] [-j N] [--list]
Every test runs in a process and namespaces of its own; a test that hangs is ended with all it
started. The last line is `N passed, N failed, N skipped`. Must never know what a test does.
"""

import argparse
import concurrent.futures
import importlib
import inspect
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import threading
import time

from harness import marks, network

ROOT = pathlib.Path(__file__).resolve().parent.parent
OUT = ROOT / "out"
OUTPUT_LINES_MAX = 40


def find() -> list[tuple[str, marks.Test]]:
    """Every `test_*` function of every `cases/test_*.py`, in the order of the files."""
    tests = []
    for path in sorted((ROOT / "cases").glob("test_*.py")):
        module = importlib.import_module(f"cases.{path.stem}")
        found = [
            (f"{path.stem}.{name}", test) for name, test in vars(module).items() if name.startswith("test_") and inspect.isfunction(test)
        ]
        tests += sorted(found, key=lambda item: item[1].__code__.co_firstlineno)
    return tests


def run_one(name: str, limit_seconds: float) -> dict:
    """Runs one test in its own namespaces, to its outcome or to its limit."""
    folder = OUT / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    command = [*network.unshare_command(), "/usr/bin/python3", "-m", "harness.one", name, str(folder)]
    start = time.monotonic()
    with (folder / "test.out").open("wb") as out:
        process = subprocess.Popen(
            command, cwd=ROOT, stdout=out, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, start_new_session=True
        )
        try:
            process.wait(timeout=limit_seconds)
            message = f"the test process ended with code {process.returncode}"
        except subprocess.TimeoutExpired:
            # Its namespace's first process dies with it, and so does everything inside.
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            message = f"not finished within {limit_seconds:g} s"
    outcome = folder / "outcome.json"
    if outcome.exists():
        return json.loads(outcome.read_text())
    tail = (folder / "test.out").read_text(errors="replace").splitlines()[-OUTPUT_LINES_MAX:]
    return {"outcome": "failed", "message": "\n".join([message, *tail]), "seconds": time.monotonic() - start}


def main() -> int:
    """Runs what was asked for; 0 when nothing failed."""
    arguments = argparse.ArgumentParser(prog="sip-tests/run --only wire")
    arguments.add_argument("-k", default="", help="only tests whose name contains this")
    arguments.add_argument("-j", type=int, default=4, help="how many side by side (default 4: a test mostly waits)")
    arguments.add_argument("--list", action="store_true", help="print the names and what each proves")
    chosen = arguments.parse_args()
    tests = [(name, test) for name, test in find() if chosen.k in name]
    if chosen.list:
        for name, test in tests:
            print(f"{name}: {(test.__doc__ or '').strip().splitlines()[0]}")
        return 0
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    printing = threading.Lock()

    def report(name: str, result: dict) -> None:
        with printing:
            counts[result["outcome"]] += 1
            print(f"{result['outcome']:8}{result['seconds']:6.1f} s  {name}", flush=True)
            if result["message"]:
                print("".join(f"        {line}\n" for line in result["message"].splitlines()), end="", flush=True)

    def run(item: tuple[str, marks.Test]) -> None:
        name, test = item
        report(name, run_one(name, getattr(test, "limit_seconds", marks.LIMIT_SECONDS)))

    reason = network.why_not_here()
    if reason:
        for name, _ in tests:
            report(name, {"outcome": "skipped", "seconds": 0.0, "message": reason})
    else:
        side_by_side = [item for item in tests if not getattr(item[1], "alone", False)]
        one_by_one = [item for item in tests if getattr(item[1], "alone", False)]
        with concurrent.futures.ThreadPoolExecutor(chosen.j) as pool:
            list(pool.map(run, side_by_side))
        for item in one_by_one:
            run(item)
    print(f"{counts['passed']} passed, {counts['failed']} failed, {counts['skipped']} skipped", flush=True)
    return 1 if counts["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
