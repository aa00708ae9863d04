//! The listening side of one call: counts packets, hears voices and digits, keeps the last seconds.
//!
//! It knows what arrived. It must never know what should have arrived: checkers compare.

use crate::g711::Codec;
use crate::rtp::{DIGITS, Packet};
use crate::voice::{Ear, Signature};
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;

#[cfg(test)]
mod tests;

/// The most seconds of decoded audio that one call keeps.
pub const TAPE_S_MAX: u16 = 120;

const SAMPLES_A_SECOND: usize = 8000;
/// A jump of the sequence number past this is a new start, not a loss (RFC 3550 appendix A.1).
const SEQUENCE_JUMP_MAX: i32 = 3000;
/// Windows of 20 ms before a voice is named: its tail and a neighbour's must not be taken for one.
const WINDOWS_BEFORE_NAMING: u32 = 5;
/// A digit whose three ends were all lost is taken as ended when sound resumes this much later, in samples.
const DIGIT_GRACE: u32 = 400;

/// What one call received, and how much it sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MediaReport {
    /// RTP packets sent.
    pub sent: u64,
    /// RTP packets received, duplicates left out.
    pub received: u64,
    /// Sequence numbers that never came.
    pub lost: u64,
    /// Times that one or more numbers were skipped.
    pub gaps: u64,
    /// Packets that came twice.
    pub duplicates: u64,
    /// Packets that came after a later one.
    pub reordered: u64,
    /// Changes of the synchronisation source.
    pub ssrc_changes: u64,
    /// Changes of the address that packets came from.
    pub source_changes: u64,
    /// Datagrams that were no RTP.
    pub malformed: u64,
    /// Packets of a payload type that was not agreed on.
    pub foreign_payloads: u64,
    /// When the first packet came.
    pub first_at: Option<Duration>,
    /// When the last packet came.
    pub last_at: Option<Duration>,
    /// The longest time between two packets.
    pub silence_max: Duration,
    /// Where the last packet came from.
    pub source: Option<SocketAddr>,
    /// The signature that was named last.
    pub heard: Option<Signature>,
}

/// What listening noticed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Noticed {
    Started,
    Voice(Signature),
    Digit { digit: char, duration_ms: u16 },
}

#[derive(Clone, Copy)]
struct Order {
    ssrc: u32,
    highest: u16,
    /// Bit n: `highest - n` was received.
    seen: u64,
}

#[derive(Clone, Copy)]
struct Pressed {
    timestamp: u32,
    code: u8,
    duration: u16,
    reported: bool,
}

/// The receiving side of one call.
pub(crate) struct Listener {
    report: MediaReport,
    order: Option<Order>,
    pressed: Option<Pressed>,
    ear: Ear,
    tape: VecDeque<i16>,
    tape_samples_max: usize,
}

impl Listener {
    pub(crate) fn new(tape_s: u16) -> Self {
        Self {
            report: MediaReport::default(),
            order: None,
            pressed: None,
            ear: Ear::new(),
            tape: VecDeque::new(),
            tape_samples_max: usize::from(tape_s.min(TAPE_S_MAX)) * SAMPLES_A_SECOND,
        }
    }

    pub(crate) fn report(&self) -> MediaReport {
        self.report
    }

    pub(crate) fn score(&self, signature: Signature) -> f64 {
        self.ear.score(signature)
    }

    pub(crate) fn loudest(&self) -> Option<(Signature, f64)> {
        self.ear.loudest()
    }

