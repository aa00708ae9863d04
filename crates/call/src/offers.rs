//! An offer becomes an operator's ringing phone, and her answer a bridge.
//!
//! Knows: the operator's leg. Must never know: why she was chosen; that is the distributor's. The proof that an offer
//! carries is kept with the leg and handed back with the outcome, never copied.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use facts::ContactId;
use facts::event::{EventKind, OfferOutcome, OperatorLeaveReason};
use media::Allocate;
use sip::{Callee, DialogId, Invite};

use crate::announcements::Tag;
use crate::contact::{AccountDue, OperatorSide, Side, Stage};
use crate::engine::Engine;
use crate::settings::Name;
use crate::words;

/// RFC 3261 §21.4.26: what an answer without a usable description amounts to.
const NOT_ACCEPTABLE_HERE: u16 = 488;

impl Engine {
    pub(crate) fn offer(
        &mut self,
        now: Duration,
        offer: acd::OfferId,
        proof: acd::proof::Proof,
        deadline: Duration,
        reason: &acd::OfferReason,
    ) {
        let contact = ContactId(proof.contact().0);
        let operator: Name = proof.operator().clone();
        let employer = self.employer_of(&operator);
        self.fact(
            now,
            Some(contact),
            EventKind::OfferMade {
                offer: words::offer(offer),
                operator: operator.clone().into(),
                employer,
                ring: reason.ring,
                ring_time_max: deadline.saturating_sub(now),
                reason: words::offer_reason(reason),
            },
        );
        let Some(side) = self.ring(now, contact, &operator, offer) else {
            let why = acd::OfferFailure::Internal;
            self.fact_offer_ended(now, contact, offer, &operator, OfferOutcome::Withdrawn);
            return self.acd.handle(now, acd::Input::Failed { proof, why });
        };
        self.offers.insert(offer, contact);
        self.dialogs.insert(side.dialog, Side::Operator(contact));
        self.legs.insert(side.leg, Side::Operator(contact));
        if let Some(call) = self.calls.get_mut(&contact) {
            let due = AccountDue { operator: Some(operator.clone()), codec_said: false };
            call.accounts_due.insert(side.leg, due);
            call.operator = Some(OperatorSide { proof: Some(proof), ..side });
        }
        self.touch(contact);
    }

    /// A media leg beside the caller's, and the INVITE. `None`: we lack something of our own.
    fn ring(
        &mut self,
        now: Duration,
        contact: ContactId,
        operator: &Name,
        offer: acd::OfferId,
    ) -> Option<OperatorSide> {
        let call = self.calls.get(&contact)?;
        let line = self.lookup.line(&self.settings, &call.line)?;
        let policy = self.lookup.operator(&self.settings, operator)?;
        // What her display shows: the line and the language, and never anything of the caller.
        let shown = match &call.language {
            Some(language) => format!("{} ({language})", line.display),
            None => line.display.to_string(),
        };
        let from_user = line.name.clone();
        // Which of her phones will answer, and from where, is known only when it does; until then the address in its
        // description is all that may speak.
        let allocate = Allocate {
            media_from: match &policy.media_from {
                crate::MediaFromPolicy::Networks(networks) => media::MediaFrom::Networks(networks.clone()),
                _ => media::MediaFrom::Signalled,
            },
            offer: None,
            partner: Some(call.leg),
            ipv6: self.sip.contacts_use_ipv6(operator),
            codecs: Vec::new(),
        };
        let allocated = self.media.allocate(now, allocate).ok()?;
        let invite = Invite {
            to: Callee::Account(operator.clone()),
            from_display: shown.into(),
            from_user,
            offer: Some(allocated.sdp),
            headers: Vec::new(),
        };
        let dialog = self.sip.invite(now, invite);
        let name = operator.clone();
        Some(OperatorSide {
            offer,
            name,
            dialog,
            leg: allocated.leg,
            proof: None,
            ringing: false,
            connected: false,
        })
    }

    pub(crate) fn operator_progress(
        &mut self,
        now: Duration,
        dialog: DialogId,
        status: u16,
        sdp: Option<&Bytes>,
    ) {
        let Some((contact, operator)) = self.operator_side(dialog) else { return };
        let (offer, name, leg) = (operator.offer, operator.name.clone(), operator.leg);
        let rings = status >= 180 && !std::mem::replace(&mut operator.ringing, true);
        if let Some(sdp) = sdp {
            // Early media of a phone is not bridged to the caller; a description that can't be read now may be
            // readable in the final answer, which decides.
            let _ = self.media.answered(now, leg, sdp, None);
        }
        if rings {
            self.acd.handle(now, acd::Input::Ringing { offer });
            let offer = words::offer(offer);
            self.fact(now, Some(contact), EventKind::OfferRinging { offer, operator: name.into() });
            self.touch(contact);
        }
    }

    pub(crate) fn operator_answered(
        &mut self,
        now: Duration,
        dialog: DialogId,
        sdp: Option<&Bytes>,
        source: SocketAddr,
    ) {
        let Some((contact, operator)) = self.operator_side(dialog) else { return };
        let (offer, name, leg) = (operator.offer, operator.name.clone(), operator.leg);
        let Some(proof) = operator.proof.take() else { return };
        let policy = self.lookup.operator(&self.settings, &name);
        let media_from = policy.map(|policy| policy.media_from.resolve(source.ip()));
        let agreed = sdp.map(|sdp| self.media.answered(now, leg, sdp, media_from));
        if matches!(agreed, Some(Ok(_))) {
            self.acd.handle(now, acd::Input::Accepted { proof });
        } else {
            self.fact_offer_ended(
                now,
                contact,
                offer,
                &name,
                OfferOutcome::Refused { status: NOT_ACCEPTABLE_HERE },
            );
            self.drop_operator(now, contact);
            self.acd.handle(now, acd::Input::Failed { proof, why: acd::OfferFailure::Internal });
        }
        self.touch(contact);
    }

