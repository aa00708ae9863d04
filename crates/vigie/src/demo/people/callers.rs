//! Those who call: when they come, what they press, how long they wait, how long they talk.
//!
//! Times of waiting are people's own and the engine's; `--speed` shortens talks and the gaps between calls only.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use phone::{CallId, Command, Dial, Event, Refusal, Voice};

use super::{TRUNK, World};
use crate::demo::voices::Speaker;

/// A fictional caller's number, below [`NUMBERS`]: +33 6 39 98 xx xx, which the French regulator keeps for fiction.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Number(pub(crate) u16);

/// How many there are.
const NUMBERS: u64 = 10_000;
/// Numbers of callers who gave up and may try again.
const DISAPPOINTED_MAX: usize = 32;

/// The first caller comes soon: somebody watches.
const FIRST_WITHIN_S: f64 = 3.0;
/// From the answer: the greeting and the menu's prompts take about ten seconds, and some know them by heart.
const DIGIT_AFTER_S: (f64, f64) = (3.0, 11.0);
/// Patience, from the answer on.
const PATIENCE_MIN: Duration = Duration::from_secs(12);
const PATIENCE_MEAN_S: f64 = 90.0;
/// A talk is at least this long, and on average so much longer. Shorter than life: somebody watches.
const TALK_MIN: Duration = Duration::from_secs(15);
const TALK_MEAN_S: f64 = 60.0;
/// A call for help begins with a breath.
const BREATH_S: (f64, f64) = (0.3, 1.5);
/// When everything ends, talks end within this.
const LAST_WORDS_S: (f64, f64) = (2.0, 10.0);

/// A line as callers dial it.
#[derive(Clone, Debug)]
pub(crate) struct DialledLine {
    /// As dialled.
    pub(crate) number: String,
    /// Its share of the calls, against the others'.
    pub(crate) weight: u32,
    /// The languages of those who call it, with the digit that the menu wants; none where there is no menu.
    pub(crate) languages: Vec<(String, Option<char>)>,
}

pub(super) struct Callers {
    next_at: Option<Duration>,
    /// Dialled, and not yet told by the telephone as which call.
    dialling: VecDeque<Caller>,
    calls: BTreeMap<CallId, Caller>,
    /// Who gave up lately, and may call again.
    disappointed: VecDeque<Number>,
}

struct Caller {
    /// None: withheld.
    number: Option<Number>,
    language: String,
    digit: Option<char>,
    /// Cannot speak, or does not dare to.
    silent: bool,
    talks: bool,
    presses_at: Option<Duration>,
    speaks_at: Option<Duration>,
    leaves_at: Option<Duration>,
}

impl Callers {
    pub(super) fn new(world: &mut World) -> Self {
        let first = world.between(0.5, FIRST_WITHIN_S);
        Self {
            next_at: (world.plan.calls_per_hour > 0 && !world.plan.lines.is_empty()).then_some(first),
            dialling: VecDeque::new(),
            calls: BTreeMap::new(),
            disappointed: VecDeque::new(),
        }
    }

    pub(super) fn count(&self) -> usize {
        self.calls.len() + self.dialling.len()
    }

    pub(super) fn poll_timeout(&self) -> Option<Duration> {
        let deadlines =
            self.calls.values().flat_map(|caller| [caller.presses_at, caller.speaks_at, caller.leaves_at]);
        deadlines.flatten().chain(self.next_at).min()
    }

    pub(super) fn on_event(&mut self, now: Duration, event: &Event, world: &mut World) {
        match event {
            Event::Dialling { call } => {
                if let Some(caller) = self.dialling.pop_front() {
                    self.calls.insert(*call, caller);
                }
            }
            Event::Refused { why: Refusal::NoCapacity } => drop(self.dialling.pop_front()),
            Event::Answered { call } => {
                if let Some(caller) = self.calls.get_mut(call) {
                    caller.on_answer(now, world);
                }
            }
            Event::Rejected { call, .. } | Event::Ended { call, .. } => drop(self.calls.remove(call)),
            _ => {}
        }
    }

    pub(super) fn on_hearing(&mut self, now: Duration, numbers: &[Number], world: &mut World) {
        for caller in self.calls.values_mut() {
            if !caller.talks && caller.number.is_some_and(|number| numbers.contains(&number)) {
                caller.talks = true;
                caller.speaks_at = Some(now + world.between(BREATH_S.0, BREATH_S.1));
                let talk = TALK_MIN + world.exponential(TALK_MEAN_S);
                let talk = if world.draining {
                    world.between(LAST_WORDS_S.0, LAST_WORDS_S.1)
                } else {
                    world.sped_up(talk)
                };
                caller.leaves_at = Some(now + talk);
            }
        }
    }

