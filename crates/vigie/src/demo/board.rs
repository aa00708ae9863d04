//! The live board: who waits, who talks, who is there, since when, and the figures of the day, as rows of text.
//!
//! Knows: what is shown where in a terminal of any size. Must never know: the terminal itself, nor the engine.

use std::collections::BTreeMap;
use std::time::Duration;

use facts::board::{LiveContact, LiveOperator, LiveTrunk, Stage};
use facts::event::{Alarm, OperatorState};
use facts::{Board, ContactId, LineName, OperatorName, TrunkName, UnixMicros};

use super::text::{clock, clock_or_dash, column, percent, width};

/// Below this, waiting and talking stand one above the other.
const SIDE_BY_SIDE_COLUMNS_MIN: usize = 76;
/// Rows of callers, the heading among them, that a small terminal still shows before operators give way.
const CALLERS_ROWS_MIN: usize = 3;
/// Alarms shown; the first is what to do first.
const ALARMS_SHOWN_MAX: usize = 2;

/// How a piece of text looks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Style {
    /// As it is.
    Plain,
    /// Of less interest.
    Faint,
    /// Of more.
    Strong,
    /// A heading.
    Heading,
    /// All is well.
    Good,
    /// Something is going on.
    Busy,
    /// Look at this.
    Warning,
    /// Do something.
    Bad,
}

/// A piece of a row.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Span {
    /// What.
    pub(crate) text: String,
    /// How.
    pub(crate) style: Style,
}

/// One line of the terminal.
pub(crate) type Row = Vec<Span>;

/// What is shown.
pub(crate) struct View<'a> {
    /// The live picture.
    pub(crate) board: &'a Board,
    /// Now.
    pub(crate) now: UnixMicros,
    /// Since the demonstration began.
    pub(crate) running_for: Duration,
    /// How the people of this board are called.
    pub(crate) names: &'a Names,
    /// Above it all: what, where.
    pub(crate) title: &'a str,
    /// No more callers come.
    pub(crate) draining: bool,
    /// Below it all: how to join.
    pub(crate) footer: &'a [String],
}

/// Names for people.
#[derive(Default)]
pub(crate) struct Names {
    /// Of lines.
    pub(crate) lines: BTreeMap<LineName, String>,
    /// Of operators.
    pub(crate) operators: BTreeMap<OperatorName, String>,
}

impl Names {
    fn line<'a>(&'a self, line: &'a LineName) -> &'a str {
        self.lines.get(line).map_or(line.as_str(), String::as_str)
    }

    fn operator<'a>(&'a self, operator: &'a OperatorName) -> &'a str {
        self.operators.get(operator).map_or(operator.as_str(), String::as_str)
    }
}

/// The board in so many columns and rows.
pub(crate) fn rows(view: &View<'_>, columns: usize, height: usize) -> Vec<Row> {
    let mut top = vec![title(view, columns), trunks(view), Row::new()];
    top.extend(figures(view));
    top.extend(alarms(view));
    top.push(Row::new());
    let operators = operators(view, columns);
    let footer: Vec<Row> = view.footer.iter().map(|line| vec![faint(format!(" {line}"))]).collect();

    let fixed = top.len() + operators.len() + footer.len() + 2;
    let panes_deep = if columns >= SIDE_BY_SIDE_COLUMNS_MIN { 1 } else { 2 };
    let callers = callers(view, columns, height.saturating_sub(fixed).max(CALLERS_ROWS_MIN * panes_deep));
    let mut rows = top;
    rows.extend(callers);
    rows.push(Row::new());
    rows.extend(operators);
    // The footer stays at the foot, and gives way to what lives.
    let room = height.saturating_sub(footer.len());
    if rows.len() <= room {
        rows.resize(room, Row::new());
        rows.extend(footer);
    }
    rows.truncate(height);
    rows
}

/// The same in one line, for a log.
pub(crate) fn line(view: &View<'_>) -> String {
    let (waiting, talking, elsewhere) = sorted(view);
    let counts: Vec<_> =
        state_counts(view.board).into_iter().map(|(count, word, _)| format!("{count} {word}")).collect();
    let today = view.board.today();
    format!(
        "{:>7}  {} waiting (longest {}), {} talking, {} elsewhere; operators: {}; today: {} offered, {} answered, {} \
         abandoned, SL-5 {} in {} s",
        clock(view.running_for),
        waiting.len(),
        clock_or_dash(longest(view, &waiting)),
        talking.len(),
        elsewhere.len(),
        counts.join(", "),
        today.offered,
        today.answered,
        today.abandoned,
        percent(today.sl_5()),
        view.board.thresholds().answer_within.as_secs(),
    )
}

