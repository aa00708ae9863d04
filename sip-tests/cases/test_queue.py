"""The wait: who is offered what, what the caller hears meanwhile, and every way to leave it."""

from harness import conversation, network
from harness.conversation import one
from harness.deployment import Deployment
from harness.expectations import caller_legs, expect_not_ready, expect_person, expect_talk, operator_legs, prompts, records
from harness.marks import limit
from harness.processes import check, wait_until
from harness.world import World, caller_voice, operator_voice

ANNA, BERTE = network.PHONES[0], network.PHONES[1]


def test_caller_waits_with_music_until_an_operator_is_ready(world: World) -> None:
    """Nobody is ready: greeting, then music; an operator becomes ready by `vigie operator` and gets the call."""
    program = world.vigie(Deployment().operator("anna", fixed=ANNA, on_sign_in="not-ready"))
    phone = world.phone("anna", ANNA)
    caller = world.call(talk_ms=12_000)
    world.pause(6)
    check(not operator_legs_so_far(phone), "an operator who is not ready was called")
    program.do("operator", "anna", "ready")
    caller.wait()
    phone.wait()
    leg, operator = one(caller_legs(world), "caller's leg"), one(operator_legs(world), "operator's leg")
    waiting = conversation.heard(world.stop_capture(), leg, until=operator.invite.time)
    heard = prompts(waiting)
    check(heard[:1] == ["greeting.fr"] and "music" in heard, f"while waiting the caller heard {heard} ({waiting})")
    expect_talk(world, leg, operator, caller_voice(0), operator_voice(0))


def operator_legs_so_far(phone) -> bool:
    """Whether the phone has had any message yet."""
    return "INVITE" in phone.messages()


def test_caller_hangs_up_in_the_queue(world: World) -> None:
    """A caller who was answered by the machine hangs up while she waits: abandoned, ended by her, nobody rung."""
    program = world.vigie(Deployment().operator("anna", fixed=ANNA, on_sign_in="not-ready"))
    world.phone("anna", ANNA, calls=0)
    world.call(talk_ms=5000).wait()
    row = records(program, 1)[0]
    check(row["outcome"] == "abandoned" and row["ended_by"] == "caller", f"record: {row}")
    check(not operator_legs(world), "somebody was rung")


def test_caller_cancels_in_the_queue(world: World) -> None:
    """answer = "on_operator": a caller who hears ringback cancels before anybody is rung: 487."""
    program = world.vigie(Deployment().line(answer="on_operator").operator("anna", fixed=ANNA, on_sign_in="not-ready"))
    world.call(scenario="caller_cancels.xml", talk_ms=2000).wait()
    row = records(program, 1)[0]
    check(row["outcome"] == "abandoned" and row["ended_by"] == "caller", f"record: {row}")
    leg = one(caller_legs(world), "caller's leg")
    check(leg.final_status == 487 and set(leg.provisionals) == {180}, f"{leg.provisionals} then {leg.final_status}")


def test_caller_cancels_while_ringing(world: World) -> None:
    """A caller cancels while the operator's phone rings: her phone gets a CANCEL at once, and she is ready again."""
    program = world.vigie(Deployment().line(answer="on_operator").operator("anna", fixed=ANNA))
    phone = world.phone("anna", ANNA, scenario="operator_does_not_answer.xml")
    world.call(scenario="caller_cancels.xml", talk_ms=2000).wait()
    phone.wait()
    row = records(program, 1)[0]
    check(row["outcome"] == "abandoned" and row["ended_by"] == "caller", f"record: {row}")
    caller, operator = one(caller_legs(world), "caller's leg"), one(operator_legs(world), "operator's leg")
    lag = operator.requests("CANCEL")[0].time - caller.requests("CANCEL")[0].time
    check(0 <= lag < 0.2, f"the operator's phone was cancelled {lag:.3f} s after the caller's CANCEL")
    second = world.phone("anna2", ANNA)
    world.call("again", index=1, talk_ms=4000).wait()
    second.wait()


def test_caller_hangs_up_while_ringing(world: World) -> None:
    """The same for a caller whom the machine has answered: her BYE cancels the offer."""
    program = world.vigie(Deployment().operator("anna", fixed=ANNA))
    phone = world.phone("anna", ANNA, scenario="operator_does_not_answer.xml")
    world.call(talk_ms=5000).wait()
    phone.wait()
    row = records(program, 1)[0]
    check(row["outcome"] == "abandoned" and row["ended_by"] == "caller", f"record: {row}")


