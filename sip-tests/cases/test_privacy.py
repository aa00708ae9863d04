"""The caller's number is nowhere but in the trunk's own SIP. (Every other test looks for leaks at its end, too.)"""

from harness import network, privacy
from harness.deployment import Deployment
from harness.expectations import records, records_now
from harness.processes import check
from harness.world import World

NUMBER = "+33639980042"


def test_leaks_would_be_found(world: World) -> None:
    """The search finds a number in every way of writing it, in text, in a database, and not where there is none."""
    for written in (NUMBER, "0033639980042", "0639980042", "639980042", "+33 6 39 98 00 42", "06.39.98.00.42", "06-39-98-00-42"):
        check(bool(privacy.leaks(f"from {written} at".encode(), [NUMBER])), f"{written} was not found")
        check(bool(privacy.leaks(b"x", [written])) is False, f"{written} was found in nothing")
    check(bool(privacy.leaks(NUMBER.encode("utf-16-le"), [NUMBER])), "UTF-16 was not found")
    check(not privacy.leaks(b"tag=6399800411;branch=z9hG4bK", [NUMBER]), "another number was taken for it")
    import sqlite3

    path = world.folder / "some.sqlite"
    with sqlite3.connect(path) as database:
        database.execute("create table calls (caller text)")
        database.execute("insert into calls values (?)", (NUMBER,))
    check(bool(privacy.leaks_in_files([path], [NUMBER])), "the database's row was not found")


def with_headers(world: World, name: str, extra: str, sender: str = "[caller]") -> object:
    """`caller_calls.xml` with more headers, or another From."""
    path = world.folder / f"{name}.xml"
    text = world.scenario("caller_calls.xml").read_text().replace("sip:[caller]@", f"sip:{sender}@")
    path.write_text(text.replace("      Max-Forwards: 70\n      From", f"      Max-Forwards: 70\n{extra}      From", 1))
    return path


def test_numbers_of_every_header_stay_out(world: World) -> None:
    """The number in From, P-Asserted-Identity, Diversion, History-Info, Remote-Party-ID, in every format, waiting,
    talking and refused, with the noisiest log: found in no file, output or packet to an operator."""
    program = world.vigie(Deployment().operator("anna", fixed=network.PHONE))
    phone = world.phone("anna", calls=0, seconds=100)
    formats = ("+3363998{:04d}", "003363998{:04d}", "063998{:04d}", "3363998{:04d}")
    for index, written in enumerate(formats):
        world.caller(index)
        number = written.format(index)
        headers = "".join(
            f"      {name}: {value}\n"
            for name, value in (
                ("P-Asserted-Identity", f'"{number}" <sip:{number}@carrier.example>'),
                ("P-Asserted-Identity", f"<tel:+3363998{index:04d}>"),
                ("Remote-Party-ID", f"<sip:{number}@carrier.example>;party=calling"),
                ("Diversion", f"<sip:{number}@carrier.example>;reason=unconditional"),
                ("History-Info", f"<sip:{number}@carrier.example>;index=1"),
                ("Subject", f"call from {number}"),
            )
        )
        world.call(
            f"caller{index}", scenario=with_headers(world, f"headers{index}", headers), index=index, talk_ms=4000, keys={"caller": number}
        ).wait()
    anonymous = with_headers(
        world, "anonymous", "      P-Asserted-Identity: <sip:+33639980004@carrier.example>\n      Privacy: id\n", "anonymous"
    )
    world.call("anonymous", scenario=anonymous, index=4, talk_ms=4000).wait()
    world.call("unknown", scenario="caller_is_refused.xml", index=5, number="+33199009999").wait()
    check(phone.running(), "the operator's phone gave up")
    rows = records(program, 5, seconds=10) if len(records_now(program)) == 5 else records(program, 6)
    served = [row for row in rows if row["outcome"] == "answered"]
    check(len(served) == 5, f"records: {rows}")


def test_formats_are_one_caller(world: World) -> None:
    """+33…, 0033… and 0… give one pseudonym; another caller another; a withheld number none."""
    program = world.vigie(Deployment().operator("anna", fixed=network.PHONE, on_sign_in="not-ready"))
    world.caller(7), world.caller(8)
    for index, number in enumerate(("+33639980007", "0033639980007", "0639980007", "+33639980008", "anonymous")):
        world.call(f"caller{index}", index=index + 10, talk_ms=300, keys={"caller": number}).wait()
    rows = records(program, 5)
    names = [row["caller"] for row in rows]
    check(len(set(names[:3])) == 1 and names[0], f"one caller in three formats is {names[:3]}")
    check(names[3] and names[3] != names[0], f"another caller is {names[3]}, as the first is {names[0]}")
    check(names[4] is None, f"a caller who withheld her number is {names[4]}")
