"""G.711 in both laws, from the tables of ITU-T G.711 alone.

Knows bytes and 16-bit samples. Must never know packets, files or calls.
"""

import numpy

PCMU, PCMA = 0, 8
SAMPLE_RATE_HZ = 8000


def _alaw_sample(code: int) -> int:
    """One A-law code word to linear. ITU-T G.711 table 1: even bits are inverted on the wire."""
    code ^= 0x55
    segment, step = (code >> 4) & 7, code & 15
    magnitude = (step << 4) + 8 if segment == 0 else ((step << 4) + 0x108) << (segment - 1)
    return magnitude if code & 0x80 else -magnitude


def _ulaw_sample(code: int) -> int:
    """One µ-law code word to linear. ITU-T G.711 table 2: all bits are inverted on the wire."""
    code = ~code & 0xFF
    segment, step = (code >> 4) & 7, code & 15
    magnitude = (((step << 3) + 0x84) << segment) - 0x84
    return -magnitude if code & 0x80 else magnitude


def _nearest(decoded: numpy.ndarray) -> numpy.ndarray:
    """For each of the 65,536 samples the code word whose value lies nearest."""
    order = numpy.argsort(decoded, kind="stable")
    values = decoded[order].astype(numpy.int64)
    samples = numpy.arange(-32768, 32768, dtype=numpy.int64)
    right = numpy.clip(numpy.searchsorted(values, samples), 1, 255)
    left_is_nearer = samples - values[right - 1] <= values[right] - samples
    return order[numpy.where(left_is_nearer, right - 1, right)].astype(numpy.uint8)


_DECODED = {
    PCMA: numpy.array([_alaw_sample(code) for code in range(256)], dtype=numpy.int16),
    PCMU: numpy.array([_ulaw_sample(code) for code in range(256)], dtype=numpy.int16),
}
_ENCODED = {law: _nearest(table) for law, table in _DECODED.items()}


def decode(payload: bytes, law: int) -> numpy.ndarray:
    """Code words to 16-bit samples; `law` is the RTP payload type, 0 or 8."""
    return _DECODED[law][numpy.frombuffer(payload, dtype=numpy.uint8)]


def encode(samples: numpy.ndarray, law: int) -> bytes:
    """16-bit samples to code words; `law` is the RTP payload type, 0 or 8."""
    return _ENCODED[law][samples.astype(numpy.int32) + 32768].tobytes()
