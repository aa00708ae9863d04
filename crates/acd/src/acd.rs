//! The distributor: one machine of contacts, offers, operators and lines.
//!
//! Knows: how an input goes through a step (due deadlines, the input itself, matching, records) and what is live. Must
//! never know: the clock, SIP, numbers. A step's records are told before its other outputs.

mod contacts;
mod lines;
mod matching;
mod offers;
mod operators;
mod reload;
mod restore;
mod state_records;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use bytes::Bytes;

use crate::back_off::BackOffs;
use crate::contact::Contact;
use crate::door::{
    CommandRefused, ContactId, Counts, Input, Name, OfferId, Operator, OperatorState, Output, Plan,
};
use crate::line::LineEntry;
use crate::offer::{self, Offer};
use crate::operator::{Duty, Event, OperatorSlot};
use crate::proof::Epoch;
use crate::queue::{Index, Standing};
use crate::records::Restored;
use crate::timers::{Timer, Timers};

/// The distributor.
///
/// `handle` once, `poll_output` until it is empty, then wait until `poll_timeout` or the next input.
#[derive(Debug)]
pub struct Acd {
    pub(crate) now: Duration,
    epoch: Epoch,
    unix_ms_at_epoch: Option<i64>,
    pub(crate) lines: BTreeMap<Name, LineEntry>,
    pub(crate) operators: BTreeMap<OperatorSlot, OperatorEntry>,
    slots: BTreeMap<Name, OperatorSlot>,
    next_slot: u64,
    pub(crate) contacts: BTreeMap<ContactId, Contact>,
    pub(crate) offers: BTreeMap<OfferId, Offer>,
    next_offer: u64,
    /// Offer ids below this are written down as used; a restore begins here.
    offers_reserved: u64,
    pub(crate) index: Index,
    next_alarm: u64,
    pub(crate) back_offs: BackOffs,
    timers: Timers,
    /// Contacts and operators for whom something changed in this step: only these are matched.
    touched: Touched,
    dirty: Dirty,
    step: Vec<Output>,
    outputs: VecDeque<Output>,
    /// Contacts and operators looked at by decisions so far.
    #[cfg(test)]
    pub(crate) examined: u64,
}

#[derive(Debug)]
pub(crate) struct OperatorEntry {
    pub(crate) policy: Operator,
    /// The plan no longer has her: she is offered nothing, and forgotten when her contact is over.
    pub(crate) retired: bool,
    pub(crate) duty: Duty,
    /// Offered nothing until then, though ready.
    pub(crate) rest_until: Option<Duration>,
    /// What the index holds of her.
    pub(crate) standing: Standing,
}

#[derive(Default, Debug)]
struct Touched {
    contacts: BTreeSet<ContactId>,
    operators: BTreeSet<OperatorSlot>,
}

#[derive(Default, Debug)]
struct Dirty {
    contacts: BTreeSet<ContactId>,
    operators: BTreeSet<OperatorSlot>,
    room: bool,
}

impl Acd {
    /// A distributor without contacts, all operators signed out.
    pub fn new(now: Duration, plan: Plan) -> Self {
        let mut acd = Self::empty(now, Epoch(1));
        acd.replan(plan);
        acd.refresh_lines();
        acd.finish_step();
        acd
    }

    fn empty(now: Duration, epoch: Epoch) -> Self {
        Self {
            now,
            epoch,
            unix_ms_at_epoch: None,
            lines: BTreeMap::new(),
            operators: BTreeMap::new(),
            slots: BTreeMap::new(),
            next_slot: 0,
            contacts: BTreeMap::new(),
            offers: BTreeMap::new(),
            next_offer: 0,
            offers_reserved: 0,
            index: Index::default(),
            next_alarm: 0,
            back_offs: BackOffs::default(),
            timers: Timers::default(),
            touched: Touched::default(),
            dirty: Dirty { room: true, ..Dirty::default() },
            step: Vec::new(),
            outputs: VecDeque::new(),
            #[cfg(test)]
            examined: 0,
        }
    }

    /// Replaces the plan and starts a new policy epoch. Open offers and connected contacts are proved again: whoever may
    /// no longer have her contact is told by `Withdrawn` or `OfferClosed`, and the contact goes back to the queue.
    pub fn reconfigure(&mut self, now: Duration, plan: Plan) {
        self.begin_step(now);
        self.epoch = Epoch(self.epoch.0 + 1);
        self.dirty.room = true;
        self.replan(plan);
        self.prove_again();
        self.forget_removed_operators();
        self.refresh_lines();
        self.settle();
        self.finish_step();
    }

