"""Level 2 is for in-house operators who are accredited for it, whoever else is free."""

from harness import network
from harness.conversation import one
from harness.deployment import Deployment
from harness.expectations import caller_legs, expect_talk, operator_legs, records
from harness.processes import check
from harness.world import World, caller_voice, operator_voice

SUBCONTRACTOR, LEVEL_ONE, LEVEL_TWO = network.PHONES[:3]


def two_levels(**level_two) -> Deployment:
    """A line of each level; a subcontractor's operator, an in-house one of level 1, one of level 2."""
    deployment = Deployment().line().line("complexe", numbers=["+33199001235"], level=2)
    deployment.operator("sonia", fixed=SUBCONTRACTOR, employer="alma").operator("anna", fixed=LEVEL_ONE)
    return deployment.operator("clara", fixed=LEVEL_TWO, levels=[1, 2], **level_two)


def test_level_two_reaches_only_the_accredited(world: World) -> None:
    """A level 2 call goes to the one who may take it, though two others have been idle as long."""
    world.vigie(two_levels())
    for name, address, index in (("sonia", SUBCONTRACTOR, 0), ("anna", LEVEL_ONE, 1)):
        world.phone(name, address, calls=0, index=index)
    phone = world.phone("clara", LEVEL_TWO, index=2)
    world.call(number="+33199001235").wait()
    phone.wait()
    operator = one(operator_legs(world), "operator's leg")
    check(operator.peer[0] == LEVEL_TWO, f"{operator.peer} was rung")
    expect_talk(world, one(caller_legs(world), "caller's leg"), operator, caller_voice(0), operator_voice(2))


def test_level_two_waits_rather_than_go_elsewhere(world: World) -> None:
    """The only level 2 operator is not ready: the caller waits; no other phone rings, however long."""
    program = world.vigie(two_levels(on_sign_in="not-ready"))
    for name, address, index in (("sonia", SUBCONTRACTOR, 0), ("anna", LEVEL_ONE, 1), ("clara", LEVEL_TWO, 2)):
        world.phone(name, address, calls=0, index=index)
    world.call(number="+33199001235", talk_ms=15_000).wait()
    check(records(program, 1)[0]["outcome"] == "abandoned", "she was not kept waiting")
    check(not operator_legs(world), f"rung: {[leg.peer for leg in operator_legs(world)]}")


def test_level_two_refused_by_her_does_not_overflow(world: World) -> None:
    """The level 2 operator rejects the offer: the call goes to nobody else."""
    world.vigie(two_levels())
    for name, address, index in (("sonia", SUBCONTRACTOR, 0), ("anna", LEVEL_ONE, 1)):
        world.phone(name, address, calls=0, index=index)
    phone = world.phone("clara", LEVEL_TWO, scenario="operator_rejects.xml", index=2)
    world.call(number="+33199001235", talk_ms=10_000).wait()
    phone.wait()
    check({leg.peer[0] for leg in operator_legs(world)} == {LEVEL_TWO}, f"rung: {[leg.peer for leg in operator_legs(world)]}")


def test_redirection_by_a_phone_is_not_followed(world: World) -> None:
    """The level 2 operator's phone answers 302 to a subcontractor's: nobody is rung there (the way around is closed)."""
    world.vigie(two_levels())
    for name, address, index in (("sonia", SUBCONTRACTOR, 0), ("anna", LEVEL_ONE, 1)):
        world.phone(name, address, calls=0, index=index)
    diverted = world.folder / "diverts.xml"
    text = world.scenario("operator_rejects.xml").read_text()
    to = f"SIP/2.0 302 Moved Temporarily\n      Contact: <sip:sonia@{SUBCONTRACTOR}:5060>"
    diverted.write_text(text.replace("SIP/2.0 486 Busy Here", to))
    phone = world.phone("clara", LEVEL_TWO, scenario=diverted, index=2)
    world.call(number="+33199001235", talk_ms=8000).wait()
    phone.wait()
    check({leg.peer[0] for leg in operator_legs(world)} == {LEVEL_TWO}, f"rung: {[leg.peer for leg in operator_legs(world)]}")


def test_level_two_of_a_subcontractor_is_no_configuration(world: World) -> None:
    """`vigie check` refuses a subcontractor's operator with level 2, names file and line, and ends with 1."""
    program = world.vigie(two_levels())
    world.phone("clara", LEVEL_TWO, calls=0, index=2)
    bad = two_levels().operator("eve", fixed=network.PHONES[3], employer="alma", levels=[1, 2])
    result = program.check(bad.write(world.folder / "bad"))
    check(result.returncode == 1, f"exit code {result.returncode}: {result.stdout}")
    check(
        "operators.toml:" in result.stdout + result.stderr and "subcontract" in result.stdout + result.stderr,
        f"{result.stdout}{result.stderr}",
    )
