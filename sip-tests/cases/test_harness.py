"""The harness itself: peers against each other without the program, and proofs that a test can fail."""

import re
import warnings

import numpy

from harness import audio_files, conversation, g711, many, network, voice
from harness.marks import Skip, alone, limit
from harness.processes import Failure, check
from harness.world import World, caller_voice, operator_voice

CALLER, OPERATOR = caller_voice(3), operator_voice(5)
TALK_MS = "4000"


def _fails(action) -> bool:
    """Whether the action fails as a test fails."""
    try:
        action()
    except Failure:
        return True
    return False


def test_g711_agrees_with_another_implementation(world: World) -> None:
    """Our G.711 tables equal those of Python's old `audioop`, in both laws."""
    warnings.simplefilter("ignore", DeprecationWarning)
    try:
        import audioop
    except ImportError:
        raise Skip("this Python has no audioop to compare with") from None
    codes = bytes(range(256))
    for law, reference in ((g711.PCMA, audioop.alaw2lin), (g711.PCMU, audioop.ulaw2lin)):
        expected = numpy.frombuffer(reference(codes, 2), dtype="<i2")
        check((g711.decode(codes, law) == expected).all(), f"law {law} decodes otherwise")
        check((g711.decode(g711.encode(expected, law), law) == expected).all(), f"law {law} does not survive")


