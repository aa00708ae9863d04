"""Hold and resume from both sides, and refreshes that must change nothing."""

from harness import conversation, network, voice
from harness.conversation import Leg, one
from harness.deployment import MUSIC_VOICE, PASSWORD, Deployment
from harness.expectations import caller_legs, expect_person, operator_legs, people, prompts, records
from harness.processes import check
from harness.world import World, caller_voice, operator_voice

# Packets on their way when a hold takes hold, and the ear's own blur.
SETTLING_SECONDS = 0.7


def reinvites(leg: Leg) -> list[float]:
    """When each re-INVITE of the peer was sent, retransmissions left out."""
    seen: dict[str, float] = {}
    for message in leg.requests("INVITE")[1:] if leg.inbound else leg.requests("INVITE"):
        if message.source[0] == leg.peer[0]:
            seen.setdefault(message.header("cseq"), message.time)
    return list(seen.values())


def check_hold(world: World, holds: Leg, heard_by: Leg, silenced: int, music: bool) -> None:
    """Between the two re-INVITEs `heard_by` hears no `silenced` (but music, if so), before and after it does."""
    recording = world.stop_capture()
    times = reinvites(holds)
    check(len(times) == 2, f"{len(times)} re-INVITEs were seen")
    hold, resume = times
    before = conversation.heard(recording, heard_by, until=hold)
    during = conversation.heard(recording, heard_by, since=hold + SETTLING_SECONDS, until=resume)
    after = conversation.heard(recording, heard_by, since=resume + SETTLING_SECONDS)
    expect_person("the other side, before the hold,", before, silenced, 1.5)
    check(not people(during), f"during the hold the other side heard {during}")
    if music:
        check(
            during.voices.get(MUSIC_VOICE, 0) > 1 or "hold.fr" in prompts(during), f"during the hold the caller heard no music but {during}"
        )
    expect_person("the other side, after the hold,", after, silenced, 1.5)


def test_operator_holds_and_resumes(world: World) -> None:
    """The operator holds (a=sendonly): the caller hears music; after the resume they talk again; the record counts the hold."""
    program = world.vigie(Deployment().operator("anna", fixed=network.PHONE))
    phone = world.phone("anna", scenario="operator_holds.xml", talk_ms=4000)
    world.call(talk_ms=18_000).wait()
    phone.wait()
    caller, operator = one(caller_legs(world), "caller's leg"), one(operator_legs(world), "operator's leg")
    check_hold(world, operator, caller, operator_voice(0), music=True)
    row = records(program, 1)[0]
    check(3500 < row["hold_ms"] < 5000, f"the record counts {row['hold_ms']} ms of hold: {row}")


def hold_variant(world: World, name: str, old: str, new: str) -> None:
    """The same hold, offered in another way."""
    world.vigie(Deployment().operator("anna", fixed=network.PHONE))
    path = world.folder / f"{name}.xml"
    text = world.scenario("operator_holds.xml").read_text()
    check(old in text, "the scenario has changed")
    path.write_text(text.replace(old, new))
    phone = world.phone("anna", scenario=path, talk_ms=4000)
    world.call(talk_ms=18_000).wait()
    phone.wait()
    check_hold(world, one(operator_legs(world), "operator's leg"), one(caller_legs(world), "caller's leg"), operator_voice(0), music=True)


def test_operator_holds_inactive(world: World) -> None:
    """Some phones hold by a=inactive."""
    hold_variant(world, "inactive", "a=sendonly", "a=inactive")


def test_operator_holds_with_zero_address(world: World) -> None:
    """Old phones hold by c=IN IP4 0.0.0.0 (RFC 2543 §B.5)."""
    head = "      o=- 1 2 IN IP[media_ip_type] [media_ip]\n      s=-\n      c=IN IP[media_ip_type] "
    hold_variant(world, "zero", head + "[media_ip]", head + "0.0.0.0")


