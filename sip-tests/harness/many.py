"""Makes of a scenario for one speaker a scenario for many, each call with a voice and a port of its own.

SIPp takes a sound file only when it reads a scenario, not for each call; so the scenario gets a
branch for each voice. And `rtp_stream` has one port for all calls of a SIPp, which no trunk has; so
the voices are played from pcap files, from ports of their own (hold them open with `Sinks`). Knows SIPp's XML. Must never know what the calls are for.
"""

import pathlib
import typing

from harness.sipp import SCENARIOS

_PLAY = """  <nop>
    <action>
      <exec rtp_stream="[voice]"/>
    </action>
  </nop>
"""


#: SIPp's `[auto_media_port]` gives the calls every fourth port.
PORTS_A_CALL = 4


def _branches(choose: str, files: dict[int, pathlib.Path]) -> str:
    """Plays the file whose number the action `choose` has put into the variable `number`."""
    tests = "".join(f'      <test assign_to="is{number}" variable="number" compare="equal" value="{number}"/>\n' for number in files)
    text = f"  <nop>\n    <action>\n{choose}{tests}    </action>\n  </nop>\n\n"
    text += "".join(f'  <nop next="voice{number}" test="is{number}"/>\n' for number in files)
    text += '  <nop next="nobody"/>\n\n'
    for number, file in files.items():
        text += f'  <label id="voice{number}"/>\n  <nop next="speaking"><action><exec play_pcap_audio="{file}"/></action></nop>\n'
    return text + '\n  <label id="nobody"/>\n  <nop/>\n\n  <label id="speaking"/>\n'


def ports(first: int, calls: int) -> range:
    """The ports of the second call and those after it; the first call's is SIPp's own."""
    return range(first + PORTS_A_CALL, first + PORTS_A_CALL * calls, PORTS_A_CALL)


def callers(path: pathlib.Path, scenario: str, files: typing.Sequence[pathlib.Path]) -> pathlib.Path:
    """Call 1 speaks with the first file, and so on; `[caller]` comes from field 0 of an injected file."""
    choose = '      <assignstr assign_to="text" value="[call_number]"/>\n      <todouble assign_to="number" variable="text"/>\n'
    text = (SCENARIOS / scenario).read_text()
    assert _PLAY in text, f"{scenario} plays no [voice]"
    text = text.replace(_PLAY, _branches(choose, dict(enumerate(files, 1))))
    text = text.replace("[caller]", "[field0]").replace("[rtpstream_audio_port]", "[auto_media_port]")
    path.write_text(text)
    return path


def operators(path: pathlib.Path, scenario: str, files: typing.Sequence[pathlib.Path]) -> pathlib.Path:
    """The user `…-1` of the Request-URI speaks with the first file, and so on."""
    take = """
    <action>
      <ereg regexp="^INVITE sip:[a-z]*-([0-9]+)" search_in="msg" check_it="true" assign_to="whole,text"/>
    </action>
  </recv>
"""
    choose = '      <todouble assign_to="number" variable="text"/>\n'
    text = (SCENARIOS / scenario).read_text()
    first = '<recv request="INVITE" crlf="true" rrs="true"/>\n'
    assert _PLAY in text and first in text, f"{scenario} does not fit"
    text = text.replace(first, first.replace("/>\n", ">") + take).replace(_PLAY, _branches(choose, dict(enumerate(files, 1))))
    text = text.replace("[rtpstream_audio_port]", "[auto_media_port]").replace(
        "</scenario>", '  <Reference variables="whole"/>\n\n</scenario>'
    )
    path.write_text(text)
    return path
