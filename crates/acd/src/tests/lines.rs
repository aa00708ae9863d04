//! Lines open and close, by hours and by hand.

use super::world::*;
use crate::door::Level::One;
use crate::door::*;
use crate::hours::{Hours, Range, TimeOfDay, Weekday};

/// 2026-11-23, a Monday, 07:00 in Paris.
const MONDAY_SEVEN_MS: i64 = 1_795_413_600_000;

fn office() -> Line {
    let range = Range { from: TimeOfDay::new(9, 0).unwrap(), to: TimeOfDay::new(18, 0).unwrap() };
    let mut line = line("help", One);
    line.hours = Hours::in_zone("Europe/Paris").unwrap().weekly(Weekday::Monday, range);
    line
}

fn hours(hours: u64) -> std::time::Duration {
    s(hours * 3600)
}

#[test]
fn a_line_opens_and_closes_at_its_hours_by_deadline() {
    let mut w = World::new(vec![office()], vec![]);
    assert_eq!(w.step(Input::Wall { unix_ms_at_epoch: MONDAY_SEVEN_MS }), ["help closed"]);
    assert_eq!(w.arrive(1, "help"), ["1 dissuaded Closed { by_hand: false }"]);
    assert_eq!(w.acd.poll_timeout(), Some(hours(2)));
    assert_eq!(w.until(hours(2)), ["help open"]);
    w.call(1, "help");
    assert_eq!(w.until(hours(11)), ["help closed"]);
    assert_eq!(w.acd.counts().waiting, 1);
}

#[test]
fn by_hand_goes_before_the_hours_until_taken_back() {
    let mut w = World::new(vec![office()], vec![]);
    w.step(Input::Wall { unix_ms_at_epoch: MONDAY_SEVEN_MS });
    let mut command = |command| w.step(Input::Line { line: "help".into(), command });
    assert_eq!(command(LineCommand::Open), ["help open by hand"]);
    assert_eq!(command(LineCommand::Open), Vec::<String>::new());
    assert_eq!(command(LineCommand::Close), ["help closed by hand"]);
    assert_eq!(command(LineCommand::ByHours), ["help closed"]);
}

#[test]
fn a_clock_that_is_set_is_heeded_at_once() {
    let mut w = World::new(vec![office()], vec![]);
    w.step(Input::Wall { unix_ms_at_epoch: MONDAY_SEVEN_MS });
    let nine_ms = MONDAY_SEVEN_MS + 2 * 3_600_000;
    assert_eq!(w.step(Input::Wall { unix_ms_at_epoch: nine_ms }), ["help open"]);
    assert_eq!(w.acd.poll_timeout(), Some(hours(9)));
}

#[test]
fn without_a_calendar_nobody_is_turned_away() {
    let mut w = World::new(vec![office()], vec![]);
    assert_eq!(w.arrive(1, "help"), ["1 admitted [fr]"]);
}

#[test]
fn hours_survive_a_restore() {
    let mut w = World::new(vec![office()], vec![]);
    w.step(Input::Wall { unix_ms_at_epoch: MONDAY_SEVEN_MS });
    let (_, told) = w.restore(vec![office()], vec![]);
    assert_eq!(told, ["help closed"]);
    assert_eq!(w.until(hours(2)), ["help open"]);
    w.step(Input::Line { line: "help".into(), command: LineCommand::Close });
    let (_, told) = w.restore(vec![office()], vec![]);
    assert_eq!(told, ["help closed by hand"]);
}
