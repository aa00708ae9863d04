//! What happens with offers: they are made, ring, and end.
//!
//! Knows: reserving both sides, the proof that goes out and comes back. Must never know: why this operator was chosen.

use std::time::Duration;

use crate::acd::Acd;
use crate::back_off::{BACK_OFF, REST};
use crate::contact::{Announce, Stage};
use crate::door::{ContactId, OfferFailure, OfferId, OfferReason, Output, Withdrawal};
use crate::offer::{self, Closing, Next, OFFER_RING_MIN, Offer};
use crate::operator::{Event, OperatorSlot};
use crate::proof::{Proof, Unproven, prove};
use crate::timers::Timer;

/// How many offer ids are written down as used at once; a restore skips the rest of them.
const OFFER_IDS_AT_ONCE: u64 = 1024;

impl Acd {
    /// Reserves both sides and has the phone rung. Whoever the index holds as eligible can be proved so; if not, nothing is
    /// offered.
    pub(super) fn make_offer(&mut self, id: ContactId, operator: OperatorSlot, reason: OfferReason) {
        let (Some(contact), Some(entry)) = (self.contacts.get(&id), self.operators.get(&operator)) else {
            return;
        };
        let offer = OfferId(self.next_offer);
        let Ok(proof) = prove(self.epoch, offer, id, contact.level, &entry.policy) else { return };
        let ring = self.lines.get(&contact.line).map_or(OFFER_RING_MIN, |line| line.policy.offer_ring);
        let deadline = self.now.saturating_add(ring.max(OFFER_RING_MIN));

        self.next_offer += 1;
        if self.next_offer > self.offers_reserved {
            self.offers_reserved = self.next_offer + OFFER_IDS_AT_ONCE;
            self.dirty.room = true;
        }
        self.leave_queue(id);
        if let Some(contact) = self.contacts.get_mut(&id) {
            contact.stage = Stage::Offered(offer);
        }
        self.dirty.contacts.insert(id);
        self.offers.insert(offer, Offer { contact: id, operator, deadline, stage: offer::Stage::Reserved });
        self.timers.set(Timer::Offer(offer), deadline);
        self.operator_event(operator, Event::OfferMade(id));
        self.step.push(Output::Offer { offer, proof, deadline, reason });
    }

    /// The operator's phone answered.
    pub(super) fn accepted(&mut self, proof: Proof) {
        let (id, operator) = (proof.offer(), proof.operator().clone());
        if !self.is_open(&proof) {
            let why = Withdrawal::TooLate;
            self.step.push(Output::OfferClosed { offer: id, operator, why });
            return;
        }
        let proven = if proof.epoch() == self.epoch { Ok(proof) } else { self.reprove(id) };
        match proven {
            Ok(proof) => self.connect(&proof),
            Err(_) => self.offer_event(id, offer::Event::Accepted { proven: false }),
        }
    }

    pub(super) fn failed(&mut self, proof: Proof, why: OfferFailure) {
        if self.is_open(&proof) {
            self.offer_event(proof.offer(), offer::Event::Failed(why));
        }
    }

    /// Whether this is the proof of an offer that is open still.
    fn is_open(&self, proof: &Proof) -> bool {
        self.offers.get(&proof.offer()).is_some_and(|offer| {
            offer.contact == proof.contact()
                && self
                    .operators
                    .get(&offer.operator)
                    .is_some_and(|entry| entry.policy.name == *proof.operator())
        })
    }

    /// Asks the hard constraints again about an open offer, under the plan as it is now.
    pub(super) fn reprove(&self, id: OfferId) -> Result<Proof, Unproven> {
        let parts = self.offers.get(&id).and_then(|offer| {
            Some((offer.contact, self.contacts.get(&offer.contact)?, self.operators.get(&offer.operator)?))
        });
        let (contact_id, contact, entry) = parts.ok_or(Unproven::NotAccredited)?;
        prove(self.epoch, id, contact_id, contact.level, &entry.policy)
    }

    /// Only a proof connects; by being asked for here it is asked for on every way to a connection.
    fn connect(&mut self, proof: &Proof) {
        let id = proof.offer();
        let Some(open) = self.offers.get(&id) else { return };
        let (contact_id, operator) = (open.contact, open.operator);
        debug_assert_eq!(
            offer::next(open.stage, offer::Event::Accepted { proven: true }),
            Next::Connect,
            "an open offer that is proven connects, whatever its stage"
        );
        self.offers.remove(&id);
        self.timers.cancel(&Timer::Offer(id));
        if let Some(contact) = self.contacts.get_mut(&contact_id) {
            contact.stage = Stage::Connected { operator, offer: id };
        }
        self.dirty.contacts.insert(contact_id);
        let name = proof.operator().clone();
        self.step.push(Output::Connected { offer: id, contact: contact_id, operator: name });
        self.operator_event(operator, Event::Connected);
    }

    /// Any event of an offer but a proven answer.
    pub(super) fn offer_event(&mut self, id: OfferId, event: offer::Event) {
        let Some(open) = self.offers.get_mut(&id) else { return };
        match offer::next(open.stage, event) {
            Next::Keep(stage) => {
                if open.stage != stage {
                    open.stage = stage;
                    self.dirty.contacts.insert(open.contact);
                }
            }
            // Only `accepted` brings the proof that a connection needs.
            Next::Connect => {}
            Next::Close(closing) => self.close_offer(id, closing),
        }
    }

    fn close_offer(&mut self, id: OfferId, closing: Closing) {
        let Some(Offer { contact, operator, .. }) = self.offers.remove(&id) else { return };
        self.timers.cancel(&Timer::Offer(id));
        let name = self.operators.get(&operator).map(|entry| entry.policy.name.clone());
        if let Some(name) = name {
            if let Some(why) = closing.withdrawn {
                self.step.push(Output::Withdrawn { offer: id, contact, operator: name.clone(), why });
            }
            if let Some(why) = closing.hung_up {
                self.step.push(Output::OfferClosed { offer: id, operator: name, why });
            }
        }
        if closing.back_off {
            let until = self.now.saturating_add(BACK_OFF);
            self.back_offs.begin(contact, operator, until);
            self.timers.set(Timer::BackOff(contact, operator), until);
        }
        if closing.rest {
            self.rest(operator, self.now.saturating_add(REST));
        }
        if let Some(end) = closing.end {
            self.operator_event(operator, Event::OfferOver(end));
        }
        if closing.waits_again {
            self.enqueue(contact, false, Announce::Nothing);
        }
    }

    /// How long she writes up after this contact.
    pub(super) fn wrap_up(&self, operator: OperatorSlot, contact: ContactId) -> Duration {
        let own = self.operators.get(&operator).and_then(|entry| entry.policy.wrap_up);
        own.or_else(|| {
            let contact = self.contacts.get(&contact)?;
            Some(self.lines.get(&contact.line)?.policy.wrap_up)
        })
        .unwrap_or_default()
    }
}
