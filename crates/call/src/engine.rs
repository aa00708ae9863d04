//! The engine itself: the three rooms, the calls between them, and the pump that carries words from room to room.
//!
//! Knows: whose output goes where. Must never know: policy; that is in the modules named in each arm.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use facts::event::EventKind;
use facts::{ContactId, Fact};
use media::LegId;
use sip::DialogId;

use crate::contact::{Call, Side};
use crate::door::{Counts, Input, Output, Room};
use crate::feature::FeatureCall;
use crate::lookup::Lookup;
use crate::settings::{Name, Settings};

/// A record key of this room: contacts have theirs from their number, feature calls from their dialog's.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum RecordKey {
    Contact(ContactId),
    Feature(DialogId),
}

/// What a timer of this room is for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Timer {
    /// A call's own; see [`Call::deadline`].
    Stage(ContactId),
    /// Nobody has been eligible for a call for as long as its line allows.
    Nobody(ContactId),
    /// A feature code's confirmation never ended.
    Feature(DialogId),
}

/// SIP, media and distribution as one deterministic machine. See the crate's documentation for the contract.
pub struct Engine {
    pub(crate) sip: sip::Endpoint,
    pub(crate) media: media::Control,
    pub(crate) acd: acd::Acd,
    pub(crate) settings: Settings,
    pub(crate) lookup: Lookup,
    pub(crate) calls: BTreeMap<ContactId, Call>,
    pub(crate) feature_calls: BTreeMap<DialogId, FeatureCall>,
    pub(crate) dialogs: BTreeMap<DialogId, Side>,
    pub(crate) legs: BTreeMap<LegId, Side>,
    pub(crate) offers: BTreeMap<acd::OfferId, ContactId>,
    pub(crate) operator_states: BTreeMap<Name, acd::OperatorState>,
    pub(crate) calls_by_trunk: BTreeMap<Name, usize>,
    /// Silent legs whose peers were asked whether they live, and have not answered.
    pub(crate) probed: BTreeSet<LegId>,
    pub(crate) timers: BTreeSet<(Duration, Timer)>,
    pub(crate) dirty: BTreeSet<RecordKey>,
    pub(crate) next_contact: u64,
    pub(crate) draining: bool,
    outputs: VecDeque<Output>,
}

impl Engine {
    /// An engine with nothing in it. `first_contact` is above every number that the journal has seen.
    pub fn new(now: Duration, settings: Settings, seed: [u8; 32], first_contact: u64) -> Self {
        let sip = sip::Endpoint::new(now, settings.sip.clone(), derive(seed, 1));
        let media = media::Control::new(now, settings.media.clone(), derive(seed, 2));
        let acd = acd::Acd::new(now, settings.plan.clone());
        let mut engine = Self::assemble(settings, sip, media, acd, first_contact);
        engine.announce_devices(now);
        engine.settle(now);
        engine
    }

    pub(crate) fn assemble(
        settings: Settings,
        sip: sip::Endpoint,
        media: media::Control,
        acd: acd::Acd,
        first_contact: u64,
    ) -> Self {
        Self {
            sip,
            media,
            acd,
            lookup: Lookup::new(&settings),
            settings,
            calls: BTreeMap::new(),
            feature_calls: BTreeMap::new(),
            dialogs: BTreeMap::new(),
            legs: BTreeMap::new(),
            offers: BTreeMap::new(),
            operator_states: BTreeMap::new(),
            calls_by_trunk: BTreeMap::new(),
            probed: BTreeSet::new(),
            timers: BTreeSet::new(),
            dirty: BTreeSet::new(),
            next_contact: first_contact.max(1),
            draining: false,
            outputs: VecDeque::new(),
        }
    }

    /// One step: takes an input and works it through all rooms. Drain [`Engine::poll_output`] afterwards.
    pub fn handle(&mut self, now: Duration, input: Input) {
        match input {
            Input::Sip(input) => self.sip.handle(now, input),
            Input::Media { worker, event } => self.media.handle(now, media::Input::Worker { worker, event }),
            Input::Command { token, actor, command } => self.command(now, token, &actor, command),
            Input::Wall { unix_micros_at_epoch } => {
                self.acd.handle(
                    now,
                    acd::Input::Wall { unix_ms_at_epoch: unix_micros_at_epoch.div_euclid(1000) },
                );
            }
            Input::Reload(settings) => self.reload(now, *settings),
            Input::Drain => {
                self.draining = true;
                self.fact(now, None, EventKind::EngineDraining);
            }
            Input::Stop => self.stop(now),
            Input::Timeout => self.timeout(now),
        }
        self.settle(now);
    }

