//! Which event goes to which contact, and when a contact's record is complete.
//!
//! Knows: open contacts, and which operators still write up. Must never know: how a contact's own times
//! add up (that is `open`).

use std::collections::{BTreeMap, BTreeSet, btree_map};
use std::time::Duration;

use super::open::OpenContact;
use super::{Cdr, CdrStep};
use crate::event::{EndCause, EndProof, EndedBy, Event, EventKind, OperatorState};
use crate::ids::{ContactId, OperatorName};
use crate::time::UnixMicros;

/// A record waits this long after its contact's end for what belongs to it, and no longer: an operator
/// who writes up for more than that has forgotten to say so.
pub const SETTLE_MAX: Duration = Duration::from_secs(3600);

/// Attempts kept in a record; a contact that was offered more often is counted on.
pub const OFFERS_KEPT_MAX: usize = 64;

/// Folds events into records.
///
/// Memory: one entry a contact that is open or not settled. The engine's cap of calls bounds the first,
/// [`SETTLE_MAX`] the second.
#[derive(Debug, Clone, Default)]
pub struct CdrFold {
    contacts: BTreeMap<ContactId, Entry>,
    /// Who may still add to a contact that is over; and the last state of each operator.
    operators: BTreeMap<OperatorName, OperatorEntry>,
    /// Ended contacts in the order of their end, for [`SETTLE_MAX`].
    ended: BTreeSet<(UnixMicros, ContactId)>,
    /// The last event of all: until then the program was alive.
    last_event_at: UnixMicros,
    /// That, as it was when the program last started.
    alive_until: UnixMicros,
}

#[derive(Debug, Clone)]
struct Entry {
    open: OpenContact,
    first_seq: u64,
    /// The program restarted, and nothing was heard of the contact since.
    in_doubt: bool,
    ended: Option<Ended>,
}

#[derive(Debug, Clone)]
struct Ended {
    at: UnixMicros,
    by: EndedBy,
    cause: EndCause,
}

#[derive(Debug, Clone, Default)]
struct OperatorEntry {
    busy: bool,
    contact: Option<ContactId>,
}

impl CdrFold {
    /// Knows nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The next event. Says at most one [`CdrStep::Ended`] and one [`CdrStep::Settled`] a contact; most
    /// events say nothing, a restart may say many.
    pub fn apply(&mut self, event: &Event) -> Vec<CdrStep> {
        let mut steps = Vec::new();
        self.settle_old(event.at, &mut steps);
        let alive_until = self.last_event_at;
        self.last_event_at = alive_until.max(event.at);
        match &event.kind {
            EventKind::EngineStarted { .. } => self.doubt_all(alive_until),
            EventKind::EngineRestored { .. } => self.end_doubtful(&mut steps),
            EventKind::OperatorState { operator, state, .. } => {
                self.operator_state(operator, state, &mut steps)
            }
            EventKind::WrapUpStarted { operator, .. } => self.wrap_up_started(operator, event),
            EventKind::WrapUpEnded { operator, .. } => self.wrap_up_ended(operator, event, &mut steps),
            _ => {
                if let Some(contact) = event.contact {
                    self.contact_event(contact, event, &mut steps);
                }
            }
        }
        steps
    }

    /// Everything at and after this number is needed to fold again what is not settled; none if
    /// everything is.
    pub fn horizon(&self) -> Option<u64> {
        self.contacts.values().map(|entry| entry.first_seq).min()
    }

    /// Contacts that are not over.
    pub fn open_contacts(&self) -> usize {
        self.contacts.values().filter(|entry| entry.ended.is_none()).count()
    }

