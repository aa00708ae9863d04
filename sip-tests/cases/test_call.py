"""Calls that reach an operator: every kind of phone, transport and address family, both ways to hang up."""

from harness import conversation, network, voice
from harness.conversation import one
from harness.deployment import LINE_NUMBER, PASSWORD, Deployment
from harness.expectations import caller_legs, expect_person, expect_talk, operator_legs, records
from harness.processes import check
from harness.world import World, caller_voice, operator_voice


def test_unmodified_sipp_is_served(world: World) -> None:
    """`sipp -sn uac` as it comes from the box reaches an operator, three times over."""
    program = world.vigie(Deployment().operator("anna", fixed=network.PHONE))
    phone = world.phone("anna", calls=3, seconds=90)
    world.sipp(
        "uac", "uac", network.TRUNK, remote=network.VIGIE, service=LINE_NUMBER.replace("+33", "0"), calls=3, seconds=90,
        arguments=("-d", "6000", "-l", "1", "-r", "1"),
    ).wait()  # fmt: skip
    phone.wait()
    rows = records(program, 3)
    check(all(row["outcome"] == "answered" for row in rows), f"records: {rows}")


def test_both_hear_each_other(world: World) -> None:
    """A call to a registered operator: both voices arrive, the caller hangs up, the record says all that."""
    program = world.vigie(Deployment().operator("anna"))
    world.register("anna", network.PHONE)
    phone = world.phone("anna")
    world.call().wait()
    phone.wait()
    rows = records(program, 1)
    caller, operator = one(caller_legs(world), "caller's leg"), one(operator_legs(world), "operator's leg")
    expect_talk(world, caller, operator, caller_voice(0), operator_voice(0), 4)
    check(rows[0]["outcome"] == "answered", f"record: {rows[0]}")
    check(rows[0]["ended_by"] == "caller", f"record: {rows[0]}")
    check(rows[0]["trunk_call_id"] == caller.call_id, f"the record has not the trunk's Call-ID {caller.call_id}: {rows[0]}")
    check(rows[0]["operator"] == "anna", f"record: {rows[0]}")


def test_operator_hangs_up(world: World) -> None:
    """The operator hangs up: the caller gets a BYE, and the record counts it on the operator's side."""
    program = world.vigie(Deployment().operator("anna", fixed=network.PHONE))
    phone = world.phone("anna", scenario="operator_hangs_up.xml", talk_ms=4000)
    world.call(scenario="caller_is_hung_up.xml").wait()
    phone.wait()
    row = records(program, 1)[0]
    check(row["outcome"] == "answered" and row["ended_by"] == "operator", f"record: {row}")
    expect_talk(
        world, one(caller_legs(world), "caller's leg"), one(operator_legs(world), "operator's leg"), caller_voice(0), operator_voice(0)
    )


def test_baresip_is_an_operator(world: World) -> None:
    """baresip registers, answers, records the caller's voice, hangs up."""
    program = world.vigie(Deployment().operator("anna"))
    phone = world.baresip("anna", network.PHONE, "anna", password=PASSWORD, registrar=network.VIGIE, speaks=operator_voice(0))
    phone.wait_event("REGISTER_OK")
    caller = world.call(scenario="caller_is_hung_up.xml")
    phone.wait_event("CALL_INCOMING")
    phone.command("accept")
    phone.wait_event("CALL_ESTABLISHED")
    world.pause(4)
    phone.command("hangup")
    caller.wait()
    check(records(program, 1)[0]["ended_by"] == "operator", "the record says otherwise")
    expect_talk(
        world, one(caller_legs(world), "caller's leg"), one(operator_legs(world), "operator's leg"), caller_voice(0), operator_voice(0)
    )
    expect_person("baresip", voice.listen(phone.recording()), caller_voice(0), 2.5)


def test_linphone_is_an_operator(world: World) -> None:
    """linphone registers by SHA-256, answers, records the caller's voice; the caller hangs up."""
    world.vigie(Deployment().operator("anna", algorithm="both"))
    phone = world.linphone("anna", network.PHONE, "anna", password=PASSWORD, registrar=network.VIGIE, speaks=operator_voice(0))
    phone.wait_registered()
    caller = world.call()
    phone.wait_text("Receiving new incoming call")
    phone.command("answer")
    caller.wait()
    phone.wait_text("ended")
    phone.end()
    proofs = [message.header("authorization") for message in world.stop_capture().find("REGISTER", source=network.PHONE, request=True)]
    check(any("SHA-256" in proof for proof in proofs), f"linphone proved itself by {proofs}")
    expect_talk(
        world, one(caller_legs(world), "caller's leg"), one(operator_legs(world), "operator's leg"), caller_voice(0), operator_voice(0)
    )
    expect_person("linphone", voice.listen(phone.recording()), caller_voice(0), 2)


def test_operator_sees_line_and_language_not_the_caller(world: World) -> None:
    """The operator's phone shows the line's name and the language; the caller's number is in no packet to her."""
    world.vigie(Deployment().line(display="Nuit et jour").operator("anna", fixed=network.PHONE))
    phone = world.phone("anna")
    world.call().wait()
    phone.wait()
    sender = one(operator_legs(world), "operator's leg").invite.header("from")
    check("Nuit et jour" in sender and "fr" in sender.lower(), f"the operator saw {sender}")


