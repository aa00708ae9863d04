"""Fifty calls at once, each with its own voice, verified in what the other side received, both ways."""

from harness import conversation, many, network
from harness.deployment import LINE_NUMBER, Deployment
from harness.expectations import caller_legs, expect_person, operator_legs, people, records
from harness.marks import alone, limit
from harness.processes import check
from harness.world import MEDIA_PORT, World, caller_voice, operator_voice

CALLS = 50
TALK_SECONDS = 12
OPERATOR_MEDIA_PORT = 30_000
#: What each side must have heard of the other: most of the talk, less the greeting and the offer.
HEARD_SECONDS_MIN = 5.0


def deployment() -> Deployment:
    """Fifty operators who register from one address."""
    wanted = Deployment()
    for index in range(CALLS):
        wanted.operator(f"ecoutante-{index + 1}")
    return wanted


@alone
@limit(240)
def test_fifty_calls_at_once_each_with_its_own_voice(world: World) -> None:
    """Every caller hears exactly one operator, every operator exactly one caller, and the two agree; nobody hears anybody else."""
    callers_audio = [world.voice_pcap(caller_voice(index), TALK_SECONDS) for index in range(CALLS)]
    operators_audio = [world.voice_pcap(operator_voice(index), TALK_SECONDS) for index in range(CALLS)]
    calling = many.callers(world.folder / "calling.xml", "caller_calls.xml", callers_audio)
    answering = many.operators(world.folder / "answering.xml", "operator_answers.xml", operators_audio)
    numbers = world.folder / "numbers.csv"
    numbers.write_text("SEQUENTIAL\n" + "".join(f"{world.caller(index)}\n" for index in range(CALLS)))

    program = world.vigie(deployment())
    world.register_many([f"ecoutante-{index + 1}" for index in range(CALLS)], network.FIXED)
    world.sinks(network.TRUNK, many.ports(MEDIA_PORT, CALLS))
    world.sinks(network.FIXED, many.ports(OPERATOR_MEDIA_PORT, CALLS))
    operators = world.sipp(
        "operators", answering, network.FIXED, calls=CALLS, media_port=OPERATOR_MEDIA_PORT, seconds=90, arguments=("-aa",)
    )
    callers = world.sipp(
        "callers", calling, network.TRUNK, remote=network.VIGIE, service=LINE_NUMBER, calls=CALLS, seconds=90,
        arguments=("-r", "25", "-l", str(CALLS), "-d", str(TALK_SECONDS * 1000), "-inf", str(numbers)),
    )  # fmt: skip
    callers.wait()
    operators.wait()
    rows = records(program, CALLS)
    check(all(row["outcome"] == "answered" for row in rows), f"not all were answered: {[row['outcome'] for row in rows]}")

    recording = world.stop_capture()
    inbound, outbound = caller_legs(world), operator_legs(world)
    check(len(inbound) == CALLS and len(outbound) == CALLS, f"{len(inbound)} callers' legs, {len(outbound)} operators'")
    # Which voice the caller of a leg has, by her number; which the operator, by her name.
    speaker = {
        leg.call_id: caller_voice(world.numbers.index("+" + leg.invite.header("from").split("sip:")[1].split("@")[0].lstrip("+")))
        for leg in inbound
    }
    heard_by_caller: dict[int, int] = {}
    for leg in inbound:
        voices = people(conversation.heard(recording, leg))
        check(len(voices) == 1, f"caller {speaker[leg.call_id]} heard {voices}")
        ((spoken, seconds),) = voices.items()
        check(seconds >= HEARD_SECONDS_MIN, f"caller {speaker[leg.call_id]} heard operator {spoken} for {seconds:.1f} s only")
        heard_by_caller[speaker[leg.call_id]] = spoken
    check(len(set(heard_by_caller.values())) == CALLS, "two callers heard one operator")
    for leg in outbound:
        spoken = operator_voice(int(leg.callee.rpartition("-")[2]) - 1)
        partner = next(caller for caller, operator in heard_by_caller.items() if operator == spoken)
        expect_person(f"operator {leg.callee}", conversation.heard(recording, leg), partner, HEARD_SECONDS_MIN)
