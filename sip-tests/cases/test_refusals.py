"""Closed, full, unknown: what those hear who are not served."""

from harness import conversation, network
from harness.conversation import one
from harness.deployment import Deployment
from harness.expectations import caller_legs, operator_legs, prompts, records
from harness.processes import check
from harness.world import World

# A window that no moment of the week is in but one minute; opening hours can't be empty.
NEVER = {"open": ["sun 03:33-03:34"]}


def refused_with(world: World) -> int | None:
    """The final status that the one caller got."""
    return one(caller_legs(world), "caller's leg").final_status


def test_closed_line_says_so(world: World) -> None:
    """By default a closed line answers, says that it is closed, and ends the call itself."""
    program = world.vigie(Deployment().line(hours=NEVER).operator("anna", fixed=network.PHONE))
    world.call(scenario="caller_is_hung_up.xml", seconds=30).wait()
    row = records(program, 1)[0]
    check(row["outcome"] == "closed", f"record: {row}")
    leg = one(caller_legs(world), "caller's leg")
    heard = prompts(conversation.heard(world.stop_capture(), leg))
    check(heard == ["closed.fr"], f"the caller heard {heard}")
    check(leg.ended_by_peer is False, "the caller had to hang up herself")


def test_closed_line_refuses_with_480(world: World) -> None:
    """when_closed = 480."""
    program = world.vigie(Deployment().line(hours=NEVER, when_closed=480).operator("anna", fixed=network.PHONE))
    world.call(scenario="caller_is_refused.xml").wait()
    check(records(program, 1)[0]["outcome"] == "closed", "the record says otherwise")
    check(refused_with(world) == 480, f"refused with {refused_with(world)}")


def test_line_is_closed_and_opened_by_command(world: World) -> None:
    """`vigie line ecoute close` closes it for the next caller, `open` opens it again."""
    program = world.vigie(Deployment().line(when_closed=486).operator("anna", fixed=network.PHONE))
    phone = world.phone("anna")
    program.do("line", "ecoute", "close")
    world.call("refused", scenario="caller_is_refused.xml").wait()
    program.do("line", "ecoute", "open")
    world.call("served", index=1).wait()
    phone.wait()
    check([leg.final_status for leg in caller_legs(world)] == [486, 200], f"{[leg.final_status for leg in caller_legs(world)]}")


def fill(world: World, **line) -> None:
    """One caller waits on a line that has room for one."""
    world.vigie(Deployment().line(waiting={"waiting_max": 1}, **line).operator("anna", fixed=network.PHONE, on_sign_in="not-ready"))
    world.call("waiting", index=5, talk_ms=15_000)
    world.pause(4)


def test_full_line_says_so(world: World) -> None:
    """By default a full line answers, says so, and ends the call itself."""
    fill(world)
    world.call(scenario="caller_is_hung_up.xml", seconds=30).wait()
    leg = caller_legs(world)[1]
    heard = prompts(conversation.heard(world.stop_capture(), leg))
    check("full.fr" in heard and "music" not in heard, f"the caller heard {heard}")
    check(leg.ended_by_peer is False, "the caller had to hang up herself")


def test_full_line_refuses_with_486(world: World) -> None:
    """when_full = 486."""
    fill(world, when_full=486)
    world.call(scenario="caller_is_refused.xml").wait()
    check(caller_legs(world)[1].final_status == 486, f"refused with {caller_legs(world)[1].final_status}")


def test_trunk_over_its_cap(world: World) -> None:
    """A trunk with one call too many gets 486, or hears that all lines are busy; never 503, which would suspend it."""
    world.vigie(Deployment().trunk(calls_max=1).operator("anna", fixed=network.PHONE, on_sign_in="not-ready"))
    world.call("waiting", index=5, talk_ms=10_000)
    world.pause(3)
    second = world.call("second", index=1, talk_ms=3000)
    second.child.wait(40)
    leg = caller_legs(world)[1]
    check(leg.final_status in (486, 200), f"refused with {leg.final_status}")


