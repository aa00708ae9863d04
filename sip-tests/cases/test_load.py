"""The load script works: a few calls of each kind. What it measures is printed, never judged."""

import subprocess

from harness.marks import Skip, alone, limit
from harness.processes import check
from harness.program import ROOT
from harness.world import World


@alone
@limit(240)
def test_load_script_runs(world: World) -> None:
    """`sip-tests/load/run --smoke` carries its calls through and prints its table."""
    command = [str(ROOT / "sip-tests" / "load" / "run"), "--smoke", "--out", str(world.folder / "load")]
    result = subprocess.run(command, capture_output=True, text=True, timeout=220)
    if "unshare" in result.stderr and "failed" in result.stderr:
        raise Skip(f"no namespaces inside namespaces here: {result.stderr.strip()}")
    world.note(result.stdout)
    check(result.returncode == 0, f"code {result.returncode}:\n{result.stdout}{result.stderr}")
    check("CPU a call" in result.stdout, result.stdout)
