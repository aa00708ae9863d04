//! Token buckets, one for each source that nobody vouches for.
//!
//! Knows: addresses and time. Must never know: what a request is.

use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

use super::recent::Recent;

/// How many sources are told apart. A flood from more addresses than this pushes buckets out, which gives each
/// address a fresh burst: the transaction cap is what then holds.
const SOURCES_MAX: usize = 4_096;

#[derive(Clone, Copy, Debug)]
struct Bucket {
    tokens: f64,
    filled: Duration,
}

/// The buckets.
#[derive(Debug)]
pub(crate) struct Rates {
    buckets: Recent<IpAddr, Bucket>,
}

impl Rates {
    /// No source has been seen.
    pub(crate) fn new() -> Self {
        Self { buckets: Recent::new(SOURCES_MAX) }
    }

    /// Takes a token for this source; false when it has none left. Rate and burst are the same number.
    pub(crate) fn admit(&mut self, now: Duration, source: IpAddr, rate_per_s: u32) -> bool {
        let full = f64::from(rate_per_s);
        let bucket = self.buckets.touch(&network(source), || Bucket { tokens: full, filled: now });
        let elapsed = now.saturating_sub(bucket.filled).as_secs_f64();
        bucket.tokens = (bucket.tokens + elapsed * full).min(full);
        bucket.filled = now;
        if bucket.tokens < 1.0 {
            return false;
        }
        bucket.tokens -= 1.0;
        true
    }
}

/// An IPv6 subscriber has a whole /64 to send from, so that is the source.
pub(crate) fn network(source: IpAddr) -> IpAddr {
    match source {
        IpAddr::V4(_) => source,
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX))),
    }
}
