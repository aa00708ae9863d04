//! From a caller's number to a pseudonym.
//!
//! Knows: the keyed digest, and that two keys live side by side for a day after a change.
//! Must never know: where keys are kept, or which caller a pseudonym belongs to.

use std::fmt;
use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroize;

use crate::event::Caller;
use crate::ids::CallerPseudonym;
use crate::number::CallerNumber;

/// After a key change a caller is still recognised by the old key for this long: the window of the
/// unique-caller reach.
pub const OVERLAP: Duration = Duration::from_secs(24 * 3600);

/// A key for pseudonyms; unprintable, wiped when dropped.
#[derive(Clone)]
pub struct PseudonymKey([u8; 32]);

impl PseudonymKey {
    /// Wraps 32 bytes of entropy.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The pseudonym of a number under this key.
    pub fn pseudonym(&self, number: &CallerNumber) -> CallerPseudonym {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes a key of any length");
        mac.update(number.expose().as_bytes());
        let digest = mac.finalize().into_bytes();
        let mut bytes = [0; CallerPseudonym::BYTES];
        bytes.copy_from_slice(&digest[..CallerPseudonym::BYTES]);
        CallerPseudonym::from_bytes(bytes)
    }
}

impl fmt::Debug for PseudonymKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PseudonymKey(…)")
    }
}

impl Drop for PseudonymKey {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

/// The key in force, and the one before it while both are matched.
#[derive(Debug, Clone)]
pub struct Pseudonymiser {
    current: PseudonymKey,
    previous: Option<(PseudonymKey, Duration)>,
}

impl Pseudonymiser {
    /// One key, no other before it.
    pub fn new(current: PseudonymKey) -> Self {
        Self { current, previous: None }
    }

    /// From `now` on `next` is in force; the key before it is matched for [`OVERLAP`] more.
    pub fn rotate(&mut self, now: Duration, next: PseudonymKey) {
        let before = std::mem::replace(&mut self.current, next);
        self.previous = Some((before, now.saturating_add(OVERLAP)));
    }

    /// What the journal may know of a caller. `None` is a withheld number.
    pub fn caller(&self, now: Duration, number: Option<&CallerNumber>) -> Caller {
        let Some(number) = number else { return Caller::Withheld };
        let previous = self.previous.as_ref().filter(|(_, until)| now < *until);
        Caller::Known {
            pseudonym: self.current.pseudonym(number),
            previous: previous.map(|(key, _)| key.pseudonym(number)),
        }
    }
}

#[cfg(test)]
mod tests;
