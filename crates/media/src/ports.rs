//! Port pairs: taken at random, rested after use.
//!
//! Knows: numbers and time. Must never know: sockets, legs.
//!
//! ```text
//!   state     event            next
//!   Free      take             Taken
//!   Free      claim (restore)  Taken
//!   Resting   claim (restore)  Taken
//!   Taken     give back        Resting
//!   Resting   its time is over Free
//! ```
//! Random, so that a stranger can't guess where sound is awaited; rested, so that late packets of one call don't
//! reach the next.

use std::collections::{BTreeSet, VecDeque};
use std::ops::{Range, RangeInclusive};
use std::time::Duration;

use rand_core::Rng;

/// All pairs of a port range, in one block a worker. A pair is named by its even port.
pub(crate) struct Ports {
    blocks: Vec<Block>,
    taken: BTreeSet<u16>,
    /// In order of their time, since all rest equally long; a changed setting sorts itself out.
    resting: VecDeque<(Duration, u16)>,
}

struct Block {
    range: Range<u32>,
    free: Vec<u16>,
    taken: usize,
}

impl Ports {
    /// The range in equal blocks.
    pub(crate) fn new(range: &RangeInclusive<u16>, workers: usize) -> Self {
        // RFC 3550 §11: RTP on an even port, RTCP on the next.
        let first = u32::from((*range.start()).max(2)).next_multiple_of(2);
        let pairs = (u32::from(*range.end()) + 1).saturating_sub(first) as usize / 2;
        let workers = workers.max(1);
        let blocks = (0..workers)
            .map(|worker| {
                let start = first + 2 * (pairs * worker / workers) as u32;
                let end = first + 2 * (pairs * (worker + 1) / workers) as u32;
                let free = (start..end).step_by(2).filter_map(|port| u16::try_from(port).ok()).collect();
                Block { range: start..end, free, taken: 0 }
            })
            .collect();
        Self { blocks, taken: BTreeSet::new(), resting: VecDeque::new() }
    }

    /// A pair of the worker's block.
    pub(crate) fn take(&mut self, now: Duration, worker: usize, random: &mut impl Rng) -> Option<u16> {
        self.wake(now);
        let block = self.blocks.get_mut(worker)?;
        let free = &mut block.free;
        if free.is_empty() {
            return None;
        }
        let bound = u64::try_from(free.len()).unwrap_or(u64::MAX);
        // The bias of a modulus over 2^64 is beyond measure.
        let chosen = usize::try_from(random.next_u64() % bound).unwrap_or(0);
        let port = free.swap_remove(chosen);
        block.taken += 1;
        self.taken.insert(port);
        Some(port)
    }

    /// Takes exactly this pair: after a restart. False if it is taken already; a pair outside the range is taken
    /// too, and forgotten when given back.
    pub(crate) fn claim(&mut self, port: u16) -> bool {
        for block in &mut self.blocks {
            block.free.retain(|&free| free != port);
        }
        self.resting.retain(|&(_, resting)| resting != port);
        let is_new = self.taken.insert(port);
        if is_new && let Some(block) = self.block_of(port) {
            block.taken += 1;
        }
        is_new
    }

    /// Gives a pair back; it rests.
    pub(crate) fn give_back(&mut self, now: Duration, port: u16, quarantine: Duration) {
        if self.taken.remove(&port)
            && let Some(block) = self.block_of(port)
        {
            block.taken -= 1;
            self.resting.push_back((now + quarantine, port));
        }
    }

    /// Pairs that have rested are free.
    pub(crate) fn wake(&mut self, now: Duration) {
        while let Some(&(until, port)) = self.resting.front() {
            if until > now {
                break;
            }
            self.resting.pop_front();
            if let Some(block) = self.block_of(port) {
                block.free.push(port);
            }
        }
    }

    /// When the next has rested.
    pub(crate) fn due(&self) -> Option<Duration> {
        self.resting.front().map(|&(until, _)| until)
    }

    pub(crate) fn taken(&self) -> usize {
        self.taken.len()
    }

    /// How many of the worker's pairs are taken: its load.
    pub(crate) fn taken_of(&self, worker: usize) -> usize {
        self.blocks.get(worker).map_or(usize::MAX, |block| block.taken)
    }

    pub(crate) fn resting(&self) -> usize {
        self.resting.len()
    }

    fn block_of(&mut self, port: u16) -> Option<&mut Block> {
        self.blocks.iter_mut().find(|block| block.range.contains(&u32::from(port)))
    }
}

#[cfg(test)]
mod tests;
