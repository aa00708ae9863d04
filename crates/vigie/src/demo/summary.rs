//! What is said at the end: the figures, by line and by operator, and where everything was.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use facts::kpi::{self, Tally};
use facts::{Board, UnixMicros};

use super::board::Names;
use super::text::{clock, clock_or_dash, column, percent};

/// All of it.
pub(crate) fn summary(
    board: &Board,
    names: &Names,
    now: UnixMicros,
    ran_for: Duration,
    left_in: &Path,
) -> String {
    let mut out = format!("The demonstration ran for {}.\n\n", clock(ran_for));
    // Writing to a string never fails.
    let _ = figures(&mut out, board, now);
    let _ = lines(&mut out, board, names);
    let _ = operators(&mut out, board, names, now);
    let _ = writeln!(
        out,
        "Until the next demonstration on this port, the journal (SQLite) and the log are in\n  {left_in}\n\
         Its calls:  sqlite3 {left_in}/state/journal.sqlite 'select contact, line, outcome, operator from cdr'",
        left_in = left_in.display(),
    );
    out
}

fn figures(out: &mut String, board: &Board, now: UnixMicros) -> std::fmt::Result {
    let today = board.today();
    let thresholds = board.thresholds();
    let (within, short) = (thresholds.answer_within.as_secs(), thresholds.short_abandon.as_secs());
    let occupancy = board.operator_times().total(now).occupancy();
    writeln!(
        out,
        "{} offered = {} answered + {} abandoned + {} left in menu + {} dissuaded + {} closed + {} other\n",
        today.offered,
        today.answered,
        today.abandoned,
        today.left_in_menu,
        today.dissuaded,
        today.closed,
        today.other_exit,
    )?;
    let mut say = |value: String, what: String| writeln!(out, "  {value:>7}  {what}");
    say(
        percent(today.sl_5()),
        format!("SL-5, the headline: answered within {within} s of the trunk's INVITE ÷ offered"),
    )?;
    say(
        percent(today.sl_1()),
        format!("SL-1: answered within {within} s ÷ answered; the abandoned vanish from it"),
    )?;
    say(percent(today.answer_rate()), "answer rate: answered ÷ offered".into())?;
    say(
        percent(today.abandon_rate()),
        format!(
            "abandon rate: abandoned ÷ entered the queue; {} in less than {short} s",
            today.short_abandons
        ),
    )?;
    say(
        clock_or_dash(today.average_speed_of_answer()),
        format!(
            "ASA: mean wait of the answered; p50 {}, p90 {} with the abandoned as censored",
            clock_or_dash(today.wait_quantile(0.5)),
            clock_or_dash(today.wait_quantile(0.9)),
        ),
    )?;
    say(
        clock_or_dash(today.average_handling_time()),
        "AHT: talk + hold + wrap-up, per answered contact".into(),
    )?;
    say(percent(occupancy), "occupancy: above 85 % is a welfare warning, not a goal".into())?;
    writeln!(out, "  definitions version {}; a call counts when it is over\n", kpi::VERSION)
}

fn lines(out: &mut String, board: &Board, names: &Names) -> std::fmt::Result {
    writeln!(out, "  {}  offered  answered  abandoned  SL-5    ASA", column("LINE", 20))?;
    for (name, line) in board.lines() {
        let shown = names.lines.get(name).map_or(name.as_str(), String::as_str);
        let Tally { offered, answered, abandoned, .. } = line.today;
        writeln!(
            out,
            "  {}  {offered:>7}  {answered:>8}  {abandoned:>9}  {:>5}  {:>5}",
            column(shown, 20),
            percent(line.today.sl_5()),
            clock_or_dash(line.today.average_speed_of_answer()),
        )?;
    }
    writeln!(out)
}

fn operators(out: &mut String, board: &Board, names: &Names, now: UnixMicros) -> std::fmt::Result {
    writeln!(out, "  {}  answered   talk  wrap-up  not ready  busy", column("OPERATOR", 20))?;
    for (name, times) in board.operator_times().until(now) {
        let Some(operator) = board.operators().get(name).filter(|_| !times.signed_in().is_zero()) else {
            continue;
        };
        let shown = names.operators.get(name).map_or(name.as_str(), String::as_str);
        writeln!(
            out,
            "  {}  {:>8}  {:>5}  {:>7}  {:>9}  {:>4}",
            column(&format!("{shown} ({})", operator.employer), 20),
            operator.answered_today,
            clock(times.in_contact),
            clock(times.wrap_up),
            clock(times.not_ready + times.debrief),
            percent(times.occupancy()),
        )?;
    }
    writeln!(out)
}
