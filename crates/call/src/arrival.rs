//! A call comes in: which line it is for, whether it may, and its way to the queue.
//!
//! Knows: the edge of the trunk, admission, the menu's outcome. Must never know: who will answer.

use std::time::Duration;

use bytes::Bytes;
use facts::event::{CallerSignal, MenuExit, QueueCause, RefusedReason};
use facts::event::{ClosedReason, DissuadedReason, EndCause, EndProof, EndedBy, EventKind, Menu, MenuChoice};
use facts::{ContactId, TrunkName, sanitise};
use media::Allocate;
use sip::{Incoming, Peer};

use crate::announcements::Tag;
use crate::contact::{AccountDue, Call, Edge, Ending, Side, Stage};
use crate::engine::Engine;
use crate::menu::{Choice, Step};
use crate::settings::{AnswerMode, Name, Refusal, TrunkPolicy};
use crate::words;

/// SIP statuses that this module chooses; RFC 3261 §21.4.
const BUSY_HERE: u16 = 486;
const TEMPORARILY_UNAVAILABLE: u16 = 480;
const NOT_FOUND: u16 = 404;
const NOT_ACCEPTABLE_HERE: u16 = 488;

impl Engine {
    pub(crate) fn incoming(&mut self, now: Duration, incoming: Incoming) {
        match incoming.peer.clone() {
            Peer::Account(account) => self.feature_call(now, &account, incoming),
            Peer::Trunk(trunk) => match self.lookup.trunk(&self.settings, &trunk).cloned() {
                Some(policy) => self.trunk_call(now, &policy, incoming),
                None => self.sip.reject(now, incoming.dialog, NOT_FOUND, None),
            },
        }
    }

    fn trunk_call(&mut self, now: Duration, trunk: &TrunkPolicy, incoming: Incoming) {
        let calls_now = self.calls_by_trunk.get(&trunk.name).copied().unwrap_or(0);
        if self.draining {
            return self.refuse(now, trunk, &incoming, TEMPORARILY_UNAVAILABLE, RefusedReason::Draining);
        }
        if trunk.calls_max.is_some_and(|calls_max| calls_now >= calls_max) {
            return self.refuse(now, trunk, &incoming, BUSY_HERE, RefusedReason::TrunkFull);
        }
        let found = self.lookup.dialled(&self.settings, trunk, &incoming.request_user, &incoming.to_user);
        let (line, language, speaks) = match found {
            Ok((line, number)) => {
                let mut by_number = line.language_by_number.iter();
                let language =
                    by_number.find(|(known, _)| known == number).map(|(_, language)| language.clone());
                (line.name.clone(), language, line.answer != AnswerMode::OnOperatorRinging)
            }
            Err(dialled) => {
                // A number of ours that is not configured, or a slip: the administrator must see it. Should it be the
                // caller's own, it is masked.
                let number = self.caller_number(&incoming);
                let dialled = Some(sanitise::call_id(&dialled, number.as_ref()).as_str().into());
                return self.refuse(
                    now,
                    trunk,
                    &incoming,
                    NOT_FOUND,
                    RefusedReason::UnknownNumber { dialled },
                );
            }
        };
        let allocate = Allocate {
            media_from: trunk.media_from.resolve(incoming.source.ip()),
            offer: incoming.offer.clone(),
            partner: None,
            ipv6: incoming.source.is_ipv6(),
            codecs: trunk.codecs.clone(),
        };
        match self.media.allocate(now, allocate) {
            // A line that speaks to callers needs a codec of ours; one that only rings lets any codec pass through.
            Ok(allocated) if speaks && !self.can_speak(&allocated, &incoming) => {
                self.media.release(now, allocated.leg);
                let reason = RefusedReason::MediaNotAcceptable;
                self.refuse(now, trunk, &incoming, NOT_ACCEPTABLE_HERE, reason);
            }
            Ok(allocated) => self.begin(now, trunk, (line, language), incoming, allocated),
            Err(error) => {
                let (status, reason) = words::media_refusal(&error);
                self.refuse(now, trunk, &incoming, status, reason);
            }
        }
    }

