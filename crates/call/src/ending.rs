//! How a call ends, and who ended it: from the wire, never from what a screen says.
//!
//! Knows: the first proof. Must never guess: an end that nobody can prove is `Unknown`.

use std::time::Duration;

use facts::ContactId;
use facts::event::{EndCause, EndProof, EndedBy, EventKind, Leg, Menu, MenuExit, OperatorLeaveReason};
use media::{LegId, LegStats};
use sip::{DialogId, Reason};

use crate::contact::{Call, Edge, Ending, Side, Stage};
use crate::engine::Engine;
use crate::words;

/// How long an ended call waits for its media legs' accounts before its end is said without them.
const ACCOUNTS_DUE_MAX: Duration = Duration::from_secs(2);
/// What the trunk is told when an operator's side or Vigie ends an unanswered call without a status of its own.
const TEMPORARILY_UNAVAILABLE: u16 = 480;

impl Engine {
    /// A dialog is over, by the wire.
    pub(crate) fn dialog_ended(
        &mut self,
        now: Duration,
        dialog: DialogId,
        by: sip::EndedBy,
        reason: Option<&Reason>,
    ) {
        match self.dialogs.remove(&dialog) {
            Some(Side::Trunk(contact)) => {
                let (ended_by, cause) = words::trunk_end(by, reason);
                self.end_call(now, contact, ended_by, cause);
            }
            Some(Side::Operator(contact)) => self.operator_ended(now, contact, dialog, by, reason),
            Some(Side::Feature(dialog)) => self.end_feature_call(now, dialog),
            None => {}
        }
    }

    fn operator_ended(
        &mut self,
        now: Duration,
        contact: ContactId,
        dialog: DialogId,
        by: sip::EndedBy,
        reason: Option<&Reason>,
    ) {
        let Some(call) = self.calls.get_mut(&contact) else { return };
        let Some(operator) = call.operator.as_mut().filter(|operator| operator.dialog == dialog) else {
            return;
        };
        let hung_up = matches!(by, sip::EndedBy::Bye | sip::EndedBy::Cancel);
        if operator.connected && hung_up {
            let operator = operator.name.clone().into();
            let reason_left = OperatorLeaveReason::HungUp;
            self.fact(now, Some(contact), EventKind::OperatorLeft { operator, reason: reason_left });
            let cause = words::cause(EndProof::Bye, reason);
            self.end_call(now, contact, EndedBy::Operator, cause);
        } else if operator.connected {
            self.operator_lost(now, contact, words::lost(by));
        } else if let Some(proof) = operator.proof.take() {
            // Answered and gone before the distributor was done with it: she cannot be had.
            let (offer, name) = (operator.offer, operator.name.clone());
            self.fact_offer_ended(now, contact, offer, &name, facts::event::OfferOutcome::DeviceGone);
            self.drop_operator(now, contact);
            self.acd.handle(now, acd::Input::Failed { proof, why: acd::OfferFailure::DeviceGone });
        }
    }

    /// One side's session makes no sense any more (an unusable description after the fact): that side is ended.
    pub(crate) fn end_side(&mut self, now: Duration, dialog: DialogId) {
        match self.dialogs.get(&dialog).copied() {
            Some(Side::Trunk(contact)) => {
                self.end_call(
                    now,
                    contact,
                    EndedBy::Network,
                    EndCause::bare(EndProof::Failure { status: 488 }),
                );
            }
            Some(Side::Operator(contact)) => self.operator_lost(now, contact, OperatorLeaveReason::MediaLost),
            Some(Side::Feature(dialog)) => self.end_feature_call(now, dialog),
            None => {}
        }
    }

