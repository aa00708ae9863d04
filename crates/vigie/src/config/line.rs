//! `lines.toml`: what callers dial. Languages, hours, what they hear, how long they wait, whom they may reach.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono_tz::Tz;
use facts::{Language, LineName, NumberingPlan};
use toml::Spanned;

use super::document::Span;
use super::hours::{OpeningHours, read as read_hours};
use super::policy::{STRATEGIES, Strategy};
use super::problem::one_of;
use super::prompts::Prompts;
use super::reader::{Reader, quoted};

mod language;
mod raw;
mod waiting;

pub use language::{LanguageChoice, LanguageMenu};
pub(super) use raw::RawLineFile;
use raw::{RawLine, RawRing};
pub use waiting::{Exhausted, LastResort, NobodyEligible, Waiting};

/// 1 (can manage) to 5 (mother tongue, expert).
pub const PROFICIENCY_MAX: i64 = 5;

/// What callers dial.
#[derive(Clone, Debug)]
pub struct Line {
    /// Its name.
    pub name: LineName,
    /// What an operator's phone shows.
    pub display: String,
    /// The dialled numbers that lead to it, each `+` and digits; no two lines share one.
    pub numbers: Vec<String>,
    /// The level of a contact that enters here.
    pub level: Level,
    /// The languages it serves, at least one.
    pub languages: Vec<Language>,
    /// How a contact's language is known.
    pub language_choice: LanguageChoice,
    /// When it is open.
    pub hours: OpeningHours,
    /// The prompt that is played first.
    pub greeting: String,
    /// When the trunk's call is answered.
    pub answer: Answer,
    /// What a closed line does.
    pub closed: Refusal,
    /// What a full line does.
    pub full: Refusal,
    /// The wait.
    pub waiting: Waiting,
    /// Higher goes first, before waiting time.
    pub priority: i32,
    /// Skills that an operator must have, with the least proficiency.
    pub required_skills: BTreeMap<String, u8>,
    /// Soft constraints, given up one ring after the other; the first starts at 0, never empty.
    pub rings: Vec<Ring>,
    /// How to choose among eligible operators.
    pub strategy: Strategy,
    /// How long an offer rings.
    pub offer_ring: Duration,
    /// Time to write up after a contact.
    pub wrap_up: Duration,
}

/// Work is split in two levels; level 2 may never be subcontracted.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Level {
    /// Welcome, first listening, orientation.
    One,
    /// Complex cases, in-house only.
    Two,
}

/// When the trunk's call is answered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Answer {
    /// Before the greeting.
    AtOnce,
    /// When an operator answers; until then the call rings.
    OnOperator(Ringback),
}

/// What a caller hears before an answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Ringback {
    /// 180: her own exchange's ring tone.
    RingTone,
    /// 183: these prompts as early media, one after the other.
    EarlyMedia(Vec<String>),
}

/// What a closed or full line does.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// Answer, play this prompt, end.
    Announce(String),
    /// Refuse with this status, 480 or 486.
    Status(u16),
}

/// One ring of relaxation: what is still preferred from `after` on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ring {
    /// The wait at which it begins.
    pub after: Duration,
    /// Least proficiency in the contact's language.
    pub language_min: u8,
    /// Whether operators accredited for level 2 are asked to take level 1 contacts.
    pub level_two_helps: bool,
    /// Sites asked; empty: all.
    pub sites: Vec<String>,
}

const LEVELS_EXPECTED: &str = "1 (welcome, first listening) or 2 (complex cases, in-house operators only)";

/// What the lines' fields are judged against.
pub(super) struct Context<'a> {
    pub(super) numbering: &'a NumberingPlan,
    pub(super) languages: &'a [Language],
    pub(super) default_language: &'a Language,
    pub(super) time_zone: Tz,
    pub(super) prompts: &'a Prompts,
    pub(super) strategy: Strategy,
}

pub(super) fn read(reader: &mut Reader<'_>, raw: RawLineFile, context: &Context<'_>) -> Vec<(Span, Line)> {
    if raw.line.is_empty() {
        reader.missing(&(0..0), "line", "at least one [[line]]; without it no number leads anywhere");
    }
    let names = raw.names();
    let mut lines: Vec<(Span, Line)> = Vec::new();
    let mut claimed: BTreeMap<String, Span> = BTreeMap::new();
    for entry in raw.line {
        let span = entry.span();
        let raw = entry.into_inner();
        let line = LineReader {
            reader,
            raw: &raw,
            span: &span,
            context,
            names: names.as_deref(),
            languages_are_known: true,
        }
        .read(&mut claimed);
        if let (Some(name), true) = (&raw.name, lines.iter().any(|(_, other)| other.name == line.name)) {
            reader.error(&name.span(), format!("{} a second time", quoted(name.get_ref())), "another name");
        }
        lines.push((span, line));
    }
    lines
}

struct LineReader<'a, 'r, 'd> {
    reader: &'r mut Reader<'d>,
    raw: &'a RawLine,
    span: &'a Span,
    context: &'a Context<'a>,
    names: Option<&'a [String]>,
    languages_are_known: bool,
}

