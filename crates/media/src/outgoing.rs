//! Our stream towards a leg: one SSRC, one run of sequence numbers, one clock, whatever it is made of.
//!
//! Knows: sequence numbers and timestamps. Must never know: what the packets carry, where they go.
//!
//! A stream is a row of segments: prompts that we make, then a bridge, then music, then a bridge again. Within a
//! segment relayed packets keep their distances, so that the receiver sees the loss and jitter that there is;
//! between segments the clock moves on by the time that passed, and the marker bit says that sound starts.

use std::time::Duration;

use crate::StreamPosition;
use crate::rtp_header::RtpHeader;
use crate::stats::{DROPOUT_MAX, MISORDER_MAX};

/// A pause of our own playing longer than this starts a new segment.
const OWN_PAUSE_MAX: Duration = Duration::from_millis(100);

/// A relayed timestamp that runs ahead of time, or back, by more than this many seconds has a new origin.
const TIMESTAMP_LEAP_S: i64 = 2;

/// The stream's state.
#[derive(Clone, Debug)]
pub(crate) struct Outgoing {
    position: StreamPosition,
    /// When the last packet went out, and its clock.
    last: Option<(Duration, u32)>,
    segment: Segment,
    packets: u64,
    octets: u64,
}

#[derive(Clone, Debug)]
enum Segment {
    /// Nothing goes out.
    Paused,
    /// Prompts and music.
    Own,
    /// Another leg's packets.
    Relayed(Relayed),
}

#[derive(Clone, Debug)]
struct Relayed {
    ssrc: u32,
    /// Earlier packets belong to a time before this segment, and have no number in it.
    first: u16,
    highest: u16,
    sequence_offset: u16,
    timestamp_offset: u32,
    /// The last sound's timestamp and arrival, to notice a leap.
    sound: (u32, Duration),
    /// After an odd jump: what the next packet has if the jump was a new start.
    restart: Option<u16>,
}

/// The header of a packet that goes out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Stamp {
    pub(crate) marker: bool,
    pub(crate) sequence: u16,
    pub(crate) timestamp: u32,
    pub(crate) ssrc: u32,
}

impl Outgoing {
    pub(crate) fn new(position: StreamPosition) -> Self {
        Self { position, last: None, segment: Segment::Paused, packets: 0, octets: 0 }
    }

    /// Where the stream stands, for a checkpoint.
    pub(crate) fn position(&self) -> StreamPosition {
        self.position
    }

    pub(crate) fn packets(&self) -> u64 {
        self.packets
    }

    pub(crate) fn octets(&self) -> u64 {
        self.octets
    }

    /// The timestamp that belongs to `now`, for a sender report; none before the first packet.
    pub(crate) fn timestamp_at(&self, now: Duration) -> Option<u32> {
        let (at, clock_hz) = self.last?;
        Some(self.position.timestamp.wrapping_add(units(now.saturating_sub(at), clock_hz)))
    }

    /// The next packet that comes begins a new segment.
    pub(crate) fn pause(&mut self) {
        self.segment = Segment::Paused;
    }

    /// A packet of our own, of `samples` samples at `clock_hz`.
    pub(crate) fn own(&mut self, now: Duration, samples: u32, clock_hz: u32, octets: usize) -> Stamp {
        let going_on = matches!(self.segment, Segment::Own)
            && self.last.is_some_and(|(at, _)| now.saturating_sub(at) <= OWN_PAUSE_MAX);
        let timestamp = if going_on {
            self.position.timestamp.wrapping_add(samples)
        } else {
            self.segment = Segment::Own;
            self.next_start(now, clock_hz)
        };
        let sequence = self.position.sequence;
        self.advance(now, clock_hz, sequence, timestamp, octets);
        Stamp { marker: !going_on, sequence, timestamp, ssrc: self.position.ssrc }
    }

