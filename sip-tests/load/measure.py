"""Measures the program under load: SIPp as trunk, SIPp as many registered operators, the kernel's own figures.

Three runs: signalling alone (CPU a call, INVITE to 200), calls held (memory a call), and sound (CPU a
minute of bridged call). Prints a table beside what Asterisk's queues were measured at; asserts nothing
about time. Must never read the program's own figures.
"""

import argparse
import dataclasses
import pathlib
import re
import shutil
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from harness import audio_files, many, network, voice  # noqa: E402
from harness.capture import Capture, Recording  # noqa: E402
from harness.deployment import LINE_NUMBER, Deployment  # noqa: E402
from harness.processes import Failure, check  # noqa: E402
from harness.program import Program  # noqa: E402
from harness.sipp import Sinks  # noqa: E402
from harness.world import World  # noqa: E402

_SOUND = re.compile(r"<!-- sound: (.*) -->")
_CALLER_PORTS, _OPERATOR_PORTS = 10_000, 20_000
# SIPp starts its auto_media_port anew after so many calls.
_SIPP_PORTS_CALLS = 2_500


@dataclasses.dataclass
class Load:
    """One run."""

    rate: float
    calls: int
    talk_seconds: float
    sound: bool = False

    @property
    def at_once(self) -> int:
        """Calls at once when the load is steady."""
        return min(self.calls, max(1, round(self.rate * self.talk_seconds)))


@dataclasses.dataclass
class Result:
    """What was measured."""

    calls: int
    failed: int
    cpu_seconds: float
    idle_cpu_seconds_a_second: float
    seconds: float
    resident_before_kib: int
    resident_peak_kib: int
    answer_ms: list[float]
    talked_minutes: float

    @property
    def own_cpu_seconds(self) -> float:
        """CPU time without what an idle program uses in the same time."""
        return max(0.0, self.cpu_seconds - self.idle_cpu_seconds_a_second * self.seconds)


def percentile(values: list[float], share: float) -> float:
    """The value below which `share` of the values lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("nan")


def deployment(operators: int) -> Deployment:
    """A line that answers when an operator does, so that INVITE to 200 is the whole way through the distributor."""
    wanted = Deployment().line(answer="on_operator", waiting={"waiting_max": 10_000})
    wanted.node["log_level"] = "info"
    wanted.rtp |= {"port_first": 30_000, "port_last": 59_999}
    wanted.admission = {"calls_max": 5_000, "transactions_max": 100_000}
    wanted.speaking_prompts = False
    for index in range(operators):
        wanted.operator(f"ecoutante-{index + 1}")
    return wanted


def idle_cpu(program: Program, seconds: float = 3.0) -> float:
    """CPU seconds a second of the program with nothing to do."""
    before = program.usage().cpu_seconds
    time.sleep(seconds)
    return (program.usage().cpu_seconds - before) / seconds


def answer_times_ms(recording: Recording) -> list[float]:
    """From each INVITE of the trunk to its 200, as the wire has it."""
    begun: dict[str, float] = {}
    answered: dict[str, float] = {}
    for message in recording.messages:
        if message.method == "INVITE" and message.source[0] == network.TRUNK and message.status is None:
            begun.setdefault(message.call_id, message.time)
        elif message.method == "INVITE" and message.destination[0] == network.TRUNK and message.status == 200:
            answered.setdefault(message.call_id, message.time)
    return [1000 * (time_ - begun[call_id]) for call_id, time_ in answered.items() if call_id in begun]


def scenario(world: World, name: str, sound: bool) -> pathlib.Path:
    """The scenario with its sound switched on or left out."""
    path = world.folder / name
    text = (HERE / name).read_text()
    path.write_text(_SOUND.sub(lambda found: found.group(1) if sound else "", text))
    return path


def run(folder: pathlib.Path, load: Load) -> Result:
    """One run with a program, operators and callers of its own."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    world = World("load", folder)
    try:
        return _run(world, load)
    finally:
        world.finish()