    /// Takes one input. Deadlines that are due come first, whether or not `Timeout` was told.
    pub fn handle(&mut self, now: Duration, input: Input) {
        self.begin_step(now);
        match input {
            Input::Wall { unix_ms_at_epoch } => self.wall(unix_ms_at_epoch),
            Input::Arrived { contact, line } => self.arrived(contact, line),
            Input::Chose { contact, language } => self.chose(contact, language),
            Input::Gone { contact } => self.gone(contact),
            Input::Ringing { offer } => self.offer_event(offer, offer::Event::Ringing),
            Input::Accepted { proof } => self.accepted(proof),
            Input::Failed { proof, why } => self.failed(proof, why),
            Input::OperatorLost { contact } => self.operator_lost(contact),
            Input::Devices { operator, reachable } => {
                let event = if reachable { Event::PhoneReachable } else { Event::PhoneLost };
                self.operator_event_by_name(&operator, event);
            }
            Input::Operator { operator, command, by } => self.operator_command(&operator, command, by),
            Input::Line { line, command } => self.line_command(&line, command),
            Input::Timeout => {}
        }
        self.settle();
        self.finish_step();
    }

    /// Whether a command would be done; else why not. Asked before `handle`, so that who commands is told; `handle` itself
    /// passes over a refused command. Other inputs are never refused.
    pub fn check(&self, input: &Input) -> Result<(), CommandRefused> {
        match input {
            Input::Operator { operator, command, by } => self
                .operator_named(operator)
                .filter(|entry| !entry.retired)
                .ok_or(CommandRefused::UnknownOperator)?
                .duty
                .permits(command, *by),
            Input::Line { line, .. } => match self.lines.get(line) {
                Some(entry) if !entry.retired => Ok(()),
                _ => Err(CommandRefused::UnknownLine),
            },
            Input::Wall { .. }
            | Input::Arrived { .. }
            | Input::Chose { .. }
            | Input::Gone { .. }
            | Input::Ringing { .. }
            | Input::Accepted { .. }
            | Input::Failed { .. }
            | Input::OperatorLost { .. }
            | Input::Devices { .. }
            | Input::Timeout => Ok(()),
        }
    }

    /// The next decision, in order.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When to come with `Timeout`, if nothing comes before.
    pub fn poll_timeout(&self) -> Option<Duration> {
        self.timers.next()
    }

    /// What is live.
    pub fn counts(&self) -> Counts {
        Counts { contacts: self.contacts.len(), waiting: self.index.waiting(), offers: self.offers.len() }
    }

    /// An operator's state, if the plan has her.
    pub fn operator_state(&self, operator: &str) -> Option<&OperatorState> {
        self.operator_named(operator).map(|entry| &entry.duty.state)
    }

    /// Everything that is live, as `Persist` would tell it.
    pub fn records(&self) -> Vec<(u64, Bytes)> {
        self.all_records()
    }

    /// Comes back from records, under the plan as it is now: places, deadlines and states are kept, offers that still may
    /// be are open with new proofs. Poll the outputs at once: what may no longer be is told there.
    pub fn restore(
        now: Duration,
        plan: Plan,
        records: impl IntoIterator<Item = (u64, Bytes)>,
    ) -> (Self, Restored) {
        Self::from_records(now, plan, records)
    }

    #[cfg(test)]
    pub(crate) fn timers(&self) -> usize {
        self.timers.len()
    }

    fn operator_named(&self, name: &str) -> Option<&OperatorEntry> {
        self.operators.get(self.slots.get(name)?)
    }

    /// Time never goes back: an input that was read before another one's clock counts as simultaneous.
    fn begin_step(&mut self, now: Duration) {
        self.now = self.now.max(now);
        let due = self.timers.take_due(self.now);
        if !due.is_empty() {
            for timer in due {
                self.fire(timer);
            }
            self.settle();
        }
    }

    /// A deadline has come. What it was set for may have changed within this very step, so each asks again.
    fn fire(&mut self, timer: Timer) {
        match timer {
            Timer::Line(line) => self.refresh_line(&line),
            Timer::WrapUp(operator) => self.operator_event(operator, Event::WrapUpOver),
            Timer::Rest(operator) => self.rest_over(operator),
            Timer::Offer(offer) => self.offer_event(offer, offer::Event::Deadline),
            Timer::BackOff(contact, operator) => {
                self.back_offs.end(contact, operator);
                self.dirty.contacts.insert(contact);
                self.touched.operators.insert(operator);
            }
            Timer::Ring(contact) => self.ring_begins(contact),
            Timer::LastResort(contact) => self.last_resort(contact),
            Timer::Notices(demand) => self.notices(demand),
        }
    }

    fn finish_step(&mut self) {
        self.persist_dirty();
        self.outputs.extend(self.step.drain(..));
    }
}
