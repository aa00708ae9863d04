//! Voices: signatures that tell one phone's sound from another's, and the ear that recognises them.
//!
//! A signature is a chord of three of sixteen tones, all multiples of 50 Hz: 20 ms of it is a whole
//! number of periods of each, so the tones are orthogonal in any 20 ms window and one packet's payload
//! can be repeated for ever. Everything is integer or exactly rounded arithmetic over a table, so the
//! same input gives the same score on every machine. It must never know packets or calls.

use crate::g711::Codec;
use std::sync::Arc;

#[cfg(test)]
mod tests;

/// Samples in 20 ms at 8,000 Hz: a packet, and the ear's window.
pub const FRAME_SAMPLES: usize = 160;

/// A score from which a signature counts as heard: one voice alone scores close to 1, each of two that
/// are mixed close to a half, any other close to 0.
pub const HEARD_SCORE_MIN: f64 = 0.3;

const TONES: usize = 16;
const CHORD: usize = 3;
/// 450 Hz, in steps of 50 Hz.
const TONE_FIRST: usize = 9;
/// 150 Hz apart: up to 2,700 Hz, inside the telephone band and clear of its edges.
const TONE_STEP: usize = 3;
/// Each tone's amplitude: three of them stay below half of full scale, where both laws are linear enough.
const AMPLITUDE: i32 = 4000;

/// A quarter of one period of 160 steps, at 16,384.
const QUARTER_SINE: [i16; 41] = [
    0, 643, 1285, 1926, 2563, 3196, 3825, 4447, 5063, 5671, 6270, 6859, 7438, 8006, 8561, 9102, 9630, 10143,
    10641, 11121, 11585, 12031, 12458, 12867, 13255, 13623, 13970, 14295, 14598, 14879, 15137, 15371, 15582,
    15769, 15931, 16069, 16182, 16270, 16333, 16371, 16384,
];

/// One of [`Signature::COUNT`] chords.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Signature(u16);

impl Signature {
    /// How many there are: the ways to choose 3 tones of 16.
    pub const COUNT: u16 = 560;

    /// The signature of a seed; seeds below [`Signature::COUNT`] all differ.
    #[must_use]
    pub fn of(seed: u64) -> Self {
        Self((seed % u64::from(Self::COUNT)) as u16)
    }

    /// Its number, below [`Signature::COUNT`].
    #[must_use]
    pub fn index(self) -> u16 {
        self.0
    }

    /// One period of its sound: 20 ms, to be repeated.
    #[must_use]
    pub fn samples(self) -> [i16; FRAME_SAMPLES] {
        let tones = self.tones();
        std::array::from_fn(|at| {
            let sum: i32 = tones.iter().map(|tone| AMPLITUDE * sine(bin(*tone) * at) / 16_384).sum();
            sum as i16
        })
    }

    /// The frequencies of its tones in Hz, rising; for decoders that are not this crate.
    #[must_use]
    pub fn frequencies_hz(self) -> [u16; CHORD] {
        self.tones().map(|tone| (bin(tone) * 50) as u16)
    }

    fn tones(self) -> [usize; CHORD] {
        let mut left = self.0;
        for low in 0..TONES {
            for middle in low + 1..TONES {
                let highs = (TONES - 1 - middle) as u16;
                if left < highs {
                    return [low, middle, middle + 1 + usize::from(left)];
                }
                left -= highs;
            }
        }
        unreachable!("an index is below COUNT by construction")
    }
}

/// What a phone says into a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Voice {
    /// A signature, for as long as the call lasts.
    Signature(Signature),
    /// Packets of silence.
    Silence,
    /// Samples of the caller's own, at 8,000 Hz, repeated from the start when they end.
    Samples(Arc<[i16]>),
}

/// Listens to decoded audio and tells whose signatures are in it.
#[derive(Clone)]
pub(crate) struct Ear {
    window: [i16; FRAME_SAMPLES],
    filled: usize,
    windows: u32,
    /// Energy at each tone and in all, fading with a half-life of about 0.35 s.
    tones: [f64; TONES],
    total: f64,
}

