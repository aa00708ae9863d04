"""The language menu: digits by telephone-event, silence, a wrong digit; and the operator who speaks the language."""

from harness import audio_files, conversation, network, voice
from harness.conversation import one
from harness.deployment import Deployment
from harness.expectations import caller_legs, expect_person, operator_legs, prompts, records
from harness.processes import check
from harness.world import World, caller_voice, operator_voice

FRENCH, ENGLISH = network.PHONES[0], network.PHONES[1]
MENU = {"digits": {"1": "fr", "2": "en"}, "default": "fr", "timeout_seconds": 2, "repeats": 1}


def bilingual() -> Deployment:
    """One line, two languages, an operator for each."""
    deployment = Deployment().line(languages=["fr", "en"], language_menu=MENU)
    deployment.operator("fanny", fixed=FRENCH, languages={"fr": 5})
    return deployment.operator("emma", fixed=ENGLISH, languages={"en": 5})


def serve(world: World, address: str, index: int, call) -> tuple:
    """Lets one operator answer one call; the caller's and the operator's leg."""
    program = world.vigie(bilingual())
    phone = world.phone("operator", address, index=index)
    world.phone("other", FRENCH if address == ENGLISH else ENGLISH, calls=0, index=1 - index)
    call().wait()
    phone.wait()
    row = records(program, 1)[0]
    check(row["language"] == ("en" if address == ENGLISH else "fr"), f"record: {row}")
    return one(caller_legs(world), "caller's leg"), one(operator_legs(world), "operator's leg")


def test_digit_chooses_english(world: World) -> None:
    """A caller presses 2 in the stream of her own voice (RFC 4733): English from there on, an English operator."""
    audio = world.phone_pcap("presses", audio_files.silence(3.0), "2", voice.speak(caller_voice(0), 12))
    call = lambda: world.call(scenario="caller_plays.xml", talk_ms=14_000, keys={"audio": str(audio)})  # noqa: E731
    caller, operator = serve(world, ENGLISH, 1, call)
    check(operator.peer[0] == ENGLISH, f"{operator.peer} was rung")
    ear = conversation.heard(world.stop_capture(), caller)
    expect_person("the caller", ear, operator_voice(1), 2)
    expect_person("the operator", conversation.heard(world.stop_capture(), operator), caller_voice(0), 2)
    after = [name for name in prompts(ear) if name.endswith((".fr", ".en"))]
    check(after and after[-1].endswith(".en"), f"the caller heard {after}")


def test_digits_of_sipp_choose(world: World) -> None:
    """SIPp's own digits, under payload type 96 as it offers it, choose English too."""
    call = lambda: world.call(scenario="caller_presses.xml", talk_ms=9000, keys={"digits": "2"})  # noqa: E731
    _, operator = serve(world, ENGLISH, 1, call)
    check(operator.peer[0] == ENGLISH, f"{operator.peer} was rung")


def test_digit_of_the_other_choice(world: World) -> None:
    """1 is French: the French operator, even though the English one has been idle as long."""
    call = lambda: world.call(scenario="caller_presses.xml", talk_ms=9000, keys={"digits": "1"})  # noqa: E731
    _, operator = serve(world, FRENCH, 0, call)
    check(operator.peer[0] == FRENCH, f"{operator.peer} was rung")


def test_silence_gets_the_default_language(world: World) -> None:
    """A caller who presses nothing is asked twice and then served in the default language."""
    call = lambda: world.call(talk_ms=24_000)  # noqa: E731
    caller, operator = serve(world, FRENCH, 0, call)
    heard = prompts(conversation.heard(world.stop_capture(), caller, until=operator.invite.time))
    check(heard.count("language-menu.fr") == 2 and heard.count("language-menu.en") == 2, f"the caller heard {heard}")


def test_wrong_digit_is_asked_again(world: World) -> None:
    """9 means nothing here: the menu is played again, and then 2 counts."""
    audio = world.phone_pcap("presses", audio_files.silence(3.0), "9", audio_files.silence(3.0), "2", voice.speak(caller_voice(0), 12))
    call = lambda: world.call(scenario="caller_plays.xml", talk_ms=17_000, keys={"audio": str(audio)})  # noqa: E731
    _, operator = serve(world, ENGLISH, 1, call)
    check(operator.peer[0] == ENGLISH, f"{operator.peer} was rung")


def test_number_decides_the_language(world: World) -> None:
    """Two numbers of one line, one for each language: no menu, the language of the number."""
    deployment = Deployment().line(
        numbers=["+33199001234", "+33199001235"], languages=["fr", "en"], language_by_number={"+33199001234": "fr", "+33199001235": "en"}
    )
    deployment.operator("fanny", fixed=FRENCH, languages={"fr": 5}).operator("emma", fixed=ENGLISH, languages={"en": 5})
    world.vigie(deployment)
    phone = world.phone("emma", ENGLISH, scenario=world.ringing_for(3), index=1)
    world.call(number="+33199001235").wait()
    phone.wait()
    heard = prompts(conversation.heard(world.stop_capture(), one(caller_legs(world), "caller's leg")))
    check("greeting.en" in heard and not any(name.endswith(".fr") for name in heard), f"the caller heard {heard}")
