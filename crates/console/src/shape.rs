//! The JSON of `status`, `calls`, `operators`, `lines` and `trunks`: what programs may build on.
//!
//! Knows: its own fields, which only grow. Must never do: show a caller's number (there is none to show),
//! or a service level without its variant. Times are microseconds since 1970 (`_us`), durations
//! milliseconds (`_ms`), shares 0 to 1, cases the journal's words.

use std::time::Duration;

use facts::board::{LiveContact, Stage};
use facts::event::Alarm;
use facts::kpi::{self, Tally};
use facts::word::Word;
use facts::{Board, LineName, UnixMicros};
use serde::Serialize;

/// Everything at a glance.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Status {
    /// When this was looked at.
    pub now_us: i64,
    /// When the last event came; the picture is as old as that.
    pub last_event_us: i64,
    /// The program.
    pub engine: EngineShape,
    /// Contacts in the queue.
    pub waiting: usize,
    /// The longest of them has waited for this long.
    pub longest_wait_ms: Option<u64>,
    /// Contacts bridged to an operator.
    pub talking: usize,
    /// Contacts that are greeted, in a menu, or on their way out.
    pub elsewhere: usize,
    /// Operators by what they do.
    pub operators: OperatorCounts,
    /// What needs attention.
    pub alarms: Vec<AlarmShape>,
    /// The day's figures of all lines.
    pub today: Figures,
    /// Share of operators' time of today in contact or writing up. Above 0.85 is a welfare warning.
    pub occupancy_today: Option<f64>,
    /// Each line.
    pub lines: Vec<LineShape>,
    /// Each trunk.
    pub trunks: Vec<TrunkShape>,
}

/// The program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EngineShape {
    /// Its version.
    pub version: Option<String>,
    /// How long it has run.
    pub up_ms: Option<u64>,
    /// It takes no new calls.
    pub draining: bool,
    /// It stopped.
    pub stopped: bool,
    /// SHA-256 of the configuration in force.
    pub config: Option<String>,
    /// Things thrown away today for want of room; should be 0.
    pub dropped_today: u64,
}

/// Operators by what they do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct OperatorCounts {
    /// May be offered a contact.
    pub ready: usize,
    /// Being offered one.
    pub offered: usize,
    /// In one.
    pub in_contact: usize,
    /// Writing up.
    pub wrap_up: usize,
    /// There, and not to be offered anything (a debrief too).
    pub not_ready: usize,
    /// Not there.
    pub signed_out: usize,
}

/// What needs attention.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AlarmShape {
    /// `no_eligible_operator`, `long_wait`, `trunk_down`, `journal_away`, `state_not_persisted`, `other`.
    pub kind: &'static str,
    /// About which line or trunk; for `other` its text.
    pub about: Option<String>,
    /// At which level, if it says.
    pub level: Option<u8>,
    /// In which language, if it says.
    pub language: Option<String>,
    /// For how long.
    pub for_ms: u64,
}

/// The day's figures, by the definitions of `definitions`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Figures {
    /// The version of the definitions.
    pub definitions: u16,
    /// Y of the service levels.
    pub answer_within_ms: u64,
    /// S of the short abandons.
    pub short_abandon_ms: u64,
    /// All; the next six add up to it.
    pub offered: u64,
    /// The line was closed.
    pub closed: u64,
    /// The caller left before the queue.
    pub left_in_menu: u64,
    /// The line refused before the queue.
    pub dissuaded: u64,
    /// Left by our doing.
    pub other_exit: u64,
    /// The caller left before an operator answered.
    pub abandoned: u64,
    /// An operator answered.
    pub answered: u64,
    /// Answered ÷ offered.
    pub answer_rate: Option<f64>,
    /// Abandoned ÷ entered the queue.
    pub abandon_rate: Option<f64>,
    /// SL-1.
    pub sl_1: Option<f64>,
    /// SL-2.
    pub sl_2: Option<f64>,
    /// SL-3.
    pub sl_3: Option<f64>,
    /// SL-4.
    pub sl_4: Option<f64>,
    /// SL-5, the headline.
    pub sl_5: Option<f64>,
    /// ASA.
    pub wait_mean_ms: Option<u64>,
    /// Kaplan–Meier, the abandoned as censored.
    pub wait_p50_ms: Option<u64>,
    /// Kaplan–Meier, the abandoned as censored.
    pub wait_p90_ms: Option<u64>,
    /// AHT.
    pub handling_mean_ms: Option<u64>,
    /// Answered then dropped ÷ answered.
    pub dropped_rate: Option<f64>,
}