    /// What the shell is to do, in order.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When to come back with [`Input::Timeout`].
    pub fn poll_timeout(&self) -> Option<Duration> {
        let own = self.timers.first().map(|(at, _)| *at);
        [own, self.sip.poll_timeout(), self.media.poll_timeout(), self.acd.poll_timeout()]
            .into_iter()
            .flatten()
            .min()
    }

    /// What lives.
    pub fn counts(&self) -> Counts {
        Counts {
            calls: self.calls.len() + self.feature_calls.len(),
            sip: self.sip.counts(),
            media: self.media.counts(),
            acd: self.acd.counts(),
        }
    }

    /// A distributor's view for checkers: an operator's state.
    pub fn operator_state(&self, name: &str) -> Option<&acd::OperatorState> {
        self.operator_states.get(name)
    }

    fn timeout(&mut self, now: Duration) {
        let due = |deadline: Option<Duration>| deadline.is_some_and(|at| at <= now);
        if due(self.sip.poll_timeout()) {
            self.sip.handle(now, sip::Input::Timeout);
        }
        if due(self.media.poll_timeout()) {
            self.media.handle(now, media::Input::Timeout);
        }
        if due(self.acd.poll_timeout()) {
            self.acd.handle(now, acd::Input::Timeout);
        }
        while let Some((_, timer)) = self.timers.first().copied().filter(|(at, _)| *at <= now) {
            self.timers.pop_first();
            match timer {
                Timer::Stage(contact) => self.call_deadline(now, contact),
                Timer::Nobody(contact) => self.nobody_came(now, contact),
                Timer::Feature(dialog) => self.end_feature_call(now, dialog),
            }
        }
    }

    fn reload(&mut self, now: Duration, settings: Settings) {
        self.sip.reconfigure(now, settings.sip.clone());
        self.media.reconfigure(now, settings.media.clone());
        self.acd.reconfigure(now, settings.plan.clone());
        self.lookup = Lookup::new(&settings);
        self.settings = settings;
        self.announce_devices(now);
    }

    /// Carries words from room to room until all are quiet. Each word is answered by finitely many, so it ends.
    pub(crate) fn settle(&mut self, now: Duration) {
        loop {
            if let Some(output) = self.acd.poll_output() {
                self.on_acd(now, output);
            } else if let Some(output) = self.sip.poll_output() {
                self.on_sip(now, output);
            } else if let Some(output) = self.media.poll_output() {
                self.on_media(now, output);
            } else {
                break;
            }
        }
        self.write_records();
    }

    pub(crate) fn on_acd(&mut self, now: Duration, output: acd::Output) {
        use acd::Output as Decision;
        match output {
            Decision::Admitted { contact, languages } => self.admitted(now, ContactId(contact.0), &languages),
            Decision::Dissuaded { contact, why } => self.dissuaded(now, ContactId(contact.0), why),
            Decision::Queued { contact, level, language, returned, .. } => {
                self.queued(now, ContactId(contact.0), level, language, returned);
            }
            Decision::Offer { offer, proof, deadline, reason } => {
                self.offer(now, offer, proof, deadline, &reason)
            }
            Decision::Withdrawn { offer, contact: _, operator: _, why }
            | Decision::OfferClosed { offer, operator: _, why } => self.offer_over(now, offer, why),
            Decision::Connected { offer, .. } => self.connected(now, offer),
            Decision::LastResort { contact } => self.last_resort(now, ContactId(contact.0)),
            Decision::NobodyEligible { contact, .. } => self.nobody_eligible(now, ContactId(contact.0)),
            Decision::OperatorState { operator, state, cause } => {
                self.operator_changed(now, operator, state, cause)
            }
            Decision::LineState { line, open, by_hand } => self.line_changed(now, line, open, by_hand),
            Decision::Persist { key, record } => self.push(Output::Persist { room: Room::Acd, key, record }),
        }
    }

    fn on_sip(&mut self, now: Duration, output: sip::Output) {
        self.push(match output {
            sip::Output::Event(event) => return self.on_sip_event(now, event),
            sip::Output::Datagram { local, remote, bytes } => Output::Datagram { local, remote, bytes },
            sip::Output::StreamConnect { stream, transport, remote } => {
                Output::StreamConnect { stream, transport, remote }
            }
            sip::Output::StreamWrite { stream, bytes } => Output::StreamWrite { stream, bytes },
            sip::Output::StreamClose { stream } => Output::StreamClose { stream },
            sip::Output::Resolve { job, host } => Output::Resolve { job, host },
            sip::Output::Persist { key, record } => Output::Persist { room: Room::Sip, key, record },
        });
    }