def test_rejected_offer_goes_to_the_next(world: World) -> None:
    """An operator's phone says 486: the next operator gets the call, the first is set not ready and says why."""
    program = world.vigie(
        Deployment().operator("anna", fixed=ANNA, languages={"fr": 5}).operator("berte", fixed=BERTE, languages={"fr": 3})
    )
    first, second = world.phone("anna", ANNA, scenario="operator_rejects.xml"), world.phone("berte", BERTE, index=1)
    world.call(talk_ms=9000).wait()
    first.wait()
    second.wait()
    expect_talk(
        world, one(caller_legs(world), "caller's leg"), one(operator_legs(world, BERTE), "second leg"), caller_voice(0), operator_voice(1)
    )
    expect_not_ready(program, "anna", "refused")


def test_unanswered_offer_goes_to_the_next(world: World) -> None:
    """An operator lets it ring: after the offer's time her phone is cancelled and the next one is rung."""
    deployment = Deployment().line(offer_ring_seconds=5).operator("anna", fixed=ANNA).operator("berte", fixed=BERTE, languages={"fr": 3})
    program = world.vigie(deployment)
    first, second = world.phone("anna", ANNA, scenario="operator_does_not_answer.xml"), world.phone("berte", BERTE, index=1)
    world.call(talk_ms=13_000).wait()
    first.wait()
    second.wait()
    missed = one(operator_legs(world, ANNA), "first leg")
    rang = missed.requests("CANCEL")[0].time - missed.invite.time
    check(4.5 < rang < 6, f"it rang for {rang:.2f} s instead of 5")
    expect_talk(
        world, one(caller_legs(world), "caller's leg"), one(operator_legs(world, BERTE), "second leg"), caller_voice(0), operator_voice(1)
    )
    expect_not_ready(program, "anna", "missed")


@limit(150)
def test_vanished_device_does_not_hold_the_call(world: World) -> None:
    """A phone that registered and is silent now: the caller is with the next operator within the offer's time."""
    deployment = Deployment().line(offer_ring_seconds=6).operator("anna").operator("berte", fixed=BERTE, languages={"fr": 3})
    program = world.vigie(deployment)
    world.register("anna", ANNA)
    # Nothing reads this socket: no answer, and no "port unreachable" either.
    world.sinks(ANNA, range(5060, 5061))
    second = world.phone("berte", BERTE, index=1)
    world.call(talk_ms=14_000).wait()
    second.wait()
    gone, taken = one(operator_legs(world, ANNA), "first leg"), one(operator_legs(world, BERTE), "second leg")
    check(taken.invite.time - gone.invite.time < 8, f"{taken.invite.time - gone.invite.time:.1f} s were lost on a phone that is gone")
    expect_talk(world, one(caller_legs(world), "caller's leg"), taken, caller_voice(0), operator_voice(1))
    expect_not_ready(program, "anna", "")


def test_unreachable_device_is_passed_over_at_once(world: World) -> None:
    """A phone whose address says "port unreachable" (switched off): the next one is rung at once."""
    deployment = Deployment().operator("anna").operator("berte", fixed=BERTE, languages={"fr": 3})
    world.vigie(deployment)
    world.register("anna", ANNA)
    second = world.phone("berte", BERTE, index=1)
    world.call(talk_ms=14_000).wait()
    second.wait()
    expect_talk(
        world, one(caller_legs(world), "caller's leg"), one(operator_legs(world, BERTE), "second leg"), caller_voice(0), operator_voice(1)
    )


def test_first_come_first_served(world: World) -> None:
    """Three wait; one operator becomes ready, and takes them in the order in which they came."""
    program = world.vigie(Deployment().operator("anna", fixed=ANNA, on_sign_in="not-ready"))
    phone = world.phone("anna", ANNA, scenario="operator_hangs_up.xml", calls=3, talk_ms=2500, seconds=90)
    callers = []
    for index in range(3):
        callers.append(world.call(f"caller{index}", scenario="caller_is_hung_up.xml", index=index, seconds=90))
        world.pause(1)
    program.do("operator", "anna", "ready")
    for caller in callers:
        caller.wait()
    phone.wait()
    recording = world.stop_capture()
    for index, leg in enumerate(operator_legs(world)):
        expect_person(f"the operator in her call {index + 1}", conversation.heard(recording, leg), caller_voice(index), 1)


