//! An operator dials a feature code: her own call, answered, confirmed aloud, ended.
//!
//! Knows: codes and confirmations. Must never do: anything that the same command by another way would not.

use std::time::Duration;

use facts::event::EventKind;
use media::{Allocate, LegId, Playlist};
use sip::{DialogId, Incoming};

use crate::announcements::{Tag, in_language};
use crate::contact::Side;
use crate::door::{Actor, Command};
use crate::engine::{Engine, RecordKey, Timer};
use crate::settings::{FeatureAction, Name};
use crate::words;

/// RFC 3261 §21.4.4: an operator's phone may dial feature codes and nothing else.
const FORBIDDEN: u16 = 403;
/// RFC 3261 §21.4.18: the program is about to stop.
const TEMPORARILY_UNAVAILABLE: u16 = 480;
/// A confirmation that never reports its end does not keep the line longer.
const CONFIRMATION_MAX: Duration = Duration::from_secs(15);
/// Base names of prompts for codes that lead nowhere or are refused.
const WRONG_CODE: &str = "wrong-code";
const REFUSED: &str = "call-refused";

/// An operator's call to a feature code.
#[derive(Debug)]
pub(crate) struct FeatureCall {
    pub leg: LegId,
    pub deadline: Duration,
}

impl Engine {
    pub(crate) fn feature_call(&mut self, now: Duration, account: &Name, incoming: Incoming) {
        if self.draining {
            return self.sip.reject(now, incoming.dialog, TEMPORARILY_UNAVAILABLE, None);
        }
        if !incoming.request_user.starts_with('*') {
            let by = facts::event::Actor::Operator(account.clone().into());
            let (command, reason) = ("dial".into(), "operators' phones dial feature codes only".into());
            self.fact(now, None, EventKind::CommandRefused { by, command, reason });
            return self.sip.reject(now, incoming.dialog, FORBIDDEN, None);
        }
        let policy = self.lookup.operator(&self.settings, account);
        let media_from = policy
            .map_or(media::MediaFrom::Signalled, |policy| policy.media_from.resolve(incoming.source.ip()));
        let language = policy.map_or_else(|| Name::from("en"), |policy| policy.language.clone());
        let allocate = Allocate {
            media_from,
            offer: incoming.offer.clone(),
            partner: None,
            ipv6: incoming.source.is_ipv6(),
            codecs: Vec::new(),
        };
        let allocated = match self.media.allocate(now, allocate) {
            Ok(allocated) => allocated,
            Err(error) => {
                let (status, _) = words::media_refusal(&error);
                return self.sip.reject(now, incoming.dialog, status, None);
            }
        };
        let confirmation = self.feature(now, account, &incoming.request_user);
        self.sip.answer(now, incoming.dialog, allocated.sdp);
        let deadline = now + CONFIRMATION_MAX;
        self.dialogs.insert(incoming.dialog, Side::Feature(incoming.dialog));
        self.legs.insert(allocated.leg, Side::Feature(incoming.dialog));
        self.feature_calls.insert(incoming.dialog, FeatureCall { leg: allocated.leg, deadline });
        self.timers.insert((deadline, Timer::Feature(incoming.dialog)));
        self.dirty.insert(RecordKey::Feature(incoming.dialog));
        let prompts = vec![in_language(&confirmation, &language)];
        let tag = Tag::Confirmation as u32;
        self.media.play(now, allocated.leg, Playlist { prompts, repeat: false, gap: Duration::ZERO, tag });
    }

    /// Does what the code says and returns the base name of what is said of it.
    fn feature(&mut self, now: Duration, account: &Name, code: &str) -> Name {
        let Some(feature) = self.lookup.feature(&self.settings, code).cloned() else {
            return WRONG_CODE.into();
        };
        let FeatureAction::State(command) = feature.action;
        let command = Command::Operator { operator: account.clone(), command };
        match self.execute(now, &Actor::Phone(account.clone()), command) {
            Ok(()) => feature.confirmation,
            Err(_) => REFUSED.into(),
        }
    }

    pub(crate) fn end_feature_call(&mut self, now: Duration, dialog: DialogId) {
        let Some(FeatureCall { leg, deadline }) = self.feature_calls.remove(&dialog) else { return };
        self.timers.remove(&(deadline, Timer::Feature(dialog)));
        self.dirty.insert(RecordKey::Feature(dialog));
        self.legs.remove(&leg);
        self.media.release(now, leg);
        self.dialogs.remove(&dialog);
        self.sip.end(now, dialog, None);
    }
}