    pub(crate) fn tape(&self) -> impl Iterator<Item = i16> + '_ {
        self.tape.iter().copied()
    }

    /// Takes one datagram. `codec_of` says which law a payload type is, `event_type` which one carries digits.
    pub(crate) fn on_datagram(
        &mut self,
        now: Duration,
        from: SocketAddr,
        bytes: &[u8],
        codec_of: impl Fn(u8) -> Option<Codec>,
        event_type: Option<u8>,
        mut notice: impl FnMut(Noticed),
    ) {
        let Some(packet) = Packet::parse(bytes) else {
            self.report.malformed += 1;
            return;
        };
        let codec = codec_of(packet.payload_type);
        let is_digit = event_type == Some(packet.payload_type);
        if codec.is_none() && !is_digit {
            self.report.foreign_payloads += 1;
            return;
        }
        if !self.count(&packet) {
            self.report.duplicates += 1;
            return;
        }
        self.note_arrival(now, from, &mut notice);
        if is_digit {
            self.on_digit(&packet, &mut notice);
        } else if let Some(codec) = codec {
            self.on_sound(&packet, codec, &mut notice);
        }
    }

    fn note_arrival(&mut self, now: Duration, from: SocketAddr, notice: &mut impl FnMut(Noticed)) {
        let report = &mut self.report;
        report.received += 1;
        match report.last_at {
            None => {
                report.first_at = Some(now);
                notice(Noticed::Started);
            }
            Some(last) => report.silence_max = report.silence_max.max(now.saturating_sub(last)),
        }
        report.last_at = Some(now);
        if report.source.is_some_and(|have| have != from) {
            report.source_changes += 1;
        }
        report.source = Some(from);
    }

    /// False when the packet came before.
    fn count(&mut self, packet: &Packet<'_>) -> bool {
        let fresh = Order { ssrc: packet.ssrc, highest: packet.sequence, seen: 1 };
        let Some(order) = &mut self.order else {
            self.order = Some(fresh);
            return true;
        };
        let ahead = i32::from(packet.sequence.wrapping_sub(order.highest) as i16);
        if order.ssrc != packet.ssrc {
            self.report.ssrc_changes += 1;
            *order = fresh;
            return true;
        }
        if ahead.abs() > SEQUENCE_JUMP_MAX {
            self.report.gaps += 1;
            *order = fresh;
            return true;
        }
        if ahead > 0 {
            let missing = ahead as u64 - 1;
            self.report.lost += missing;
            self.report.gaps += u64::from(missing > 0);
            order.seen = order.seen.checked_shl(ahead as u32).unwrap_or(0) | 1;
            order.highest = packet.sequence;
            return true;
        }
        // Older than the memory of 64 packets: it can't be told from a duplicate, and is of no use.
        let bit = 1u64.checked_shl(ahead.unsigned_abs()).unwrap_or(0);
        if bit == 0 || order.seen & bit != 0 {
            return false;
        }
        order.seen |= bit;
        self.report.reordered += 1;
        self.report.lost = self.report.lost.saturating_sub(1);
        true
    }

    fn on_sound(&mut self, packet: &Packet<'_>, codec: Codec, notice: &mut impl FnMut(Noticed)) {
        if let Some(pressed) = self.pressed.filter(|pressed| !pressed.reported) {
            let since = packet.timestamp.wrapping_sub(pressed.timestamp);
            if (since as i32) > i32::from(pressed.duration) + DIGIT_GRACE as i32 {
                self.report_digit(notice);
            }
        }
        self.ear.hear(codec, packet.payload);
        if self.tape_samples_max > 0 {
            let surplus = (self.tape.len() + packet.payload.len()).saturating_sub(self.tape_samples_max);
            self.tape.drain(..surplus.min(self.tape.len()));
            let room = self.tape_samples_max - self.tape.len();
            self.tape.extend(packet.payload.iter().take(room).map(|byte| codec.decode(*byte)));
        }
        let named = self.ear.loudest().map(|(signature, _)| signature);
        if self.ear.windows() >= WINDOWS_BEFORE_NAMING && named.is_some() && named != self.report.heard {
            self.report.heard = named;
            named.into_iter().for_each(|signature| notice(Noticed::Voice(signature)));
        }
    }

    fn on_digit(&mut self, packet: &Packet<'_>, notice: &mut impl FnMut(Noticed)) {
        let &[code, flags, high, low, ..] = packet.payload else {
            self.report.malformed += 1;
            return;
        };
        let duration = u16::from_be_bytes([high, low]);
        match &mut self.pressed {
            Some(pressed) if pressed.timestamp == packet.timestamp => {
                pressed.duration = pressed.duration.max(duration)
            }
            // A late packet of a digit that is over.
            Some(pressed) if (packet.timestamp.wrapping_sub(pressed.timestamp) as i32) < 0 => return,
            _ => {
                self.report_digit(notice);
                let timestamp = packet.timestamp;
                self.pressed = Some(Pressed { timestamp, code, duration, reported: false });
            }
        }
        if flags & 0x80 != 0 {
            self.report_digit(notice);
        }
    }

    fn report_digit(&mut self, notice: &mut impl FnMut(Noticed)) {
        let Some(pressed) = self.pressed.as_mut().filter(|pressed| !pressed.reported) else { return };
        pressed.reported = true;
        if let Some(digit) = DIGITS.chars().nth(usize::from(pressed.code)) {
            notice(Noticed::Digit { digit, duration_ms: pressed.duration / 8 });
        }
    }
}
