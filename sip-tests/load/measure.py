"""Measures the program under load: SIPp as trunk, SIPp as many registered operators, the kernel's own figures.

Three runs: signalling alone (CPU a call, INVITE to 200), calls held (memory a call), and sound (CPU a
minute of bridged call); on demand a ramp of rates, to see where it breaks. Prints a table beside what Asterisk's
queues were measured at; asserts nothing about time. Must never read the program's own figures.
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
from harness.program import TICKS_PER_SECOND, Program  # noqa: E402
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
    operators_min: int = 0

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
    thread_seconds: dict[str, float]

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


def cpu_by_thread(program: Program) -> dict[str, float]:
    """CPU seconds of the program's threads by name; those of a numbered kind together."""
    tasks = pathlib.Path(f"/proc/{program.child.pid}/task")
    seconds: dict[str, float] = {}
    for task in tasks.iterdir():
        try:
            head, _, rest = (task / "stat").read_text().rpartition(")")
        except OSError:
            continue
        name = head.partition("(")[2].split("-")[0]
        fields = rest.split()
        seconds[name] = seconds.get(name, 0.0) + (int(fields[11]) + int(fields[12])) / TICKS_PER_SECOND
    return seconds


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
    operators = max(load.operators_min, load.at_once + max(4, load.at_once // 4))
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
    before, start, threads_before = program.usage(), time.monotonic(), cpu_by_thread(program)
    calling = world.sipp(
        "callers", scenario(world, "caller.xml", load.sound), network.TRUNK, remote=network.VIGIE, service=LINE_NUMBER, calls=load.calls,
        keys=keys, media_port=_CALLER_PORTS, seconds=seconds, log_messages=False,
        arguments=("-r", f"{load.rate:g}", "-l", str(load.calls), "-d", str(int(load.talk_seconds * 1000)), "-inf", str(numbers)),
    )  # fmt: skip
    code = calling.child.wait(seconds + 15)
    check(code in (0, 1), f"SIPp ended with {code}: {calling.complaint()}")
    after, elapsed, threads_after = program.usage(), time.monotonic() - start, cpu_by_thread(program)
    answering.end()
    answers = answer_times_ms(capture.stop())
    # SIPp ends with 1 when a call failed, be it only after its answer.
    failed = max(load.calls - len(answers), code)
    if failed:
        print(f"  {failed} of {load.calls} calls failed: {calling.complaint().splitlines()[-1] if calling.complaint() else ''}", flush=True)
    return Result(
        load.calls, failed, after.cpu_seconds - before.cpu_seconds, idle, elapsed, before.resident_kib, after.resident_peak_kib, answers,
        len(answers) * load.talk_seconds / 60, {name: spent - threads_before.get(name, 0.0) for name, spent in threads_after.items()},
    )  # fmt: skip


def table(rows: list[tuple[str, ...]]) -> str:
    """Columns, the first to the left."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) if not i else cell.rjust(width) for i, (cell, width) in enumerate(zip(row, widths, strict=True)))
        for row in rows
    )


def ramp(out: pathlib.Path, rates: list[float], operators: int, seconds: float) -> list[tuple[str, ...]]:
    """A run a rate, each with the same operators and calls of half a second, until calls fail."""
    rows: list[tuple[str, ...]] = [("calls a second", "CPU a call, ms", "p50, ms", "p99, ms", "failed")]
    for rate in rates:
        calls = int(rate * seconds)
        print(f"ramp: {calls} calls, {rate:g} a second", flush=True)
        result = run(out / f"ramp-{rate:g}", Load(rate, calls, 0.5, operators_min=operators))
        answered = max(1, calls - result.failed)
        times = [f"{percentile(result.answer_ms, share):.1f}" for share in (0.50, 0.99)]
        rows.append((f"{rate:g}", f"{result.own_cpu_seconds * 1000 / answered:.2f}", *times, str(result.failed)))
        if result.failed > calls // 100:
            break
    return rows


def threads(result: Result, units: float, scale: float) -> str:
    """Where the CPU time of a run went, a unit, by the program's threads."""
    spent = sorted(result.thread_seconds.items(), key=lambda item: -item[1])
    return ", ".join(f"{name} {seconds * scale / units:.3g}" for name, seconds in spent if seconds * scale / units >= 0.005)


def main() -> int:
    """Runs the loads and prints the table; 1 when calls failed."""
    arguments = argparse.ArgumentParser(prog="sip-tests/load/run", description=__doc__.splitlines()[0])
    arguments.add_argument("--rate", type=float, default=20, help="calls a second without sound (default 20)")
    arguments.add_argument("--calls", type=int, default=1000, help="calls without sound (default 1000)")
    arguments.add_argument("--operators", type=int, default=200, help="registered operators at least (default 200)")
    arguments.add_argument("--ramp", default="", metavar="RATES", help="also these rates, comma-separated, until calls fail")
    arguments.add_argument("--ramp-seconds", type=float, default=10, help="how long each of them (default 10)")
    arguments.add_argument("--held", type=int, default=500, help="calls held at once for the memory figure (default 500)")
    arguments.add_argument("--bridged", type=int, default=40, help="calls at once with sound (default 40; 0: none)")
    arguments.add_argument("--sound-seconds", type=float, default=30, help="how long those talk (default 30)")
    arguments.add_argument("--smoke", action="store_true", help="a few calls of each kind, to see that it works")
    arguments.add_argument("--out", type=pathlib.Path, default=HERE.parent / "out" / "load")
    chosen = arguments.parse_args()
    if chosen.smoke:
        chosen.rate, chosen.calls, chosen.held, chosen.bridged, chosen.sound_seconds = 10, 50, 30, 8, 6
        chosen.operators = 0
    network.set_up()
    try:
        print(f"signalling: {chosen.calls} calls, {chosen.rate:g} a second, 2 s each", flush=True)
        signalling = run(chosen.out / "signalling", Load(chosen.rate, chosen.calls, 2.0, operators_min=chosen.operators))
        print(f"held: {chosen.held} calls at once", flush=True)
        rate = min(50.0, max(10.0, chosen.held / 10))
        held = run(chosen.out / "held", Load(rate, chosen.held, chosen.held / rate + 5))
        sound = None
        if chosen.bridged:
            print(f"sound: {chosen.bridged} calls at once, {chosen.sound_seconds:g} s each, both ways", flush=True)
            sound = run(chosen.out / "sound", Load(20, chosen.bridged, chosen.sound_seconds, sound=True))
        ramped = ramp(chosen.out, [float(rate) for rate in chosen.ramp.split(",")], chosen.operators, chosen.ramp_seconds) if chosen.ramp else None
    except Failure as failure:
        print(f"the load could not be run: {failure}")
        return 1
    answered = max(1, signalling.calls - signalling.failed)
    rows: list[tuple[str, ...]] = [("", "vigie", "aim", "Asterisk app_queue")]
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
    print(f"\nCPU a call by thread, ms: {threads(signalling, answered, 1000)}")
    if sound:
        print(f"CPU a call-minute by thread, s: {threads(sound, max(sound.talked_minutes, 1e-9), 1)}")
    if ramped:
        print("\n" + table(ramped))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
