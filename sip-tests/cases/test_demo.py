"""The demonstration, as a newcomer starts it."""

import re
import signal

from harness.capture import Capture
from harness.marks import limit
from harness.processes import Child, check, wait_until
from harness.program import binary
from harness.world import World


def start(world: World, *arguments: str) -> Child:
    """`vigie demo` on this namespace's own loopback."""
    # The name of a socket below the test's own folder would be longer than the system takes.
    child = Child("demo", [str(binary()), "demo", *arguments], world.folder, env={"TMPDIR": "/run"})
    world.at_end(child.end)
    return child


@limit(150)
def test_demo_serves_callers_over_real_sockets(world: World) -> None:
    """`vigie demo` for half a minute of a day ten times as fast: real SIP and RTP on the wire, calls answered, a summary, exit code 0."""
    capture = Capture(world.folder)
    demo = start(world, "--duration", "30s", "--speed", "10", "--calls-per-hour", "150")
    check(demo.wait(110) == 0, f"exit code {demo.process.returncode}: {demo.errors()[-1500:]}")
    recording = capture.stop()
    answered = [message for message in recording.find("INVITE", status=200)]
    check(len(answered) >= 4, f"{len(answered)} calls and offers were answered on the wire")
    check(len(recording.streams()) >= 6, f"{len(recording.streams())} RTP streams on the wire")
    text = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", demo.output())
    check("answered" in text.lower(), f"the summary says: {text[-1500:]}")


def test_demo_ends_on_ctrl_c(world: World) -> None:
    """Ctrl-C drains and prints the summary; it has told how to join in."""
    demo = start(world, "--calls-per-hour", "1200")
    wait_until("the demo to tell how to join in", 15, lambda: "127.0.0.1" in demo.output() and "password" in demo.output().lower())
    world.pause(5)
    demo.send(signal.SIGINT)
    check(demo.wait(60) == 0, f"exit code {demo.process.returncode}: {demo.errors()[-1500:]}")
    check("answered" in demo.output().lower(), f"no summary: {demo.output()[-800:]}")
