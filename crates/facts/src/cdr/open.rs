//! One contact while it is open: its times, its operators, its media.
//!
//! Knows: a contact runs one clock, and what is going on decides to which of its times each moment
//! counts. Must never know: other contacts.

use std::collections::BTreeSet;
use std::time::Duration;

use super::fold::OFFERS_KEPT_MAX;
use super::{Cdr, LegMedia, LevelTwo, OfferTried, OperatorPart, Outcome, Transfer, TransferOutcome};
use crate::event::{
    Caller, ClosedReason, ContactSoFar, DissuadedReason, EndCause, EndedBy, Event, EventKind, ExitReason,
    Leg, MenuChoice, OfferOutcome, TransferFailure, TransferTarget,
};
use crate::ids::{
    ContactId, EmployerName, Language, Level, LineName, OfferId, OperatorName, TrunkCallId, TrunkName,
};
use crate::time::UnixMicros;
use crate::word::Word;

/// Operators' parts, transfers and legs kept in a record: a contact that goes through more hands than
/// this is an accident, and its first ones tell it.
const PARTS_KEPT_MAX: usize = 32;

#[derive(Debug, Clone)]
pub(super) struct OpenContact {
    trunk: TrunkName,
    trunk_call_id: TrunkCallId,
    line: LineName,
    caller: Caller,
    redirected: bool,
    language: Option<Language>,
    level: Option<Level>,

    offered_at: UnixMicros,
    machine_answered_at: Option<UnixMicros>,
    queued_at: Option<UnixMicros>,
    first_offer_at: Option<UnixMicros>,
    answered_at: Option<UnixMicros>,

    /// Up to here the times below are counted.
    counted_to: UnixMicros,
    waiting: bool,
    wait: Duration,
    wait_again: Duration,
    ring: Duration,
    talk: Duration,
    hold: Duration,

    offers: Vec<OpenOffer>,
    offers_left_out: u32,
    parts: Vec<OpenPart>,
    holders: BTreeSet<String>,
    transfers: Vec<Transfer>,
    transfer_pending: bool,
    to_level_two: Option<LevelTwo>,

    closed: Option<ClosedReason>,
    dissuaded: Option<DissuadedReason>,
    exit: Option<ExitReason>,

    legs: Vec<LegMedia>,
    one_way_audio: bool,
    heard: bool,
}

#[derive(Debug, Clone)]
struct OpenOffer {
    tried: OfferTried,
    ringing_since: Option<UnixMicros>,
    over: bool,
}

#[derive(Debug, Clone)]
struct OpenPart {
    part: OperatorPart,
    present: bool,
    writing_since: Option<UnixMicros>,
}

impl OpenContact {
    /// Only a contact's offer, or its restoration, can begin it.
    pub(super) fn begin(event: &Event) -> Option<Self> {
        match &event.kind {
            EventKind::Offered { trunk, line, trunk_call_id, caller, redirected } => Some(Self::new(
                trunk.clone(),
                line.clone(),
                trunk_call_id.clone(),
                *caller,
                *redirected,
                event.at,
            )),
            EventKind::Restored(so_far) => Some(Self::new(
                so_far.trunk.clone(),
                so_far.line.clone(),
                so_far.trunk_call_id.clone(),
                so_far.caller,
                false,
                so_far.offered_at,
            )),
            _ => None,
        }
    }

    fn new(
        trunk: TrunkName,
        line: LineName,
        trunk_call_id: TrunkCallId,
        caller: Caller,
        redirected: bool,
        offered_at: UnixMicros,
    ) -> Self {
        Self {
            trunk,
            trunk_call_id,
            line,
            caller,
            redirected,
            language: None,
            level: None,
            offered_at,
            machine_answered_at: None,
            queued_at: None,
            first_offer_at: None,
            answered_at: None,
            counted_to: offered_at,
            waiting: false,
            wait: Duration::ZERO,
            wait_again: Duration::ZERO,
            ring: Duration::ZERO,
            talk: Duration::ZERO,
            hold: Duration::ZERO,
            offers: Vec::new(),
            offers_left_out: 0,
            parts: Vec::new(),
            holders: BTreeSet::new(),
            transfers: Vec::new(),
            transfer_pending: false,
            to_level_two: None,
            closed: None,
            dissuaded: None,
            exit: None,
            legs: Vec::new(),
            one_way_audio: false,
            heard: false,
        }
    }

    /// When the last event came.
    pub(super) fn last_heard(&self) -> UnixMicros {
        self.counted_to
    }