def test_baresip_holds_and_resumes(world: World) -> None:
    """The same by baresip's own hold."""
    world.vigie(Deployment().operator("anna"))
    phone = world.baresip(
        "anna", network.PHONE, "anna", password=PASSWORD, registrar=network.VIGIE, speaks=operator_voice(0), answer="auto"
    )
    phone.wait_event("REGISTER_OK")
    caller = world.call(talk_ms=18_000)
    phone.wait_event("CALL_ESTABLISHED")
    world.pause(4)
    phone.command("hold")
    world.pause(4)
    phone.command("resume")
    caller.wait()
    phone.wait_event("CALL_CLOSED")
    check_hold(world, one(operator_legs(world), "operator's leg"), one(caller_legs(world), "caller's leg"), operator_voice(0), music=True)


def test_linphone_pauses_and_resumes(world: World) -> None:
    """The same by linphone's pause."""
    world.vigie(Deployment().operator("anna"))
    phone = world.linphone(
        "anna", network.PHONE, "anna", password=PASSWORD, registrar=network.VIGIE, speaks=operator_voice(0), answer="auto"
    )
    phone.wait_registered()
    caller = world.call(talk_ms=18_000)
    phone.wait_text("Media streams established")
    world.pause(4)
    phone.command("pause")
    world.pause(4)
    phone.command("resume 1")
    caller.wait()
    check_hold(world, one(operator_legs(world), "operator's leg"), one(caller_legs(world), "caller's leg"), operator_voice(0), music=True)


def test_trunk_holds_and_resumes(world: World) -> None:
    """The trunk holds: the operator does not hear the caller meanwhile; after the resume both hear each other."""
    world.vigie(Deployment().operator("anna", fixed=network.PHONE))
    phone = world.phone("anna")
    world.call(scenario="trunk_holds.xml", talk_ms=6000).wait()
    phone.wait()
    caller, operator = one(caller_legs(world), "caller's leg"), one(operator_legs(world), "operator's leg")
    check_hold(world, caller, operator, caller_voice(0), music=False)
    resumed = reinvites(caller)[1] + SETTLING_SECONDS
    after = conversation.heard(world.stop_capture(), caller, since=resumed)
    expect_person("the caller, after the hold,", after, operator_voice(0), 2)


def longest_gap(ear: voice.Heard, spoken: int) -> float:
    """The longest time between two passages of a voice."""
    passages = [passage for passage in ear.passages if passage[2] == spoken]
    return max((later[0] - earlier[1] for earlier, later in zip(passages, passages[1:], strict=False)), default=0.0)


def test_refreshes_change_nothing(world: World) -> None:
    """The trunk refreshes by re-INVITE and UPDATE, with SDP and without: answered rightly, and nobody hears a gap."""
    program = world.vigie(Deployment().operator("anna", fixed=network.PHONE))
    phone = world.phone("anna")
    world.call(scenario="trunk_refreshes.xml", talk_ms=4000).wait()
    phone.wait()
    row = records(program, 1)[0]
    check(row["ended_by"] == "caller", f"record: {row}")
    recording = world.stop_capture()
    caller, operator = one(caller_legs(world), "caller's leg"), one(operator_legs(world), "operator's leg")
    for what, leg, spoken in (("the caller", caller, operator_voice(0)), ("the operator", operator, caller_voice(0))):
        ear = conversation.heard(recording, leg)
        expect_person(what, ear, spoken, 12)
        check(longest_gap(ear, spoken) < 0.5, f"{what} heard a gap of {longest_gap(ear, spoken):.2f} s: {ear.passages}")
    answers = [m for m in caller.messages if m.status == 200 and m.method in ("INVITE", "UPDATE")]
    with_sdp = [m.has_sdp for m in dict((m.header("cseq"), m) for m in answers).values()]
    # An UPDATE without an offer gets no answer (RFC 3311 §5.2); the re-INVITE without one gets an offer.
    check(with_sdp == [True, True, True, False, True], f"which 200 had SDP: {with_sdp}")
    # RFC 3264 §8: the version goes up by one when anything else changes, and only then.
    described = [m.body.split("o=", 1)[1].split("\n", 1) for m in answers if m.has_sdp]
    versions = [int(origin.split()[2]) for origin, _ in described]
    for (before, after), (old, new) in zip(
        zip(versions, versions[1:], strict=False), zip(described, described[1:], strict=False), strict=True
    ):
        check(after - before == (old[1] != new[1]), f"the descriptions' versions: {versions}, for {described}")