/// What the past windows keep when a new one comes.
const MEMORY: f64 = 0.96;
/// RMS below about -60 dBm0 is silence, and must not be scored: comfort noise has a spectrum too.
const SILENCE_ENERGY_MAX: i64 = 16 * 16 * FRAME_SAMPLES as i64;

impl Ear {
    pub(crate) fn new() -> Self {
        Self { window: [0; FRAME_SAMPLES], filled: 0, windows: 0, tones: [0.0; TONES], total: 0.0 }
    }

    pub(crate) fn hear(&mut self, codec: Codec, payload: &[u8]) {
        for byte in payload {
            self.window[self.filled] = codec.decode(*byte);
            self.filled += 1;
            if self.filled == FRAME_SAMPLES {
                self.filled = 0;
                self.weigh();
            }
        }
    }

    /// Windows of 20 ms heard since the start.
    pub(crate) fn windows(&self) -> u32 {
        self.windows
    }

    /// How much of what was lately heard is this signature: 1 is all of it, 0 nothing.
    pub(crate) fn score(&self, signature: Signature) -> f64 {
        if self.total <= 0.0 {
            return 0.0;
        }
        let weakest =
            signature.tones().map(|tone| self.tones[tone]).into_iter().fold(f64::INFINITY, f64::min);
        weakest * CHORD as f64 / self.total
    }

    /// The three loudest tones as a signature, when they make one.
    pub(crate) fn loudest(&self) -> Option<(Signature, f64)> {
        let mut order: [usize; TONES] = std::array::from_fn(|tone| tone);
        order.sort_by(|a, b| self.tones[*b].total_cmp(&self.tones[*a]));
        let mut chord = [order[0], order[1], order[2]];
        chord.sort_unstable();
        let signature = signature_of(chord);
        let score = self.score(signature);
        (score >= HEARD_SCORE_MIN).then_some((signature, score))
    }

    fn weigh(&mut self) {
        self.windows = self.windows.saturating_add(1);
        self.total *= MEMORY;
        let energy: i64 = self.window.iter().map(|s| i64::from(*s) * i64::from(*s)).sum();
        for tone in &mut self.tones {
            *tone *= MEMORY;
        }
        if energy < SILENCE_ENERGY_MAX {
            return;
        }
        self.total += energy as f64;
        for tone in 0..TONES {
            let (mut across, mut up) = (0i64, 0i64);
            let step = bin(tone);
            for (at, sample) in self.window.iter().enumerate() {
                across += i64::from(*sample) * i64::from(sine(step * at + FRAME_SAMPLES / 4));
                up += i64::from(*sample) * i64::from(sine(step * at));
            }
            let (across, up) = (across as f64 / 16_384.0, up as f64 / 16_384.0);
            // Parseval: a tone of energy E has |X|² = E · N / 2 at its bin.
            self.tones[tone] += 2.0 * (across * across + up * up) / FRAME_SAMPLES as f64;
        }
    }
}

fn bin(tone: usize) -> usize {
    TONE_FIRST + TONE_STEP * tone
}

/// The sine at `step` of 160, at 16,384.
fn sine(step: usize) -> i32 {
    let step = step % FRAME_SAMPLES;
    let half = FRAME_SAMPLES / 2;
    let (within, sign) = if step < half { (step, 1) } else { (step - half, -1) };
    sign * i32::from(QUARTER_SINE[within.min(half - within)])
}

fn signature_of(chord: [usize; CHORD]) -> Signature {
    let mut index = 0;
    for low in 0..TONES {
        for middle in low + 1..TONES {
            if [low, middle] == [chord[0], chord[1]] {
                return Signature((index + chord[2] - middle - 1) as u16);
            }
            index += TONES - 1 - middle;
        }
    }
    unreachable!("three different rising tones below TONES always have an index")
}