    pub(super) fn apply(&mut self, event: &Event) {
        // A contact's end may be told after later things were, its media totals for one: what changes
        // nothing about who talks and waits must not run the clock past that end.
        if !matches!(
            event.kind,
            EventKind::MediaStats { .. }
                | EventKind::CodecChosen { .. }
                | EventKind::MediaLatched { .. }
                | EventKind::MediaRejected { .. }
                | EventKind::MediaSilence { .. }
                | EventKind::OneWayAudio { .. }
                | EventKind::Alarm { .. }
        ) {
            self.count_to(event.at);
        }
        match &event.kind {
            EventKind::AnsweredByMachine => {
                self.machine_answered_at.get_or_insert(event.at);
            }
            EventKind::CallerHeard { .. } => self.heard = true,
            EventKind::MenuChosen { choice, .. } => match choice {
                MenuChoice::Language(language) => self.language = Some(language.clone()),
                MenuChoice::Level(level) => self.level = Some(*level),
                MenuChoice::Option(_) => {}
            },
            EventKind::Closed { reason } => self.closed = Some(*reason),
            EventKind::Dissuaded { reason } => self.dissuaded = Some(*reason),
            EventKind::Queued { line, level, language, .. } => self.queued(event.at, line, *level, language),
            EventKind::LeftQueue { reason } => {
                self.waiting = false;
                self.exit = Some(*reason);
            }
            EventKind::OfferMade { offer, operator, employer, .. } => {
                self.offer_made(event.at, *offer, operator, employer);
            }
            EventKind::OfferRinging { offer, .. } => {
                if let Some(open) = self.offer(*offer) {
                    open.ringing_since.get_or_insert(event.at);
                }
            }
            EventKind::OfferEnded { offer, outcome, .. } => {
                self.offer_ended(event.at, *offer, Some(*outcome))
            }
            EventKind::AnsweredByOperator { operator, employer, level, .. } => {
                self.answered(event.at, operator, employer, *level);
            }
            EventKind::OperatorLeft { operator, .. } => self.operator_left(operator),
            EventKind::Held { by } => {
                self.holders.insert(by.word().into_owned());
            }
            EventKind::Resumed { by } => {
                self.holders.remove(by.word().as_ref());
            }
            EventKind::TransferRequested { by, target, mode } => {
                if let TransferTarget::Queue { level: Level::Two, .. } = target {
                    self.level_two_requested(event.at);
                }
                if self.transfers.len() < PARTS_KEPT_MAX {
                    self.transfer_pending = true;
                    self.transfers.push(Transfer {
                        by: by.clone(),
                        target: target.clone(),
                        mode: *mode,
                        requested_at: event.at,
                        wait: Duration::ZERO,
                        outcome: TransferOutcome::Lost,
                    });
                }
            }
            EventKind::TransferCompleted { to, .. } => {
                self.transfer_over(event.at, TransferOutcome::Completed { to: to.clone() });
            }
            EventKind::TransferFailed { failure: TransferFailure::CallerGone, .. } => {
                self.transfer_over(event.at, TransferOutcome::Lost);
            }
            EventKind::TransferFailed { failure, .. } => {
                self.transfer_over(event.at, TransferOutcome::Failed(*failure));
            }
            EventKind::Escalated { to, .. } => {
                self.level = Some(*to);
                if *to == Level::Two {
                    self.level_two_requested(event.at);
                }
            }
            EventKind::Restored(so_far) => self.restored(so_far),
            EventKind::CodecChosen { leg, codec } => {
                if let Some(media) = self.leg(leg) {
                    media.codec = Some(codec.clone());
                }
            }
            EventKind::MediaStats { leg, received, sent } => {
                if let Some(media) = self.leg(leg) {
                    media.received = Some(*received);
                    media.sent = Some(*sent);
                }
            }
            EventKind::OneWayAudio { .. } => self.one_way_audio = true,
            _ => {}
        }
    }

    pub(super) fn wrap_up_started(&mut self, operator: &OperatorName, at: UnixMicros) {
        if let Some(open) = self.last_part(operator) {
            open.writing_since.get_or_insert(at);
        }
    }

    pub(super) fn wrap_up_ended(&mut self, operator: &OperatorName, at: UnixMicros) {
        if let Some(open) = self.last_part(operator)
            && let Some(since) = open.writing_since.take()
        {
            open.part.wrap_up += at.since(since);
        }
    }