def test_caller_over_tcp(world: World) -> None:
    """A trunk that speaks TCP; the operator's phone speaks UDP."""
    world.vigie(Deployment().operator("anna", fixed=network.PHONE))
    phone = world.phone("anna")
    world.call(transport="t1").wait()
    phone.wait()
    caller = one(caller_legs(world), "caller's leg")
    check({message.transport for message in caller.messages} == {"TCP"}, "not all of the caller's leg went over TCP")
    expect_talk(world, caller, one(operator_legs(world), "operator's leg"), caller_voice(0), operator_voice(0))


def test_operator_over_tcp(world: World) -> None:
    """baresip registers over TCP and is called over the connection that it made."""
    world.vigie(Deployment().operator("anna"))
    phone = world.baresip(
        "anna", network.PHONE, "anna", password=PASSWORD, registrar=network.VIGIE, speaks=operator_voice(0), answer="auto", transport="tcp"
    )
    phone.wait_event("REGISTER_OK")
    world.call().wait()
    phone.wait_event("CALL_CLOSED")
    operator = one(operator_legs(world), "operator's leg")
    check({message.transport for message in operator.messages} == {"TCP"}, "not all of the operator's leg went over TCP")
    expect_talk(world, one(caller_legs(world), "caller's leg"), operator, caller_voice(0), operator_voice(0))


def test_caller_over_ipv6(world: World) -> None:
    """A trunk that speaks IPv6, signalling and voice; the operator's phone speaks IPv4."""
    world.vigie(Deployment().operator("anna", fixed=network.PHONE))
    phone = world.phone("anna")
    world.call(address=network.TRUNK_6).wait()
    phone.wait()
    caller = one(caller_legs(world), "caller's leg")
    check(":" in caller.program_media[0][0], f"the caller was told to send to {caller.program_media}")
    expect_talk(world, caller, one(operator_legs(world), "operator's leg"), caller_voice(0), operator_voice(0))


def test_operator_over_ipv6(world: World) -> None:
    """A phone at a fixed IPv6 address; the caller speaks IPv4."""
    world.vigie(Deployment().operator("anna", fixed=f"[{network.PHONE_6}]:5060"))
    phone = world.phone("anna", network.PHONE_6)
    world.call().wait()
    phone.wait()
    expect_talk(
        world, one(caller_legs(world), "caller's leg"), one(operator_legs(world), "operator's leg"), caller_voice(0), operator_voice(0)
    )


def test_different_laws(world: World) -> None:
    """The caller speaks A-law only, the phone µ-law only: they hear each other all the same."""
    world.vigie(Deployment().operator("anna"))
    phone = world.baresip(
        "anna", network.PHONE, "anna", password=PASSWORD, registrar=network.VIGIE, speaks=operator_voice(0), answer="auto", codecs="PCMU"
    )
    phone.wait_event("REGISTER_OK")
    only_a = world.folder / "only_a.xml"
    text = (world.scenario("caller_calls.xml")).read_text()
    only_a.write_text(text.replace("RTP/AVP 8 0 101", "RTP/AVP 8 101").replace("      a=rtpmap:0 PCMU/8000\n", ""))
    world.call(scenario=only_a).wait()
    phone.wait_event("CALL_CLOSED")
    expect_talk(
        world, one(caller_legs(world), "caller's leg"), one(operator_legs(world), "operator's leg"), caller_voice(0), operator_voice(0)
    )
    expect_person("baresip", voice.listen(phone.recording()), caller_voice(0), 2.5)


def test_ports_and_files_are_given_back(world: World) -> None:
    """After ten calls, one after the other, the program holds no more files than after the first."""
    program = world.vigie(Deployment().operator("anna", fixed=network.PHONE))
    world.phone("anna", calls=0, seconds=110)
    world.call("first", talk_ms=4000).wait()
    records(program, 1)
    world.pause(1)
    before = program.usage().open_files
    world.call("next", talk_ms=3000, calls=9, index=1, arguments=("-l", "1", "-r", "2"), seconds=90).wait()
    records(program, 10)
    world.pause(1)
    after = program.usage().open_files
    check(after <= before, f"{before} open files after one call, {after} after ten")


def test_legs_keep_their_order_of_events(world: World) -> None:
    """No RTP from the program reaches a peer's port after that peer has hung up."""
    world.vigie(Deployment().operator("anna", fixed=network.PHONE))
    phone = world.phone("anna")
    world.call().wait()
    phone.wait()
    world.pause(1)
    recording = world.stop_capture()
    for leg in (one(caller_legs(world), "caller's leg"), one(operator_legs(world), "operator's leg")):
        ended = max(message.time for message in leg.messages)
        late = conversation.packets_to(recording, leg, ended + 0.3, float("inf"))
        check(late == 0, f"{late} RTP packets to {leg.peer} after its call had ended")
