"""Records every packet of the test's network, and reads SIP and RTP back from the recording.

Knows dumpcap, pcap, Ethernet, IP, UDP, TCP, RTP headers. Must never know who is who.
"""

import dataclasses
import pathlib
import signal
import socket
import struct
import time
import typing

import numpy

from harness import g711, sip_text
from harness.processes import Child, Failure, check, wait_until

SIP_PORTS_MIN, SIP_PORTS_MAX = 5060, 5999
_KERNEL_BUFFER_MIB = "64"
# RFC 863: nobody answers there.
_DISCARD_PORT = 9


@dataclasses.dataclass(slots=True)
class Packet:
    """One UDP datagram or TCP segment."""

    time: float
    transport: str
    source: tuple[str, int]
    destination: tuple[str, int]
    payload: bytes
    tcp_sequence: int = 0
    tcp_flags: int = 0


@dataclasses.dataclass
class Stream:
    """The RTP packets of one SSRC from one address to another, in order of arrival."""

    source: tuple[str, int]
    destination: tuple[str, int]
    ssrc: int
    #: (arrival, marker, payload type, sequence, timestamp, payload)
    packets: list[tuple[float, bool, int, int, int, bytes]] = dataclasses.field(default_factory=list)

    def digits(self, payload_type: int = 101) -> str:
        """RFC 4733 §2.5.1.3: each timestamp with an event is one digit, however often it is repeated."""
        seen: dict[int, str] = {}
        for _, _, kind, _, timestamp, payload in self.packets:
            if kind == payload_type and len(payload) >= 4:
                seen.setdefault(timestamp, "0123456789*#ABCD"[payload[0] & 15])
        return "".join(seen.values())


def decode(packets: list[tuple[float, bool, int, int, int, bytes]]) -> numpy.ndarray:
    """A listener without jitter buffer: every G.711 payload in order of sequence number, once each."""
    first = packets[0][3] if packets else 0
    ordered: dict[int, bytes] = {}
    laws: dict[int, int] = {}
    unwrapped = first
    for _, _, kind, sequence, _, payload in packets:
        if kind not in (g711.PCMU, g711.PCMA):
            continue
        unwrapped += (sequence - unwrapped + 0x8000) % 0x10000 - 0x8000
        ordered[unwrapped], laws[unwrapped] = payload, kind
    parts = [g711.decode(ordered[key], laws[key]) for key in sorted(ordered)]
    return numpy.concatenate(parts) if parts else numpy.empty(0, dtype=numpy.int16)


class Recording:
    """What was on the wire, read once and asked often."""

    def __init__(self, path: pathlib.Path):
        self.path = path
        self.packets = list(_read(path))
        self.messages = sorted(_sip(self.packets), key=lambda message: message.time)

    def streams_to(self, destination: tuple[str, int], since: float = 0.0, until: float = float("inf")) -> list[Stream]:
        """The RTP streams that arrived at one address and port, by first arrival."""
        return [
            part
            for stream in self.streams()
            if stream.destination == destination
            for part in [dataclasses.replace(stream, packets=[p for p in stream.packets if since <= p[0] < until])]
            if part.packets
        ]

    def streams(self) -> list[Stream]:
        """Every RTP stream on the wire, by first arrival."""
        if not hasattr(self, "_streams"):
            self._streams = _rtp(self.packets)
        return self._streams

    def calls(self) -> dict[str, list[sip_text.Message]]:
        """Messages by Call-ID, in order of time."""
        calls: dict[str, list[sip_text.Message]] = {}
        for message in self.messages:
            calls.setdefault(message.call_id, []).append(message)
        return calls

    def find(
        self,
        method: str | None = None,
        status: int | None = None,
        source: str | None = None,
        destination: str | None = None,
        request: bool = False,
    ) -> list[sip_text.Message]:
        """Messages that match all that is given; addresses without ports."""
        return [
            message
            for message in self.messages
            if (method is None or message.method == method)
            and (status is None or message.status == status)
            and (not request or message.status is None)
            and (source is None or message.source[0] == source)
            and (destination is None or message.destination[0] == destination)
        ]

    def ladder(self) -> str:
        """All SIP, a line a message: for failure reports."""
        if not self.messages:
            return "(no SIP on the wire)"
        start = self.messages[0].time
        return "\n".join(f"{message.time - start:8.3f} {message}" for message in self.messages)


class Capture:
    """A running dumpcap on the loopback of this namespace."""

    def __init__(self, folder: pathlib.Path, only: str = ""):
        """`only` is a filter in libpcap's language; all packets without one."""
        self.path = folder / "wire.pcap"
        command = ["dumpcap", "-i", "lo", "-p", "-P", "-q", "-B", _KERNEL_BUFFER_MIB, "-s", "65535", "-w", str(self.path)]
        command += ["-f", f"({only}) or dst port {_DISCARD_PORT}"] if only else []
        self.child = Child("dumpcap", command, folder)
        # The file's header is written once packets are being captured, not before.
        wait_until("dumpcap to start", 10, lambda: self.path.exists() and self.path.stat().st_size >= 24)

    def stop(self) -> Recording:
        """Ends the capture and reads it; fails when the kernel dropped packets."""
        if self.child.running():
            self.flush()
            self.child.end(signal.SIGINT, 10)
        dropped = [line for line in self.child.errors().splitlines() if "dropped on interface" in line]
        for line in dropped:
            counts = line.split(":")[-1].split("(")[0].strip().split("/")
            if len(counts) == 2 and counts[1].isdigit():
                check(int(counts[1]) == 0, f"the capture itself lost packets: {line.strip()}")
        return Recording(self.path)

    def flush(self) -> None:
        """Waits for a packet of our own to be in the file, so that all before it are too."""
        marker = struct.pack("!Qd", 0x5649474945454E44, time.monotonic())
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
            out.sendto(marker, ("127.0.0.1", _DISCARD_PORT))
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            with self.path.open("rb") as file:
                file.seek(0, 2)
                file.seek(max(0, file.tell() - 65536))
                if marker in file.read():
                    return
            time.sleep(0.02)
        raise Failure("dumpcap did not write the last packets within 10 s")


