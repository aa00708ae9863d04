//! Nonces that prove their own age, and the counts that were used with them.
//!
//! Knows: a key, and which nonce counts were seen. Must never know: users, passwords, or requests.
//!
//! A nonce is its time of issue and a MAC over it, so handing one out costs no memory: only nonces that somebody has
//! *answered* are remembered, within a bound. Where the bound pushes one out, every nonce as old as it is no longer
//! fresh, so forgetting never lets a replay through.

use std::collections::BTreeMap;
use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

/// How long a nonce may be used. Short enough that the table of answered ones stays small, long enough for a call's
/// set-up; a phone that refreshes later is told `stale=true` and asks nobody for a password.
const LIFETIME: Duration = Duration::from_secs(300);
/// Answered nonces that are remembered.
const ANSWERED_MAX: usize = 16_384;
/// How far behind the highest count a late request may be. RFC 7616 §3.4.
const WINDOW: u32 = 64;
/// Bytes of MAC in a nonce.
const MAC_BYTES: usize = 16;

/// What a nonce is worth.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Freshness {
    /// Ours, young, and this count is new.
    Fresh,
    /// Not ours, or too old, or used with this count before.
    Stale,
}

/// The counts seen with one nonce: the highest, and the 64 up to it as bits.
#[derive(Clone, Copy, Debug)]
struct Window {
    highest: u32,
    seen: u64,
}

/// Issues nonces and judges them.
pub(crate) struct Nonces {
    key: [u8; 32],
    issued_last: u64,
    answered: BTreeMap<u64, Window>,
    forgotten_up_to: u64,
}

impl Nonces {
    /// With this secret.
    pub(crate) fn new(key: [u8; 32]) -> Self {
        Self { key, issued_last: 0, answered: BTreeMap::new(), forgotten_up_to: 0 }
    }

    /// A nonce that nobody has had.
    pub(crate) fn issue(&mut self, now: Duration) -> String {
        let issued = micros(now).max(self.issued_last + 1);
        self.issued_last = issued;
        let mut nonce = String::with_capacity(16 + 2 * MAC_BYTES);
        push_hex(&mut nonce, &issued.to_be_bytes());
        push_hex(&mut nonce, &self.mac(issued));
        nonce
    }

    /// Judges a nonce with its count, and marks the count as used. Call it only when the digest was right, or a
    /// stranger could use counts up.
    pub(crate) fn redeem(&mut self, now: Duration, nonce: &str, count: u32) -> Freshness {
        let Some(issued) = self.authentic(nonce) else { return Freshness::Stale };
        let now = micros(now);
        let lifetime = micros(LIFETIME);
        // Issue times run ahead of the clock only when many are issued in one microsecond.
        if issued.saturating_add(lifetime) < now || issued <= self.forgotten_up_to || count == 0 {
            return Freshness::Stale;
        }
        while let Some((&oldest, _)) = self.answered.first_key_value()
            && (oldest.saturating_add(lifetime) < now
                || (self.answered.len() >= ANSWERED_MAX && !self.answered.contains_key(&issued)))
        {
            self.answered.pop_first();
            self.forgotten_up_to = self.forgotten_up_to.max(oldest);
        }
        if issued <= self.forgotten_up_to {
            return Freshness::Stale;
        }
        let window = self.answered.entry(issued).or_insert(Window { highest: 0, seen: 0 });
        if count > window.highest {
            let shift = count - window.highest;
            window.seen = if shift >= WINDOW { 1 } else { (window.seen << shift) | 1 };
            window.highest = count;
            return Freshness::Fresh;
        }
        let behind = window.highest - count;
        if behind >= WINDOW || window.seen & (1 << behind) != 0 {
            return Freshness::Stale;
        }
        window.seen |= 1 << behind;
        Freshness::Fresh
    }

    fn authentic(&self, nonce: &str) -> Option<u64> {
        let bytes = nonce.as_bytes();
        if bytes.len() != 16 + 2 * MAC_BYTES || !nonce.is_ascii() {
            return None;
        }
        let issued = u64::from_str_radix(&nonce[..16], 16).ok()?;
        let mut expected = String::with_capacity(2 * MAC_BYTES);
        push_hex(&mut expected, &self.mac(issued));
        bool::from(expected.as_bytes().ct_eq(&bytes[16..])).then_some(issued)
    }

    fn mac(&self, issued: u64) -> [u8; MAC_BYTES] {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key).expect("HMAC takes a key of any length");
        mac.update(b"nonce");
        mac.update(&issued.to_be_bytes());
        let full = mac.finalize().into_bytes();
        let mut short = [0; MAC_BYTES];
        short.copy_from_slice(&full[..MAC_BYTES]);
        short
    }
}

impl std::fmt::Debug for Nonces {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Nonces").field("answered", &self.answered.len()).finish_non_exhaustive()
    }
}

/// Appends bytes as lower-case hexadecimal digits.
pub(crate) fn push_hex(text: &mut String, bytes: &[u8]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for byte in bytes {
        text.push(char::from(DIGITS[usize::from(byte >> 4)]));
        text.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
