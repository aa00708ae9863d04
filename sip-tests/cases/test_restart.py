"""Restarts: what was on record stays, what was going on is taken up or accounted for."""

from harness import conversation, network
from harness.conversation import one
from harness.deployment import Deployment
from harness.expectations import caller_legs, expect_person, operator_legs, records, records_now
from harness.processes import check
from harness.world import World, caller_voice, operator_voice


def test_kill_loses_no_record(world: World) -> None:
    """kill -9 after one call and in the middle of another, then a new start: both have exactly one record in the end."""
    program = world.vigie(Deployment().operator("anna", fixed=network.PHONE))
    phone = world.phone("anna", calls=2)
    world.call("before", talk_ms=4500).wait()
    during = world.call("during", index=1, talk_ms=14_000)
    world.pause(6)
    program.kill()
    program.start()
    check(len(records_now(program)) >= 1, "the record of the call before the kill is gone")
    during.child.wait(60)
    phone.child.wait(60)
    rows = records(program, 2, seconds=40)
    ids = {row["trunk_call_id"] for row in rows}
    check(len(ids) == 2, f"two calls, but records for {ids}")
    check(rows[1]["outcome"] == "answered", f"the interrupted call's record: {rows[1]}")


def test_call_survives_a_kill(world: World) -> None:
    """kill -9 in the middle of a call: after the new start both hear each other again, and the caller's BYE ends it."""
    program = world.vigie(Deployment().operator("anna", fixed=network.PHONE))
    phone = world.phone("anna")
    caller = world.call(talk_ms=14_000)
    world.pause(6)
    program.kill()
    program.start()
    restarted = world.now()
    caller.wait()
    phone.wait()
    recording = world.stop_capture()
    leg, operator = one(caller_legs(world), "caller's leg"), one(operator_legs(world), "operator's leg")
    after = restarted + 1
    expect_person("the caller, after the restart,", conversation.heard(recording, leg, since=after), operator_voice(0), 3)
    expect_person("the operator, after the restart,", conversation.heard(recording, operator, since=after), caller_voice(0), 3)
    row = records(program, 1)[0]
    check(row["ended_by"] == "caller", f"record: {row}")


def test_waiting_caller_survives_a_kill(world: World) -> None:
    """kill -9 while a caller waits: she keeps her place, and is answered after the new start."""
    program = world.vigie(Deployment().operator("anna", fixed=network.PHONE, on_sign_in="not-ready"))
    phone = world.phone("anna")
    caller = world.call(talk_ms=16_000)
    world.pause(5)
    program.kill()
    program.start()
    program.do("operator", "anna", "ready")
    caller.wait()
    phone.wait()
    leg = one(caller_legs(world), "caller's leg")
    expect_person("the caller", conversation.heard(world.stop_capture(), leg), operator_voice(0), 2)
    check(records(program, 1)[0]["outcome"] == "answered", "the record says otherwise")


def test_stop_lets_calls_end(world: World) -> None:
    """SIGTERM: new callers are refused, the call that is going on goes on; then the program ends with 0."""
    program = world.vigie(Deployment().operator("anna", fixed=network.PHONE))
    phone = world.phone("anna")
    caller = world.call(talk_ms=9000)
    world.pause(4)
    program.ask_to_stop()
    world.pause(1)
    late = world.call("late", scenario="caller_is_refused.xml", index=1)
    late.wait()
    check(program.running(), "the program ended in the middle of a call")
    caller.wait()
    phone.wait()
    check(program.wait() == 0, "the program did not end well")
    first = caller_legs(world)[0]
    expect_person("the caller", conversation.heard(world.stop_capture(), first), operator_voice(0), 4)
