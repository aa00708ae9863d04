"""Phones: passwords, short intervals, several phones of one operator, codes that she dials."""

import re

from harness import conversation, network
from harness.conversation import one
from harness.deployment import PASSWORD, Deployment
from harness.expectations import caller_legs, expect_talk, operator_legs, operator_state, prompts, records
from harness.processes import check, wait_until
from harness.world import World, caller_voice, operator_voice

ANNA, SECOND = network.PHONES[0], network.PHONES[1]


def test_wrong_password(world: World) -> None:
    """A wrong password is challenged or forbidden, nothing is bound, and the right one works right after."""
    world.vigie(Deployment().operator("anna"))
    world.register("anna", ANNA, password="not-the-password", scenario="operator_registers_wrongly.xml")
    caller = world.call("nobody", talk_ms=4000)
    caller.wait()
    check(not world.was_rung(ANNA), "a phone with a wrong password was rung")
    world.register("anna", ANNA)
    phone = world.phone("anna", ANNA)
    world.call("somebody", index=1).wait()
    phone.wait()
    statuses = [message.status for message in world.stop_capture().find("REGISTER") if message.status]
    check(statuses[:2] in ([401, 401], [401, 403]) and statuses[2:] == [401, 200], f"REGISTER was answered {statuses}")


def test_no_user_enumeration(world: World) -> None:
    """An unknown user is answered like a known one with a wrong password: nobody can list the operators."""
    world.vigie(Deployment().operator("anna"))
    answers = []
    for index, user in enumerate(("anna", "nobody")):
        world.register(user, network.PHONES[index], password="not-the-password", scenario="operator_registers_wrongly.xml")
    recording = world.stop_capture()
    for address in network.PHONES[:2]:
        answers.append([m.status for m in recording.find("REGISTER", destination=address) if m.status])
    check(answers[0] == answers[1], f"a known user gets {answers[0]}, an unknown one {answers[1]}")


def test_interval_too_brief(world: World) -> None:
    """Expires: 5 is refused with 423 and Min-Expires; registered with that, the phone is bound."""
    world.vigie(Deployment().operator("anna"))
    world.register("anna", ANNA, expires=5, scenario="operator_registers_too_briefly.xml")
    recording = world.stop_capture()
    brief = [message for message in recording.find("REGISTER", status=423)]
    check(brief and brief[0].header("min-expires") == "60", f"Min-Expires: {brief[0].header('min-expires') if brief else None}")
    bound = recording.find("REGISTER", status=200)
    check(bool(bound), "not bound in the end")
    granted = re.search(r"expires=(\d+)", bound[-1].header("contact"))
    check(granted is not None and int(granted.group(1)) == 60, f"granted: {bound[-1].header('contact')}")


def test_unregistered_phone_is_not_rung(world: World) -> None:
    """A phone that takes its registration back is signed out."""
    program = world.vigie(Deployment().operator("anna"))
    world.register("anna", ANNA)
    world.register("anna", ANNA, expires=0)
    world.phone("anna", ANNA, calls=0)
    world.call(talk_ms=5000).wait()
    check(records(program, 1)[0]["outcome"] == "abandoned", "somebody answered")
    check(not operator_legs(world), "a phone that is not registered was rung")


def test_several_phones_of_one_operator(world: World) -> None:
    """Two phones of one operator ring together; one answers, the other is cancelled, and only one call is made."""
    program = world.vigie(Deployment().operator("anna"))
    world.register("anna", ANNA)
    world.register("anna", SECOND)
    silent = world.phone("desk", ANNA, scenario="operator_does_not_answer.xml")
    answers = world.phone("mobile", SECOND, index=1)
    world.call().wait()
    answers.wait()
    silent.wait()
    records(program, 1)
    statuses = {leg.peer[0]: leg.final_status for leg in operator_legs(world)}
    check(statuses == {ANNA: 487, SECOND: 200}, f"the two phones ended with {statuses}")
    expect_talk(
        world, one(caller_legs(world), "caller's leg"), one(operator_legs(world, SECOND), "leg"), caller_voice(0), operator_voice(1)
    )


def test_both_phones_answer_at_once(world: World) -> None:
    """Both phones of one operator answer in the same moment: one wins, the other is ended at once; the caller hears one."""
    program = world.vigie(Deployment().operator("anna"))
    for address in (ANNA, SECOND):
        world.register("anna", address)
    phones = [world.phone(f"phone{index}", address, index=index) for index, address in enumerate((ANNA, SECOND))]
    world.call().wait()
    for phone in phones:
        phone.child.wait(30)
    check(len(records(program, 1)) == 1, "more than one record")
    recording = world.stop_capture()
    ear = conversation.heard(recording, one(caller_legs(world), "caller's leg"))
    operators = [spoken for spoken in ear.voices if 100 <= spoken < 200]
    check(len(operators) == 1, f"the caller heard {ear}")


def test_feature_codes_are_confirmed_aloud(world: World) -> None:
    """*721 sets not ready for a break, *71 ready again; each is said aloud, and the board follows."""
    program = world.vigie(Deployment().operator("anna"))
    world.register("anna", ANNA)
    world.dial("*721", "anna", ANNA).wait()
    shown = lambda: operator_state(program, "anna")  # noqa: E731
    wait_until("anna to be shown on a break", 3, lambda: shown()["reason"] == "break")
    world.dial("*71", "anna", ANNA).wait()
    wait_until("anna to be shown as ready", 3, lambda: shown()["state"] == "ready")
    recording = world.stop_capture()
    heard = [prompts(conversation.heard(recording, leg)) for leg in world.legs() if leg.inbound]
    check(["not-ready-break.fr"] in heard and ["ready.fr"] in heard, f"the operator heard {heard}")


def test_trunk_with_a_password(world: World) -> None:
    """A trunk with a digest account is challenged, proves itself, and is served; without proof it is not."""
    deployment = Deployment().trunk()
    deployment.trunk("second", networks=[network.TRUNK_WITH_PASSWORD], account={"user": "second", "password": PASSWORD, "algorithm": "md5"})
    world.vigie(deployment.operator("anna", fixed=ANNA))
    phone = world.phone("anna", ANNA)
    settings = {"scenario": "caller_with_password.xml", "address": network.TRUNK_WITH_PASSWORD}
    bad = world.call("bad", arguments=("-au", "second", "-ap", "wrong"), index=1, talk_ms=100, **settings)
    bad.child.wait(40)
    world.call("good", arguments=("-au", "second", "-ap", PASSWORD), **settings).wait()
    phone.wait()
    finals = [leg.final_status for leg in caller_legs(world)]
    check(finals[-1] == 200 and finals[0] != 200, f"the two calls ended with {finals}")
    expect_talk(world, caller_legs(world)[-1], one(operator_legs(world), "operator's leg"), caller_voice(0), operator_voice(0))


def test_password_guessing_is_slowed(world: World) -> None:
    """After many wrong passwords the guesses of that source for that user are refused cheaply; another source is not harmed."""
    world.vigie(Deployment().operator("anna").operator("berte"))
    for _ in range(12):
        world.register("anna", network.STRANGER, password="guess", scenario="operator_registers_wrongly.xml")
    world.register("anna", ANNA)
    world.register("berte", SECOND)
    bound = {m.destination[0] for m in world.stop_capture().find("REGISTER", status=200)}
    check(bound == {ANNA, SECOND}, f"registered in the end: {bound}")
