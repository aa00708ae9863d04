//! How calls go on by themselves and how they end: plans by the clock, the wait for an ACK, BYE.
//!
//! It knows the ways out of every phase. It must never begin a call.

use crate::call::{Call, Cancel, Change, Phase, Plan};
use crate::dialog::Dialog;
use crate::phone::Phone;
use crate::transaction::{Purpose, T1, T1_64};
use crate::{CallId, End, Event, Refusal};
use std::time::Duration;

impl Phone {
    pub(crate) fn hang_up(
        &mut self,
        now: Duration,
        id: CallId,
        reason: Option<String>,
    ) -> Result<(), Refusal> {
        let call = self.calls.get_mut(&id).ok_or(Refusal::NoSuchCall)?;
        match &mut call.phase {
            Phase::Calling { cancel: Cancel::Wanted | Cancel::Sent, .. } => Err(Refusal::WrongState),
            Phase::Calling { branch, proceeding, cancel } => {
                call.plan = None;
                if *proceeding {
                    *cancel = Cancel::Sent;
                    call.plan = Some((now + T1_64, Plan::Abandon));
                    let branch = branch.clone();
                    self.send_cancel(now, &branch, reason.as_deref());
                } else {
                    *cancel = Cancel::Wanted;
                }
                Ok(())
            }
            Phase::Incoming { .. } => self.reject(now, id, 603, None),
            Phase::Established if call.farewell.is_some() => Err(Refusal::WrongState),
            // RFC 3261 §15: the called side must not send BYE before the ACK, or the wait for it, is over.
            Phase::Established if call.unacknowledged.is_some() => {
                call.farewell = Some(reason);
                Ok(())
            }
            Phase::Established => {
                self.say_goodbye(now, id, End::ByMe, reason);
                Ok(())
            }
        }
    }

    /// Sends BYE and closes the call.
    pub(crate) fn say_goodbye(&mut self, now: Duration, id: CallId, end: End, reason: Option<String>) {
        let Some(mut dialog) = self.calls.get(&id).map(|call| call.dialog.clone()) else { return };
        self.send_bye(now, &mut dialog, reason.as_deref());
        self.end_call(id, end, reason);
    }

    pub(crate) fn send_bye(&mut self, now: Duration, dialog: &mut Dialog, reason: Option<&str>) {
        let (mut bye, hop) = dialog.request("BYE");
        if let Some(reason) = reason {
            bye.push("Reason", reason);
        }
        bye.push("User-Agent", self.config.user_agent.clone());
        // With the table full the BYE is not sent; the other side's own checks then end the call.
        self.start_client(now, bye, hop, Purpose::Farewell, 0);
    }

    pub(crate) fn end_call(&mut self, id: CallId, end: End, reason: Option<String>) {
        if let Some(call) = self.calls.remove(&id) {
            self.event(Event::Ended { call: id, end, reason, media: call.report() });
        }
    }

    /// What is due in one call, its sound aside.
    pub(crate) fn run_call(&mut self, now: Duration, id: CallId) {
        self.await_ack(now, id);
        let Some(call) = self.calls.get_mut(&id) else { return };
        let Some((_, plan)) = call.plan.take_if(|(at, _)| *at <= now) else { return };
        // A plan that the call's state has overtaken is refused there, and rightly comes to nothing.
        let _ = match plan {
            Plan::GiveUp => self.hang_up(now, id, None),
            Plan::Accept => self.answer(now, id),
            Plan::Reject { status, contact } => self.reject(now, id, status, contact),
            Plan::Abandon => {
                self.end_call(id, End::Cancelled, None);
                Ok(())
            }
            Plan::Again(change) => self.start_change_again(now, id, change),
        };
    }

    /// A change put off by glare waits on while the other side's change is not over.
    fn start_change_again(&mut self, now: Duration, id: CallId, change: Change) -> Result<(), Refusal> {
        let done = self.start_change(now, id, change);
        if let (Err(Refusal::WrongState), Some(call)) = (&done, self.calls.get_mut(&id)) {
            call.plan = Some((now + T1, Plan::Again(change)));
        }
        done
    }

    fn await_ack(&mut self, now: Duration, id: CallId) {
        let Some(Call { unacknowledged: Some(waiting), farewell, .. }) = self.calls.get_mut(&id) else {
            return;
        };
        if waiting.ends_at <= now {
            // RFC 3261 §13.3.1.4: no ACK in 64·T1 ends the call with a BYE.
            let end = if farewell.is_some() { End::ByMe } else { End::Lost };
            let reason = farewell.take().flatten();
            self.say_goodbye(now, id, end, reason);
        } else if waiting.resend.at <= now {
            waiting.resend.advance(now, true);
            let (hop, bytes) = (waiting.hop, waiting.bytes.clone());
            self.transmit(hop, bytes);
        }
    }
}
