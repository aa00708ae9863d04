//! The wait on a line: how many may wait, what they hear, and what happens when it lasts too long.

use std::time::Duration;

use facts::{Language, LineName};
use toml::Spanned;

use super::super::reader::Reader;
use super::LineReader;
use super::raw::{RawLastResort, RawNobodyEligible, RawWaiting};

/// The wait on a line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Waiting {
    /// Contacts waiting at once; one more finds the line full.
    pub waiting_max: usize,
    /// What is played all the while.
    pub music: String,
    /// What is said when the wait begins.
    pub welcome_prompt: String,
    /// What is said again and again.
    pub comfort_prompt: String,
    /// How often; none: never.
    pub comfort_every: Option<Duration>,
    /// What happens to one who waited too long; none: she waits until answered.
    pub last_resort: Option<LastResort>,
    /// What happens when nobody signed in could ever take the contact.
    pub nobody_eligible: NobodyEligible,
}

/// The longest wait and what follows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LastResort {
    /// The longest wait.
    pub wait_max: Duration,
    /// What follows.
    pub then: Exhausted,
}

/// What is done when waiting leads nowhere.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Exhausted {
    /// Keep waiting, the place kept; say this once.
    Keep(String),
    /// Say this and end.
    AnnounceAndEnd(String),
    /// Wait on another line instead; never this one.
    OtherLine(LineName),
}

/// No operator signed in could ever take the contact.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NobodyEligible {
    /// Raise an alarm.
    pub alarm: bool,
    /// How long it must have been so before anything else is done.
    pub after: Duration,
    /// What is done then.
    pub then: Exhausted,
}

#[derive(Clone, Copy)]
enum Action {
    Keep,
    AnnounceAndEnd,
    OtherLine,
}

const ACTIONS: &[(&str, Action)] = &[
    ("keep", Action::Keep),
    ("announce-and-end", Action::AnnounceAndEnd),
    ("other-line", Action::OtherLine),
];

impl LineReader<'_, '_, '_> {
    pub(super) fn waiting(&mut self, name: &str, languages: &[Language]) -> Waiting {
        let default = RawWaiting::default();
        let raw = self.raw.waiting.as_ref().map_or(&default, Spanned::get_ref);
        let comfort_every = match &raw.comfort_every_seconds {
            Some(value) if *value.get_ref() == 0 => None,
            value => Some(self.reader.seconds(value, 45, 10..=3_600)),
        };
        Waiting {
            waiting_max: self.reader.count(&raw.waiting_max, 50, 1..=100_000),
            music: self.prompt(&raw.music, "music", languages),
            welcome_prompt: self.prompt(&raw.welcome_prompt, "please-wait", languages),
            comfort_prompt: self.prompt(&raw.comfort_prompt, "comfort", languages),
            comfort_every,
            last_resort: self.last_resort(raw, name, languages),
            nobody_eligible: self.nobody_eligible(&raw.nobody_eligible, name, languages),
        }
    }

    fn last_resort(&mut self, raw: &RawWaiting, name: &str, languages: &[Language]) -> Option<LastResort> {
        match (&raw.wait_seconds_max, &raw.last_resort) {
            (None, None) => None,
            (None, Some(last_resort)) => {
                let found = "a last resort without a longest wait";
                self.reader.error(&last_resort.span(), found, "wait_seconds_max beside it");
                None
            }
            (value, last_resort) => {
                let wait_max = self.reader.seconds(value, 600, 10..=86_400);
                let then = match last_resort {
                    Some(raw) => {
                        let RawLastResort { action, prompt, line } = raw.get_ref();
                        self.exhausted(action, prompt, line, name, languages)
                    }
                    None => Exhausted::Keep(self.prompt(&None, "long-wait", languages)),
                };
                Some(LastResort { wait_max, then })
            }
        }
    }

    fn nobody_eligible(
        &mut self,
        raw: &Option<Spanned<RawNobodyEligible>>,
        name: &str,
        languages: &[Language],
    ) -> NobodyEligible {
        let Some(raw) = raw.as_ref().map(Spanned::get_ref) else {
            let then = Exhausted::Keep(self.prompt(&None, "long-wait", languages));
            return NobodyEligible { alarm: true, after: Duration::from_secs(60), then };
        };
        NobodyEligible {
            alarm: raw.alarm.as_ref().is_none_or(|alarm| *alarm.get_ref()),
            after: self.reader.seconds(&raw.after_seconds, 60, 0..=86_400),
            then: self.exhausted(&raw.action, &raw.prompt, &raw.line, name, languages),
        }
    }

    fn exhausted(
        &mut self,
        action: &Option<Spanned<String>>,
        prompt: &Option<Spanned<String>>,
        line: &Option<Spanned<String>>,
        name: &str,
        languages: &[Language],
    ) -> Exhausted {
        let action_is = self.reader.choice(action, Action::Keep, ACTIONS);
        if let (Action::Keep | Action::AnnounceAndEnd, Some(line)) = (action_is, line) {
            self.reader.error(&line.span(), "a line that is never used", "action = \"other-line\" with it");
        }
        match action_is {
            Action::Keep => Exhausted::Keep(self.prompt(prompt, "long-wait", languages)),
            Action::AnnounceAndEnd => {
                Exhausted::AnnounceAndEnd(self.prompt(prompt, "last-resort", languages))
            }
            Action::OtherLine => {
                if let Some(prompt) = prompt {
                    let found = "a prompt that is never played";
                    self.reader.error(&prompt.span(), found, "no prompt with action = \"other-line\"");
                }
                self.other_line(action, line, name)
            }
        }
    }

    fn other_line(
        &mut self,
        action: &Option<Spanned<String>>,
        line: &Option<Spanned<String>>,
        name: &str,
    ) -> Exhausted {
        let reader: &mut Reader<'_> = self.reader;
        match line {
            Some(line) if line.get_ref() == name => {
                reader.error(&line.span(), format!("\"{name}\", which is this line"), "another line");
            }
            Some(line) => {
                if let Some(known) = self.names {
                    reader.reference(line, known);
                }
            }
            None => {
                if let Some(action) = action {
                    reader.error(&action.span(), "\"other-line\" alone", "line = \"…\" beside it");
                }
            }
        }
        Exhausted::OtherLine(LineName::from(line.as_ref().map_or("", |line| line.get_ref().as_str())))
    }
}
