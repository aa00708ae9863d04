//! The control door: legs, their descriptions and ports, what plays and who is bridged; no packets.
//!
//! Knows: both doors' types. Must never know: sockets, SIP.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;

use crate::{
    Allocate, Allocated, Counts, Direction, Event, Input, LegId, MediaError, MediaFrom, Negotiated, Output,
    Playlist, Settings,
};

/// The engine's side of the media plane.
pub struct Control {
    settings: Settings,
    outputs: VecDeque<Output>,
}

impl Control {
    /// An empty media plane.
    pub fn new(_now: Duration, settings: Settings, _seed: [u8; 32]) -> Self {
        Self { settings, outputs: VecDeque::new() }
    }
    /// Takes new settings. Workers, ports and bound addresses are those of the start.
    pub fn reconfigure(&mut self, _now: Duration, settings: Settings) {
        self.settings = settings;
    }
    /// A new leg: our answer to their offer, or our offer.
    pub fn allocate(&mut self, _now: Duration, _request: Allocate) -> Result<Allocated, MediaError> {
        Err(MediaError::NoPorts)
    }
    /// Their answer to our offer.
    pub fn answered(
        &mut self,
        _now: Duration,
        _leg: LegId,
        _sdp: &Bytes,
        _media_from: Option<MediaFrom>,
    ) -> Result<Negotiated, MediaError> {
        Err(MediaError::NoSuchLeg)
    }
    /// Their new offer; our answer.
    pub fn reoffered(
        &mut self,
        _now: Duration,
        _leg: LegId,
        _sdp: &Bytes,
    ) -> Result<(Bytes, Negotiated), MediaError> {
        Err(MediaError::NoSuchLeg)
    }
    /// Our new offer; `direction` as we state it.
    pub fn offer(&mut self, _now: Duration, _leg: LegId, _direction: Direction) -> Result<Bytes, MediaError> {
        Err(MediaError::NoSuchLeg)
    }
    /// What was negotiated last.
    pub fn negotiated(&self, _leg: LegId) -> Option<Negotiated> {
        None
    }
    /// Each hears the other; stops what plays.
    pub fn bridge(&mut self, _now: Duration, _a: LegId, _b: LegId) {}
    /// Ends the leg's bridge.
    pub fn unbridge(&mut self, _now: Duration, _leg: LegId) {}
    /// Plays, instead of what it played.
    pub fn play(&mut self, _now: Duration, _leg: LegId, _playlist: Playlist) {}
    /// Stops playing.
    pub fn stop(&mut self, _now: Duration, _leg: LegId) {}
    /// Ends the leg.
    pub fn release(&mut self, _now: Duration, _leg: LegId) {}
    /// What comes in.
    pub fn handle(&mut self, _now: Duration, input: Input) {
        if let Input::Worker { event: crate::WorkerEvent::Released { leg, stats }, .. } = input {
            self.outputs.push_back(Output::Event(Event::Released { leg, stats }));
        }
    }
    /// What goes out; drain after every call.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }
    /// When `Input::Timeout` is due.
    pub fn poll_timeout(&self) -> Option<Duration> {
        None
    }
    /// What is live.
    pub fn counts(&self) -> Counts {
        Counts::default()
    }
    /// Everything worth keeping, as `Output::Persist` said it piece by piece.
    pub fn records(&self) -> Vec<(u64, Bytes)> {
        Vec::new()
    }
    /// From those records; unreadable ones are skipped.
    pub fn restore(
        now: Duration,
        settings: Settings,
        seed: [u8; 32],
        _records: impl IntoIterator<Item = (u64, Bytes)>,
    ) -> Self {
        Self::new(now, settings, seed)
    }
}