    fn on_sip_event(&mut self, now: Duration, event: sip::Event) {
        use sip::Event;
        match event {
            Event::Incoming(incoming) => self.incoming(now, incoming),
            Event::Progress { dialog, status, sdp } => {
                self.operator_progress(now, dialog, status, sdp.as_ref())
            }
            Event::Answered { dialog, sdp, source } => {
                self.operator_answered(now, dialog, sdp.as_ref(), source)
            }
            Event::Failed { dialog, status, device_gone, .. } => {
                self.operator_failed(now, dialog, status, device_gone);
            }
            Event::Acknowledged { dialog, sdp } => self.acknowledged(now, dialog, sdp.as_ref()),
            Event::Reoffer { dialog, sdp } => self.reoffered(now, dialog, sdp.as_ref()),
            Event::ReofferAnswered { dialog, sdp } => self.acknowledged(now, dialog, sdp.as_ref()),
            Event::Alive { dialog } => self.alive(dialog),
            Event::ReofferFailed { .. } => {}
            Event::Ended { dialog, by, reason } => self.dialog_ended(now, dialog, by, reason.as_ref()),
            Event::Digit { dialog, digit } => {
                if let Some(Side::Trunk(contact)) = self.dialogs.get(&dialog).copied() {
                    self.digit(now, contact, digit);
                }
            }
            Event::Bindings { account, contacts, change } => self.bindings(now, account, contacts, change),
            Event::TrunkAlive { trunk, alive } => self.trunk_alive(now, &trunk, alive),
            Event::Notice(notice) => self.notice(now, notice),
        }
    }

    fn on_media(&mut self, now: Duration, output: media::Output) {
        match output {
            media::Output::Command { worker, command } => self.push(Output::Media { worker, command }),
            media::Output::Persist { key, record } => {
                self.push(Output::Persist { room: Room::Media, key, record })
            }
            media::Output::Event(event) => self.on_media_event(now, event),
        }
    }

    fn on_media_event(&mut self, now: Duration, event: media::Event) {
        use media::Event;
        match event {
            Event::Digit { leg, digit } => {
                if let Some(Side::Trunk(contact)) = self.legs.get(&leg).copied() {
                    self.digit(now, contact, digit);
                }
            }
            Event::PlayDone { leg, tag } => match self.legs.get(&leg).copied() {
                Some(Side::Trunk(contact)) => self.play_done(now, contact, tag),
                Some(Side::Feature(dialog)) => self.end_feature_call(now, dialog),
                Some(Side::Operator(_)) | None => {}
            },
            Event::Silent { leg, since, ever } => self.silent(now, leg, since, ever),
            Event::Released { leg, stats } => self.released(now, leg, &stats),
            Event::Latched { .. } | Event::SourceRejected { .. } | Event::Trouble { .. } => {
                self.media_fact(now, &event);
            }
        }
    }

    // ---- small tools for the other modules

    pub(crate) fn push(&mut self, output: Output) {
        self.outputs.push_back(output);
    }

    pub(crate) fn fact(&mut self, now: Duration, contact: Option<ContactId>, kind: EventKind) {
        self.push(Output::Fact(Fact { now, contact, kind }));
    }

    /// Sets, moves or clears a call's own timer.
    pub(crate) fn set_deadline(&mut self, contact: ContactId, deadline: Option<Duration>) {
        let Some(call) = self.calls.get_mut(&contact) else { return };
        let before = std::mem::replace(&mut call.deadline, deadline);
        self.move_timer(Timer::Stage(contact), before, deadline);
        self.touch(contact);
    }

    /// Sets or clears the timer of a call that nobody may take.
    pub(crate) fn set_nobody_deadline(&mut self, contact: ContactId, deadline: Option<Duration>) {
        let Some(call) = self.calls.get_mut(&contact) else { return };
        let before = std::mem::replace(&mut call.nobody_deadline, deadline);
        self.move_timer(Timer::Nobody(contact), before, deadline);
        self.touch(contact);
    }

    fn move_timer(&mut self, timer: Timer, before: Option<Duration>, after: Option<Duration>) {
        if let Some(at) = before {
            self.timers.remove(&(at, timer));
        }
        if let Some(at) = after {
            self.timers.insert((at, timer));
        }
    }

    pub(crate) fn touch(&mut self, contact: ContactId) {
        self.dirty.insert(RecordKey::Contact(contact));
    }
}

/// One seed a room, so that no two rooms draw the same numbers.
pub(crate) fn derive(mut seed: [u8; 32], room: u8) -> [u8; 32] {
    seed[0] ^= room;
    seed
}
