//! RTP packets and the speaking side: 20 ms of G.711 at a time, digits (RFC 4733), silence, or nothing.
//!
//! It knows slots of 20 ms, sequence numbers and timestamps. It must never know where packets go, nor
//! why: a call says when it may speak.

use crate::g711::Codec;
use crate::voice::{FRAME_SAMPLES, Voice};
use std::collections::VecDeque;
use std::time::Duration;

#[cfg(test)]
mod tests;

/// How much a phone sends while it may speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RtpMode {
    /// Nothing but digits: months of simulated calls stay cheap.
    Off,
    /// A packet every 20 ms, as a telephone does.
    #[default]
    Full,
    /// A packet now and then, as with voice activity detection. Rounded up to a multiple of 20 ms.
    Sparse {
        /// Time between packets, in milliseconds.
        every_ms: u32,
    },
}

/// A packet's time.
pub(crate) const SLOT: Duration = Duration::from_millis(20);
/// Digits waiting to be sent in one call: far more than any menu asks for.
pub(crate) const DIGITS_MAX: usize = 64;
/// Slots a sender may lag before it skips ahead instead of sending a burst.
const LAG_SLOTS_MAX: u64 = 10;
/// A digit lasts 160 ms: seven growing reports, the end, and the end twice more.
const DIGIT_REPORTS: u8 = 8;
/// RFC 4733 §2.5.1.4: the final packet is sent three times.
const DIGIT_ENDS: u8 = 3;
/// Pause between digits, in slots.
const DIGIT_PAUSE: u8 = 4;

/// The parts of one received packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Packet<'a> {
    pub(crate) marker: bool,
    pub(crate) payload_type: u8,
    pub(crate) sequence: u16,
    pub(crate) timestamp: u32,
    pub(crate) ssrc: u32,
    pub(crate) payload: &'a [u8],
}

impl<'a> Packet<'a> {
    /// RFC 3550 §5.1; `None` when the bytes are not RTP.
    pub(crate) fn parse(bytes: &'a [u8]) -> Option<Self> {
        let (head, rest) = bytes.split_first_chunk::<12>()?;
        if head[0] >> 6 != 2 {
            return None;
        }
        let mut rest = rest.get(usize::from(head[0] & 0x0f) * 4..)?;
        if head[0] & 0x10 != 0 {
            let (extension, _) = rest.split_first_chunk::<4>()?;
            let words = usize::from(u16::from_be_bytes([extension[2], extension[3]]));
            rest = rest.get(4 + words * 4..)?;
        }
        if head[0] & 0x20 != 0 {
            let padding = usize::from(*rest.last()?);
            rest = rest.get(..rest.len().checked_sub(padding.max(1))?)?;
        }
        Some(Self {
            marker: head[1] & 0x80 != 0,
            payload_type: head[1] & 0x7f,
            sequence: u16::from_be_bytes([head[2], head[3]]),
            timestamp: u32::from_be_bytes([head[4], head[5], head[6], head[7]]),
            ssrc: u32::from_be_bytes([head[8], head[9], head[10], head[11]]),
            payload: rest,
        })
    }

    pub(crate) fn print(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(12 + self.payload.len());
        bytes.extend_from_slice(&[0x80, u8::from(self.marker) << 7 | self.payload_type]);
        bytes.extend_from_slice(&self.sequence.to_be_bytes());
        bytes.extend_from_slice(&self.timestamp.to_be_bytes());
        bytes.extend_from_slice(&self.ssrc.to_be_bytes());
        bytes.extend_from_slice(self.payload);
        bytes
    }
}

/// What the negotiation allows a sender to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) codec: Codec,
    pub(crate) payload_type: u8,
    pub(crate) event_type: Option<u8>,
}

/// The digit being sent.
#[derive(Debug, Clone, Copy)]
struct Tone {
    code: u8,
    timestamp: u32,
    /// Packets of this digit sent so far; past the ends, slots of pause.
    sent: u8,
}

