//! A hash index whose hasher is keyed from the endpoint's seed.
//!
//! Knows: how to look a key up. Must never know: what it stands for; and nobody may iterate over it, because its
//! order says nothing.
//!
//! The key comes from the seed, not from the process: the same seed gives the same run, and a peer that does not
//! know the seed cannot choose Call-IDs or branches that collide.

use std::hash::{BuildHasher, Hasher};

/// A map that is only ever asked for one key.
pub(crate) type Index<K, V> = hashbrown::HashMap<K, V, Keyed>;

/// Builds hashers that start from a secret.
#[derive(Clone, Copy)]
pub(crate) struct Keyed {
    secret: [u64; 2],
}

impl Keyed {
    /// A hasher keyed by `secret`.
    pub(crate) fn new(secret: [u64; 2]) -> Self {
        Self { secret }
    }

    /// An empty index with this key.
    pub(crate) fn index<K, V>(self) -> Index<K, V> {
        Index::with_hasher(self)
    }
}

impl BuildHasher for Keyed {
    // `DefaultHasher::new` is SipHash-1-3 with a fixed key; the secret goes in as a prefix instead.
    type Hasher = std::hash::DefaultHasher;

    fn build_hasher(&self) -> Self::Hasher {
        let mut hasher = std::hash::DefaultHasher::new();
        hasher.write_u64(self.secret[0]);
        hasher.write_u64(self.secret[1]);
        hasher
    }
}

impl std::fmt::Debug for Keyed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keyed(…)")
    }
}