def _run(world: World, load: Load) -> Result:
    operators = load.at_once + max(4, load.at_once // 4)
    program = Program(world.folder, deployment(operators).write(world.folder / "vigie"))
    world.at_end(program.end)
    world.register_many([f"ecoutante-{index + 1}" for index in range(operators)], network.FIXED)
    numbers = world.folder / "numbers.csv"
    numbers.write_text("SEQUENTIAL\n" + "".join(f"{index:04d}\n" for index in range(10_000)))
    keys = {}
    if load.sound:
        audio = audio_files.write_phone_pcap(world.folder / "sound.pcap", [voice.speak(0, load.talk_seconds)])
        keys = {"audio": str(audio)}
    ports = min(load.calls, _SIPP_PORTS_CALLS)
    world.at_end(Sinks(network.TRUNK, many.ports(_CALLER_PORTS, ports)).close)
    world.at_end(Sinks(network.FIXED, many.ports(_OPERATOR_PORTS, ports)).close)
    seconds = load.calls / load.rate + load.talk_seconds + 60
    answering = world.sipp(
        "operators", scenario(world, "operator.xml", load.sound), network.FIXED, calls=load.calls, keys=keys, media_port=_OPERATOR_PORTS,
        arguments=("-aa", "-nd"), seconds=seconds, log_messages=False,
    )  # fmt: skip
    capture = Capture(world.folder, only="udp port 5060")
    world.at_end(capture.child.end)
    idle = idle_cpu(program)
    program.reset_peak()
    before, start = program.usage(), time.monotonic()
    calling = world.sipp(
        "callers", scenario(world, "caller.xml", load.sound), network.TRUNK, remote=network.VIGIE, service=LINE_NUMBER, calls=load.calls,
        keys=keys, media_port=_CALLER_PORTS, seconds=seconds, log_messages=False,
        arguments=("-r", f"{load.rate:g}", "-l", str(load.calls), "-d", str(int(load.talk_seconds * 1000)), "-inf", str(numbers)),
    )  # fmt: skip
    code = calling.child.wait(seconds + 15)
    check(code in (0, 1), f"SIPp ended with {code}: {calling.complaint()}")
    after, elapsed = program.usage(), time.monotonic() - start
    answering.end()
    answers = answer_times_ms(capture.stop())
    # SIPp ends with 1 when a call failed, be it only after its answer.
    failed = max(load.calls - len(answers), code)
    if failed:
        print(f"  {failed} of {load.calls} calls failed: {calling.complaint().splitlines()[-1] if calling.complaint() else ''}", flush=True)
    return Result(
        load.calls, failed, after.cpu_seconds - before.cpu_seconds, idle, elapsed, before.resident_kib, after.resident_peak_kib, answers,
        len(answers) * load.talk_seconds / 60,
    )  # fmt: skip


def table(rows: list[tuple[str, str, str, str]]) -> str:
    """Columns, the first to the left."""
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    return "\n".join(
        "  ".join(cell.ljust(width) if not i else cell.rjust(width) for i, (cell, width) in enumerate(zip(row, widths, strict=True)))
        for row in rows
    )


def main() -> int:
    """Runs the three loads and prints the table; 1 when calls failed."""
    arguments = argparse.ArgumentParser(prog="sip-tests/load/run", description=__doc__.splitlines()[0])
    arguments.add_argument("--rate", type=float, default=20, help="calls a second without sound (default 20)")
    arguments.add_argument("--calls", type=int, default=1000, help="calls without sound (default 1000)")
    arguments.add_argument("--held", type=int, default=300, help="calls held at once for the memory figure (default 300)")
    arguments.add_argument("--bridged", type=int, default=40, help="calls at once with sound (default 40; 0: none)")
    arguments.add_argument("--sound-seconds", type=float, default=30, help="how long those talk (default 30)")
    arguments.add_argument("--smoke", action="store_true", help="a few calls of each kind, to see that it works")
    arguments.add_argument("--out", type=pathlib.Path, default=HERE.parent / "out" / "load")
    chosen = arguments.parse_args()
    if chosen.smoke:
        chosen.rate, chosen.calls, chosen.held, chosen.bridged, chosen.sound_seconds = 10, 50, 30, 8, 6
    network.set_up()
    try:
        print(f"signalling: {chosen.calls} calls, {chosen.rate:g} a second, 2 s each", flush=True)
        signalling = run(chosen.out / "signalling", Load(chosen.rate, chosen.calls, 2.0))
        print(f"held: {chosen.held} calls at once", flush=True)
        rate = min(50.0, max(10.0, chosen.held / 10))
        held = run(chosen.out / "held", Load(rate, chosen.held, chosen.held / rate + 5))
        sound = None
        if chosen.bridged:
            print(f"sound: {chosen.bridged} calls at once, {chosen.sound_seconds:g} s each, both ways", flush=True)
            sound = run(chosen.out / "sound", Load(20, chosen.bridged, chosen.sound_seconds, sound=True))
    except Failure as failure:
        print(f"the load could not be run: {failure}")
        return 1
    answered = max(1, signalling.calls - signalling.failed)
    rows = [("", "vigie", "aim", "Asterisk app_queue")]
    rows.append(("server CPU a call, ms", f"{signalling.own_cpu_seconds * 1000 / answered:.2f}", "< 1.5", "17-25"))
    rows.append(("peak memory a held call, KB", f"{(held.resident_peak_kib - held.resident_before_kib) / chosen.held:.1f}", "< 60", "500"))
    rows.append(("INVITE to 200, p50, ms", f"{percentile(signalling.answer_ms, 0.50):.1f}", "", ""))
    rows.append(("INVITE to 200, p99, ms", f"{percentile(signalling.answer_ms, 0.99):.1f}", "", ""))
    if sound:
        talked = max(sound.talked_minutes, 1e-9)
        rows.append(("CPU a bridged call-minute, s", f"{sound.own_cpu_seconds / talked:.3f}", "< 0.1", "0.21-0.24"))
    rows.append(("idle CPU, % of a core", f"{signalling.idle_cpu_seconds_a_second * 100:.1f}", "", ""))
    failed = signalling.failed + held.failed + (sound.failed if sound else 0)
    rows.append(("calls that failed", str(failed), "0", ""))
    print("\n" + table(rows))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
