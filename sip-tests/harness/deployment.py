"""Writes the deployment of a test: a directory of TOML files as an administrator would write them.

Knows the configuration's files and fields from outside. Must never know how the program reads them.
"""

import json
import pathlib
import typing

from harness import audio_files, network, voice

PASSWORD = "kq7-haven-44-sloe"
#: Numbers that the French regulator keeps for fiction; the line's and the callers'.
LINE_NUMBER = "+33199001234"
SECOND_NUMBER = "+33199001235"

# Each prompt speaks with a voice of its own, so that the ear can say which one a caller heard.
_FIRST_PROMPT_VOICE = 200
_SPOKEN = (
    "greeting", "language-menu", "please-wait", "closed", "full", "hold", "listener-cut-off", "last-resort", "long-wait", "comfort",
    "ready", "not-ready", "not-ready-break", "signed-in", "signed-out", "call-refused", "wrong-code", "not-ready-missed",
)  # fmt: skip
_LANGUAGES = ("fr", "en")
MUSIC_VOICE = _FIRST_PROMPT_VOICE
_LENGTHS_SECONDS = {"music": 20.0, "please-wait": 0.96}
_PROMPT_SECONDS = 1.92


def prompt_voice(name: str, language: str = "fr") -> int:
    """The voice by which a prompt is recognised."""
    return _FIRST_PROMPT_VOICE + 1 + _SPOKEN.index(name) * len(_LANGUAGES) + _LANGUAGES.index(language)


PROMPT_VOICES = {prompt_voice(name, language): f"{name}.{language}" for name in _SPOKEN for language in _LANGUAGES} | {MUSIC_VOICE: "music"}


def _value(value: typing.Any) -> str:
    """A TOML value; mappings become inline tables."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{_key(key)} = {_value(item)}" for key, item in value.items()) + " }"
    return "[" + ", ".join(_value(item) for item in value) + "]"


def _key(key: str) -> str:
    return key if key.replace("-", "").replace("_", "").isalnum() and key.isascii() else json.dumps(key)


def _section(head: str, fields: dict) -> str:
    return head + "\n" + "".join(f"{_key(key)} = {_value(value)}\n" for key, value in fields.items()) + "\n"


class Deployment:
    """What a test changes before the program starts."""

    def __init__(self) -> None:
        self.node: dict = {
            "name": "test", "country_code": "33", "languages": ["fr", "en"], "default_language": "fr",
            # The noisiest log is the hardest test of what may not be in it.
            "time_zone": "Europe/Paris", "log_level": "trace",
        }  # fmt: skip
        self.sip: dict = {
            "domain": "vigie.test",
            "listen_udp": [f"{network.VIGIE}:5060", f"[{network.VIGIE_6}]:5060"],
            "listen_tcp": [f"{network.VIGIE}:5060", f"[{network.VIGIE_6}]:5060"],
        }
        self.rtp: dict = {"addresses": [network.VIGIE, network.VIGIE_6], "port_first": 40_000, "port_last": 44_999}
        # A path below the test's folder may be longer than a socket's name can be.
        self.state: dict = {"control_socket": "/run/vigie.sock"}
        self.admission: dict = {"calls_max": 200}
        self.trunks: list[dict] = []
        self.lines: list[dict] = []
        self.employers: list[dict] = [{"name": "alma", "kind": "subcontractor"}]
        self.operators: list[dict] = []
        self.policy: dict[str, dict] = {}
        self.speaking_prompts = True

    def trunk(self, name: str = "carrier", **fields: typing.Any) -> "Deployment":
        """Adds a trunk; by default the one at the test network's trunk addresses."""
        self.trunks.append({"name": name, "networks": [network.TRUNK, network.TRUNK_6], **fields})
        return self

    def line(self, name: str = "ecoute", **fields: typing.Any) -> "Deployment":
        """Adds a line; by default French, level 1, always open, no wrap-up, answering at once."""
        settings = {
            "numbers": [LINE_NUMBER], "level": 1, "languages": ["fr"], "hours": {"always": True},
            "wrap_up_seconds": 0, "offer_ring_seconds": 8,
        }  # fmt: skip
        self.lines.append({"name": name, **settings, **fields})
        return self

    def operator(self, name: str, fixed: str | None = None, **fields: typing.Any) -> "Deployment":
        """Adds an operator: in-house, level 1, French; ready as soon as her phone is there."""
        settings: dict = {"employer": "in-house", "levels": [1], "languages": {"fr": 5}, "on_sign_in": "ready"}
        # SIPp 3.6 and baresip 1.0 give up when a challenge offers SHA-256, even beside MD5.
        settings |= {"fixed_address": fixed} if fixed else {"password": PASSWORD, "algorithm": "md5"}
        self.operators.append({"name": name, **settings, **fields})
        return self

    def write(self, folder: pathlib.Path) -> pathlib.Path:
        """Writes the directory that `--config` takes."""
        config = folder / "config"
        config.mkdir(parents=True, exist_ok=True)
        parts = {"node": self.node, "sip": self.sip, "rtp": self.rtp, "state": self.state, "admission": self.admission}
        (config / "vigie.toml").write_text("".join(_section(f"[{name}]", fields) for name, fields in parts.items()))
        if not self.trunks:
            self.trunk()
        if not self.lines:
            self.line()
        (config / "trunks.toml").write_text("".join(_section("[[trunk]]", fields) for fields in self.trunks))
        (config / "lines.toml").write_text("".join(_section("[[line]]", fields) for fields in self.lines))
        operators = "".join(_section("[[employer]]", fields) for fields in self.employers)
        operators += "".join(_section("[[operator]]", fields) for fields in self.operators)
        path = config / "operators.toml"
        path.write_text(operators)
        path.chmod(0o600)
        if self.policy:
            (config / "policy.toml").write_text("".join(_section(f"[{name}]", fields) for name, fields in self.policy.items()))
        if self.speaking_prompts:
            self._write_prompts(config)
        return config

    def _write_prompts(self, config: pathlib.Path) -> None:
        folder = config / "prompts"
        folder.mkdir(exist_ok=True)
        text = "[prompts]\n"
        for spoken, name in sorted({**PROMPT_VOICES}.items()):
            base, _, language = name.partition(".")
            length = _LENGTHS_SECONDS.get(base, _PROMPT_SECONDS)
            audio_files.write_wav(folder / f"{name}.wav", voice.speak(spoken, length))
            text += f'{_key(base)}.{language or "any"} = "prompts/{name}.wav"\n'
        (config / "prompts.toml").write_text(text)