    /// Records of contacts that are over but not settled, as far as they are known.
    pub fn unsettled(&self) -> impl Iterator<Item = Cdr> + '_ {
        self.contacts.iter().filter_map(|(contact, entry)| entry.cdr(*contact))
    }

    /// Contacts that are not settled.
    #[cfg(test)]
    pub(super) fn contacts_known(&self) -> BTreeSet<ContactId> {
        self.contacts.keys().copied().collect()
    }

    fn contact_event(&mut self, contact: ContactId, event: &Event, steps: &mut Vec<CdrStep>) {
        let entry = match self.contacts.entry(contact) {
            btree_map::Entry::Occupied(entry) => entry.into_mut(),
            btree_map::Entry::Vacant(vacant) => match OpenContact::begin(event) {
                Some(open) => {
                    vacant.insert(Entry { open, first_seq: event.seq, in_doubt: false, ended: None })
                }
                // Its beginning was folded and settled before, or was lost; there is nothing to add to.
                None => return,
            },
        };
        entry.in_doubt = false;
        match &event.kind {
            EventKind::Ended { by, cause } => self.end(contact, event.at, *by, cause.clone(), steps),
            EventKind::AnsweredByOperator { operator, .. } => {
                entry.open.apply(event);
                let slot = self.operators.entry(operator.clone()).or_default();
                let before = slot.contact.replace(contact);
                slot.busy = true;
                if let Some(before) = before.filter(|before| *before != contact) {
                    self.settle_if_complete(before, steps);
                }
            }
            EventKind::MediaStats { .. } => {
                entry.open.apply(event);
                self.settle_if_complete(contact, steps);
            }
            EventKind::Restored(so_far) => {
                entry.open.apply(event);
                if let Some((operator, _)) = &so_far.operator {
                    let slot = OperatorEntry { busy: true, contact: Some(contact) };
                    self.operators.insert(operator.clone(), slot);
                }
            }
            _ => entry.open.apply(event),
        }
    }

    fn operator_state(&mut self, operator: &OperatorName, state: &OperatorState, steps: &mut Vec<CdrStep>) {
        let busy = matches!(state, OperatorState::InContact | OperatorState::WrapUp);
        let slot = self.operators.entry(operator.clone()).or_default();
        slot.busy = busy;
        // While the contact goes on, a state that comes early says nothing about it yet.
        let over = slot
            .contact
            .is_some_and(|contact| self.contacts.get(&contact).is_none_or(|entry| entry.ended.is_some()));
        if !busy && over {
            self.release(operator, steps);
        }
    }

    /// Writing up belongs to the contact the event names, or else to the last one she answered.
    fn wrap_up_started(&mut self, operator: &OperatorName, event: &Event) {
        let slot = self.operators.entry(operator.clone()).or_default();
        slot.contact = event.contact.or(slot.contact);
        slot.busy = true;
        if let Some(entry) = slot.contact.and_then(|contact| self.contacts.get_mut(&contact)) {
            entry.open.wrap_up_started(operator, event.at);
        }
    }

    fn wrap_up_ended(&mut self, operator: &OperatorName, event: &Event, steps: &mut Vec<CdrStep>) {
        let last = self.operators.get(operator).and_then(|slot| slot.contact);
        if let Some(entry) = event.contact.or(last).and_then(|contact| self.contacts.get_mut(&contact)) {
            entry.open.wrap_up_ended(operator, event.at);
        }
        let over =
            last.is_some_and(|contact| self.contacts.get(&contact).is_none_or(|entry| entry.ended.is_some()));
        if over {
            self.release(operator, steps);
        } else if let Some(slot) = self.operators.get_mut(operator) {
            // The contact's end may be told later than it happened.
            slot.busy = false;
        }
    }

    /// The operator has nothing more to add to her last contact.
    fn release(&mut self, operator: &OperatorName, steps: &mut Vec<CdrStep>) {
        let contact = self.operators.get_mut(operator).and_then(|slot| {
            slot.busy = false;
            slot.contact.take()
        });
        if let Some(contact) = contact {
            self.settle_if_complete(contact, steps);
        }
    }

    fn end(
        &mut self,
        contact: ContactId,
        at: UnixMicros,
        by: EndedBy,
        cause: EndCause,
        steps: &mut Vec<CdrStep>,
    ) {
        let Some(entry) = self.contacts.get_mut(&contact) else { return };
        if entry.ended.is_some() {
            return;
        }
        entry.open.end(at);
        entry.ended = Some(Ended { at, by, cause });
        self.ended.insert((at, contact));
        self.forget_operators(contact, |slot| !slot.busy);
        if self.complete(contact) {
            self.settle(contact, steps);
        } else if let Some(cdr) = self.contacts.get(&contact).and_then(|entry| entry.cdr(contact)) {
            steps.push(CdrStep::Ended(Box::new(cdr)));
        }
    }

    fn complete(&self, contact: ContactId) -> bool {
        let adds = |operator| self.operators.get(operator).is_some_and(|slot| slot.contact == Some(contact));
        self.contacts.get(&contact).is_some_and(|entry| {
            entry.ended.is_some() && entry.open.media_complete() && !entry.open.operators().any(adds)
        })
    }

    /// Of the operators of a contact, those of whom `which` says so have nothing more to add to it.
    fn forget_operators(&mut self, contact: ContactId, which: impl Fn(&OperatorEntry) -> bool) {
        let Some(entry) = self.contacts.get(&contact) else { return };
        for operator in entry.open.operators() {
            if let Some(slot) = self.operators.get_mut(operator).filter(|slot| slot.contact == Some(contact))
                && which(slot)
            {
                slot.contact = None;
            }
        }
    }

    fn settle_if_complete(&mut self, contact: ContactId, steps: &mut Vec<CdrStep>) {
        if self.complete(contact) {
            self.settle(contact, steps);
        }
    }

    fn settle(&mut self, contact: ContactId, steps: &mut Vec<CdrStep>) {
        let Some(entry) = self.contacts.remove(&contact) else { return };
        let Some(cdr) = entry.cdr(contact) else { return };
        self.ended.remove(&(cdr.ended_at, contact));
        steps.push(CdrStep::Settled(Box::new(cdr)));
    }

    fn settle_old(&mut self, now: UnixMicros, steps: &mut Vec<CdrStep>) {
        while let Some((at, contact)) = self.ended.first().copied() {
            if now.since(at) < SETTLE_MAX {
                break;
            }
            self.forget_operators(contact, |_| true);
            self.settle(contact, steps);
        }
    }

    fn doubt_all(&mut self, alive_until: UnixMicros) {
        self.alive_until = alive_until;
        for entry in self.contacts.values_mut() {
            entry.in_doubt = entry.ended.is_none();
        }
    }

    /// What the program does not go on with after a restart ended when the program did.
    fn end_doubtful(&mut self, steps: &mut Vec<CdrStep>) {
        let lost: Vec<_> = self
            .contacts
            .iter()
            .filter(|(_, entry)| entry.in_doubt && entry.ended.is_none())
            .map(|(contact, entry)| (*contact, entry.open.last_heard().max(self.alive_until)))
            .collect();
        for (contact, at) in lost {
            self.forget_operators(contact, |_| true);
            self.end(contact, at, EndedBy::Vigie, EndCause::bare(EndProof::Restart), steps);
        }
    }
}

impl Entry {
    fn cdr(&self, contact: ContactId) -> Option<Cdr> {
        let ended = self.ended.as_ref()?;
        Some(self.open.cdr(contact, ended.at, ended.by, ended.cause.clone()))
    }
}