    /// Another leg's packet; none: it has no place in the stream. `sound` is false for telephone events, whose
    /// timestamp stands still.
    pub(crate) fn relay(
        &mut self,
        now: Duration,
        header: &RtpHeader,
        clock_hz: u32,
        sound: bool,
    ) -> Option<Stamp> {
        let octets = header.payload.len();
        if let Segment::Relayed(relayed) = &mut self.segment
            && relayed.ssrc == header.ssrc
        {
            match relayed.place(now, header, clock_hz, sound) {
                Place::Here => {
                    let sequence = header.sequence.wrapping_add(relayed.sequence_offset);
                    let timestamp = header.timestamp.wrapping_add(relayed.timestamp_offset);
                    self.advance(now, clock_hz, sequence, timestamp, octets);
                    return Some(Stamp {
                        marker: header.marker,
                        sequence,
                        timestamp,
                        ssrc: self.position.ssrc,
                    });
                }
                Place::Nowhere => return None,
                Place::NewSegment => {}
            }
        }
        let sequence = self.position.sequence;
        let timestamp = self.next_start(now, clock_hz);
        self.segment = Segment::Relayed(Relayed {
            ssrc: header.ssrc,
            first: header.sequence,
            highest: header.sequence,
            sequence_offset: sequence.wrapping_sub(header.sequence),
            timestamp_offset: timestamp.wrapping_sub(header.timestamp),
            sound: (header.timestamp, now),
            restart: None,
        });
        self.advance(now, clock_hz, sequence, timestamp, octets);
        Some(Stamp { marker: true, sequence, timestamp, ssrc: self.position.ssrc })
    }

    /// Another leg's packet that this leg can't take: later ones close the gap, since it is not loss.
    pub(crate) fn skip(&mut self, header: &RtpHeader) {
        if let Segment::Relayed(relayed) = &mut self.segment
            && relayed.ssrc == header.ssrc
            && header.sequence == relayed.highest.wrapping_add(1)
        {
            relayed.highest = header.sequence;
            relayed.first = header.sequence.wrapping_add(1);
            relayed.sequence_offset = relayed.sequence_offset.wrapping_sub(1);
        }
    }

    /// The timestamp with which a new segment starts.
    fn next_start(&self, now: Duration, clock_hz: u32) -> u32 {
        match self.last {
            None => self.position.timestamp,
            // At least a frame further, so that no two segments share a timestamp.
            Some((at, _)) => {
                let passed = units(now.saturating_sub(at), clock_hz).max(clock_hz / 50);
                self.position.timestamp.wrapping_add(passed)
            }
        }
    }

    fn advance(&mut self, now: Duration, clock_hz: u32, sequence: u16, timestamp: u32, octets: usize) {
        // Reordered packets don't move the stream back.
        if (sequence.wrapping_sub(self.position.sequence) as i16) >= 0 {
            self.position.sequence = sequence.wrapping_add(1);
            if self.last.is_none() || (timestamp.wrapping_sub(self.position.timestamp) as i32) > 0 {
                self.position.timestamp = timestamp;
            }
            self.last = Some((now, clock_hz));
        }
        self.packets += 1;
        self.octets += octets as u64;
    }
}

enum Place {
    Here,
    Nowhere,
    NewSegment,
}

impl Relayed {
    fn place(&mut self, now: Duration, header: &RtpHeader, clock_hz: u32, sound: bool) -> Place {
        let ahead = header.sequence.wrapping_sub(self.highest);
        let behind = self.highest.wrapping_sub(header.sequence);
        if ahead == 0 || behind <= MISORDER_MAX {
            let before_segment = (header.sequence.wrapping_sub(self.first) as i16) < 0;
            return if before_segment { Place::Nowhere } else { Place::Here };
        }
        if ahead >= DROPOUT_MAX {
            // RFC 3550 §A.1: two in a row make a new start of an odd jump.
            if self.restart == Some(header.sequence) {
                return Place::NewSegment;
            }
            self.restart = Some(header.sequence.wrapping_add(1));
            return Place::Nowhere;
        }
        self.highest = header.sequence;
        self.restart = None;
        if sound {
            let (timestamp, at) = self.sound;
            let moved = i64::from(header.timestamp.wrapping_sub(timestamp) as i32);
            let passed = i64::from(units(now.saturating_sub(at), clock_hz));
            let leap = TIMESTAMP_LEAP_S * i64::from(clock_hz);
            if moved - passed > leap || moved < -leap {
                return Place::NewSegment;
            }
            self.sound = (header.timestamp, now);
        }
        Place::Here
    }
}

/// A time in timestamp units; wraps as timestamps do.
fn units(time: Duration, clock_hz: u32) -> u32 {
    (time.as_micros() * u128::from(clock_hz) / 1_000_000) as u32
}