    /// Whether prompts can be played on a leg. An INVITE without an offer gets one of ours, in codecs of ours.
    fn can_speak(&self, allocated: &media::Allocated, incoming: &Incoming) -> bool {
        let negotiated = self.media.negotiated(allocated.leg);
        incoming.offer.is_none() || negotiated.is_some_and(|negotiated| negotiated.codec.is_some())
    }

    fn begin(
        &mut self,
        now: Duration,
        trunk: &TrunkPolicy,
        (line, language): (Name, Option<Name>),
        incoming: Incoming,
        allocated: media::Allocated,
    ) {
        let contact = ContactId(self.next_contact);
        self.next_contact += 1;
        let number = self.caller_number(&incoming);
        // A withheld number may serve to mask itself in the Call-ID, and for nothing else.
        let trunk_call_id = sanitise::call_id(&incoming.call_id, number.as_ref());
        let presented = number.as_ref().filter(|_| !incoming.caller.withheld);
        let caller = self.settings.pseudonymiser.caller(now, presented);
        self.fact(
            now,
            Some(contact),
            EventKind::Offered {
                trunk: trunk.name.clone().into(),
                line: line.clone().into(),
                trunk_call_id: trunk_call_id.clone(),
                caller,
                redirected: incoming.diverted,
            },
        );
        let level = self.lookup.plan_line(&self.settings, &line).map_or(acd::Level::One, |line| line.level);
        self.calls.insert(
            contact,
            Call {
                contact,
                trunk: trunk.name.clone(),
                line: line.clone(),
                trunk_call_id,
                caller,
                offered_at: now,
                queued_at: None,
                answered_at: None,
                dialog: incoming.dialog,
                leg: allocated.leg,
                description: allocated.sdp,
                delayed_offer: incoming.offer.is_none(),
                edge: Edge::Trying,
                stage: Stage::Waiting,
                level,
                language,
                operator: None,
                accounts_due: [(allocated.leg, AccountDue { operator: None, codec_said: false })].into(),
                held_by_caller: false,
                held_by_operator: false,
                heard: false,
                alarmed: false,
                overflowed: false,
                greeted: false,
                deadline: None,
                nobody_deadline: None,
            },
        );
        *self.calls_by_trunk.entry(trunk.name.clone()).or_insert(0) += 1;
        self.dialogs.insert(incoming.dialog, Side::Trunk(contact));
        self.legs.insert(allocated.leg, Side::Trunk(contact));
        self.touch(contact);
        self.acd.handle(now, acd::Input::Arrived { contact: acd::ContactId(contact.0), line });
    }

    fn caller_number(&self, incoming: &Incoming) -> Option<facts::CallerNumber> {
        let number = incoming.caller.number.as_ref()?;
        self.settings.numbering.caller(number.reveal())
    }

    fn refuse(
        &mut self,
        now: Duration,
        trunk: &TrunkPolicy,
        incoming: &Incoming,
        status: u16,
        reason: RefusedReason,
    ) {
        let number = self.caller_number(incoming);
        let trunk_call_id = sanitise::call_id(&incoming.call_id, number.as_ref());
        let trunk = Some(TrunkName::from(trunk.name.clone()));
        let source = incoming.source.ip();
        self.fact(now, None, EventKind::Refused { trunk, source, trunk_call_id, status, reason });
        self.sip.reject(now, incoming.dialog, status, None);
    }

