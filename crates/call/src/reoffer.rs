//! A live call changes: hold and resume from either side, the trunk's refresh, silence.
//!
//! Knows: which side asked. Must never know: how descriptions are compared; media does.

use std::time::Duration;

use bytes::Bytes;
use facts::ContactId;
use facts::event::{EventKind, Leg, OperatorLeaveReason, Party};
use media::{Direction, LegId};
use sip::DialogId;

use crate::contact::{Edge, Side, Stage};
use crate::engine::Engine;
use crate::words;

/// A leg that was never heard says little by its silence: a phone that was muted from the start, a load test without
/// sound. It is asked only after this time.
const NEVER_HEARD_PATIENCE: Duration = Duration::from_secs(300);
/// RFC 3261 §21.4.26: the session stays as it was.
const NOT_ACCEPTABLE_HERE: u16 = 488;

impl Engine {
    /// A re-INVITE or UPDATE from a peer.
    pub(crate) fn reoffered(&mut self, now: Duration, dialog: DialogId, sdp: Option<&Bytes>) {
        let Some(leg) = self.leg_of(dialog) else {
            return self.sip.reject_reoffer(now, dialog, NOT_ACCEPTABLE_HERE);
        };
        let Some(sdp) = sdp else {
            // RFC 3261 §14.2: no offer in it, so ours goes into the 200.
            return match self.media.offer(now, leg, Direction::SendRecv) {
                Ok(offer) => self.sip.answer_reoffer(now, dialog, offer),
                Err(_) => self.sip.reject_reoffer(now, dialog, NOT_ACCEPTABLE_HERE),
            };
        };
        match self.media.reoffered(now, leg, sdp) {
            Ok((answer, negotiated)) => {
                self.sip.answer_reoffer(now, dialog, answer);
                self.direction_changed(now, dialog, negotiated.direction);
            }
            Err(_) => self.sip.reject_reoffer(now, dialog, NOT_ACCEPTABLE_HERE),
        }
    }

    /// What a new direction of a peer means for the call: hold, or the end of it.
    pub(crate) fn direction_changed(&mut self, now: Duration, dialog: DialogId, direction: Direction) {
        let holds = direction.is_hold();
        match self.dialogs.get(&dialog).copied() {
            Some(Side::Trunk(contact)) => {
                let Some(call) = self.calls.get_mut(&contact) else { return };
                if std::mem::replace(&mut call.held_by_caller, holds) != holds {
                    self.fact_hold(now, contact, Party::Caller, holds);
                }
            }
            Some(Side::Operator(contact)) => {
                let Some(call) = self.calls.get(&contact) else { return };
                let Some(operator) = call.operator.as_ref().filter(|operator| operator.connected) else {
                    return;
                };
                let by = Party::Operator(operator.name.clone().into());
                if call.held_by_operator != holds {
                    self.operator_holds(now, contact, holds);
                    self.fact_hold(now, contact, by, holds);
                }
            }
            Some(Side::Feature(_)) | None => {}
        }
    }

    fn fact_hold(&mut self, now: Duration, contact: ContactId, by: Party, holds: bool) {
        self.fact(now, Some(contact), if holds { EventKind::Held { by } } else { EventKind::Resumed { by } });
        self.touch(contact);
    }

    /// A leg that says nothing at all: ask its peer whether the dialog still lives. Whoever answers stays, however
    /// silent; a helpline call is never ended for silence alone. An operator's phone that gives no answer by the next
    /// time, and is still silent, is gone: SIP's own patience (32 s) is longer than that of the caller who hears
    /// nothing. A caller keeps SIP's patience; she may only be in a tunnel.
    pub(crate) fn silent(&mut self, now: Duration, leg: LegId, silent_for: Duration, ever: bool) {
        let Some((contact, side, dialog)) = self.leg_side(leg) else { return };
        let by_operator = matches!(side, Leg::Operator(_));
        let first = self.settings.media.silence.is_some_and(|every| silent_for < every.saturating_mul(2));
        if first {
            self.probed.remove(&leg);
            self.silence_facts(now, contact, side, silent_for, ever);
        }
        if !ever && silent_for < NEVER_HEARD_PATIENCE {
            return;
        }
        if self.probed.insert(leg) {
            self.sip.probe(now, dialog);
        } else if by_operator {
            self.operator_lost(now, contact, OperatorLeaveReason::MediaLost);
        }
    }

    fn silence_facts(
        &mut self,
        now: Duration,
        contact: ContactId,
        leg: Leg,
        silent_for: Duration,
        ever: bool,
    ) {
        let talks = self.calls.get(&contact).is_some_and(|call| {
            matches!(call.stage, Stage::Talking) && !call.held_by_caller && !call.held_by_operator
        });
        if talks && !ever {
            let missing = facts::event::Direction::Received;
            self.fact(now, Some(contact), EventKind::OneWayAudio { leg: leg.clone(), missing });
        }
        self.fact(now, Some(contact), EventKind::MediaSilence { leg, silent_for });
    }

    /// The peer of a probed leg answered.
    pub(crate) fn alive(&mut self, dialog: DialogId) {
        if let Some(leg) = self.leg_of(dialog) {
            self.probed.remove(&leg);
        }
    }

    /// Latching, rejected sources, troubles: facts for the administrator.
    pub(crate) fn media_fact(&mut self, now: Duration, event: &media::Event) {
        let (media::Event::Latched { leg, .. }
        | media::Event::SourceRejected { leg, .. }
        | media::Event::Trouble { leg, .. }) = event
        else {
            return;
        };
        let Some((contact, side, _)) = self.leg_side(*leg) else { return };
        if let Some(kind) = words::media_fact(event, side) {
            self.fact(now, Some(contact), kind);
        }
    }

    /// A live leg's call, side and dialog.
    fn leg_side(&self, leg: LegId) -> Option<(ContactId, Leg, DialogId)> {
        match self.legs.get(&leg).copied()? {
            Side::Trunk(contact) => {
                let call = self.calls.get(&contact)?;
                let live = call.edge == Edge::Answered && !matches!(call.stage, Stage::Over(_));
                live.then_some((contact, Leg::Caller, call.dialog))
            }
            Side::Operator(contact) => {
                let operator = self.calls.get(&contact)?.operator.as_ref()?;
                let side = Leg::Operator(operator.name.clone().into());
                (operator.leg == leg && operator.connected).then_some((contact, side, operator.dialog))
            }
            Side::Feature(_) => None,
        }
    }

    /// The media leg of a live dialog.
    pub(crate) fn leg_of(&self, dialog: DialogId) -> Option<LegId> {
        match self.dialogs.get(&dialog).copied()? {
            Side::Trunk(contact) => self.calls.get(&contact).map(|call| call.leg),
            Side::Operator(contact) => {
                let operator = self.calls.get(&contact)?.operator.as_ref()?;
                (operator.dialog == dialog).then_some(operator.leg)
            }
            Side::Feature(dialog) => self.feature_calls.get(&dialog).map(|call| call.leg),
        }
    }
}
