"""Voices that can be told apart: a melody for each speaker, and an ear that recognises it.

A voice is a word of twelve tones from an alphabet of eight, said over and over. Two
different words agree in at most `AGREEMENT_MAX` of their tones at any shift, so that a
voice heard in the wrong call, mixed with another, or broken is never taken for the right one.

Knows samples at 8 kHz. Must never know packets, calls or who should have spoken.
"""

import dataclasses
import functools
import random

import numpy

from harness.g711 import SAMPLE_RATE_HZ

# Tones 20 ms frames can separate (multiples of 50 Hz) and clear of the DTMF frequencies.
TONES_HZ = (450, 550, 650, 1000, 1100, 1550, 1750, 1900)
FRAME_SAMPLES = SAMPLE_RATE_HZ // 50
FRAMES_PER_TONE = 4
TONES_PER_WORD = 12
WORD_FRAMES = FRAMES_PER_TONE * TONES_PER_WORD
WORD_SECONDS = WORD_FRAMES * FRAME_SAMPLES / SAMPLE_RATE_HZ
# Of twelve tones; the ear wants RECOGNISED_MIN of 48 frames, so an impostor stays far below.
AGREEMENT_MAX = 6
RECOGNISED_MIN = 34
VOICES_MAX = 240
_AMPLITUDE = 9000
_SILENCE_RMS = 60.0
# A frame sounds a tone when that tone holds this share of the frame's energy.
_PURITY_MIN = 0.60
_SILENT, _NO_TONE = -2, -1


@functools.lru_cache(maxsize=None)
def _words() -> tuple[tuple[int, ...], ...]:
    """The words of all voices: the same on every machine, far from each other at any shift."""
    # `random.Random` with an integer seed gives the same sequence in every Python 3.
    source = random.Random(3919)
    accepted: list[tuple[int, ...]] = []
    shifted = numpy.empty((0, TONES_PER_WORD), dtype=numpy.int8)
    while len(accepted) < VOICES_MAX:
        word = tuple(source.randrange(len(TONES_HZ)) for _ in range(TONES_PER_WORD))
        if any(word[i] == word[i - 1] for i in range(TONES_PER_WORD)):
            continue
        as_array = numpy.array(word, dtype=numpy.int8)
        if len(shifted) and (shifted == as_array).sum(axis=1).max() > AGREEMENT_MAX:
            continue
        # A word that resembles itself shifted would be heard twice at different phases.
        own = numpy.stack([numpy.roll(as_array, i) for i in range(TONES_PER_WORD)])
        if (own[1:] == as_array).sum(axis=1).max() > AGREEMENT_MAX:
            continue
        shifted = numpy.concatenate([shifted, own])
        accepted.append(word)
    return tuple(accepted)


def speak(voice: int, seconds: float) -> numpy.ndarray:
    """`seconds` of this voice, as 16-bit samples; whole words, so that it can be looped."""
    words = max(1, round(seconds / WORD_SECONDS))
    time = numpy.arange(FRAMES_PER_TONE * FRAME_SAMPLES) / SAMPLE_RATE_HZ
    # Ramps of 2 ms keep the change from tone to tone from clicking across the band.
    ramp = numpy.minimum(1.0, numpy.minimum(numpy.arange(len(time)), numpy.arange(len(time))[::-1]) / 16)
    tones = [numpy.sin(2 * numpy.pi * hz * time) * ramp for hz in TONES_HZ]
    word = numpy.concatenate([tones[tone] for tone in _words()[voice]])
    return (numpy.tile(word, words) * _AMPLITUDE).astype(numpy.int16)


def _frames_to_tones(samples: numpy.ndarray) -> numpy.ndarray:
    """For each 20 ms the index of the tone that sounds, or `_NO_TONE`, or `_SILENT`."""
    count = len(samples) // FRAME_SAMPLES
    frames = samples[: count * FRAME_SAMPLES].reshape(count, FRAME_SAMPLES).astype(numpy.float64)
    time = numpy.arange(FRAME_SAMPLES) / SAMPLE_RATE_HZ
    basis = numpy.exp(-2j * numpy.pi * numpy.outer(time, TONES_HZ))
    energy = numpy.abs(frames @ basis) ** 2 * 2 / FRAME_SAMPLES
    total = (frames**2).sum(axis=1)
    best = energy.argmax(axis=1)
    pure = energy.max(axis=1) >= _PURITY_MIN * numpy.maximum(total, 1.0)
    tones = numpy.where(pure, best, _NO_TONE)
    return numpy.where(numpy.sqrt(total / FRAME_SAMPLES) < _SILENCE_RMS, _SILENT, tones)