/// A call that is not over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CallShape {
    /// Which.
    pub contact: u64,
    /// Its line.
    pub line: String,
    /// The line's name for people.
    pub line_display: String,
    /// Where it came in.
    pub trunk: String,
    /// Its language, once chosen.
    pub language: Option<String>,
    /// Its level, once known.
    pub level: Option<u8>,
    /// Its priority in the queue.
    pub priority: i32,
    /// `menu`, `waiting`, `ringing`, `talking`, `leaving`.
    pub stage: &'static str,
    /// In that stage for how long.
    pub for_ms: u64,
    /// Since the trunk's INVITE.
    pub age_ms: u64,
    /// The operators in it, or whose phones ring for it.
    pub operators: Vec<String>,
    /// Somebody holds somebody.
    pub on_hold: bool,
}

/// An operator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OperatorShape {
    /// Who.
    pub operator: String,
    /// Employed by whom.
    pub employer: String,
    /// `ready`, `offered`, `in_contact`, `wrap_up`, `not_ready`, `debrief`, `signed_out`.
    pub state: String,
    /// Why not ready.
    pub reason: Option<String>,
    /// In that state for how long.
    pub for_ms: u64,
    /// Why in that state: `registered`, `missed_offer`, `command:local_control`, …
    pub cause: String,
    /// The contact she is in.
    pub contact: Option<u64>,
    /// Contacts she answered today.
    pub answered_today: u64,
}

/// A line.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LineShape {
    /// Which.
    pub line: String,
    /// Its name for people.
    pub display: String,
    /// Opened (true) or closed (false) by a command; none if its hours decide.
    pub opened_by_command: Option<bool>,
    /// Contacts in its queue.
    pub waiting: usize,
    /// The longest of them has waited for this long.
    pub longest_wait_ms: Option<u64>,
    /// Contacts bridged to an operator.
    pub talking: usize,
    /// Its figures of the day.
    pub today: Figures,
}

/// A trunk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TrunkShape {
    /// Which.
    pub trunk: String,
    /// Whether it answers; none while nobody knows.
    pub alive: Option<bool>,
    /// For how long.
    pub for_ms: u64,
    /// The status that said it is dead.
    pub status: Option<u16>,
    /// Its calls now.
    pub calls: usize,
}

type Display<'a> = &'a dyn Fn(&LineName) -> String;

impl Status {
    pub(crate) fn of(board: &Board, display: Display<'_>, now: UnixMicros) -> Self {
        let contacts = board.contacts().values();
        let waiting = contacts.clone().filter(|contact| waits(contact)).count();
        let talking = contacts.clone().filter(|contact| contact.stage == Stage::Talking).count();
        Self {
            now_us: now.0,
            last_event_us: board.last_event_at().0,
            engine: EngineShape::of(board, now),
            waiting,
            longest_wait_ms: longest_wait(contacts, now),
            talking,
            elsewhere: board.contacts().len() - waiting - talking,
            operators: OperatorCounts::of(board),
            alarms: board.alarms().iter().map(|(since, alarm)| AlarmShape::of(alarm, *since, now)).collect(),
            today: Figures::of(board.today(), board),
            occupancy_today: board.operator_times().total(now).occupancy(),
            lines: LineShape::all(board, display, now),
            trunks: TrunkShape::all(board, now),
        }
    }
}

impl EngineShape {
    fn of(board: &Board, now: UnixMicros) -> Self {
        let engine = board.engine();
        Self {
            version: engine.version.as_ref().map(ToString::to_string),
            up_ms: engine.started_at.map(|started| millis(now.since(started))),
            draining: engine.draining,
            stopped: engine.stopped,
            config: engine.config.as_ref().map(ToString::to_string),
            dropped_today: engine.dropped_today,
        }
    }
}

impl OperatorCounts {
    fn of(board: &Board) -> Self {
        use facts::event::OperatorState as State;
        let mut counts = Self::default();
        for operator in board.operators().values() {
            match operator.state {
                State::Ready => counts.ready += 1,
                State::Offered => counts.offered += 1,
                State::InContact => counts.in_contact += 1,
                State::WrapUp => counts.wrap_up += 1,
                State::NotReady { .. } | State::Debrief => counts.not_ready += 1,
                State::SignedOut => counts.signed_out += 1,
            }
        }
        counts
    }
}

impl AlarmShape {
    fn of(alarm: &Alarm, since: UnixMicros, now: UnixMicros) -> Self {
        let (mut level, mut language) = (None, None);
        let (kind, about) = match alarm {
            Alarm::NoEligibleOperator { line, level: wanted, language: spoken } => {
                level = Some(wanted.number());
                language = Some(spoken.to_string());
                ("no_eligible_operator", Some(line.to_string()))
            }
            Alarm::LongWait { line, .. } => ("long_wait", Some(line.to_string())),
            Alarm::TrunkDown { trunk } => ("trunk_down", Some(trunk.to_string())),
            Alarm::JournalAway => ("journal_away", None),
            Alarm::StateNotPersisted => ("state_not_persisted", None),
            Alarm::Other(text) => ("other", Some(text.to_string())),
        };
        Self { kind, about, level, language, for_ms: millis(now.since(since)) }
    }
}