    pub(super) fn on_timeout(&mut self, now: Duration, world: &mut World) {
        if self.next_at.is_some_and(|at| at <= now) {
            if self.count() < world.plan.calls_max {
                self.call(world);
            }
            let mean_s = 3_600.0 / f64::from(world.plan.calls_per_hour.max(1)) / world.plan.speed;
            self.next_at = Some(now + world.exponential(mean_s));
        }
        let due = |at: &mut Option<Duration>| at.take_if(|at| *at <= now).is_some();
        for (call, caller) in &mut self.calls {
            if due(&mut caller.presses_at)
                && let Some(digit) = caller.digit
            {
                world.act(TRUNK, Command::Digits { call: *call, digits: digit.into() });
            }
            if due(&mut caller.speaks_at) && !caller.silent {
                let drawn = world.draw();
                let voice = world.voices.pick(Speaker::Caller, &caller.language, drawn);
                world.act(TRUNK, Command::Speak { call: *call, voice });
            }
            if due(&mut caller.leaves_at) {
                if let (false, Some(number)) = (caller.talks, caller.number) {
                    self.disappointed.push_back(number);
                    self.disappointed.truncate(DISAPPOINTED_MAX);
                }
                world.act(TRUNK, Command::HangUp { call: *call, reason: None });
            }
        }
    }

    pub(super) fn on_drain(&mut self, now: Duration, world: &mut World) {
        self.next_at = None;
        for caller in self.calls.values_mut() {
            // Whoever withheld her number is never told that she hears a person: an operator ends that call.
            if caller.talks {
                let last_words = now + world.between(LAST_WORDS_S.0, LAST_WORDS_S.1);
                caller.leaves_at = Some(caller.leaves_at.map_or(last_words, |at| at.min(last_words)));
            }
        }
    }

    pub(super) fn all_leave(&mut self, world: &mut World) {
        self.next_at = None;
        for call in self.calls.keys() {
            world.act(TRUNK, Command::HangUp { call: *call, reason: None });
        }
    }

    fn call(&mut self, world: &mut World) {
        let line = pick_line(world);
        let place = usize::try_from(world.draw()).unwrap_or(0) % line.languages.len().max(1);
        let (language, digit) = line.languages.get(place).cloned().unwrap_or_default();
        let number = self.pick_number(world);
        let caller = Caller {
            number,
            language,
            digit: digit.filter(|_| !world.percent(10)),
            silent: world.percent(4),
            talks: false,
            presses_at: None,
            speaks_at: None,
            leaves_at: None,
        };
        let mut dial = Dial::to(&format!("sip:{}@{}", line.number, world.plan.host));
        dial.voice = Some(Voice::Silence);
        match number {
            Some(number) => {
                let uri = format!("sip:{}@{}", number.international(), world.plan.caller_host);
                dial.asserted_identity = Some(format!("<{uri}>").into());
                dial.from = Some(uri.into());
            }
            // RFC 3323 §4.1: what a carrier shows of somebody who withholds her number.
            None => {
                dial.from = Some("sip:anonymous@anonymous.invalid".into());
                dial.privacy = Some("id".into());
            }
        }
        self.dialling.push_back(caller);
        world.act(TRUNK, Command::Dial(Box::new(dial)));
    }

    /// A number that nobody calls from now. Some withhold it; some who gave up try again.
    fn pick_number(&mut self, world: &mut World) -> Option<Number> {
        if world.percent(5) {
            return None;
        }
        if world.percent(30)
            && let Some(number) = self.disappointed.pop_front()
            && !self.is_calling(number)
        {
            return Some(number);
        }
        // Far fewer call at once than there are numbers, so the loop soon ends.
        loop {
            let number = Number(u16::try_from(world.draw() % NUMBERS).unwrap_or(0));
            if !self.is_calling(number) {
                return Some(number);
            }
        }
    }

    fn is_calling(&self, number: Number) -> bool {
        self.calls.values().chain(&self.dialling).any(|caller| caller.number == Some(number))
    }
}

impl Caller {
    fn on_answer(&mut self, now: Duration, world: &mut World) {
        if self.digit.is_some() {
            self.presses_at = Some(now + world.between(DIGIT_AFTER_S.0, DIGIT_AFTER_S.1));
        }
        if self.number.is_none() {
            // She is never told when a person answers, so she neither gives up nor waits to speak.
            self.speaks_at = Some(now + Duration::from_secs_f64(DIGIT_AFTER_S.1));
        } else if !world.percent(25) {
            self.leaves_at = Some(now + PATIENCE_MIN + world.exponential(PATIENCE_MEAN_S));
        }
    }
}

impl Number {
    /// As carriers write it.
    pub(crate) fn international(self) -> String {
        format!("+3363998{:04}", self.0)
    }
}

fn pick_line(world: &mut World) -> DialledLine {
    let weights: u64 = world.plan.lines.iter().map(|line| u64::from(line.weight)).sum();
    let mut drawn = world.draw() % weights.max(1);
    for line in &world.plan.lines {
        match drawn.checked_sub(u64::from(line.weight)) {
            Some(left) => drawn = left,
            None => return line.clone(),
        }
    }
    world.plan.lines[0].clone()
}
