//! The hash chain: each entry of a journal vouches for all before it.
//!
//! Knows: SHA-256(hash before ‖ written event), and how to name the first entry that does not fit. Must
//! never know: where entries are kept. A chain does not show that its *end* was cut off: for that,
//! write a head down elsewhere (a funder's mailbox will do) and compare.

use std::fmt;

use sha2::{Digest as _, Sha256};

use crate::event::{Digest, EventKind, Queue};
use crate::record::{self, Unreadable};

/// Before the first entry.
pub const GENESIS: Digest = Digest([0; 32]);

/// The hash of an entry.
pub fn link(before: &Digest, written: &str) -> Digest {
    let mut hasher = Sha256::new();
    hasher.update(before.0);
    hasher.update(written.as_bytes());
    Digest(hasher.finalize().into())
}

/// The first entry that does not fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// Its number, as the journal's table has it.
    pub seq: u64,
    /// What is wrong with it.
    pub fault: Fault,
}

/// What is wrong with an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// Its text, or an entry before it, is not what was written.
    Hash,
    /// The table's number is not the text's.
    Number,
    /// Its number does not follow the one before it.
    Order,
    /// Its hash is right, but this program cannot read it.
    Unreadable(Unreadable),
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "journal entry {}: ", self.seq)?;
        match &self.fault {
            Fault::Hash => f.write_str("its text or its place was changed after it was written"),
            Fault::Number => f.write_str("its number was changed after it was written"),
            Fault::Order => f.write_str("it stands before an entry that came earlier"),
            Fault::Unreadable(unreadable) => unreadable.fmt(f),
        }
    }
}

impl std::error::Error for Broken {}

/// Walks a journal entry by entry.
#[derive(Debug, Clone)]
pub struct Verifier {
    head: Digest,
    last_seq: Option<u64>,
    entries: u64,
    missing: u64,
    admitted: u64,
}

impl Verifier {
    /// Begins after an entry with this hash, or with [`GENESIS`].
    pub fn new(head: Digest) -> Self {
        Self { head, last_seq: None, entries: 0, missing: 0, admitted: 0 }
    }

    /// The next entry. An error names it; do not go on after one.
    pub fn entry(&mut self, seq: u64, written: &str, hash: &Digest) -> Result<(), Broken> {
        let broken = |fault| Broken { seq, fault };
        if link(&self.head, written) != *hash {
            return Err(broken(Fault::Hash));
        }
        let event = record::decode(written).map_err(|unreadable| broken(Fault::Unreadable(unreadable)))?;
        if event.seq != seq {
            return Err(broken(Fault::Number));
        }
        if let Some(last) = self.last_seq {
            let step = seq.checked_sub(last).filter(|step| *step > 0).ok_or(broken(Fault::Order))?;
            self.missing += step - 1;
        }
        if let EventKind::OverflowDropped { queue: Queue::Journal, count } = event.kind {
            self.admitted += count;
        }
        self.head = *hash;
        self.last_seq = Some(seq);
        self.entries += 1;
        Ok(())
    }

    /// The hash of the last entry.
    pub fn head(&self) -> Digest {
        self.head
    }

    /// How many entries were right.
    pub fn entries(&self) -> u64 {
        self.entries
    }

    /// How many numbers are missing between entries: events that were lost before they were written.
    pub fn missing(&self) -> u64 {
        self.missing
    }

    /// How many lost events the journal itself admits ([`EventKind::OverflowDropped`]). More missing than
    /// admitted were lost in a crash.
    pub fn admitted(&self) -> u64 {
        self.admitted
    }
}

#[cfg(test)]
mod tests;
