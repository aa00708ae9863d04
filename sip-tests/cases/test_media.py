"""Sound under conditions that real networks bring: late offers, one law, strangers' packets, a phone that dies."""

import re
import socket
import struct
import time

from harness import conversation, g711, network, voice
from harness.capture import Recording
from harness.conversation import one
from harness.deployment import Deployment
from harness.expectations import caller_legs, expect_not_ready, expect_person, expect_talk, operator_legs, prompts, records
from harness.marks import limit
from harness.processes import check
from harness.world import World, caller_voice, operator_voice

ANNA, BERTE = network.PHONES[0], network.PHONES[1]
INTRUDER = 99


def test_late_offer(world: World) -> None:
    """An INVITE without SDP: the 200 offers, the ACK answers, both hear each other."""
    world.vigie(Deployment().operator("anna", fixed=ANNA))
    phone = world.phone("anna", ANNA)
    world.call(scenario="caller_offers_late.xml").wait()
    phone.wait()
    expect_talk(
        world, one(caller_legs(world), "caller's leg"), one(operator_legs(world), "operator's leg"), caller_voice(0), operator_voice(0)
    )


def test_mu_law_passes_through(world: World) -> None:
    """A caller who speaks µ-law only and a phone that can do both: µ-law on both legs, and both hear each other."""
    world.vigie(Deployment().operator("anna", fixed=ANNA))
    phone = world.phone("anna", ANNA, scenario=only(world, "operator_answers.xml", g711.PCMU), law=g711.PCMU)
    world.call(scenario=only(world, "caller_calls.xml", g711.PCMU), law=g711.PCMU).wait()
    phone.wait()
    caller, operator = one(caller_legs(world), "caller's leg"), one(operator_legs(world), "operator's leg")
    expect_talk(world, caller, operator, caller_voice(0), operator_voice(0))
    recording = world.stop_capture()
    kinds = {
        packet[2] for leg in (caller, operator) for address in leg.peer_media for s in recording.streams_to(address) for packet in s.packets
    }
    check(kinds == {g711.PCMU}, f"payload types sent: {kinds}")


def only(world: World, scenario: str, law: int):
    """A scenario whose phone knows one law only."""
    keep, drop = ((0, 8), (8, 0))[law != 0]
    names = {0: "PCMU", 8: "PCMA"}
    text = world.scenario(scenario).read_text().replace("RTP/AVP 8 0 101", f"RTP/AVP {keep} 101")
    path = world.folder / f"law{law}.{scenario}"
    path.write_text(text.replace(f"      a=rtpmap:{drop} {names[drop]}/8000\n", ""))
    return path


def test_no_common_codec(world: World) -> None:
    """A trunk that offers G.729 alone: 488, before any operator is rung."""
    world.vigie(Deployment().operator("anna", fixed=ANNA))
    world.phone("anna", ANNA, calls=0)
    path = world.folder / "g729.xml"
    text = world.scenario("caller_is_refused.xml").read_text().replace("RTP/AVP 8 0 101", "RTP/AVP 18 101")
    path.write_text(re.sub(r" +a=rtpmap:(0|8) PCM[AU]/8000\n", "", text))
    world.call(scenario=path).wait()
    check(one(caller_legs(world), "caller's leg").final_status == 488, "refused otherwise")
    check(not operator_legs(world), "an operator was rung")


def test_strangers_packets_are_not_heard(world: World) -> None:
    """Somebody else sends RTP to the ports of a call, before and during the talk: neither side hears it, and both go on."""
    world.vigie(Deployment().operator("anna", fixed=ANNA))
    phone = world.phone("anna", ANNA)
    caller_process = world.call(talk_ms=12_000)
    intrude(world, 9)
    caller_process.wait()
    phone.wait()
    caller, operator = one(caller_legs(world), "caller's leg"), one(operator_legs(world), "operator's leg")
    # `expect_talk` fails on any voice but the partner's, the intruder's too.
    expect_talk(world, caller, operator, caller_voice(0), operator_voice(0), 4)
    sent = [stream for stream in world.stop_capture().streams() if stream.source[0] == network.STRANGER]
    reached = {stream.destination for stream in sent}
    check(set(caller.program_media) <= reached and set(operator.program_media) <= reached, f"the intruder only tried {reached}")
    back = [stream for stream in world.stop_capture().streams() if stream.destination[0] == network.STRANGER]
    check(not back, "sound was sent to the intruder")


def intrude(world: World, seconds: float) -> None:
    """Sends a voice to every audio port that the program names, as soon as it does."""
    payload = g711.encode(voice.speak(INTRUDER, 1), g711.PCMA)
    targets: set[tuple[str, int]] = set()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
        out.bind((network.STRANGER, 0))
        start = time.monotonic()
        tick = 0
        while time.monotonic() - start < seconds:
            if tick % 25 == 0:
                seen = Recording(world.capture_path()).messages
                targets |= {m.media for m in seen if m.media and m.media[0] == network.VIGIE}
            at = tick * 160 % (len(payload) - 160)
            packet = struct.pack("!BBHII", 0x80, g711.PCMA, tick & 0xFFFF, tick * 160, 0xBAD) + payload[at : at + 160]
            for target in targets:
                out.sendto(packet, target)
            tick += 1
            time.sleep(max(0.0, start + tick * 0.02 - time.monotonic()))


@limit(180)
def test_operator_vanishes_in_the_call(world: World) -> None:
    """An operator's phone dies in the call: the caller is told, goes first, and the next operator takes her."""
    deployment = Deployment().operator("anna", fixed=ANNA).operator("berte", fixed=BERTE, languages={"fr": 3})
    program = world.vigie(deployment)
    first = world.phone("anna", ANNA, scenario="operator_vanishes.xml", talk_ms=4000)
    second = world.phone("berte", BERTE, scenario=world.ringing_for(4), index=1, seconds=120)
    caller_process = world.call(talk_ms=75_000, seconds=120)
    first.wait()
    # A dead phone says nothing at all, not even "port unreachable".
    world.sinks(ANNA, range(5060, 5061))
    world.sinks(ANNA, range(30_000, 30_004))
    caller_process.wait()
    second.wait()
    recording = world.stop_capture()
    caller = one(caller_legs(world), "caller's leg")
    lost, taken = one(operator_legs(world, ANNA), "first leg"), one(operator_legs(world, BERTE), "second leg")
    heard = prompts(conversation.heard(recording, caller, since=lost.answered_at or 0))
    check("listener-cut-off.fr" in heard, f"the caller heard {heard}")
    expect_person(
        "the caller, of the second operator,", conversation.heard(recording, caller, since=taken.answered_at or 0), operator_voice(1), 3
    )
    expect_not_ready(program, "anna", "")
    row = records(program, 1)[0]
    check(row["outcome"] == "answered" and row["ended_by"] == "caller", f"record: {row}")


def test_muted_phone_is_not_hung_up(world: World) -> None:
    """An operator's phone that sends no RTP for 30 s (muted) but lives: the call goes on, and is heard when it speaks."""
    path = world.folder / "muted.xml"
    text = world.scenario("operator_answers.xml").read_text()
    played = text.index("  <nop>\n")
    path.write_text(text[:played] + '  <pause milliseconds="30000"/>\n\n' + text[played:])
    world.vigie(Deployment().operator("anna", fixed=ANNA))
    phone = world.phone("anna", ANNA, scenario=path, seconds=90)
    world.call(talk_ms=40_000, seconds=90).wait()
    phone.wait()
    caller = one(caller_legs(world), "caller's leg")
    expect_person("the caller", conversation.heard(world.stop_capture(), caller), operator_voice(0), 3)