def test_priority_goes_before_waiting_time(world: World) -> None:
    """A caller of a line with priority is served before one who has waited longer on another line."""
    deployment = (
        Deployment()
        .line("ecoute")
        .line("urgent", numbers=["+33199001235"], priority=5)
        .operator("anna", fixed=ANNA, on_sign_in="not-ready")
    )
    program = world.vigie(deployment)
    phone = world.phone("anna", ANNA, scenario="operator_hangs_up.xml", calls=2, talk_ms=2500)
    first = world.call("first", scenario="caller_is_hung_up.xml", index=0)
    world.pause(2)
    urgent = world.call("urgent", scenario="caller_is_hung_up.xml", index=1, number="+33199001235")
    world.pause(3)
    program.do("operator", "anna", "ready")
    urgent.wait()
    first.wait()
    phone.wait()
    recording = world.stop_capture()
    for leg, index in zip(operator_legs(world), (1, 0), strict=True):
        expect_person("the operator", conversation.heard(recording, leg), caller_voice(index), 1)


def test_wrap_up_is_left_alone(world: World) -> None:
    """After a call the operator writes up for the line's time: the next caller waits that long, and no shorter."""
    program = world.vigie(Deployment().line(wrap_up_seconds=5).operator("anna", fixed=ANNA))
    phone = world.phone("anna", ANNA, scenario="operator_hangs_up.xml", calls=2, talk_ms=2000)
    world.call("first", scenario="caller_is_hung_up.xml").wait()
    world.call("second", scenario="caller_is_hung_up.xml", index=1).wait()
    phone.wait()
    records(program, 2)
    first, second = operator_legs(world)
    wait = second.invite.time - max(message.time for message in first.messages if message.method == "BYE")
    check(4.8 < wait < 6.5, f"the next call came {wait:.2f} s after the first, in or long after 5 s of wrap-up")


def test_longest_idle_goes_first(world: World) -> None:
    """Of two equals the one who has been idle longer gets the call, turn by turn."""
    deployment = Deployment().operator("anna", fixed=ANNA).operator("berte", fixed=BERTE)
    program = world.vigie(deployment)
    for index, (name, address) in enumerate((("anna", ANNA), ("berte", BERTE))):
        world.phone(name, address, calls=0, index=index)
    for index in range(4):
        world.call(f"caller{index}", index=index, talk_ms=5000).wait()
    records(program, 4)
    served = [leg.peer[0] for leg in operator_legs(world)]
    check(len(served) == 4 and served[0] != served[1] and served == served[:2] * 2, f"served by {served}")


def test_busy_operator_is_not_rung_twice(world: World) -> None:
    """An operator in a call is offered nothing: the second caller waits, and gets her after the first has gone."""
    program = world.vigie(Deployment().operator("anna", fixed=ANNA))
    phone = world.phone("anna", ANNA, calls=2)
    first = world.call("first", talk_ms=9000)
    world.pause(3)
    second = world.call("second", index=1, talk_ms=12_000)
    first.wait()
    second.wait()
    phone.wait()
    records(program, 2)
    one_leg, other = operator_legs(world)
    check(other.invite.time > (one_leg.ended_at or 0), "the operator was rung while she was in a call")
    expect_person("the second caller", conversation.heard(world.stop_capture(), caller_legs(world)[1]), operator_voice(0), 1.5)


def test_sign_out_stops_offers(world: World) -> None:
    """An operator who is signed out by `vigie operator` is not rung; ready again, she is."""
    program = world.vigie(Deployment().operator("anna", fixed=ANNA))
    phone = world.phone("anna", ANNA)
    program.do("operator", "anna", "not-ready", "break")
    caller = world.call(talk_ms=11_000)
    world.pause(5)
    check("INVITE" not in phone.messages(), "an operator on a break was rung")
    program.do("operator", "anna", "ready")
    wait_until("the operator's phone to ring", 3, lambda: "INVITE" in phone.messages())
    caller.wait()
    phone.wait()
