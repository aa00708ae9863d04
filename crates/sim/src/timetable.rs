//! Media threads as a timetable: prompts end when their length has passed, digits are noticed, nothing sounds.
//!
//! Knows: what the engine is to be told of a leg's life. Must never do: anything with sound. Months of a helpline would
//! be half a billion packets; this stands in for [`media::Worker`] there, and speaks the same words.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::time::Duration;

use media::{Command, Encoding, LegId, LegStats, WorkerEvent};

/// What falls due.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Due {
    PlayDone,
    Silent,
}

struct Leg {
    address: SocketAddr,
    event_type: Option<u8>,
    last_digit_at: Option<u32>,
    opened_at: Duration,
    playing: Option<(Duration, u32)>,
}

pub(crate) struct Timetable {
    silence: Option<Duration>,
    legs: BTreeMap<LegId, Leg>,
    by_address: BTreeMap<SocketAddr, LegId>,
    due: BTreeMap<(Duration, LegId, Due), ()>,
    events: VecDeque<WorkerEvent>,
}

impl Timetable {
    pub(crate) fn new(silence: Option<Duration>) -> Self {
        Self {
            silence,
            legs: BTreeMap::new(),
            by_address: BTreeMap::new(),
            due: BTreeMap::new(),
            events: VecDeque::new(),
        }
    }

    pub(crate) fn on_command(&mut self, now: Duration, command: Command) {
        match command {
            Command::Open { leg, address, .. } => {
                let state =
                    Leg { address, event_type: None, last_digit_at: None, opened_at: now, playing: None };
                self.legs.insert(leg, state);
                self.by_address.insert(address, leg);
                if let Some(silence) = self.silence {
                    self.due.insert((now + silence, leg, Due::Silent), ());
                }
            }
            Command::Configure { leg, stream, .. } => {
                let events = |format: &&media::PayloadFormat| format.encoding == Encoding::Events;
                if let Some(leg) = self.legs.get_mut(&leg) {
                    leg.event_type =
                        stream.receive_formats.iter().find(events).map(|format| format.payload_type);
                }
            }
            Command::Bridge { a, b } => {
                self.stop(a);
                self.stop(b);
            }
            Command::Play { leg, play } => {
                self.stop(leg);
                let length: Duration = play.prompts.iter().map(|prompt| prompt.length()).sum();
                let at = now + length;
                if let Some(state) = self.legs.get_mut(&leg).filter(|_| !play.repeat) {
                    state.playing = Some((at, play.tag));
                    self.due.insert((at, leg, Due::PlayDone), ());
                }
            }
            Command::Stop { leg } => self.stop(leg),
            Command::Release { leg } => {
                self.stop(leg);
                if let Some(state) = self.legs.remove(&leg) {
                    self.by_address.remove(&state.address);
                    self.due.retain(|(_, of, _), ()| *of != leg);
                }
                self.events.push_back(WorkerEvent::Released { leg, stats: LegStats::default() });
            }
            Command::Unbridge { .. } | Command::Reconfigure { .. } | Command::SocketFailed { .. } => {}
        }
    }

    fn stop(&mut self, leg: LegId) {
        if let Some((at, _)) = self.legs.get_mut(&leg).and_then(|state| state.playing.take()) {
            self.due.remove(&(at, leg, Due::PlayDone));
        }
    }

    /// A packet: only the end of a digit says anything (RFC 4733 §2.3).
    pub(crate) fn on_packet(&mut self, to: SocketAddr, packet: &[u8]) {
        const KEYS: &[u8] = b"0123456789*#ABCD";
        let Some(id) = self.by_address.get(&to) else { return };
        let Some(leg) = self.legs.get_mut(id) else { return };
        let (Some(head), Some(payload)) = (packet.first_chunk::<12>(), packet.get(12..14)) else { return };
        let timestamp = u32::from_be_bytes([head[4], head[5], head[6], head[7]]);
        let ends = payload[1] & 0x80 != 0;
        if Some(head[1] & 0x7f) != leg.event_type || !ends || leg.last_digit_at == Some(timestamp) {
            return;
        }
        leg.last_digit_at = Some(timestamp);
        if let Some(key) = KEYS.get(usize::from(payload[0])) {
            self.events.push_back(WorkerEvent::Digit { leg: *id, digit: char::from(*key) });
        }
    }

    pub(crate) fn poll(&mut self, now: Duration) {
        while let Some((&(at, leg, due), ())) = self.due.first_key_value().filter(|((at, ..), ())| *at <= now)
        {
            self.due.pop_first();
            let Some(state) = self.legs.get_mut(&leg) else { continue };
            match due {
                Due::PlayDone => {
                    if let Some((_, tag)) = state.playing.take() {
                        self.events.push_back(WorkerEvent::PlayDone { leg, tag });
                    }
                }
                Due::Silent => {
                    let since = at.saturating_sub(state.opened_at);
                    // As if it had been heard before: peers that live are asked again and again, and answer.
                    self.events.push_back(WorkerEvent::Silent { leg, since, ever: true });
                    if let Some(silence) = self.silence {
                        self.due.insert((at + silence, leg, Due::Silent), ());
                    }
                }
            }
        }
    }

    pub(crate) fn poll_timeout(&self) -> Option<Duration> {
        self.due.first_key_value().map(|((at, ..), ())| *at)
    }

    pub(crate) fn poll_event(&mut self) -> Option<WorkerEvent> {
        self.events.pop_front()
    }

    pub(crate) fn legs(&self) -> usize {
        self.legs.len()
    }
}
