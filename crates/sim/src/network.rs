//! The virtual network: which datagrams arrive, when, how often.
//!
//! Knows: delay, jitter, loss, duplication, by seed. Must never know: what a datagram says.

use std::time::Duration;

use crate::random::Dice;

/// How links behave.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Links {
    /// The least time a datagram takes.
    pub delay: Duration,
    /// So much longer it may take; datagrams overtake each other within it.
    pub jitter: Duration,
    /// The share that never arrives.
    pub loss: f64,
    /// The share that arrives twice.
    pub duplication: f64,
    /// The share that takes much longer.
    pub straying: f64,
}

/// How much longer a stray datagram takes at most.
const STRAY_MAX: Duration = Duration::from_millis(900);

impl Links {
    /// Nothing is lost, everything arrives in order.
    pub const PERFECT: Self = Self {
        delay: Duration::from_millis(5),
        jitter: Duration::ZERO,
        loss: 0.0,
        duplication: 0.0,
        straying: 0.0,
    };

    /// A bad day: one in fifty is lost, one in a hundred comes twice, one in a hundred strays.
    pub const ROUGH: Self = Self {
        delay: Duration::from_millis(8),
        jitter: Duration::from_millis(30),
        loss: 0.02,
        duplication: 0.01,
        straying: 0.01,
    };
}

/// All links.
pub(crate) struct Network {
    links: Links,
    dice: Dice,
    pub(crate) sent: u64,
    pub(crate) lost: u64,
}

impl Network {
    pub(crate) fn new(links: Links, seed: u64) -> Self {
        Self { links, dice: Dice::new(seed, "network"), sent: 0, lost: 0 }
    }

    /// After how long a datagram arrives: not at all, once, or twice.
    pub(crate) fn carry(&mut self) -> [Option<Duration>; 2] {
        self.sent += 1;
        let Links { loss, duplication, .. } = self.links;
        if self.dice.happens(loss) {
            self.lost += 1;
            return [None, None];
        }
        let first = self.delay();
        let second = self.dice.happens(duplication).then(|| self.delay());
        [Some(first), second]
    }

    /// Other links from now on.
    pub(crate) fn become_like(&mut self, links: Links) {
        self.links = links;
    }

    fn delay(&mut self) -> Duration {
        let Links { delay, jitter, straying, .. } = self.links;
        let straying = self.dice.happens(straying);
        let strays = if straying { self.dice.between(Duration::ZERO, STRAY_MAX) } else { Duration::ZERO };
        delay + self.dice.between(Duration::ZERO, jitter) + strays
    }
}
