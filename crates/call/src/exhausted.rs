//! Waiting leads nowhere: the longest wait is over, or nobody signed in may ever take the contact.
//!
//! Knows: what the line says happens then. Must never know: who would be eligible; the distributor said so. Must never
//! do: bring a level 2 contact to a line of level 1.

use std::time::Duration;

use facts::ContactId;
use facts::event::{EndCause, EndProof, EndedBy, EventKind, ExitReason};

use crate::contact::{Ending, Stage};
use crate::engine::Engine;
use crate::settings::{Exhausted, Name};

impl Engine {
    /// The longest wait is over.
    pub(crate) fn last_resort(&mut self, now: Duration, contact: ContactId) {
        if let Some(then) = self.line_of(contact).map(|line| line.last_resort.clone()) {
            self.exhausted(now, contact, then, ExitReason::MaximumWait);
        }
    }

    /// Nobody signed in may ever take it: an alarm, and after a while what the line says.
    pub(crate) fn nobody_eligible(&mut self, now: Duration, contact: ContactId) {
        let Some((alarm, after)) =
            self.line_of(contact).map(|line| (line.nobody_eligible.alarm, line.nobody_eligible.after))
        else {
            return;
        };
        let Some(call) = self.calls.get_mut(&contact) else { return };
        if alarm && !std::mem::replace(&mut call.alarmed, true) {
            self.fact_alarm(now, contact, true);
        }
        self.set_nobody_deadline(contact, Some(now + after));
    }

    /// It was so for as long as the line allows.
    pub(crate) fn nobody_came(&mut self, now: Duration, contact: ContactId) {
        let Some(call) = self.calls.get_mut(&contact) else { return };
        call.nobody_deadline = None;
        let waits_alone = matches!(call.stage, Stage::Waiting) && call.operator.is_none();
        self.touch(contact);
        if let Some(then) =
            self.line_of(contact).map(|line| line.nobody_eligible.then.clone()).filter(|_| waits_alone)
        {
            self.exhausted(now, contact, then, ExitReason::NoEligibleOperator);
        }
    }

    fn exhausted(&mut self, now: Duration, contact: ContactId, then: Exhausted, reason: ExitReason) {
        match then {
            Exhausted::Keep(words) => self.say(now, contact, &words),
            Exhausted::AnnounceAndEnd(words) => {
                self.fact(now, Some(contact), EventKind::LeftQueue { reason });
                self.acd.handle(now, acd::Input::Gone { contact: acd::ContactId(contact.0) });
                self.answer_trunk(now, contact);
                let ending = Ending { at: None, by: EndedBy::Vigie, cause: EndCause::bare(EndProof::Policy) };
                self.announce_and_end(now, contact, &words, ending);
            }
            Exhausted::OtherLine(line) => self.move_to_line(now, contact, line),
        }
    }

    /// She waits on another line: for the distributor a new arrival there, for everybody else the same contact.
    fn move_to_line(&mut self, now: Duration, contact: ContactId, line: Name) {
        let languages = self.lookup.plan_line(&self.settings, &line).map(|line| line.languages.clone());
        let plan_line = self.lookup.plan_line(&self.settings, &line);
        let lower = plan_line.is_none_or(|line| line.level == acd::Level::One);
        let Some(call) = self.calls.get_mut(&contact) else { return };
        if call.level == acd::Level::Two && lower {
            // Level 2 is for ever: on a line of level 1 a subcontractor could answer her. She keeps her place.
            return;
        }
        call.line = line.clone();
        call.overflowed = true;
        // A language that the other line lacks is asked for, or taken as its default, on arrival there.
        call.language =
            call.language.take().filter(|language| languages.is_some_and(|all| all.contains(language)));
        self.touch(contact);
        let id = acd::ContactId(contact.0);
        self.acd.handle(now, acd::Input::Gone { contact: id });
        self.acd.handle(now, acd::Input::Arrived { contact: id, line });
    }
}
