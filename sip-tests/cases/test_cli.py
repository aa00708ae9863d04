"""The command line as an administrator meets it: exit codes, and words that help."""

import json

from harness import network
from harness.deployment import Deployment
from harness.processes import Child, check
from harness.program import ROOT, binary
from harness.world import World


def test_commands_say_when_nothing_runs(world: World) -> None:
    """`vigie status` without a running vigie: not 0, and a sentence that says so."""
    program = world.vigie(Deployment().operator("anna", fixed=network.PHONE))
    program.kill()
    result = program.command("status")
    check(result.returncode != 0, "exit code 0")
    check("vigie" in result.stderr and "running" in result.stderr.lower(), f"it said: {result.stderr!r}")
    program.start()


def test_unknown_names_are_told(world: World) -> None:
    """An unknown operator, line or reason is refused, with its name."""
    program = world.vigie(Deployment().operator("anna", fixed=network.PHONE))
    for command, told in (
        (("operator", "nobody", "ready"), "nobody"),
        (("line", "nowhere", "close"), "nowhere"),
        (("operator", "anna", "not-ready", "holiday"), "holiday"),
    ):
        result = program.command(*command)
        check(result.returncode != 0, f"{command} ended with 0")
        check(told in result.stderr + result.stdout, f"{command} said {result.stderr!r}")


def test_options_may_stand_at_the_end(world: World) -> None:
    """`vigie operator anna ready --config DIR`: people add the option last."""
    program = world.vigie(Deployment().operator("anna", fixed=network.PHONE))
    for words in (
        ["operator", "anna", "ready"],
        ["operator", "anna", "not-ready", "break"],
        ["line", "ecoute", "by-hours"],
        ["status"],
        ["calls"],
    ):
        child = Child("-".join(words), [str(binary()), *words, "--config", str(program.config)], world.folder)
        check(child.wait(10) == 0, f"vigie {' '.join(words)} --config DIR: {child.errors()}")


def test_a_second_start_does_not_disturb_the_first(world: World) -> None:
    """`vigie run` with the same configuration twice: the second says why not and ends; the first serves on."""
    program = world.vigie(Deployment().operator("anna", fixed=network.PHONE))
    second = Child("second", [str(binary()), "run", "--config", str(program.config)], world.folder)
    check(second.wait(10) != 0, "the second start ended with 0")
    check(bool((second.errors() + second.output()).strip()), "the second start said nothing")
    phone = world.phone("anna")
    world.call(talk_ms=5000).wait()
    phone.wait()


def test_bad_configuration_does_not_start(world: World) -> None:
    """`vigie run` and `vigie check` tell every problem of a bad configuration at once, with file and line, and end with 1."""
    program = world.vigie(Deployment().operator("anna", fixed=network.PHONE))
    bad = Deployment().line(numbers=["not a number"], level=3).operator("eve", employer="nobody")
    bad.node["time_zone"] = "Europe/Pariss"
    config = bad.write(world.folder / "bad")
    for command in ("check", "run"):
        child = Child(f"bad-{command}", [str(binary()), command, "--config", str(config)], world.folder)
        code = child.wait(10)
        text = child.output() + child.errors()
        check(code == 1, f"vigie {command} ended with {code}: {text}")
        for told in ("vigie.toml:", "lines.toml:", "operators.toml:", "Europe/Paris"):
            check(told in text, f"vigie {command} did not tell {told!r}: {text}")
    check(program.running(), "the running program was disturbed")


def test_status_follows_a_call(world: World) -> None:
    """`vigie status` and `operators` show who waits and who talks, while she does."""
    program = world.vigie(Deployment().operator("anna", fixed=network.PHONE, on_sign_in="not-ready"))
    phone = world.phone("anna")
    caller = world.call(talk_ms=14_000)
    world.wait("one waiting", 6, lambda: program.json("status")["waiting"] == 1)
    program.do("operator", "anna", "ready")
    world.wait("one talking", 6, lambda: program.json("status")["talking"] == 1)
    states = {row["operator"]: row["state"] for row in program.json("operators")}
    check(states["anna"] == "in_contact", f"operators: {states}")
    caller.wait()
    phone.wait()
    world.wait("nobody talking", 5, lambda: program.json("status")["talking"] == 0)
    check(program.json("status")["today"]["answered"] == 1, f"{program.json('status')['today']}")


def test_example_deployment_is_right(world: World) -> None:
    """`vigie check --config config`: the deployment that the repository ships has no error."""
    child = Child("check", [str(binary()), "check", "--config", str(ROOT / "config")], world.folder)
    code = child.wait(10)
    check(code == 0, f"code {code}: {child.output()}{child.errors()}")


def test_check_tells_problems_to_programs(world: World) -> None:
    """`vigie check --json`: each problem with file, line, field, found, expected."""
    bad = Deployment().line(level=3).operator("eve", employer="nobody")
    child = Child("check", [str(binary()), "check", "--json", "--config", str(bad.write(world.folder / "bad"))], world.folder)
    check(child.wait(10) == 1, f"{child.output()}{child.errors()}")
    problems = json.loads(child.output())["problems"]
    fields = {(problem["file"], problem["field"]) for problem in problems}
    check(("lines.toml", "line[0].level") in fields and ("operators.toml", "operator[0].employer") in fields, f"told: {fields}")
    for problem in problems:
        check({"severity", "file", "line", "field", "found", "expected"} <= set(problem), f"told: {problem}")