@dataclasses.dataclass
class Heard:
    """What an ear made of a recording. All in seconds."""

    total: float
    silent: float
    #: voice → seconds in which it was recognised; only voices recognised at all.
    voices: dict[int, float]
    #: the same in order of time: (start, end, voice).
    passages: list[tuple[float, float, int]]

    @property
    def other(self) -> float:
        """Sound that is no voice: prompts, music, noise, or the joints between passages."""
        return max(0.0, self.total - self.silent - sum(self.voices.values()))

    def only(self, seconds_min: float) -> int | None:
        """The one voice heard, if exactly one was and for long enough."""
        if len(self.voices) != 1:
            return None
        ((voice, seconds),) = self.voices.items()
        return voice if seconds >= seconds_min else None

    def __str__(self) -> str:
        voices = ", ".join(f"voice {v} for {s:.1f} s" for v, s in self.voices.items()) or "no voice"
        return f"{voices}; other sound {self.other:.1f} s; silence {self.silent:.1f} s; of {self.total:.1f} s"


def listen(samples: numpy.ndarray) -> Heard:
    """Recognises every voice in a recording, wherever it starts and however it is interleaved."""
    tones = _frames_to_tones(samples)
    count = len(tones)
    seconds_per_frame = FRAME_SAMPLES / SAMPLE_RATE_HZ
    silent = float((tones == _SILENT).sum()) * seconds_per_frame
    owner = numpy.full(count, -1, dtype=numpy.int64)
    if count >= WORD_FRAMES:
        owner = _owners(tones)
    passages: list[tuple[float, float, int]] = []
    for index, voice in enumerate(owner):
        if voice < 0:
            continue
        start, end = index * seconds_per_frame, (index + 1) * seconds_per_frame
        if passages and passages[-1][2] == voice and start - passages[-1][1] < seconds_per_frame / 2:
            passages[-1] = (passages[-1][0], end, int(voice))
        else:
            passages.append((start, end, int(voice)))
    voices: dict[int, float] = {}
    for start, end, voice in passages:
        voices[voice] = voices.get(voice, 0.0) + end - start
    return Heard(count * seconds_per_frame, silent, voices, passages)


def _owners(tones: numpy.ndarray) -> numpy.ndarray:
    """For each frame the voice whose word explains the window around it, or -1."""
    words = numpy.repeat(numpy.array(_words(), dtype=numpy.int64), FRAMES_PER_TONE, axis=1)
    windows = numpy.lib.stride_tricks.sliding_window_view(tones, WORD_FRAMES)
    owner = numpy.full(len(tones), -1, dtype=numpy.int64)
    # One correlation for each phase: the number of frames that agree, for every voice at once.
    expected = numpy.zeros((len(words) * WORD_FRAMES, WORD_FRAMES * len(TONES_HZ)), dtype=numpy.float32)
    for phase in range(WORD_FRAMES):
        rolled = numpy.roll(words, -phase, axis=1)
        for tone in range(len(TONES_HZ)):
            block = expected[phase * len(words) : (phase + 1) * len(words)]
            block[:, tone * WORD_FRAMES : (tone + 1) * WORD_FRAMES] = rolled == tone
    step = 6
    for start in range(0, len(windows), step):
        window = windows[start]
        if (window >= 0).sum() < RECOGNISED_MIN:
            continue
        seen = numpy.concatenate([window == tone for tone in range(len(TONES_HZ))]).astype(numpy.float32)
        agreement = expected @ seen
        best = int(agreement.argmax())
        if agreement[best] < RECOGNISED_MIN:
            continue
        phase, voice = divmod(best, len(words))
        agrees = numpy.roll(words[voice], -phase) == window
        span = numpy.flatnonzero(agrees)
        owner[start + span[0] : start + span[-1] + 1] = voice
    return owner
