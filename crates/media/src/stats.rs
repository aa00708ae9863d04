//! What was received of a stream: loss and jitter as RFC 3550 counts them.
//!
//! Knows: RFC 3550 §A.1, §A.3, §A.8. Must never know: addresses, what the packets carry.

use std::time::Duration;

/// A jump of more than this is a new start, not loss (RFC 3550 §A.1, MAX_DROPOUT).
pub(crate) const DROPOUT_MAX: u16 = 3000;
/// A packet this late is still the same stream (RFC 3550 §A.1, MAX_MISORDER).
pub(crate) const MISORDER_MAX: u16 = 100;

/// The account of everything received on a leg, over all its sources.
#[derive(Clone, Default, Debug)]
pub(crate) struct Reception {
    source: Option<Source>,
    /// What earlier sources lost.
    lost_before: u64,
    received: u64,
    jitter_ms: f32,
}

#[derive(Clone, Debug)]
struct Source {
    ssrc: u32,
    base: u16,
    highest: u16,
    cycles: u32,
    received: u64,
    /// After an odd jump: what the next packet has if the jump was a new start.
    restart: Option<u16>,
    /// Arrival minus timestamp of the last packet, in timestamp units.
    transit: Option<u32>,
    jitter_16th: u32,
    clock_hz: u32,
    expected_prior: u64,
    received_prior: u64,
}

/// Where a sequence number lies in its stream.
enum Place {
    Here,
    Odd,
    Restart,
}

/// What a report block says (RFC 3550 §6.4.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct ReceptionReport {
    pub(crate) ssrc: u32,
    pub(crate) fraction_lost: u8,
    pub(crate) cumulative_lost: u32,
    pub(crate) extended_highest: u32,
    pub(crate) jitter: u32,
}

impl Reception {
    /// A packet was accepted. `counts_jitter` is false for those whose timestamp doesn't move (telephone events).
    pub(crate) fn on_packet(
        &mut self,
        now: Duration,
        ssrc: u32,
        sequence: u16,
        timestamp: u32,
        clock_hz: u32,
        counts_jitter: bool,
    ) {
        self.received += 1;
        match self.source.as_mut().filter(|source| source.ssrc == ssrc) {
            Some(source) => match source.place(sequence) {
                Place::Here => source.received += 1,
                Place::Odd => return,
                Place::Restart => self.begin(ssrc, sequence, clock_hz),
            },
            None => self.begin(ssrc, sequence, clock_hz),
        }
        if let Some(source) = &mut self.source
            && counts_jitter
        {
            source.clock_hz = clock_hz;
            source.count_jitter(now, timestamp);
            self.jitter_ms = (source.jitter_16th >> 4) as f32 * 1000.0 / clock_hz.max(1) as f32;
        }
    }

    fn begin(&mut self, ssrc: u32, sequence: u16, clock_hz: u32) {
        self.lost_before += self.source.as_ref().map_or(0, Source::lost);
        self.source = Some(Source::new(ssrc, sequence, clock_hz));
    }

    pub(crate) fn received(&self) -> u64 {
        self.received
    }

    pub(crate) fn lost(&self) -> u64 {
        self.lost_before + self.source.as_ref().map_or(0, Source::lost)
    }

    pub(crate) fn jitter_ms(&self) -> f32 {
        self.jitter_ms
    }

    /// For the next RTCP report; the fraction is since the last one.
    pub(crate) fn report(&mut self) -> Option<ReceptionReport> {
        self.source.as_mut().map(Source::report)
    }
}

impl Source {
    fn new(ssrc: u32, sequence: u16, clock_hz: u32) -> Self {
        Self {
            ssrc,
            base: sequence,
            highest: sequence,
            cycles: 0,
            received: 1,
            restart: None,
            transit: None,
            jitter_16th: 0,
            clock_hz,
            expected_prior: 0,
            received_prior: 0,
        }
    }

    fn place(&mut self, sequence: u16) -> Place {
        if sequence.wrapping_sub(self.highest) < DROPOUT_MAX {
            if sequence < self.highest {
                self.cycles = self.cycles.wrapping_add(1);
            }
            self.highest = sequence;
            self.restart = None;
            return Place::Here;
        }
        if self.highest.wrapping_sub(sequence) <= MISORDER_MAX {
            return Place::Here;
        }
        // RFC 3550 §A.1: two in a row make a new start of an odd jump.
        if self.restart == Some(sequence) {
            return Place::Restart;
        }
        self.restart = Some(sequence.wrapping_add(1));
        Place::Odd
    }

    fn count_jitter(&mut self, now: Duration, timestamp: u32) {
        // RFC 3550 §A.8, in sixteenths of a timestamp unit.
        let arrival = (now.as_micros() * u128::from(self.clock_hz) / 1_000_000) as u32;
        let transit = arrival.wrapping_sub(timestamp);
        if let Some(before) = self.transit.replace(transit) {
            let difference = (transit.wrapping_sub(before) as i32).unsigned_abs();
            // A leap of the timestamp is a new talkspurt of a careless sender, not jitter.
            if difference < self.clock_hz {
                self.jitter_16th =
                    (self.jitter_16th + difference).saturating_sub((self.jitter_16th + 8) >> 4);
            }
        }
    }

    fn extended_highest(&self) -> u32 {
        (self.cycles << 16).wrapping_add(u32::from(self.highest))
    }

    fn expected(&self) -> u64 {
        u64::from(self.extended_highest().wrapping_sub(u32::from(self.base))) + 1
    }

    fn lost(&self) -> u64 {
        self.expected().saturating_sub(self.received)
    }

    fn report(&mut self) -> ReceptionReport {
        let expected = self.expected();
        let expected_interval = expected.saturating_sub(self.expected_prior);
        let received_interval = self.received.saturating_sub(self.received_prior);
        self.expected_prior = expected;
        self.received_prior = self.received;
        let lost_interval = expected_interval.saturating_sub(received_interval);
        let fraction_lost = (lost_interval * 256).checked_div(expected_interval).unwrap_or(0).min(255) as u8;
        ReceptionReport {
            ssrc: self.ssrc,
            fraction_lost,
            // RFC 3550 §6.4.1: 24 bits, signed; duplicates are not told as negative loss.
            cumulative_lost: self.lost().min(0x7f_ffff) as u32,
            extended_highest: self.extended_highest(),
            jitter: self.jitter_16th >> 4,
        }
    }
}

#[cfg(test)]
mod tests;
