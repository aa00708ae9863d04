"""Writes and reads the audio that peers play and record: raw G.711, RTP in pcap, WAV, digits.

Knows file formats and RTP headers. Must never know SIP or which call a file is for.
"""

import pathlib
import struct
import typing
import wave

import numpy

from harness import g711

PACKET_SAMPLES = 160
DIGIT_EVENTS = {**{str(i): i for i in range(10)}, "*": 10, "#": 11}


def write_raw(path: pathlib.Path, samples: numpy.ndarray, law: int = g711.PCMA) -> pathlib.Path:
    """Bare code words, as SIPp's `rtp_stream` wants them."""
    path.write_bytes(g711.encode(samples, law))
    return path


def write_wav(path: pathlib.Path, samples: numpy.ndarray) -> pathlib.Path:
    """16-bit mono at 8 kHz."""
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(g711.SAMPLE_RATE_HZ)
        out.writeframes(samples.astype("<i2").tobytes())
    return path


def read_wav(path: pathlib.Path) -> numpy.ndarray:
    """Mono 16-bit samples at 8 kHz, also of a file whose writer died before closing it."""
    data = path.read_bytes()
    at = data.find(b"fmt ")
    _, channels, rate_hz, _, _, bits = struct.unpack_from("<HHIIHH", data, at + 8)
    if channels != 1 or bits != 16 or rate_hz % g711.SAMPLE_RATE_HZ:
        raise ValueError(f"{path.name}: {channels} channels, {bits} bits, {rate_hz} Hz")
    body = data[data.find(b"data", at) + 8 :]
    samples = numpy.frombuffer(body[: len(body) & ~1], dtype="<i2")
    return samples[:: rate_hz // g711.SAMPLE_RATE_HZ]


def _rtp(marker: bool, payload_type: int, sequence: int, timestamp: int, ssrc: int, payload: bytes) -> bytes:
    """RFC 3550 §5.1: the fixed header, no extension, no contributing sources."""
    head = struct.pack("!BBHII", 0x80, payload_type | (0x80 if marker else 0), sequence & 0xFFFF, timestamp & 0xFFFFFFFF, ssrc)
    return head + payload


def _write_pcap(path: pathlib.Path, packets: list[tuple[float, bytes]]) -> pathlib.Path:
    """Ethernet, IPv4 and UDP around each payload; SIPp replaces the addresses."""
    with path.open("wb") as out:
        out.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
        for time, payload in packets:
            udp = struct.pack("!HHHH", 4000, 4002, 8 + len(payload), 0) + payload
            ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0, bytes([192, 0, 2, 1]), bytes([192, 0, 2, 2]))
            frame = bytes(12) + b"\x08\x00" + ip + udp
            micros = round(time * 1_000_000)
            out.write(struct.pack("<IIII", micros // 1_000_000, micros % 1_000_000, len(frame), len(frame)) + frame)
    return path


def write_phone_pcap(
    path: pathlib.Path,
    parts: typing.Iterable[numpy.ndarray | str],
    law: int = g711.PCMA,
    digit_payload_type: int = 101,
    ssrc: int = 0x56494749,
    digit_ms: int = 100,
    gap_ms: int = 100,
) -> pathlib.Path:
    """One RTP stream as a phone sends it, for SIPp's `play_pcap_audio`.

    Each part is sound (samples) or digits (text). Sound and digits share SSRC, sequence and
    clock (RFC 4733 §2.1); an event is updated each 20 ms under one timestamp, and its end is
    sent three times (§2.5.1.4).
    """
    packets: list[tuple[float, bytes]] = []
    tick = 0

    def send(marker: bool, payload_type: int, timestamp: int, payload: bytes) -> None:
        packets.append((tick * 0.02, _rtp(marker, payload_type, len(packets), timestamp, ssrc, payload)))

    for part in parts:
        if not isinstance(part, str):
            payload = g711.encode(part, law)
            for at in range(0, len(payload) - PACKET_SAMPLES + 1, PACKET_SAMPLES):
                send(at == 0, law, tick * PACKET_SAMPLES, payload[at : at + PACKET_SAMPLES])
                tick += 1
            continue
        for digit in part:
            began = tick * PACKET_SAMPLES
            updates = [(False, elapsed) for elapsed in range(20, digit_ms, 20)] + [(True, digit_ms)] * 3
            for index, (end, elapsed_ms) in enumerate(updates):
                body = struct.pack("!BBH", DIGIT_EVENTS[digit], (0x80 if end else 0) | 10, elapsed_ms * 8)
                send(index == 0, digit_payload_type, began, body)
                tick += 1
            tick += gap_ms // 20
    return _write_pcap(path, packets)


def silence(seconds: float) -> numpy.ndarray:
    """Samples of nothing."""
    return numpy.zeros(int(seconds * g711.SAMPLE_RATE_HZ), dtype=numpy.int16)