    /// The call is over: everybody is let go at once; the fact is said when the media legs have given their accounts.
    pub(crate) fn end_call(&mut self, now: Duration, contact: ContactId, by: EndedBy, cause: EndCause) {
        let Some(call) = self.calls.get_mut(&contact) else { return };
        if call.is_over() {
            return;
        }
        let in_menu = matches!(call.stage, Stage::Choosing(_));
        let ending = Ending { at: Some(now), by, cause: cause.clone() };
        call.stage = Stage::Over(ending);
        let (dialog, leg, edge, trunk) = (call.dialog, call.leg, call.edge, call.trunk.clone());
        let talks = call.operator.as_ref().is_some_and(|operator| operator.connected);
        if in_menu {
            let exit = EventKind::MenuLeft { menu: Menu::Language, exit: MenuExit::CallerGone };
            self.fact(now, Some(contact), exit);
        }
        if let Some(calls) = self.calls_by_trunk.get_mut(&trunk) {
            *calls = calls.saturating_sub(1);
        }
        // Her phone hears of this end before it hears of the next caller: one with a single line would be busy else.
        if talks {
            self.drop_operator(now, contact);
        }
        // An offer that still rings is withdrawn by the distributor, as `ContactGone`.
        self.acd.handle(now, acd::Input::Gone { contact: acd::ContactId(contact.0) });
        while let Some(decision) = self.acd.poll_output() {
            self.on_acd(now, decision);
        }
        self.drop_operator(now, contact);
        if self.dialogs.remove(&dialog).is_some() {
            match cause.proof {
                EndProof::Failure { status } if edge != Edge::Answered => {
                    self.sip.reject(now, dialog, status, None)
                }
                _ if edge != Edge::Answered => self.sip.reject(now, dialog, TEMPORARILY_UNAVAILABLE, None),
                _ => self.sip.end(now, dialog, None),
            }
        }
        self.media.release(now, leg);
        self.clear_alarm(now, contact);
        self.set_nobody_deadline(contact, None);
        self.set_deadline(contact, Some(now + ACCOUNTS_DUE_MAX));
    }

    /// A media leg is released; its account belongs into the call's record.
    pub(crate) fn released(&mut self, now: Duration, leg: LegId, stats: &LegStats) {
        self.probed.remove(&leg);
        let contact = match self.legs.remove(&leg) {
            Some(Side::Trunk(contact) | Side::Operator(contact)) => contact,
            Some(Side::Feature(_)) | None => return,
        };
        let Some(call) = self.calls.get_mut(&contact) else { return };
        let Some(due) = call.accounts_due.remove(&leg) else { return };
        let last = call.is_over() && call.accounts_due.is_empty();
        if due.codec_said || stats.received + stats.sent > 0 {
            let side = due.operator.map_or(Leg::Caller, |name| Leg::Operator(name.into()));
            let (received, sent) = words::stream_stats(stats);
            self.fact(now, Some(contact), EventKind::MediaStats { leg: side, received, sent });
        }
        if last {
            self.close(now, contact);
        }
    }

    /// Says the end and forgets the call.
    pub(crate) fn close(&mut self, now: Duration, contact: ContactId) {
        self.set_deadline(contact, None);
        let Some(Call { stage: Stage::Over(ending), leg, accounts_due, .. }) = self.calls.remove(&contact)
        else {
            return;
        };
        self.legs.remove(&leg);
        for leg in accounts_due.into_keys() {
            self.legs.remove(&leg);
        }
        let at = ending.at.unwrap_or(now);
        self.fact(at, Some(contact), EventKind::Ended { by: ending.by, cause: ending.cause });
        self.touch(contact);
    }

    /// The program stops: what still lives is ended decently, and said to be so.
    pub(crate) fn stop(&mut self, now: Duration) {
        self.draining = true;
        let contacts: Vec<ContactId> = self.calls.keys().copied().collect();
        for contact in contacts {
            self.end_call(now, contact, EndedBy::Vigie, EndCause::bare(EndProof::Restart));
            self.close(now, contact);
        }
        let features: Vec<DialogId> = self.feature_calls.keys().copied().collect();
        for dialog in features {
            self.end_feature_call(now, dialog);
        }
        self.fact(now, None, EventKind::EngineStopped);
    }
}