    /// The line is open: answer as the line says, greet, and let her choose a language if there is a choice.
    pub(crate) fn admitted(&mut self, now: Duration, contact: ContactId, languages: &[Name]) {
        let Some(line) = self.line_of(contact) else { return };
        let answer = line.answer;
        let menu_default = line.menu.as_ref().map(|menu| menu.default.clone());
        match answer {
            // It came over from another line: the trunk has had its answer.
            _ if self.calls.get(&contact).is_some_and(|call| call.edge > Edge::Trying) => {}
            AnswerMode::AtOnce => self.answer_trunk(now, contact),
            AnswerMode::OnOperatorRinging => self.ring_trunk(now, contact, false),
            AnswerMode::OnOperatorEarlyMedia => self.ring_trunk(now, contact, true),
        }
        let Some(call) = self.calls.get_mut(&contact) else { return };
        let known = call.language.clone();
        let default = known.clone().or(menu_default).or_else(|| languages.first().cloned());
        if known.is_none() && languages.len() > 1 && call.audible() {
            call.stage = Stage::Choosing(Choice::begin());
            self.fact(now, Some(contact), EventKind::MenuEntered { menu: Menu::Language });
            return self.play_menu(now, contact);
        }
        // One language, or nobody hears us: nothing to ask. She queues at once, and the greeting plays while an
        // operator's phone already rings.
        match default {
            Some(language) => self.choose(now, contact, language),
            None => self.end_call(now, contact, EndedBy::Vigie, EndCause::bare(EndProof::Policy)),
        }
    }

    /// 200 to the trunk, once.
    pub(crate) fn answer_trunk(&mut self, now: Duration, contact: ContactId) {
        let Some(call) = self.calls.get_mut(&contact) else { return };
        if call.edge == Edge::Answered {
            return;
        }
        call.edge = Edge::Answered;
        let (dialog, description) = (call.dialog, call.description.clone());
        self.sip.answer(now, dialog, description);
        self.fact(now, Some(contact), EventKind::AnsweredByMachine);
        self.touch(contact);
    }

    fn ring_trunk(&mut self, now: Duration, contact: ContactId, early_media: bool) {
        let Some(call) = self.calls.get_mut(&contact) else { return };
        // RFC 3262 §5: an offer of ours in a 183 would need a reliable response; without one it rings.
        let early_media = early_media && !call.delayed_offer;
        let (edge, status) = if early_media { (Edge::EarlyMedia, 183) } else { (Edge::Ringing, 180) };
        call.edge = edge;
        let (dialog, description) = (call.dialog, early_media.then(|| call.description.clone()));
        self.sip.progress(now, dialog, status, description);
        self.touch(contact);
    }

    /// The line does not take it: says so and ends, or refuses by status.
    pub(crate) fn dissuaded(&mut self, now: Duration, contact: ContactId, why: acd::Dissuasion) {
        let Some(line) = self.line_of(contact) else { return };
        let (kind, refusal) = match why {
            acd::Dissuasion::Closed { by_hand } => {
                let reason = if by_hand { ClosedReason::ByCommand } else { ClosedReason::OutOfHours };
                (EventKind::Closed { reason }, line.closed.clone())
            }
            acd::Dissuasion::Full => {
                (EventKind::Dissuaded { reason: DissuadedReason::QueueFull }, line.full.clone())
            }
            acd::Dissuasion::NoSuchLine => (
                EventKind::Closed { reason: ClosedReason::OutOfHours },
                Refusal::Status(TEMPORARILY_UNAVAILABLE),
            ),
        };
        self.fact(now, Some(contact), kind);
        match refusal {
            Refusal::Announce(prompts) => {
                let ending = Ending { at: None, by: EndedBy::Vigie, cause: EndCause::bare(EndProof::Policy) };
                self.answer_trunk(now, contact);
                self.announce_and_end(now, contact, &prompts, ending);
            }
            Refusal::Status(status) => {
                self.end_call(now, contact, EndedBy::Vigie, EndCause::bare(EndProof::Failure { status }));
            }
        }
    }

    pub(crate) fn digit(&mut self, now: Duration, contact: ContactId, digit: char) {
        let Some(call) = self.calls.get_mut(&contact) else { return };
        if call.is_over() {
            return;
        }
        if !std::mem::replace(&mut call.heard, true) {
            self.fact(now, Some(contact), EventKind::CallerHeard { by: CallerSignal::Digit });
        }
        self.menu_step(now, contact, |choice, menu| choice.digit(menu, digit));
        self.touch(contact);
    }