type Live<'a> = (ContactId, &'a LiveContact);

/// Those who wait (longest first), those who talk, the others.
fn sorted<'a>(view: &View<'a>) -> (Vec<Live<'a>>, Vec<Live<'a>>, Vec<Live<'a>>) {
    let contacts = || view.board.contacts().iter().map(|(id, contact)| (*id, contact));
    let talking = contacts().filter(|(_, contact)| contact.stage == Stage::Talking).collect();
    let elsewhere = contacts().filter(|(_, contact)| matches!(contact.stage, Stage::Menu | Stage::Leaving));
    (view.board.waiting(), talking, elsewhere.collect())
}

fn longest(view: &View<'_>, waiting: &[Live<'_>]) -> Option<Duration> {
    waiting.iter().filter_map(|(_, contact)| contact.queued_at).map(|since| view.now.since(since)).max()
}

fn title(view: &View<'_>, columns: usize) -> Row {
    let state = if view.draining { "ending: no more callers " } else { "" };
    let right = format!("{state}{} ", clock(view.running_for));
    let left = column(&format!(" {}", view.title), columns.saturating_sub(width(&right)));
    let style = if view.draining { Style::Warning } else { Style::Heading };
    vec![span(left, style), span(right, style)]
}

fn trunks(view: &View<'_>) -> Row {
    let mut row = vec![faint(" trunks  ")];
    for (name, trunk) in view.board.trunks() {
        row.extend(trunk_cell(view, name, trunk));
    }
    row
}

fn trunk_cell(view: &View<'_>, name: &TrunkName, trunk: &LiveTrunk) -> [Span; 2] {
    let calls = view.board.contacts().values().filter(|contact| contact.trunk == *name).count();
    let (mark, style) = match trunk.alive {
        Some(true) => ("●", Style::Good),
        Some(false) => ("● dead", Style::Bad),
        None if calls > 0 => ("●", Style::Good),
        None => ("○", Style::Faint),
    };
    let calls = match calls {
        0 => String::new(),
        1 => " 1 call".into(),
        calls => format!(" {calls} calls"),
    };
    [span(format!("{mark} "), style), plain(format!("{name}{calls}   "))]
}

fn figures(view: &View<'_>) -> [Row; 2] {
    let today = view.board.today();
    let within = view.board.thresholds().answer_within.as_secs();
    let occupancy = view.board.operator_times().total(view.now).occupancy();
    let cascade = [
        (today.answered, "answered"),
        (today.abandoned, "abandoned"),
        (today.left_in_menu, "left in menu"),
        (today.dissuaded, "dissuaded"),
        (today.closed, "closed"),
        (today.other_exit, "other"),
    ];
    let mut parts: Vec<_> = cascade
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    if parts.is_empty() {
        parts.push("nobody's call is over yet".into());
    }
    let sl_5_style = match today.sl_5() {
        Some(share) if share >= 0.8 => Style::Good,
        Some(_) => Style::Warning,
        None => Style::Plain,
    };
    [
        vec![
            faint(" today   "),
            strong(format!("{} offered", today.offered)),
            plain(format!(" = {}", parts.join(" + "))),
        ],
        vec![
            plain("         "),
            span(format!("SL-5 {}", percent(today.sl_5())), sl_5_style),
            faint(format!(" in {within} s  ")),
            plain(format!(
                "answered {}  ASA {}  p90 {}  AHT {}  busy {}",
                percent(today.answer_rate()),
                clock_or_dash(today.average_speed_of_answer()),
                clock_or_dash(today.wait_quantile(0.9)),
                clock_or_dash(today.average_handling_time()),
                percent(occupancy),
            )),
        ],
    ]
}