    /// The contact is over: whatever still ran stops here.
    pub(super) fn end(&mut self, at: UnixMicros) {
        self.count_to(at);
        self.waiting = false;
        let running: Vec<_> =
            self.offers.iter().filter(|open| !open.over).map(|open| open.tried.offer).collect();
        for offer in running {
            self.offer_ended(at, offer, None);
        }
        if self.transfer_pending {
            self.transfer_over(at, TransferOutcome::Lost);
        }
        if let Some(two) = self.to_level_two.as_mut().filter(|two| !two.answered) {
            two.wait = at.since(two.requested_at);
        }
        for open in &mut self.parts {
            open.present = false;
        }
    }

    /// Who had a part in it.
    pub(super) fn operators(&self) -> impl Iterator<Item = &OperatorName> {
        self.parts.iter().map(|open| &open.part.operator)
    }

    /// Each leg that had a codec has its totals.
    pub(super) fn media_complete(&self) -> bool {
        self.legs.iter().all(|leg| leg.codec.is_none() || leg.received.is_some())
    }

    pub(super) fn cdr(&self, contact: ContactId, ended_at: UnixMicros, by: EndedBy, cause: EndCause) -> Cdr {
        Cdr {
            contact,
            trunk: self.trunk.clone(),
            trunk_call_id: self.trunk_call_id.clone(),
            line: self.line.clone(),
            caller: self.caller,
            redirected: self.redirected,
            language: self.language.clone(),
            level: self.level,
            offered_at: self.offered_at,
            machine_answered_at: self.machine_answered_at,
            queued_at: self.queued_at,
            first_offer_at: self.first_offer_at,
            answered_at: self.answered_at,
            ended_at,
            wait: self.wait,
            wait_again: self.wait_again,
            ring: self.ring,
            talk: self.talk,
            hold: self.hold,
            wrap_up: self.parts.iter().map(|open| open.part.wrap_up).sum(),
            offers: self.offers.iter().map(|open| open.tried.clone()).collect(),
            offers_left_out: self.offers_left_out,
            parts: self.parts.iter().map(|open| open.part.clone()).collect(),
            transfers: self.transfers.clone(),
            to_level_two: self.to_level_two,
            outcome: self.outcome(by),
            ended_by: by,
            cause,
            legs: self.legs.clone(),
            one_way_audio: self.one_way_audio,
            silent: !self.heard,
        }
    }

    /// The cascade's rows, from the furthest a contact came to the nearest.
    fn outcome(&self, by: EndedBy) -> Outcome {
        // Without proof that it was us, a contact that no operator answered is the caller's loss: it must
        // not vanish into "other exit".
        let ours = matches!(by, EndedBy::Vigie | EndedBy::Operator);
        if self.answered_at.is_some() {
            Outcome::Answered
        } else if let Some(exit) = self.exit {
            Outcome::OtherExit(Some(exit))
        } else if self.queued_at.is_some() {
            if ours { Outcome::OtherExit(None) } else { Outcome::Abandoned }
        } else if let Some(reason) = self.closed {
            Outcome::Closed(reason)
        } else if let Some(reason) = self.dissuaded {
            Outcome::Dissuaded(reason)
        } else if ours {
            Outcome::OtherExit(None)
        } else {
            Outcome::LeftInMenu
        }
    }

    /// Gives the time since the last event to whatever was going on.
    fn count_to(&mut self, at: UnixMicros) {
        let span = at.since(self.counted_to);
        self.counted_to = self.counted_to.max(at);
        if self.waiting {
            if self.answered_at.is_none() {
                self.wait += span;
            } else {
                self.wait_again += span;
            }
        }
        if !self.parts.iter().any(|open| open.present) {
            return;
        }
        let held = !self.holders.is_empty();
        if held {
            self.hold += span;
        } else {
            self.talk += span;
        }
        for open in self.parts.iter_mut().filter(|open| open.present) {
            if held {
                open.part.hold += span;
            } else {
                open.part.talk += span;
            }
            open.part.left_at = at;
        }
    }

    fn queued(&mut self, at: UnixMicros, line: &LineName, level: Level, language: &Language) {
        self.queued_at.get_or_insert(at);
        self.waiting = true;
        self.exit = None;
        self.line = line.clone();
        self.language = Some(language.clone());
        self.level = Some(level);
        if level == Level::Two {
            self.level_two_requested(at);
        }
    }

    fn offer_made(
        &mut self,
        at: UnixMicros,
        offer: OfferId,
        operator: &OperatorName,
        employer: &EmployerName,
    ) {
        self.first_offer_at.get_or_insert(at);
        if self.offers.len() >= OFFERS_KEPT_MAX {
            self.offers_left_out += 1;
            return;
        }
        self.offers.push(OpenOffer {
            tried: OfferTried {
                offer,
                operator: operator.clone(),
                employer: employer.clone(),
                made_at: at,
                rang: Duration::ZERO,
                outcome: None,
            },
            ringing_since: None,
            over: false,
        });
    }