    /// One step of the language menu, if it runs.
    pub(crate) fn menu_step(
        &mut self,
        now: Duration,
        contact: ContactId,
        step: impl FnOnce(&mut Choice, &crate::settings::LanguageMenu) -> Step,
    ) {
        let Some(menu) = self.line_of(contact).and_then(|line| line.menu.clone()) else { return };
        let Some(Call { stage: Stage::Choosing(choice), .. }) = self.calls.get_mut(&contact) else { return };
        match step(choice, &menu) {
            Step::Prompt => self.play_menu(now, contact),
            Step::Listen(timeout) => self.set_deadline(contact, Some(now + timeout)),
            Step::Chosen { language, by_default } => {
                let choice = MenuChoice::Language(language.clone().into());
                let exit = if by_default { MenuExit::Defaulted } else { MenuExit::Chosen };
                let menu = Menu::Language;
                self.fact(
                    now,
                    Some(contact),
                    EventKind::MenuChosen { menu: menu.clone(), choice, by_default },
                );
                self.fact(now, Some(contact), EventKind::MenuLeft { menu, exit });
                self.choose(now, contact, language);
            }
        }
    }

    fn choose(&mut self, now: Duration, contact: ContactId, language: Name) {
        self.set_deadline(contact, None);
        let Some(call) = self.calls.get_mut(&contact) else { return };
        call.stage = Stage::Waiting;
        call.language = Some(language.clone());
        self.touch(contact);
        self.acd.handle(now, acd::Input::Chose { contact: acd::ContactId(contact.0), language });
    }

    /// It waits: for the first time, or again after its operator's phone was lost.
    pub(crate) fn queued(
        &mut self,
        now: Duration,
        contact: ContactId,
        level: acd::Level,
        language: Name,
        returned: bool,
    ) {
        let Some(call) = self.calls.get_mut(&contact) else { return };
        if call.is_over() {
            return;
        }
        call.stage = Stage::Waiting;
        call.level = level;
        call.language = Some(language.clone());
        let waited = call.queued_at.replace(call.queued_at.unwrap_or(now)).is_some();
        let (line, overflowed) = (call.line.clone(), std::mem::take(&mut call.overflowed));
        self.touch(contact);
        let priority = self.lookup.plan_line(&self.settings, &line).map_or(0, |line| line.priority);
        let cause = match (returned, overflowed, waited) {
            (true, _, _) => QueueCause::OperatorLost,
            (false, true, _) => QueueCause::Overflowed,
            // A reload raised its level where it waits.
            (false, false, true) => QueueCause::Escalated,
            (false, false, false) => QueueCause::Arrived,
        };
        self.fact(
            now,
            Some(contact),
            EventKind::Queued {
                line: line.into(),
                level: words::level(level),
                language: language.into(),
                priority,
                cause,
            },
        );
        match cause {
            QueueCause::OperatorLost => {
                self.drop_operator(now, contact);
                self.play_waiting(now, contact, Tag::CutOff);
            }
            // She goes on hearing what she hears.
            QueueCause::Escalated => {}
            QueueCause::Arrived | QueueCause::Overflowed | QueueCause::Transferred => {
                self.play_waiting(now, contact, Tag::Welcome);
            }
        }
    }

    /// The ACK of our 200, or the answer to our re-INVITE: where it holds their answer, media learns it.
    pub(crate) fn acknowledged(&mut self, now: Duration, dialog: sip::DialogId, sdp: Option<&Bytes>) {
        let (Some(sdp), Some(leg)) = (sdp, self.leg_of(dialog)) else { return };
        if self.media.answered(now, leg, sdp, None).is_err() {
            // The session cannot be what they say it is; nothing is heard on it.
            self.end_side(now, dialog);
        }
    }
}