fn alarms(view: &View<'_>) -> impl Iterator<Item = Row> {
    view.board.alarms().iter().take(ALARMS_SHOWN_MAX).map(|(since, alarm)| {
        let text = match alarm {
            Alarm::NoEligibleOperator { line, level, language } => {
                let line = view.names.line(line);
                format!("{line}: nobody signed in may answer level {}, {language}", level.number())
            }
            Alarm::LongWait { line, .. } => format!("{}: long wait", view.names.line(line)),
            Alarm::TrunkDown { trunk } => format!("trunk {trunk} does not answer"),
            Alarm::JournalAway => "the journal is away; events are kept aside".into(),
            Alarm::StateNotPersisted => "the state file can't be written".into(),
            Alarm::Other(text) => text.to_string(),
        };
        vec![span(format!(" ALARM   {text} ({})", clock(view.now.since(*since))), Style::Bad)]
    })
}

fn callers(view: &View<'_>, columns: usize, height: usize) -> Vec<Row> {
    let (waiting, talking, elsewhere) = sorted(view);
    let mut heading = format!(" WAITING {}", waiting.len());
    if let Some(longest) = longest(view, &waiting) {
        heading.push_str(&format!(", longest {}", clock(longest)));
    }
    if !elsewhere.is_empty() {
        heading.push_str(&format!("; {} greeted", elsewhere.len()));
    }
    let side_by_side = columns >= SIDE_BY_SIDE_COLUMNS_MIN;
    let wide = if side_by_side { columns / 2 - 1 } else { columns };
    let waiting_rows =
        waiting.iter().chain(&elsewhere).map(|(id, contact)| waiting_row(view, *id, contact, wide));
    let talking_rows = talking.iter().map(|(id, contact)| talking_row(view, *id, contact, wide));
    let height_each = if side_by_side { height } else { height / 2 };
    let left = pane(heading, waiting_rows.collect(), height_each);
    let right = pane(format!(" TALKING {}", talking.len()), talking_rows.collect(), height_each);
    if !side_by_side {
        return left.into_iter().chain(right).collect();
    }
    let empty = || Row::new();
    (0..left.len().max(right.len()))
        .map(|at| {
            let mut row = left.get(at).cloned().unwrap_or_else(empty);
            let used: usize = row.iter().map(|span| width(&span.text)).sum();
            row.push(plain(" ".repeat(wide.saturating_sub(used))));
            row.push(faint("│"));
            row.extend(right.get(at).cloned().unwrap_or_else(empty));
            row
        })
        .collect()
}

/// A heading and as many rows as there is room for; the last says how many are left out.
fn pane(heading: String, mut rows: Vec<Row>, height: usize) -> Vec<Row> {
    let room = height.saturating_sub(1).max(1);
    if rows.len() > room {
        let left_out = rows.len() - (room - 1);
        rows.truncate(room - 1);
        rows.push(vec![faint(format!("      and {left_out} more"))]);
    }
    rows.insert(0, vec![span(heading, Style::Heading)]);
    rows
}

fn waiting_row(view: &View<'_>, id: ContactId, contact: &LiveContact, wide: usize) -> Row {
    let since = contact.queued_at.unwrap_or(contact.offered_at);
    let (what, style) = match &contact.stage {
        Stage::Ringing { operators } => {
            let names: Vec<_> = operators.iter().map(|operator| view.names.operator(operator)).collect();
            (format!("→ {}", names.join(", ")), Style::Busy)
        }
        Stage::Menu => ("greeted".into(), Style::Faint),
        Stage::Leaving => ("leaves".into(), Style::Faint),
        Stage::Waiting | Stage::Talking => ("waits".into(), Style::Warning),
    };
    contact_row(view, id, contact, view.now.since(since), span(what, style), wide)
}

fn talking_row(view: &View<'_>, id: ContactId, contact: &LiveContact, wide: usize) -> Row {
    let names: Vec<_> = contact.operators.iter().map(|operator| view.names.operator(operator)).collect();
    let held = if contact.on_hold { " (hold)" } else { "" };
    let who = span(format!("{}{held}", names.join(", ")), Style::Good);
    contact_row(view, id, contact, view.now.since(contact.since), who, wide)
}

/// Call, line, language, level, since when, and a last column: what is going on.
fn contact_row(
    view: &View<'_>,
    id: ContactId,
    contact: &LiveContact,
    time: Duration,
    last: Span,
    wide: usize,
) -> Row {
    // What is left beside the other columns, the last of them wide enough for most names.
    let line_wide = wide.saturating_sub(6 + 1 + 3 + 2 + 7 + 10).clamp(6, 20);
    let language = contact.language.as_ref().map_or("", |language| language.as_str());
    let level = contact.level.map_or_else(String::new, |level| level.number().to_string());
    let used = 6 + line_wide + 1 + 3 + 2 + 7;
    let last_text = column(&last.text, wide.saturating_sub(used));
    vec![
        faint(format!("{:>5} ", id.0)),
        plain(format!("{} {language:<2} {level:<1} ", column(view.names.line(&contact.line), line_wide))),
        strong(format!("{:>6} ", clock(time))),
        span(last_text, last.style),
    ]
}