    fn offer_ended(&mut self, at: UnixMicros, offer: OfferId, outcome: Option<OfferOutcome>) {
        let Some(open) = self.offer(offer).filter(|open| !open.over) else { return };
        open.over = true;
        open.tried.outcome = outcome;
        let rang = open.ringing_since.map_or(Duration::ZERO, |since| at.since(since));
        open.tried.rang = rang;
        self.ring += rang;
    }

    fn answered(&mut self, at: UnixMicros, operator: &OperatorName, employer: &EmployerName, level: Level) {
        self.answered_at.get_or_insert(at);
        self.waiting = false;
        self.exit = None;
        self.level = self.level.max(Some(level));
        if level == Level::Two && self.parts.iter().any(|open| open.part.level == Level::One) {
            // A transfer to one operator asks for her level without saying so.
            let asked =
                self.transfers.last().filter(|_| self.transfer_pending).map_or(at, |t| t.requested_at);
            self.level_two_requested(asked);
            if let Some(two) = self.to_level_two.as_mut().filter(|two| !two.answered) {
                two.answered = true;
                two.wait = at.since(two.requested_at);
            }
        }
        if self.parts.iter().any(|open| open.present && open.part.operator == *operator)
            || self.parts.len() >= PARTS_KEPT_MAX
        {
            return;
        }
        self.parts.push(OpenPart {
            part: OperatorPart {
                operator: operator.clone(),
                employer: employer.clone(),
                level,
                answered_at: at,
                left_at: at,
                talk: Duration::ZERO,
                hold: Duration::ZERO,
                wrap_up: Duration::ZERO,
            },
            present: true,
            writing_since: None,
        });
    }

    fn operator_left(&mut self, operator: &OperatorName) {
        for open in self.parts.iter_mut().filter(|open| open.part.operator == *operator) {
            open.present = false;
        }
        self.holders.remove(&format!("operator:{operator}"));
    }

    /// Level 2 was asked for, after level 1 had answered.
    fn level_two_requested(&mut self, at: UnixMicros) {
        if self.parts.iter().any(|open| open.part.level == Level::One) {
            self.to_level_two.get_or_insert(LevelTwo {
                requested_at: at,
                wait: Duration::ZERO,
                answered: false,
            });
        }
    }

    fn transfer_over(&mut self, at: UnixMicros, outcome: TransferOutcome) {
        if let Some(transfer) = self.transfers.last_mut().filter(|_| self.transfer_pending) {
            transfer.wait = at.since(transfer.requested_at);
            transfer.outcome = outcome;
        }
        self.transfer_pending = false;
    }

    /// Fills in what the journal's lost last moments would have said; changes nothing that is known.
    fn restored(&mut self, so_far: &ContactSoFar) {
        if self.language.is_none() {
            self.language.clone_from(&so_far.language);
        }
        self.level = self.level.or(so_far.level);
        if let (None, Some(queued_at)) = (self.queued_at, so_far.queued_at) {
            self.queued_at = Some(queued_at);
            let waited_to = so_far.answered_at.unwrap_or(self.counted_to);
            self.wait = waited_to.since(queued_at);
            self.waiting = so_far.answered_at.is_none();
        }
        if let (None, Some(answered_at)) = (self.answered_at, so_far.answered_at)
            && let Some((operator, employer)) = &so_far.operator
        {
            let level = so_far.level.unwrap_or(Level::One);
            self.answered(answered_at, operator, employer, level);
            let talked = self.counted_to.since(answered_at);
            self.talk += talked;
            if let Some(open) = self.parts.last_mut() {
                open.part.talk += talked;
                open.part.left_at = self.counted_to;
            }
        }
    }

    fn offer(&mut self, offer: OfferId) -> Option<&mut OpenOffer> {
        self.offers.iter_mut().rev().find(|open| open.tried.offer == offer)
    }

    fn last_part(&mut self, operator: &OperatorName) -> Option<&mut OpenPart> {
        self.parts.iter_mut().rev().find(|open| open.part.operator == *operator)
    }

    fn leg(&mut self, leg: &Leg) -> Option<&mut LegMedia> {
        if let Some(index) = self.legs.iter().position(|media| media.leg == *leg) {
            return self.legs.get_mut(index);
        }
        if self.legs.len() >= PARTS_KEPT_MAX {
            return None;
        }
        self.legs.push(LegMedia { leg: leg.clone(), codec: None, received: None, sent: None });
        self.legs.last_mut()
    }
}
