"""What tests expect of calls, in the words of the tests: voices, hang-ups, records.

Knows legs, recordings and the program's JSON. Must never know how a call was set up.
"""

import typing

from harness import conversation, network
from harness.conversation import Leg
from harness.deployment import PROMPT_VOICES
from harness.processes import check, wait_until
from harness.program import Program
from harness.voice import Heard
from harness.world import World


def caller_legs(world: World) -> list[Leg]:
    """Legs that came from the trunks, in order."""
    trunks = (network.TRUNK, network.TRUNK_6, network.TRUNK_WITH_PASSWORD)
    return [leg for leg in world.legs() if leg.inbound and leg.peer[0] in trunks]


def operator_legs(world: World, callee: str | None = None) -> list[Leg]:
    """Legs from the program to operators (to one address, if given), in order."""
    return [leg for leg in world.legs() if not leg.inbound and (callee is None or leg.peer[0] == callee)]


def people(ear: Heard) -> dict[int, float]:
    """The voices heard that are people, not prompts or music."""
    return {spoken: seconds for spoken, seconds in ear.voices.items() if spoken not in PROMPT_VOICES}


def prompts(ear: Heard) -> list[str]:
    """The prompts heard, in order, each once in a row."""
    heard: list[str] = []
    for _, _, spoken in ear.passages:
        name = PROMPT_VOICES.get(spoken)
        if name and (not heard or heard[-1] != name):
            heard.append(name)
    return heard


def expect_person(what: str, ear: Heard, spoken: int, seconds_min: float) -> None:
    """Fails unless this person, and no other person, was heard long enough; prompts and music may be there."""
    voices = people(ear)
    names = {**PROMPT_VOICES}
    heard = ", ".join(f"{names.get(v, f'voice {v}')} {s:.1f} s" for v, s in ear.voices.items()) or "nobody"
    heard += f"; other sound {ear.other:.1f} s, silence {ear.silent:.1f} s"
    check(set(voices) <= {spoken}, f"{what} heard somebody else: {heard}; expected voice {spoken}")
    check(voices.get(spoken, 0.0) >= seconds_min, f"{what} should have heard voice {spoken} for {seconds_min:g} s, but heard {heard}")


def expect_talk(world: World, caller: Leg, operator: Leg, caller_voice: int, operator_voice: int, seconds_min: float = 2.0) -> None:
    """Both heard each other, and nobody else."""
    recording = world.stop_capture()
    expect_person("the caller", conversation.heard(recording, caller), operator_voice, seconds_min)
    expect_person("the operator", conversation.heard(recording, operator), caller_voice, seconds_min)


def records(program: Program, count: int, seconds: float = 8) -> list[dict[str, typing.Any]]:
    """The program's call records once there are `count`, the oldest first; fails if there are more or fewer."""
    found: list[dict[str, typing.Any]] = []

    def there() -> bool:
        found[:] = records_now(program)
        return len(found) >= count

    wait_until(f"{count} call records", seconds, there)
    check(len(found) == count, f"{len(found)} call records instead of {count}: {found}")
    return found


def operator_state(program: Program, name: str) -> dict[str, typing.Any]:
    """One operator as `vigie operators` shows her."""
    return next(row for row in program.json("operators") if row["operator"] == name)


def expect_not_ready(program: Program, name: str, reason: str, seconds: float = 3) -> None:
    """The operator is shown as not ready for this reason; a phone that is gone may also have signed her out."""
    wait_until(f"{name} to be not ready", seconds, lambda: operator_state(program, name)["state"] in ("not_ready", "signed_out"))
    shown = operator_state(program, name)
    words = f"{shown['state']} {shown['reason']} {shown['cause']}".replace("_", "-")
    check(reason in words, f"{name} is shown as {words!r}, without {reason!r}")


def records_now(program: Program) -> list[dict[str, typing.Any]]:
    """The program's call records as they are, the oldest first."""
    return sorted(program.json("calls", "--last", "1000")["over"], key=lambda row: row["offered_at_us"])