/// How many operators are in each state that somebody is in.
fn state_counts(board: &Board) -> Vec<(usize, &'static str, Style)> {
    type Kind = (&'static str, Style, fn(&OperatorState) -> bool);
    let kinds: [Kind; 7] = [
        ("ready", Style::Good, |state| *state == OperatorState::Ready),
        ("ringing", Style::Busy, |state| *state == OperatorState::Offered),
        ("talking", Style::Good, |state| *state == OperatorState::InContact),
        ("wrap-up", Style::Warning, |state| *state == OperatorState::WrapUp),
        ("not ready", Style::Warning, |state| matches!(state, OperatorState::NotReady { .. })),
        ("debrief", Style::Warning, |state| *state == OperatorState::Debrief),
        ("signed out", Style::Faint, |state| *state == OperatorState::SignedOut),
    ];
    let count = |is: fn(&OperatorState) -> bool| board.operators().values().filter(|o| is(&o.state)).count();
    let counts = kinds.into_iter().map(|(word, style, is)| (count(is), word, style));
    counts.filter(|(count, _, _)| *count > 0).collect()
}

fn operators(view: &View<'_>, columns: usize) -> Vec<Row> {
    let mut heading = vec![span(format!(" OPERATORS {}  ", view.board.operators().len()), Style::Heading)];
    for (count, word, style) in state_counts(view.board) {
        heading.push(span(format!("{count} {word}   "), style));
    }
    let named =
        || view.board.operators().iter().map(|(name, operator)| (view.names.operator(name), operator));
    let name_wide = named().map(|(name, _)| width(name)).max().unwrap_or(0).min(14);
    // A mark, the name, the state, the time, and the answered of today.
    let cell_wide = 3 + name_wide + 1 + 10 + 6 + 5;
    let abreast = (columns / cell_wide).max(1);
    let mut rows = vec![heading];
    let cells: Vec<_> =
        named().map(|(name, operator)| operator_cell(view, name, name_wide, operator)).collect();
    // Down the columns, as names are read.
    let deep = cells.len().div_ceil(abreast);
    for at in 0..deep {
        rows.push(cells.iter().skip(at).step_by(deep.max(1)).flatten().cloned().collect());
    }
    rows
}

fn operator_cell(view: &View<'_>, name: &str, name_wide: usize, operator: &LiveOperator) -> [Span; 3] {
    let (state, style) = match &operator.state {
        OperatorState::SignedOut => ("signed out", Style::Faint),
        OperatorState::Ready => ("ready", Style::Good),
        OperatorState::Offered => ("ringing", Style::Busy),
        OperatorState::InContact => ("talking", Style::Good),
        OperatorState::WrapUp => ("wrap-up", Style::Warning),
        OperatorState::NotReady { reason } => (&**reason, Style::Warning),
        OperatorState::Debrief => ("debrief", Style::Warning),
    };
    let mark = if operator.state == OperatorState::SignedOut { "○" } else { "●" };
    let time = match operator.state {
        OperatorState::SignedOut => String::new(),
        _ => clock(view.now.since(operator.since)),
    };
    let name_style = if operator.state == OperatorState::SignedOut { Style::Faint } else { Style::Plain };
    let answered = match operator.answered_today {
        0 => String::new(),
        answered => format!("{answered}✓"),
    };
    [
        span(format!(" {mark} "), style),
        span(format!("{} ", column(name, name_wide)), name_style),
        span(format!("{}{time:>6}{answered:>4} ", column(state, 10)), style),
    ]
}

fn span(text: impl Into<String>, style: Style) -> Span {
    Span { text: text.into(), style }
}

fn plain(text: impl Into<String>) -> Span {
    span(text, Style::Plain)
}

fn faint(text: impl Into<String>) -> Span {
    span(text, Style::Faint)
}

fn strong(text: impl Into<String>) -> Span {
    span(text, Style::Strong)
}

#[cfg(test)]
mod tests;
