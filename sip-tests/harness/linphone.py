"""Runs linphonec as a softphone with files for ears and mouth, driven by its own prompt.

Knows linphone 5's rc file and commands. Must never know what the other side is.
"""

import os
import pathlib

import numpy

from harness.audio_files import read_wav
from harness.processes import Child, wait_until

_RC = """[sip]
sip_port={udp}
sip_tcp_port={tcp}
sip_tls_port=0
contact="{user}" <sip:{user}@{address}>
default_proxy={default}
use_ipv6=0
bind_address={address}
register_only_when_network_is_up=0
register_only_when_upnp_is_ok=0
keepalive_period=0
guess_hostname=0
inc_timeout=60

[rtp]
audio_rtp_port={rtp}-{rtp_max}
bind_address={address}

[net]
mtu=1300

[sound]
echocancellation=0
agc=0

[misc]
uuid=00000000-0000-4000-8000-000000000000

[video]
enabled=0
"""

_PROXY = """
[proxy_0]
reg_proxy=<sip:{registrar};transport={transport}>
reg_identity=sip:{user}@{registrar}
reg_expires={expires}
reg_sendregister=1
publish=0

[auth_info_0]
username={user}
passwd={password}
"""

_CODEC = """
[audio_codec_{index}]
mime={mime}
rate={rate}
channels={channels}
enabled={enabled}
"""
_CODECS = (
    ("opus", 48000, 2),
    ("speex", 16000, 1),
    ("speex", 8000, 1),
    ("PCMU", 8000, 1),
    ("PCMA", 8000, 1),
    ("GSM", 8000, 1),
    ("G722", 8000, 1),
)


class Linphone:
    """One linphonec with one account. `registrar` None: calls come to its address."""

    def __init__(
        self,
        folder: pathlib.Path,
        name: str,
        address: str,
        user: str,
        password: str = "",
        registrar: str | None = None,
        voice: pathlib.Path | None = None,
        answer: str = "manual",
        transport: str = "udp",
        codecs: tuple[str, ...] = ("PCMA",),
        expires: int = 60,
    ):
        home = self._home = folder / name
        # Without this folder linphone opens no database, and without a database no socket.
        (home / ".local/share/linphone").mkdir(parents=True)
        self._recording = home / "heard.wav"
        self._voice = voice
        rc = _RC.format(
            udp=5060 if transport == "udp" else 0,
            tcp=5060 if transport == "tcp" else 0,
            user=user,
            address=address,
            default=0 if registrar else -1,
            rtp=31_000,
            rtp_max=31_100,
        )
        if registrar:
            rc += _PROXY.format(registrar=registrar, transport=transport, user=user, password=password, expires=expires)
        for index, (mime, rate, channels) in enumerate(_CODECS):
            rc += _CODEC.format(index=index, mime=mime, rate=rate, channels=channels, enabled=int(mime in codecs))
        (home / "rc").write_text(rc)
        reader, writer = os.pipe()
        self._prompt = writer
        command = ["linphonec", "-c", str(home / "rc"), "-d", "5", "-l", str(home / "linphone.log"), "-S"]
        command += ["-a"] if answer == "auto" else []
        env = {"HOME": str(home), "TERM": "dumb"}
        self.child = Child(name, command, folder, stdin=reader, env=env)
        os.close(reader)
        wait_until("linphone's prompt", 15, lambda: "linphonec>" in self.child.output())
        self.command("soundcard use files")
        if voice:
            self.command(f"play {voice}")
        self.command(f"record {self._recording}")

    def command(self, text: str) -> None:
        """Types one command at the prompt: answer, terminate, pause, resume, ..."""
        os.write(self._prompt, text.encode() + b"\n")

    def wait_text(self, text: str, seconds: float = 20) -> None:
        """Waits until linphonec has printed something."""
        wait_until(f"linphone to say {text!r}", seconds, lambda: text in self.child.output())

    def wait_registered(self, seconds: float = 15) -> None:
        """Waits until it is registered; the prompt does not say so, the log does."""
        log = self._home / "linphone.log"
        wait_until(
            "linphone to register", seconds, lambda: log.exists() and "to [LinphoneRegistrationOk]" in log.read_text(errors="replace")
        )

    def recording(self) -> numpy.ndarray:
        """What it has heard, decoded and dejittered by linphone itself."""
        return read_wav(self._recording) if self._recording.exists() else numpy.empty(0, dtype=numpy.int16)

    def end(self) -> None:
        """Quits as a user would."""
        if self.child.running():
            self.command("quit")
            try:
                self.child.process.wait(timeout=5)
            except Exception:  # noqa: BLE001 - whatever went wrong, it has to end
                pass
        self.child.end()
        if self._prompt >= 0:
            os.close(self._prompt)
            self._prompt = -1