/// The sending side of one call.
pub(crate) struct Sender {
    ssrc: u32,
    sequence: u16,
    timestamp_base: u32,
    started_at: Option<Duration>,
    next_at: Option<Duration>,
    /// The first slot that nothing was sent in yet.
    slot_free: u64,
    line: Option<Line>,
    voice: Voice,
    muted: bool,
    mode: RtpMode,
    /// The voice's 20 ms in the line's law, when it is the same in every packet.
    frame: Vec<u8>,
    /// Where a voice of samples has got to.
    sample_at: usize,
    talking: bool,
    digits: VecDeque<u8>,
    tone: Option<Tone>,
    sent: u64,
}

impl Sender {
    pub(crate) fn new(random: u64, voice: Voice, mode: RtpMode) -> Self {
        Self {
            ssrc: (random >> 32) as u32,
            sequence: (random >> 16) as u16,
            timestamp_base: (random as u32).rotate_left(16),
            started_at: None,
            next_at: None,
            slot_free: 0,
            line: None,
            voice,
            muted: false,
            mode,
            frame: Vec::new(),
            sample_at: 0,
            talking: false,
            digits: VecDeque::new(),
            tone: None,
            sent: 0,
        }
    }

    pub(crate) fn ssrc(&self) -> u32 {
        self.ssrc
    }

    pub(crate) fn sent(&self) -> u64 {
        self.sent
    }

    /// Starts, changes or stops (`None`) the sending.
    pub(crate) fn set_line(&mut self, now: Duration, line: Option<Line>) {
        if self.line == line {
            return;
        }
        self.line = line;
        self.prepare();
        self.talking = false;
        if line.is_some() {
            self.started_at.get_or_insert(now);
            self.wake(now);
        } else {
            self.next_at = None;
            self.tone = None;
        }
    }

    pub(crate) fn set_voice(&mut self, voice: Voice) {
        self.voice = voice;
        self.sample_at = 0;
        self.prepare();
    }

    pub(crate) fn set_muted(&mut self, muted: bool) {
        self.muted = muted;
        self.prepare();
    }

    pub(crate) fn set_mode(&mut self, now: Duration, mode: RtpMode) {
        self.mode = mode;
        self.talking = false;
        self.wake(now);
    }

    /// Queues digits; false when the other side takes none, a character is no digit, or the queue is full.
    pub(crate) fn dial(&mut self, now: Duration, digits: &str) -> bool {
        let codes: Option<Vec<u8>> = digits.chars().map(code_of).collect();
        let can = self.line.is_some_and(|line| line.event_type.is_some());
        match codes {
            Some(codes) if can && self.digits.len() + codes.len() <= DIGITS_MAX => {
                self.digits.extend(codes);
                self.wake(now);
                true
            }
            _ => false,
        }
    }

    pub(crate) fn poll_timeout(&self) -> Option<Duration> {
        self.next_at
    }

    /// The packet that is due, if one is.
    pub(crate) fn poll(&mut self, now: Duration) -> Option<Vec<u8>> {
        let (line, started_at) = (self.line?, self.started_at?);
        let due = self.next_at.filter(|at| *at <= now)?;
        // A late caller of this function gets the packets in order, but not a flood of old ones.
        let (slot_now, slot_due) = (slot_at(started_at, now), slot_at(started_at, due));
        let slot = if slot_now > slot_due + LAG_SLOTS_MAX { slot_now } else { slot_due };
        self.slot_free = slot + 1;
        let timestamp = self.timestamp_base.wrapping_add((slot * FRAME_SAMPLES as u64) as u32);
        let packet = self.tone_packet(line, timestamp).or_else(|| self.audio_packet(line, timestamp));
        let next_slot = match self.mode {
            _ if self.tone.is_some() || !self.digits.is_empty() => Some(slot + 1),
            RtpMode::Off => None,
            RtpMode::Full => Some(slot + 1),
            RtpMode::Sparse { every_ms } => Some(slot + u64::from(every_ms.div_ceil(20).max(1))),
        };
        self.next_at = next_slot.map(|slot| slot_start(started_at, slot));
        packet
    }