impl Figures {
    fn of(tally: &Tally, board: &Board) -> Self {
        let thresholds = board.thresholds();
        Self {
            definitions: kpi::VERSION,
            answer_within_ms: millis(thresholds.answer_within),
            short_abandon_ms: millis(thresholds.short_abandon),
            offered: tally.offered,
            closed: tally.closed,
            left_in_menu: tally.left_in_menu,
            dissuaded: tally.dissuaded,
            other_exit: tally.other_exit,
            abandoned: tally.abandoned,
            answered: tally.answered,
            answer_rate: tally.answer_rate(),
            abandon_rate: tally.abandon_rate(),
            sl_1: tally.sl_1(),
            sl_2: tally.sl_2(),
            sl_3: tally.sl_3(),
            sl_4: tally.sl_4(),
            sl_5: tally.sl_5(),
            wait_mean_ms: tally.average_speed_of_answer().map(millis),
            wait_p50_ms: tally.wait_quantile(0.5).map(millis),
            wait_p90_ms: tally.wait_quantile(0.9).map(millis),
            handling_mean_ms: tally.average_handling_time().map(millis),
            dropped_rate: tally.dropped_rate(),
        }
    }
}

impl CallShape {
    pub(crate) fn all(board: &Board, display: Display<'_>, now: UnixMicros) -> Vec<Self> {
        let shape = |(id, contact): (&facts::ContactId, &LiveContact)| {
            let (stage, ringing) = match &contact.stage {
                Stage::Menu => ("menu", None),
                Stage::Waiting => ("waiting", None),
                Stage::Ringing { operators } => ("ringing", Some(operators)),
                Stage::Talking => ("talking", None),
                Stage::Leaving => ("leaving", None),
            };
            Self {
                contact: id.0,
                line: contact.line.to_string(),
                line_display: display(&contact.line),
                trunk: contact.trunk.to_string(),
                language: contact.language.as_ref().map(ToString::to_string),
                level: contact.level.map(facts::Level::number),
                priority: contact.priority,
                stage,
                for_ms: millis(now.since(contact.since)),
                age_ms: millis(now.since(contact.offered_at)),
                operators: ringing.unwrap_or(&contact.operators).iter().map(ToString::to_string).collect(),
                on_hold: contact.on_hold,
            }
        };
        board.contacts().iter().map(shape).collect()
    }
}

impl OperatorShape {
    pub(crate) fn all(board: &Board, now: UnixMicros) -> Vec<Self> {
        let shape = |(name, operator): (&facts::OperatorName, &facts::board::LiveOperator)| {
            let (state, reason) = match &operator.state {
                facts::event::OperatorState::NotReady { reason } => {
                    ("not_ready".into(), Some(reason.to_string()))
                }
                other => (other.word().into_owned(), None),
            };
            Self {
                operator: name.to_string(),
                employer: operator.employer.to_string(),
                state,
                reason,
                for_ms: millis(now.since(operator.since)),
                cause: operator.cause.word().into_owned(),
                contact: operator.contact.map(|contact| contact.0),
                answered_today: operator.answered_today,
            }
        };
        board.operators().iter().map(shape).collect()
    }
}

impl LineShape {
    pub(crate) fn all(board: &Board, display: Display<'_>, now: UnixMicros) -> Vec<Self> {
        let shape = |(name, line): (&LineName, &facts::board::LiveLine)| {
            let contacts = board.contacts().values().filter(|contact| contact.line == *name);
            Self {
                line: name.to_string(),
                display: display(name),
                opened_by_command: line.opened_by_command,
                waiting: contacts.clone().filter(|contact| waits(contact)).count(),
                longest_wait_ms: longest_wait(contacts.clone(), now),
                talking: contacts.filter(|contact| contact.stage == Stage::Talking).count(),
                today: Figures::of(&line.today, board),
            }
        };
        board.lines().iter().map(shape).collect()
    }
}

impl TrunkShape {
    pub(crate) fn all(board: &Board, now: UnixMicros) -> Vec<Self> {
        let shape = |(name, trunk): (&facts::TrunkName, &facts::board::LiveTrunk)| Self {
            trunk: name.to_string(),
            alive: trunk.alive,
            for_ms: millis(now.since(trunk.since)),
            status: trunk.status,
            calls: board.contacts().values().filter(|contact| contact.trunk == *name).count(),
        };
        board.trunks().iter().map(shape).collect()
    }
}

fn waits(contact: &LiveContact) -> bool {
    matches!(contact.stage, Stage::Waiting | Stage::Ringing { .. })
}

fn longest_wait<'a>(contacts: impl Iterator<Item = &'a LiveContact>, now: UnixMicros) -> Option<u64> {
    let since = contacts.filter(|contact| waits(contact)).filter_map(|contact| contact.queued_at).min();
    since.map(|since| millis(now.since(since)))
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}
