"""Reads SIP messages as plain text, just enough to say what was on the wire.

Knows lines, header names and SDP's `c=` and `m=`. Must never know who should have sent what.
"""

import dataclasses
import re

_COMPACT = {
    "i": "call-id",
    "f": "from",
    "t": "to",
    "v": "via",
    "m": "contact",
    "l": "content-length",
    "c": "content-type",
    "s": "subject",
    "k": "supported",
}
_START = re.compile(rb"(?:SIP/2\.0 \d{3}|[A-Z]+ \S+ SIP/2\.0)[^\r\n]*\r?\n")


@dataclasses.dataclass
class Message:
    """One SIP message as seen in a capture."""

    time: float
    source: tuple[str, int]
    destination: tuple[str, int]
    transport: str
    start_line: str
    #: (lower-case full name, value) in order.
    headers: list[tuple[str, str]]
    body: str

    def header(self, name: str) -> str:
        """The first value of a header, or nothing."""
        return next((value for key, value in self.headers if key == name), "")

    def all(self, name: str) -> list[str]:
        """Every value of a header, in order."""
        return [value for key, value in self.headers if key == name]

    @property
    def status(self) -> int | None:
        """The status code of a response; None for a request."""
        return int(self.start_line.split()[1]) if self.start_line.startswith("SIP/2.0 ") else None

    @property
    def method(self) -> str:
        """The method of the request, or that of the request a response answers."""
        if self.status is None:
            return self.start_line.split()[0]
        return self.header("cseq").split()[-1]

    @property
    def call_id(self) -> str:
        """The Call-ID."""
        return self.header("call-id")

    @property
    def has_sdp(self) -> bool:
        """Whether it carries a session description."""
        return "application/sdp" in self.header("content-type").lower() and "m=" in self.body

    @property
    def media(self) -> tuple[str, int] | None:
        """Where its sender wants audio: (address, port) of the first `m=audio`."""
        if not self.has_sdp:
            return None
        port = re.search(r"^m=audio (\d+)", self.body, re.M)
        if not port:
            return None
        # RFC 8866 §5.7: a `c=` below the media line overrides that of the session.
        below = self.body[port.start() :]
        below = below[: below.find("\nm=", 1)] if "\nm=" in below[1:] else below
        at = re.search(r"^c=IN IP[46] ([^\s/]+)", below, re.M) or re.search(r"^c=IN IP[46] ([^\s/]+)", self.body, re.M)
        return (at.group(1), int(port.group(1))) if at else None

    @property
    def direction(self) -> str:
        """sendrecv, sendonly, recvonly or inactive."""
        found = re.search(r"^a=(sendrecv|sendonly|recvonly|inactive)\s*$", self.body, re.M)
        return found.group(1) if found else "sendrecv"

    def __str__(self) -> str:
        return f"{self.source[0]}:{self.source[1]} > {self.destination[0]}:{self.destination[1]} {self.start_line}"


def parse(data: bytes, time: float, source: tuple[str, int], destination: tuple[str, int], transport: str) -> tuple[Message, int] | None:
    """The message at the start of `data` and its length; None when there is none, or not yet all of it."""
    if not _START.match(data):
        return None
    end = data.find(b"\r\n\r\n")
    if end < 0:
        return None
    head = re.sub(r"\r\n[ \t]+", " ", data[:end].decode("utf-8", "replace"))
    lines = head.split("\r\n")
    headers = []
    for line in lines[1:]:
        name, _, value = line.partition(":")
        name = name.strip().lower()
        headers.append((_COMPACT.get(name, name), value.strip()))
    stated = next((value for name, value in headers if name == "content-length"), "")
    rest = len(data) - end - 4
    length = int(stated) if stated.isdigit() else (0 if transport == "TCP" else rest)
    if length > rest:
        if transport == "TCP":
            return None
        length = rest
    body = data[end + 4 : end + 4 + length].decode("utf-8", "replace")
    return Message(time, source, destination, transport, lines[0], headers, body), end + 4 + length
