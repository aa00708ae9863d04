"""What a trunk expects of the other side: liveness both ways, early media, and its own habits."""

from harness import conversation, network
from harness.conversation import one
from harness.deployment import Deployment
from harness.expectations import caller_legs, expect_talk, operator_legs, prompts
from harness.processes import check
from harness.world import World, caller_voice, operator_voice


def test_options_of_the_trunk_is_answered(world: World) -> None:
    """OPTIONS from the trunk gets 200, over UDP, TCP and IPv6."""
    world.vigie(Deployment().operator("anna", fixed=network.PHONE))
    for index, (address, remote, transport) in enumerate(
        ((network.TRUNK, network.VIGIE, "u1"), (network.TRUNK, network.VIGIE, "t1"), (network.TRUNK_6, network.VIGIE_6, "u1"))
    ):
        world.sipp(f"ping{index}", "trunk_pings.xml", address, remote=remote, transport=transport, port=5070 + index, seconds=15).wait()


def test_trunk_is_asked_whether_it_lives(world: World) -> None:
    """OPTIONS to the trunk: 404 is life; silence is not; `vigie status` says which."""
    deployment = Deployment().trunk("living", target=network.TRUNK, keep_alive_seconds=5)
    deployment.trunk("silent", networks=[network.TRUNK_WITH_PASSWORD], target=network.TRUNK_WITH_PASSWORD, keep_alive_seconds=5)
    answers = world.folder / "answers_404.xml"
    answers.write_text(
        '<?xml version="1.0"?>\n<scenario name="answers OPTIONS with 404">\n  <recv request="OPTIONS"/>\n  <send><![CDATA[\n\n'
        "      SIP/2.0 404 Not Found\n      [last_Via:]\n      [last_From:]\n      [last_To:];tag=[call_number]\n      [last_Call-ID:]\n"
        "      [last_CSeq:]\n      Content-Length: 0\n\n    ]]></send>\n</scenario>\n"
    )
    world.sipp("carrier", answers, network.TRUNK, calls=0, seconds=60)
    world.sinks(network.TRUNK_WITH_PASSWORD, range(5060, 5061))
    program = world.vigie(deployment.operator("anna", fixed=network.PHONE))
    # Two misses of 5 s and the last one's transaction (RFC 3261 §17.1.2.2: 64 × T1).
    alive = lambda name: next(row["alive"] for row in program.json("status")["trunks"] if row["trunk"] == name)  # noqa: E731
    world.wait("the trunk that answers 404 to be shown as alive", 10, lambda: alive("living") is True)
    world.wait("the silent trunk to be shown as down", 75, lambda: alive("silent") is False)
    check(alive("living") is True, "the trunk that answers 404 is shown as down")
    asked = world.stop_capture().find("OPTIONS", destination=network.TRUNK, request=True)
    check(len(asked) >= 2, f"the trunk was asked {len(asked)} times")


def test_early_media_before_the_answer(world: World) -> None:
    """answer = "on_operator" with ringback 183: prompts as early media, 200 only when the operator answers."""
    line = {"answer": "on_operator", "ringback": 183, "early_prompts": ["please-wait", "music"]}
    program = world.vigie(Deployment().line(**line).operator("anna", fixed=network.PHONE, on_sign_in="not-ready"))
    phone = world.phone("anna")
    caller_process = world.call(talk_ms=5000)
    world.pause(4)
    program.do("operator", "anna", "ready")
    caller_process.wait()
    phone.wait()
    recording = world.stop_capture()
    caller, operator = one(caller_legs(world), "caller's leg"), one(operator_legs(world), "operator's leg")
    check(183 in caller.provisionals, f"provisionals: {caller.provisionals}")
    early = conversation.heard(recording, caller, until=caller.answered_at or 0)
    check("music" in prompts(early), f"before the answer the caller heard {prompts(early)} ({early})")
    check((caller.answered_at or 0) >= (operator.answered_at or 0), "the caller's call was answered before the operator answered")
    expect_talk(world, caller, operator, caller_voice(0), operator_voice(0), 3)


def test_ringback_before_the_answer(world: World) -> None:
    """answer = "on_operator": 180 while the operator's phone rings, 200 when she answers."""
    world.vigie(Deployment().line(answer="on_operator").operator("anna", fixed=network.PHONE))
    phone = world.phone("anna")
    world.call(talk_ms=5000).wait()
    phone.wait()
    caller, operator = one(caller_legs(world), "caller's leg"), one(operator_legs(world), "operator's leg")
    check(caller.provisionals and set(caller.provisionals) == {180}, f"provisionals: {caller.provisionals}")
    lag = (caller.answered_at or 0) - (operator.answered_at or 0)
    check(0 <= lag < 0.3, f"200 to the caller {lag:.3f} s after the operator's")
    expect_talk(world, caller, operator, caller_voice(0), operator_voice(0), 3)


def test_lost_ack_and_retransmitted_invite(world: World) -> None:
    """SIPp loses a tenth of its messages and of ours: retransmissions on both sides carry the call through."""
    world.vigie(Deployment().operator("anna", fixed=network.PHONE))
    phone = world.phone("anna", calls=0, seconds=100)
    caller = world.call(talk_ms=3000, calls=5, arguments=("-lost", "10", "-l", "1", "-r", "1"), seconds=100)
    caller.child.wait(115)
    check(phone.running(), "the operator's phone gave up")
    answered = [leg for leg in caller_legs(world) if leg.answered_at]
    check(len(answered) >= 4, f"{len(answered)} of 5 calls were answered")
    for leg in answered:
        check(len({m.header("to") for m in leg.messages if m.status == 200 and m.method == "INVITE"}) == 1, "one INVITE made two dialogs")