    pub(crate) fn operator_failed(
        &mut self,
        now: Duration,
        dialog: DialogId,
        status: u16,
        device_gone: bool,
    ) {
        let Some((contact, operator)) = self.operator_side(dialog) else { return };
        let (offer, name, proof) = (operator.offer, operator.name.clone(), operator.proof.take());
        self.drop_operator(now, contact);
        let Some(proof) = proof else { return };
        let (why, outcome) = match status {
            _ if device_gone => (acd::OfferFailure::DeviceGone, OfferOutcome::DeviceGone),
            // RFC 3261 §21.4.9: the phone itself gave up ringing.
            408 => (acd::OfferFailure::NoAnswer, OfferOutcome::TimedOut),
            status => (acd::OfferFailure::Refused(status), OfferOutcome::Refused { status }),
        };
        self.fact_offer_ended(now, contact, offer, &name, outcome);
        self.acd.handle(now, acd::Input::Failed { proof, why });
    }

    /// The distributor bridges them.
    pub(crate) fn connected(&mut self, now: Duration, offer: acd::OfferId) {
        let Some(contact) = self.offers.get(&offer).copied() else { return };
        let Some(call) = self.calls.get_mut(&contact) else { return };
        let Some(operator) = call.operator.as_mut().filter(|operator| operator.offer == offer) else {
            return;
        };
        operator.connected = true;
        let (name, operator_leg, leg, level) = (operator.name.clone(), operator.leg, call.leg, call.level);
        call.stage = Stage::Talking;
        call.answered_at.get_or_insert(now);
        self.set_deadline(contact, None);
        self.answer_trunk(now, contact);
        self.media.stop(now, leg);
        self.media.bridge(now, leg, operator_leg);
        self.fact_offer_ended(now, contact, offer, &name, OfferOutcome::Accepted);
        let employer = self.employer_of(&name);
        self.fact(
            now,
            Some(contact),
            EventKind::AnsweredByOperator {
                offer: Some(words::offer(offer)),
                operator: name.clone().into(),
                employer,
                level: words::level(level),
            },
        );
        self.fact_codec(now, contact, facts::event::Leg::Caller, leg);
        self.fact_codec(now, contact, facts::event::Leg::Operator(name.into()), operator_leg);
        self.clear_alarm(now, contact);
    }

    /// The distributor took an offer back, or does not let an answer count.
    pub(crate) fn offer_over(&mut self, now: Duration, offer: acd::OfferId, why: acd::Withdrawal) {
        let Some(contact) = self.offers.remove(&offer) else { return };
        let Some(call) = self.calls.get_mut(&contact) else { return };
        let Some(operator) = call.operator.as_ref().filter(|operator| operator.offer == offer) else {
            return;
        };
        let name = operator.name.clone();
        if operator.connected {
            let reason = words::leave_reason(why);
            self.fact(now, Some(contact), EventKind::OperatorLeft { operator: name.into(), reason });
        } else {
            self.fact_offer_ended(now, contact, offer, &name, words::withdrawal(why));
        }
        self.drop_operator(now, contact);
    }

    /// The operator's leg is given up, whatever it was doing; the contact's own fate is decided elsewhere.
    pub(crate) fn drop_operator(&mut self, now: Duration, contact: ContactId) {
        let Some(call) = self.calls.get_mut(&contact) else { return };
        let leg = call.leg;
        let Some(operator) = call.operator.take() else { return };
        call.held_by_operator = false;
        self.offers.remove(&operator.offer);
        self.dialogs.remove(&operator.dialog);
        self.sip.end(now, operator.dialog, None);
        if operator.connected {
            self.media.unbridge(now, leg);
        }
        self.media.release(now, operator.leg);
        self.touch(contact);
    }

    /// The operator's leg was lost without her doing: the caller goes to the front of the queue.
    pub(crate) fn operator_lost(&mut self, now: Duration, contact: ContactId, reason: OperatorLeaveReason) {
        let Some(call) = self.calls.get_mut(&contact) else { return };
        let Some(operator) = &call.operator else { return };
        let operator = operator.name.clone().into();
        self.fact(now, Some(contact), EventKind::OperatorLeft { operator, reason });
        self.drop_operator(now, contact);
        self.acd.handle(now, acd::Input::OperatorLost { contact: acd::ContactId(contact.0) });
    }

    /// The operator holds or takes back: the caller hears music, or her again.
    pub(crate) fn operator_holds(&mut self, now: Duration, contact: ContactId, holds: bool) {
        let Some(call) = self.calls.get_mut(&contact) else { return };
        let leg = call.leg;
        if std::mem::replace(&mut call.held_by_operator, holds) == holds {
            return;
        }
        if holds {
            self.play_music(now, contact, Tag::Hold);
        } else {
            self.media.stop(now, leg);
        }
        self.touch(contact);
    }

    fn operator_side(&mut self, dialog: DialogId) -> Option<(ContactId, &mut OperatorSide)> {
        let Some(Side::Operator(contact)) = self.dialogs.get(&dialog).copied() else { return None };
        let operator = self.calls.get_mut(&contact)?.operator.as_mut()?;
        (operator.dialog == dialog).then_some((contact, operator))
    }
}