def test_unknown_number(world: World) -> None:
    """A number that is no line's: 404."""
    world.vigie(Deployment().operator("anna", fixed=network.PHONE))
    world.call(scenario="caller_is_refused.xml", number="+33199009999").wait()
    check(refused_with(world) == 404, f"refused with {refused_with(world)}")


def test_stranger_is_not_served(world: World) -> None:
    """A source that is neither trunk nor operator reaches no line, even by the right number."""
    world.vigie(Deployment().operator("anna", fixed=network.PHONE))
    world.phone("anna", calls=0)
    stranger = world.call("stranger", scenario="caller_is_refused.xml", address=network.STRANGER)
    stranger.child.wait(40)
    legs = [leg for leg in world.legs() if leg.peer[0] == network.STRANGER]
    check(legs and legs[0].final_status not in (200, 180, 183), f"the stranger got {legs[0].final_status if legs else None}")
    check(not operator_legs(world), "an operator was rung for a stranger")


def test_what_else_an_operator_dials_is_refused(world: World) -> None:
    """An operator's phone dials an outside number: refused, and nobody is called."""
    world.vigie(Deployment().operator("anna"))
    world.register("anna", network.PHONE)
    world.dial("0612345678", "anna", network.PHONE).wait()
    legs = [leg for leg in world.legs() if leg.inbound]
    check(all(leg.final_status != 200 for leg in legs) or heard_refusal(world, legs), f"{[leg.final_status for leg in legs]}")
    check(not operator_legs(world), "somebody was called")


def heard_refusal(world: World, legs) -> bool:
    """Whether the operator was told aloud that she may not."""
    return any("call-refused.fr" in prompts(conversation.heard(world.stop_capture(), leg)) for leg in legs)


def test_last_resort(world: World) -> None:
    """After the longest wait the caller hears the last resort, and the line ends the call."""
    waiting = {"wait_seconds_max": 10, "last_resort": {"action": "announce-and-end"}}
    program = world.vigie(Deployment().line(waiting=waiting).operator("anna", fixed=network.PHONE, on_sign_in="not-ready"))
    world.call(scenario="caller_is_hung_up.xml", seconds=40).wait()
    heard = prompts(conversation.heard(world.stop_capture(), one(caller_legs(world), "caller's leg")))
    check(heard[-1:] == ["last-resort.fr"], f"the caller heard {heard}")
    check(records(program, 1)[0]["outcome"] == "other_exit", f"record: {records(program, 1)[0]}")


def test_comfort_while_waiting(world: World) -> None:
    """A caller who waits is told again and again that she is not forgotten."""
    world.vigie(Deployment().line(waiting={"comfort_every_seconds": 10}).operator("anna", fixed=network.PHONE, on_sign_in="not-ready"))
    world.call(talk_ms=28_000).wait()
    heard = prompts(conversation.heard(world.stop_capture(), one(caller_legs(world), "caller's leg")))
    check(heard.count("comfort.fr") == 2, f"in 28 s the caller heard {heard}")


def test_nobody_eligible_raises_an_alarm(world: World) -> None:
    """Nobody signed in could ever take the call: an alarm is shown, and the line does what it says."""
    waiting = {"nobody_eligible": {"alarm": True, "after_seconds": 3, "action": "announce-and-end"}}
    program = world.vigie(Deployment().line(waiting=waiting).operator("anna"))
    caller = world.call(scenario="caller_is_hung_up.xml", seconds=40)
    world.wait("the alarm", 15, lambda: "no_eligible_operator" in [alarm["kind"] for alarm in program.json("status")["alarms"]])
    caller.wait()
    heard = prompts(conversation.heard(world.stop_capture(), one(caller_legs(world), "caller's leg")))
    check(heard[-1:] == ["last-resort.fr"], f"the caller heard {heard}")
