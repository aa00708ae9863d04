"""A line is found however the trunk writes the number, and wherever."""

from harness import network
from harness.conversation import one
from harness.deployment import LINE_NUMBER, Deployment
from harness.expectations import caller_legs
from harness.processes import check
from harness.world import World

NATIONAL = LINE_NUMBER.removeprefix("+33")


def test_every_way_to_write_a_number(world: World) -> None:
    """+33…, 33…, 0033…, 0…, and with visual separators, all reach the line."""
    world.vigie(Deployment().operator("anna", fixed=network.PHONE, on_sign_in="not-ready"))
    written = (f"+33{NATIONAL}", f"0033{NATIONAL}", f"0{NATIONAL}", f"+33{NATIONAL};phone-context=+33", f"+33-{NATIONAL[0]}-{NATIONAL[1:]}")
    for index, number in enumerate(written):
        world.call(f"caller{index}", index=index, number=number, talk_ms=300).wait()
    check([leg.final_status for leg in caller_legs(world)] == [200] * len(written), f"{[leg.final_status for leg in caller_legs(world)]}")


def test_tel_uri(world: World) -> None:
    """A tel: URI (RFC 3966) as Request-URI and To."""
    world.vigie(Deployment().operator("anna", fixed=network.PHONE))
    phone = world.phone("anna")
    world.call(scenario="caller_dials_tel_uri.xml").wait()
    phone.wait()
    check(one(caller_legs(world), "caller's leg").final_status == 200, "not answered")


def test_number_in_to(world: World) -> None:
    """dialled_number = "to": the Request-URI names the account, To the number."""
    world.vigie(Deployment().trunk(dialled_number="to").operator("anna", fixed=network.PHONE))
    phone = world.phone("anna")
    world.call(scenario="caller_dials_in_to.xml", number="account4711", keys={"dialled": f"0{NATIONAL}"}).wait()
    phone.wait()
    check(one(caller_legs(world), "caller's leg").final_status == 200, "not answered")


def test_short_number(world: World) -> None:
    """A short number such as 3919 is a line's too."""
    world.vigie(Deployment().line(numbers=["3919"]).operator("anna", fixed=network.PHONE))
    phone = world.phone("anna")
    world.call(number="3919").wait()
    phone.wait()
    check(one(caller_legs(world), "caller's leg").final_status == 200, "not answered")
