//! Dice: everything random in a world comes from one seed, each purpose from a stream of its own.
//!
//! Knows: distributions. Must never know: what is drawn for. A stream of its own for each purpose keeps a change in one
//! part of the world from shuffling all the others.

use std::time::Duration;

use rand_chacha::ChaCha12Rng;
use rand_core::{Rng as _, SeedableRng as _};

/// One stream of random numbers.
pub struct Dice(ChaCha12Rng);

impl Dice {
    /// The stream of that purpose under that seed.
    pub fn new(seed: u64, purpose: &str) -> Self {
        Self(ChaCha12Rng::from_seed(bytes(seed, purpose)))
    }

    /// A whole seed, for a machine that draws for itself.
    pub fn seed(&mut self) -> [u8; 32] {
        let mut seed = [0; 32];
        self.0.fill_bytes(&mut seed);
        seed
    }

    /// Any number.
    pub fn number(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// Below `end`; 0 if that is 0.
    pub fn below(&mut self, end: u64) -> u64 {
        // The bias of the remainder is far below what any simulation could notice.
        if end == 0 { 0 } else { self.0.next_u64() % end }
    }

    /// From 0 up to, and without, 1.
    pub fn share(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Whether it happens, of `probability`.
    pub fn happens(&mut self, probability: f64) -> bool {
        self.share() < probability
    }

    /// Evenly between two times.
    pub fn between(&mut self, from: Duration, to: Duration) -> Duration {
        let micros = to.saturating_sub(from).as_micros();
        from + Duration::from_micros(self.below(u64::try_from(micros).unwrap_or(u64::MAX)))
    }

    /// The time to the next of events that come independently of each other, `mean` apart on average.
    pub fn exponential(&mut self, mean: Duration) -> Duration {
        // 1 - share is never 0, so its logarithm is finite.
        mean.mul_f64(-(1.0 - self.share()).ln())
    }

    /// One of them.
    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        from.get(self.below(from.len() as u64) as usize)
    }
}

/// 32 bytes of seed from a number and a purpose.
pub(crate) fn bytes(seed: u64, purpose: &str) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    for (at, byte) in purpose.bytes().enumerate() {
        bytes[8 + at % 24] ^= byte.rotate_left((at / 24) as u32);
    }
    bytes
}