def _read(path: pathlib.Path) -> typing.Iterator[Packet]:
    """The UDP and TCP packets of a pcap file with Ethernet frames."""
    data = path.read_bytes()
    if len(data) < 24:
        return
    magic = struct.unpack_from("<I", data)[0]
    check(magic in (0xA1B2C3D4, 0xA1B23C4D), f"{path.name} is no pcap file")
    unit = 1e-9 if magic == 0xA1B23C4D else 1e-6
    at = 24
    while at + 16 <= len(data):
        seconds, fraction, length, _ = struct.unpack_from("<IIII", data, at)
        frame = data[at + 16 : at + 16 + length]
        at += 16 + length
        if len(frame) < length or length < 34:
            continue
        packet = _packet(seconds + fraction * unit, frame)
        if packet:
            yield packet


def _packet(time_: float, frame: bytes) -> Packet | None:
    """One Ethernet frame to its UDP or TCP payload."""
    ether_type = frame[12:14]
    if ether_type == b"\x08\x00":
        start = 14 + (frame[14] & 15) * 4
        protocol, family, end = frame[23], socket.AF_INET, 14 + struct.unpack_from("!H", frame, 16)[0]
        source, destination = frame[26:30], frame[30:34]
    elif ether_type == b"\x86\xdd":
        start, protocol, family = 54, frame[20], socket.AF_INET6
        end = 54 + struct.unpack_from("!H", frame, 18)[0]
        source, destination = frame[22:38], frame[38:54]
    else:
        return None
    if protocol not in (6, 17):
        return None
    ports = struct.unpack_from("!HH", frame, start)
    here = (socket.inet_ntop(family, source), ports[0])
    there = (socket.inet_ntop(family, destination), ports[1])
    if protocol == 17:
        return Packet(time_, "UDP", here, there, frame[start + 8 : end])
    sequence = struct.unpack_from("!I", frame, start + 4)[0]
    offset = (frame[start + 12] >> 4) * 4
    return Packet(time_, "TCP", here, there, frame[start + offset : end], sequence, frame[start + 13])


def _sip(packets: list[Packet]) -> typing.Iterator[sip_text.Message]:
    """SIP from datagrams, and from TCP byte streams put in order."""
    streams: dict[tuple, tuple[bytearray, list[int]]] = {}
    for packet in packets:
        if packet.transport == "UDP":
            parsed = sip_text.parse(packet.payload, packet.time, packet.source, packet.destination, "UDP")
            if parsed:
                yield parsed[0]
            continue
        key = (packet.source, packet.destination)
        if packet.tcp_flags & 2:
            streams[key] = (bytearray(), [packet.tcp_sequence + 1])
        if not packet.payload or key not in streams:
            continue
        buffer, (expected,) = streams[key]
        # Loopback neither loses nor reorders; what was sent again is skipped.
        if packet.tcp_sequence != expected % 2**32:
            continue
        streams[key] = (buffer, [expected + len(packet.payload)])
        buffer += packet.payload
        while True:
            while buffer[:2] == b"\r\n":
                del buffer[:2]
            parsed = sip_text.parse(bytes(buffer), packet.time, packet.source, packet.destination, "TCP")
            if not parsed:
                break
            yield parsed[0]
            del buffer[: parsed[1]]


def _rtp(packets: list[Packet]) -> list[Stream]:
    """RFC 3550 §5.1: version 2, no RTCP (RFC 5761 §4), by addresses and SSRC."""
    streams: dict[tuple, Stream] = {}
    for packet in packets:
        data = packet.payload
        if packet.transport != "UDP" or len(data) < 12 or data[0] >> 6 != 2:
            continue
        if SIP_PORTS_MIN <= packet.destination[1] <= SIP_PORTS_MAX or 192 <= data[1] <= 223:
            continue
        sequence, timestamp, ssrc = struct.unpack_from("!HII", data, 2)
        head = 12 + (data[0] & 15) * 4
        if data[0] & 0x10 and len(data) >= head + 4:
            head += 4 + struct.unpack_from("!H", data, head + 2)[0] * 4
        body = data[head:]
        if data[0] & 0x20 and body and body[-1] <= len(body):
            body = body[: -body[-1]]
        key = (packet.source, packet.destination, ssrc)
        stream = streams.get(key)
        if stream is None:
            stream = streams[key] = Stream(packet.source, packet.destination, ssrc)
        stream.packets.append((packet.time, bool(data[1] & 0x80), data[1] & 0x7F, sequence, timestamp, body))
    return list(streams.values())