impl LineReader<'_, '_, '_> {
    fn read(&mut self, claimed: &mut BTreeMap<String, Span>) -> Line {
        let raw = self.raw;
        let name = self.reader.name(self.span, &raw.name);
        let numbers = self.numbers(claimed);
        let languages = self.languages();
        let language_choice = self.language_choice(&numbers, &languages);
        let greeting = self.prompt(&raw.greeting, "greeting", &languages);
        self.fixed_prompts(&languages);
        Line {
            display: self.reader.display(&raw.display, &name),
            level: self.level(),
            hours: read_hours(self.reader, &raw.hours, self.span, self.context.time_zone),
            greeting,
            answer: self.answer(&languages),
            closed: self.refusal(&raw.when_closed, &raw.closed_prompt, "closed", &languages),
            full: self.refusal(&raw.when_full, &raw.full_prompt, "full", &languages),
            waiting: self.waiting(&name, &languages),
            priority: i32::try_from(self.reader.integer(&raw.priority, 0, -100..=100)).unwrap_or(0),
            required_skills: self.required_skills(),
            rings: self.rings(),
            strategy: self.reader.choice(&raw.strategy, self.context.strategy, STRATEGIES),
            offer_ring: self.reader.seconds(&raw.offer_ring_seconds, 20, 5..=120),
            wrap_up: self.reader.seconds(&raw.wrap_up_seconds, 60, 0..=3_600),
            name: LineName::from(name),
            numbers: numbers.into_iter().map(|(number, _)| number).collect(),
            languages,
            language_choice,
        }
    }

    fn numbers(&mut self, claimed: &mut BTreeMap<String, Span>) -> Vec<(String, Span)> {
        let mut numbers = Vec::new();
        for value in &self.raw.numbers {
            let Some(number) = self.context.numbering.dialled(value.get_ref()) else {
                let expected = "a telephone number such as \"+33 1 99 00 00 10\" or \"3919\"";
                self.reader.error(&value.span(), quoted(value.get_ref()), expected);
                continue;
            };
            if let Some(other) = claimed.get(&number) {
                let found =
                    format!("{}, which is also {}", quoted(value.get_ref()), self.reader.place(other));
                self.reader.error(&value.span(), found, "each number on one line only");
            } else {
                claimed.insert(number.clone(), value.span());
            }
            numbers.push((number, value.span()));
        }
        if self.raw.numbers.is_empty() {
            self.reader.missing(
                self.span,
                "numbers",
                "the numbers that lead here, such as [\"+33 1 99 00 00 10\"]",
            );
        }
        numbers
    }

    fn level(&mut self) -> Level {
        match &self.raw.level {
            Some(value) => read_level(self.reader, value),
            None => {
                self.reader.missing(self.span, "level", LEVELS_EXPECTED);
                Level::One
            }
        }
    }

    fn answer(&mut self, languages: &[Language]) -> Answer {
        let raw = self.raw;
        let on_operator =
            self.reader.choice(&raw.answer, false, &[("at_once", false), ("on_operator", true)]);
        if !on_operator {
            for span in
                raw.ringback.iter().map(Spanned::span).chain(raw.early_prompts.iter().map(Spanned::span))
            {
                let found = "a ringback for a call that is answered at once";
                self.reader.error(&span, found, "answer = \"on_operator\" with it, or no ringback");
            }
            return Answer::AtOnce;
        }
        let early = match raw.ringback.as_ref().map(|value| (*value.get_ref(), value.span())) {
            None | Some((180, _)) => false,
            Some((183, _)) => true,
            Some((other, span)) => {
                self.reader.error(&span, other.to_string(), "180 (ring tone) or 183 (early_prompts)");
                false
            }
        };
        if early && raw.early_prompts.is_empty() {
            self.reader.missing(
                self.span,
                "early_prompts",
                "prompts for 183, such as [\"please-wait\", \"music\"]",
            );
        }
        if let (false, Some(prompt)) = (early, raw.early_prompts.first()) {
            self.reader.error(&prompt.span(), "prompts that are never played", "ringback = 183 with them");
        }
        for prompt in &raw.early_prompts {
            self.known_prompt(prompt, languages);
        }
        Answer::OnOperator(if early {
            Ringback::EarlyMedia(raw.early_prompts.iter().map(|prompt| prompt.get_ref().clone()).collect())
        } else {
            Ringback::RingTone
        })
    }

    fn refusal(
        &mut self,
        when: &Option<Spanned<raw::RawRefusal>>,
        prompt: &Option<Spanned<String>>,
        default_prompt: &str,
        languages: &[Language],
    ) -> Refusal {
        let expected = "\"announce\", 480 or 486";
        let status = match when.as_ref().map(|when| (when.get_ref(), when.span())) {
            None => None,
            Some((raw::RawRefusal::Status(status @ (480 | 486)), _)) => Some(*status),
            Some((raw::RawRefusal::Status(other), span)) => {
                self.reader.error(&span, other.to_string(), expected);
                None
            }
            Some((raw::RawRefusal::Word(word), span)) => {
                if word != "announce" {
                    self.reader.error(&span, quoted(word), expected);
                }
                None
            }
        };
        match (status, prompt) {
            (Some(status), None) => Refusal::Status(u16::try_from(status).unwrap_or(480)),
            (Some(_), Some(prompt)) => {
                self.reader.error(
                    &prompt.span(),
                    "a prompt that is never played",
                    "no prompt with 480 or 486",
                );
                Refusal::Announce(prompt.get_ref().clone())
            }
            (None, prompt) => Refusal::Announce(self.prompt(prompt, default_prompt, languages)),
        }
    }

    fn required_skills(&mut self) -> BTreeMap<String, u8> {
        let mut skills = BTreeMap::new();
        for (skill, proficiency) in &self.raw.required_skills {
            skills.insert(skill.get_ref().clone(), read_proficiency(self.reader, proficiency));
        }
        skills
    }

    fn rings(&mut self) -> Vec<Ring> {
        let mut rings: Vec<Ring> = Vec::new();
        for value in &self.raw.ring {
            let span = value.span();
            let raw: &RawRing = value.get_ref();
            let after = self.reader.seconds(&raw.after_seconds, 0, 0..=86_400);
            let after_span = raw.after_seconds.as_ref().map_or_else(|| span.clone(), Spanned::span);
            match rings.last() {
                None if !after.is_zero() => {
                    let found = format!("a first ring after {} s", after.as_secs());
                    self.reader.error(&after_span, found, "0: until then nobody would be asked");
                }
                Some(last) if after <= last.after => {
                    let expected = format!("more than the {} s of the ring before it", last.after.as_secs());
                    self.reader.error(&after_span, format!("{} s", after.as_secs()), expected);
                }
                _ => {}
            }
            rings.push(Ring {
                after,
                language_min: raw
                    .language_min
                    .as_ref()
                    .map_or(1, |value| read_proficiency(self.reader, value)),
                level_two_helps: raw.level_two_helps.as_ref().is_none_or(|value| *value.get_ref()),
                sites: raw.sites.iter().map(|site| site.get_ref().clone()).collect(),
            });
        }
        if rings.is_empty() {
            rings.push(Ring {
                after: Duration::ZERO,
                language_min: 1,
                level_two_helps: true,
                sites: Vec::new(),
            });
        }
        rings
    }

    /// A prompt by name, or the default one; a problem if it lacks one of the languages.
    fn prompt(&mut self, value: &Option<Spanned<String>>, default: &str, languages: &[Language]) -> String {
        match value {
            Some(value) => {
                self.known_prompt(value, languages);
                value.get_ref().clone()
            }
            None => {
                self.default_prompt(default, languages);
                default.to_owned()
            }
        }
    }

    fn known_prompt(&mut self, value: &Spanned<String>, languages: &[Language]) {
        let name = value.get_ref();
        let prompts = self.context.prompts;
        if !prompts.is_known(name) {
            let expected = format!("a prompt, shipped or of prompts.toml: {}", one_of(name, prompts.names()));
            self.reader.error(&value.span(), quoted(name), expected);
            return;
        }
        for language in languages.iter().filter(|language| !prompts.is_declared(name, language)) {
            let expected = format!("a file for \"{language}\" in prompts.toml");
            self.reader.error(
                &value.span(),
                format!("{}, which \"{language}\" lacks", quoted(name)),
                expected,
            );
        }
    }

    /// A prompt that the line uses without naming it is told where the languages are: there is no field for it.
    fn default_prompt(&mut self, name: &str, languages: &[Language]) {
        let Some(list) = &self.raw.languages else { return };
        for (language, value) in languages.iter().zip(list.get_ref()) {
            let declared_language = self.context.languages.contains(language);
            if declared_language && !self.context.prompts.is_declared(name, language) {
                let found = format!("\"{language}\", in which there is no prompt \"{name}\"");
                self.reader.error(&value.span(), found, "a file for it in prompts.toml");
            }
        }
    }

    fn fixed_prompts(&mut self, languages: &[Language]) {
        for name in super::prompts::ALWAYS_PLAYED_TO_CALLERS {
            self.default_prompt(name, languages);
        }
    }
}

/// 1 or 2.
pub(super) fn read_level(reader: &mut Reader<'_>, value: &Spanned<i64>) -> Level {
    match value.get_ref() {
        1 => Level::One,
        2 => Level::Two,
        other => {
            reader.error(&value.span(), other.to_string(), LEVELS_EXPECTED);
            Level::One
        }
    }
}

/// 1 to 5.
pub(super) fn read_proficiency(reader: &mut Reader<'_>, value: &Spanned<i64>) -> u8 {
    let proficiency = *value.get_ref();
    if !(1..=PROFICIENCY_MAX).contains(&proficiency) {
        let expected =
            format!("a proficiency from 1 (can manage) to {PROFICIENCY_MAX} (mother tongue, expert)");
        reader.error(&value.span(), proficiency.to_string(), expected);
    }
    u8::try_from(proficiency.clamp(1, PROFICIENCY_MAX)).unwrap_or(1)
}