    /// Makes the next slot due, unless there is nothing to send.
    fn wake(&mut self, now: Duration) {
        let Some(started_at) = self.started_at.filter(|_| self.line.is_some()) else { return };
        if self.mode == RtpMode::Off && self.digits.is_empty() && self.tone.is_none() {
            self.next_at = None;
            return;
        }
        let elapsed = now.saturating_sub(started_at);
        let slot = (elapsed.as_nanos().div_ceil(SLOT.as_nanos()) as u64).max(self.slot_free);
        let at = slot_start(started_at, slot);
        self.next_at = Some(self.next_at.map_or(at, |next| next.min(at)));
    }

    fn tone_packet(&mut self, line: Line, timestamp: u32) -> Option<Vec<u8>> {
        let event_type = line.event_type?;
        if self.tone.is_some_and(|tone| tone.sent >= DIGIT_REPORTS - 1 + DIGIT_ENDS) {
            let tone = self.tone.as_mut()?;
            tone.sent += 1;
            if tone.sent <= DIGIT_REPORTS - 1 + DIGIT_ENDS + DIGIT_PAUSE {
                return None;
            }
            self.tone = None;
        }
        if self.tone.is_none() {
            let code = self.digits.pop_front()?;
            self.tone = Some(Tone { code, timestamp, sent: 0 });
        }
        let tone = self.tone.as_mut()?;
        tone.sent += 1;
        let ended = tone.sent >= DIGIT_REPORTS;
        let duration = u16::from(tone.sent.min(DIGIT_REPORTS)) * FRAME_SAMPLES as u16;
        // RFC 4733 §2.5.1.1: the marker is on the first packet only; all carry the first one's timestamp.
        let (code, timestamp, first) = (tone.code, tone.timestamp, tone.sent == 1);
        self.talking = false;
        let [high, low] = duration.to_be_bytes();
        let payload = [code, u8::from(ended) << 7 | 10, high, low];
        Some(self.packet(first, event_type, timestamp, &payload))
    }

    fn audio_packet(&mut self, line: Line, timestamp: u32) -> Option<Vec<u8>> {
        if self.mode == RtpMode::Off {
            return None;
        }
        let frame = if let (Voice::Samples(samples), false) = (&self.voice, self.muted) {
            let length = samples.len().max(1);
            let encode = |offset| samples.get((self.sample_at + offset) % length).copied().unwrap_or(0);
            let frame = (0..FRAME_SAMPLES).map(|offset| line.codec.encode(encode(offset))).collect();
            self.sample_at = (self.sample_at + FRAME_SAMPLES) % length;
            frame
        } else {
            self.frame.clone()
        };
        let first = !std::mem::replace(&mut self.talking, true);
        Some(self.packet(first, line.payload_type, timestamp, &frame))
    }

    fn packet(&mut self, marker: bool, payload_type: u8, timestamp: u32, payload: &[u8]) -> Vec<u8> {
        self.sequence = self.sequence.wrapping_add(1);
        self.sent += 1;
        Packet { marker, payload_type, sequence: self.sequence, timestamp, ssrc: self.ssrc, payload }.print()
    }

    fn prepare(&mut self) {
        let Some(line) = self.line else { return };
        self.frame = match &self.voice {
            Voice::Signature(signature) if !self.muted => {
                signature.samples().iter().map(|sample| line.codec.encode(*sample)).collect()
            }
            _ => vec![line.codec.silence(); FRAME_SAMPLES],
        };
    }
}

fn slot_at(started_at: Duration, at: Duration) -> u64 {
    (at.saturating_sub(started_at).as_millis() / SLOT.as_millis()) as u64
}

fn slot_start(started_at: Duration, slot: u64) -> Duration {
    started_at + Duration::from_millis(slot * SLOT.as_millis() as u64)
}

/// RFC 4733 §3.2: the event codes of the sixteen digits.
pub(crate) const DIGITS: &str = "0123456789*#ABCD";

fn code_of(digit: char) -> Option<u8> {
    DIGITS.chars().position(|have| have == digit.to_ascii_uppercase()).map(|at| at as u8)
}
