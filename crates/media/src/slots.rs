//! The worker's time: milliseconds, each with the legs that it serves.
//!
//! Knows: indices and ticks. Must never know: what a leg does in its slot.
//!
//! A leg lives in one of five slots and is looked after when its slot comes by, ten times a second; while it plays, in
//! one of twenty, every twentieth millisecond. So work is spread evenly over time, and nothing is sorted or searched.
//! Looking after is not urgent, and waking a thread costs far more than looking after a leg: hence so few slots.

use std::time::Duration;

const HOUSE_SLOTS: u64 = 5;
const HOUSE_SLOT_MS: u64 = 20;
const PLAY_SLOTS: u64 = 20;
/// After a pause of the whole machine so many milliseconds are made up for, no more.
const CATCH_UP_TICKS_MAX: u64 = 100;

pub(crate) struct Slots {
    /// The last millisecond that was served.
    served: u64,
    resident: Vec<Vec<u32>>,
    playing: Vec<Vec<u32>>,
    /// Bit n: `resident[n]` has legs.
    resident_mask: u32,
    /// Bit n: `playing[n]` has legs.
    playing_mask: u32,
}

impl Slots {
    pub(crate) fn new(now: Duration) -> Self {
        Self {
            served: ticks(now),
            resident: vec![Vec::new(); HOUSE_SLOTS as usize],
            playing: vec![Vec::new(); PLAY_SLOTS as usize],
            resident_mask: 0,
            playing_mask: 0,
        }
    }

    /// A leg moves in.
    pub(crate) fn settle(&mut self, now: Duration, index: u32) {
        self.wake(now);
        let slot = house_slot(index);
        if !self.resident[slot].contains(&index) {
            self.resident[slot].push(index);
        }
        self.resident_mask |= 1 << slot;
    }

    /// A leg moves out, and plays no more.
    pub(crate) fn leave(&mut self, index: u32) {
        let slot = house_slot(index);
        self.resident[slot].retain(|&resident| resident != index);
        if self.resident[slot].is_empty() {
            self.resident_mask &= !(1 << slot);
        }
        let slot = play_slot(index);
        self.playing[slot].retain(|&playing| playing != index);
        if self.playing[slot].is_empty() {
            self.playing_mask &= !(1 << slot);
        }
    }

    /// A leg begins to play.
    pub(crate) fn start_playing(&mut self, now: Duration, index: u32) {
        self.wake(now);
        let slot = play_slot(index);
        if !self.playing[slot].contains(&index) {
            self.playing[slot].push(index);
        }
        self.playing_mask |= 1 << slot;
    }

    /// The next millisecond to serve up to `now`.
    pub(crate) fn next_tick(&mut self, now: Duration) -> Option<u64> {
        let now = ticks(now);
        self.served = self.served.max(now.saturating_sub(CATCH_UP_TICKS_MAX));
        let Some(due) = self.due_tick().filter(|&due| due <= now) else {
            self.served = self.served.max(now);
            return None;
        };
        self.served = due;
        Some(due)
    }

    /// The legs that play in this millisecond.
    pub(crate) fn playing(&self, tick: u64) -> &[u32] {
        &self.playing[(tick % PLAY_SLOTS) as usize]
    }

    /// The legs that live in this millisecond.
    pub(crate) fn resident(&self, tick: u64) -> &[u32] {
        if !tick.is_multiple_of(HOUSE_SLOT_MS) {
            return &[];
        }
        &self.resident[(tick / HOUSE_SLOT_MS % HOUSE_SLOTS) as usize]
    }

    /// Those of this millisecond that don't play any more leave the list.
    pub(crate) fn end_playing(&mut self, tick: u64, still: impl Fn(u32) -> bool) {
        let slot = (tick % PLAY_SLOTS) as usize;
        self.playing[slot].retain(|&index| still(index));
        if self.playing[slot].is_empty() {
            self.playing_mask &= !(1 << slot);
        }
    }

    /// When the next millisecond with work begins.
    pub(crate) fn due(&self) -> Option<Duration> {
        self.due_tick().map(Duration::from_millis)
    }

    fn due_tick(&self) -> Option<u64> {
        let next = self.served + 1;
        let next_house = next.div_ceil(HOUSE_SLOT_MS);
        let house = steps(self.resident_mask, HOUSE_SLOTS, next_house)
            .map(|steps| (next_house + steps) * HOUSE_SLOT_MS);
        let play = steps(self.playing_mask, PLAY_SLOTS, next).map(|steps| next + steps);
        house.into_iter().chain(play).min()
    }

    /// An idle worker isn't polled; time that passed meanwhile is not made up for.
    fn wake(&mut self, now: Duration) {
        if self.resident_mask == 0 && self.playing_mask == 0 {
            self.served = self.served.max(ticks(now));
        }
    }
}

/// How many slots from `next` to the first that is set, going round.
fn steps(mask: u32, slots: u64, next: u64) -> Option<u64> {
    if mask == 0 {
        return None;
    }
    let start = next % slots;
    let ahead = mask >> start;
    Some(if ahead != 0 {
        u64::from(ahead.trailing_zeros())
    } else {
        slots - start + u64::from(mask.trailing_zeros())
    })
}

fn ticks(now: Duration) -> u64 {
    u64::try_from(now.as_millis()).unwrap_or(u64::MAX)
}

fn house_slot(index: u32) -> usize {
    (u64::from(index) % HOUSE_SLOTS) as usize
}

/// Neighbours in index are apart in time: 7 has no divisor in common with 20.
fn play_slot(index: u32) -> usize {
    (u64::from(index) * 7 % PLAY_SLOTS) as usize
}

#[cfg(test)]
mod tests;