def test_ear_tells_voices_apart(world: World) -> None:
    """The ear names the right voice, and hears swapped, mixed, foreign and missing voices as wrong."""
    through = {law: lambda sound, law=law: g711.decode(g711.encode(sound, law), law) for law in (g711.PCMA, g711.PCMU)}
    for spoken in (caller_voice(0), caller_voice(99), operator_voice(0), operator_voice(99)):
        for law, line in through.items():
            late = numpy.concatenate([audio_files.silence(1.3), voice.speak(spoken, 5)[777:]])
            ear = voice.listen(line(late))
            check(ear.only(4.0) == spoken, f"voice {spoken} in law {law} was heard as {ear}")
    one, other = voice.speak(1, 6), voice.speak(2, 6)
    rng = numpy.random.RandomState(7)
    noise = (rng.randint(-4000, 4000, 8000 * 5)).astype(numpy.int16)
    expect = conversation.expect_voice
    check(_fails(lambda: expect("swapped", voice.listen(other), 1, 3)), "a swapped voice passed")
    check(_fails(lambda: expect("mixed", voice.listen(one // 2 + other // 2), 1, 3)), "two voices at once passed")
    check(_fails(lambda: expect("partly", voice.listen(numpy.concatenate([one, other])), 1, 3)), "a voice that strays passed")
    check(_fails(lambda: expect("silent", voice.listen(audio_files.silence(6)), 1, 3)), "silence passed")
    check(_fails(lambda: expect("noise", voice.listen(noise), 1, 3)), "noise passed")
    check(_fails(lambda: expect("short", voice.listen(one[:16000]), 1, 3)), "two seconds passed for three")
    every_other = one.reshape(-1, 160)[::2].reshape(-1)
    check(_fails(lambda: expect("broken", voice.listen(every_other), 1, 2)), "half of the packets passed for all")


def test_sipp_speaks_with_sipp(world: World) -> None:
    """SIPp calls SIPp; each hears the other's voice, and the swapped expectation fails."""
    world.start_capture()
    callee = world.sipp("callee", "operator_answers.xml", network.PHONE, speaks=OPERATOR)
    caller = world.sipp(
        "caller",
        "caller_calls.xml",
        network.TRUNK,
        speaks=CALLER,
        remote=network.PHONE,
        service="op",
        keys={"caller": "+33611223344"},
        arguments=("-d", TALK_MS),
    )
    caller.wait()
    callee.wait()
    recording = world.stop_capture(program=(network.PHONE,))
    leg = conversation.one(world.legs(), "leg seen by the caller")
    ear = conversation.heard(recording, leg)
    conversation.expect_voice("the caller", ear, OPERATOR, 2.5)
    check(_fails(lambda: conversation.expect_voice("the caller", ear, CALLER, 2.5)), "the swapped voice passed")
    recording.program_addresses = frozenset([network.TRUNK])
    leg = conversation.one(conversation.legs(recording), "leg seen by the callee")
    conversation.expect_voice("the callee", conversation.heard(recording, leg), CALLER, 2.5)
    check(leg.final_status == 200 and leg.ended_by_peer is False, "the ladder was not read rightly")


def test_sipp_speaks_with_baresip(world: World) -> None:
    """SIPp calls baresip; both the wire and baresip's own recording have the right voices."""
    world.start_capture()
    phone = world.baresip("phone", network.PHONE, "op", speaks=OPERATOR, answer="auto")
    world.sipp(
        "caller",
        "caller_calls.xml",
        network.TRUNK,
        speaks=CALLER,
        remote=network.PHONE,
        service="op",
        keys={"caller": "33611223344"},
        arguments=("-d", TALK_MS),
    ).wait()
    phone.wait_event("CALL_CLOSED")
    recording = world.stop_capture(program=(network.PHONE,))
    conversation.expect_voice("the caller", conversation.heard(recording, conversation.one(world.legs(), "leg")), OPERATOR, 2.5)
    conversation.expect_voice("baresip", voice.listen(phone.recording()), CALLER, 2.5)


def test_sipp_speaks_with_linphone(world: World) -> None:
    """SIPp calls linphone and presses a digit; linphone hears voice and digit, the caller hears linphone."""
    world.start_capture()
    phone = world.linphone("phone", network.PHONE, "op", speaks=OPERATOR, answer="auto")
    audio = world.phone_pcap("talk", voice.speak(CALLER, 3), "5#", voice.speak(CALLER, 2))
    world.sipp(
        "caller",
        "caller_plays.xml",
        network.TRUNK,
        remote=network.PHONE,
        service="op",
        keys={"caller": "33611223344", "audio": str(audio)},
        arguments=("-d", "6000"),
    ).wait()
    phone.wait_text("ended")
    phone.end()
    recording = world.stop_capture(program=(network.PHONE,))
    conversation.expect_voice("the caller", conversation.heard(recording, conversation.one(world.legs(), "leg")), OPERATOR, 3)
    conversation.expect_voice("linphone", voice.listen(phone.recording()), CALLER, 2)
    tones = "".join(re.findall(r"Receiving tone (\S) from", phone.child.output()))
    check(tones == "5#", f"linphone heard the digits {tones!r}, not 5#")


def test_scenarios_fit_each_other(world: World) -> None:
    """Cancel, rejection, hang-up and hold work between our own scenarios."""
    world.start_capture()
    pairs = (
        ("caller_cancels.xml", "operator_does_not_answer.xml", "1000"),
        ("caller_is_refused.xml", "operator_rejects.xml", "1000"),
        ("caller_is_hung_up.xml", "operator_hangs_up.xml", "1000"),
        ("caller_calls.xml", "operator_answers.xml", "1000"),
    )
    for index, (caller, operator, pause_ms) in enumerate(pairs):
        port = 5060 + index
        callee = world.sipp(
            f"callee{index}",
            operator,
            network.PHONE,
            port=port,
            speaks=OPERATOR,
            media_port=21_000 + index * 10,
            arguments=("-d", pause_ms),
        )
        world.sipp(
            f"caller{index}",
            caller,
            network.TRUNK,
            port=port,
            speaks=CALLER,
            remote=network.PHONE,
            remote_port=port,
            service="op",
            keys={"caller": "33611223344"},
            arguments=("-d", pause_ms),
            media_port=22_000 + index * 10,
        ).wait()
        callee.wait()
    world.stop_capture(program=(network.PHONE,))
    statuses = [leg.final_status for leg in world.legs()]
    check(statuses == [487, 486, 200, 200], f"the four calls ended with {statuses}")


def test_sipp_over_tcp_and_ipv6(world: World) -> None:
    """The wire is read over TCP and over IPv6, with voices."""
    world.start_capture()
    for index, (transport, caller, callee) in enumerate((("t1", network.TRUNK, network.PHONE), ("u1", network.TRUNK_6, network.PHONE_6))):
        answering = world.sipp(f"callee{index}", "operator_answers.xml", callee, speaks=OPERATOR, transport=transport)
        world.sipp(
            f"caller{index}",
            "caller_calls.xml",
            caller,
            speaks=CALLER,
            transport=transport,
            remote=callee,
            service="op",
            keys={"caller": "33611223344"},
            arguments=("-d", TALK_MS),
        ).wait()
        answering.wait()
    recording = world.stop_capture(program=(network.PHONE, network.PHONE_6))
    legs = world.legs()
    check([leg.invite.transport for leg in legs] == ["TCP", "UDP"], f"seen: {legs}")
    for leg in legs:
        conversation.expect_voice(f"the caller at {leg.peer[0]}", conversation.heard(recording, leg), OPERATOR, 2.5)


@alone
@limit(180)
def test_fifty_calls_between_two_sipp(world: World) -> None:
    """Fifty calls at once between two SIPp: every voice reaches the one it was meant for."""
    count, base = 50, 5
    caller_files = [world.voice_pcap(caller_voice(index), base) for index in range(count)]
    operator_files = [world.voice_pcap(operator_voice(index), base) for index in range(count)]
    answering = many.operators(world.folder / "answering.xml", "operator_answers.xml", operator_files)
    calling = many.callers(world.folder / "calling.xml", "caller_calls.xml", caller_files)
    numbers = world.folder / "numbers.csv"
    numbers.write_text("SEQUENTIAL\n" + "".join(f"+3363998{index:04d};op-{index + 1}\n" for index in range(count)))
    calling.write_text(calling.read_text().replace("sip:[service]@", "sip:[field1]@"))
    world.sinks(network.TRUNK, many.ports(20_000, count))
    world.sinks(network.FIXED, many.ports(30_000, count))
    world.start_capture()
    callee = world.sipp("callee", answering, network.FIXED, calls=count, media_port=30_000, seconds=90)
    caller = world.sipp(
        "caller",
        calling,
        network.TRUNK,
        remote=network.FIXED,
        calls=count,
        seconds=90,
        arguments=("-r", "25", "-l", str(count), "-d", str(base * 1000), "-inf", str(numbers)),
    )
    caller.wait()
    callee.wait()
    recording = world.stop_capture(program=(network.FIXED,))
    legs = world.legs()
    check(len(legs) == count, f"{len(legs)} legs")
    for leg in legs:
        index = int(leg.callee.rpartition("-")[2]) - 1
        conversation.expect_voice(f"caller {index}", conversation.heard(recording, leg), operator_voice(index), base - 1.5)
    recording.program_addresses = frozenset([network.TRUNK])
    for leg in conversation.legs(recording):
        index = int(leg.callee.rpartition("-")[2]) - 1
        conversation.expect_voice(f"operator {index}", conversation.heard(recording, leg), caller_voice(index), base - 1.5)
