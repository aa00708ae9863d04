//! Figures computed by hand.

use super::*;
use crate::cdr::{FOLD_VERSION, Transfer};
use crate::event::*;
use crate::ids::*;
use crate::time::UnixMicros;

fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

/// A contact offered at 0 that entered the queue after `menu` seconds and waited for `wait`.
fn cdr(outcome: Outcome, menu: u64, wait: u64) -> Cdr {
    let in_queue = matches!(outcome, Outcome::Answered | Outcome::Abandoned | Outcome::OtherExit(Some(_)));
    let moment = |second: u64| UnixMicros(second as i64 * 1_000_000);
    Cdr {
        contact: ContactId(1),
        trunk: "carrier".into(),
        trunk_call_id: "x".into(),
        line: "day".into(),
        caller: Caller::Withheld,
        redirected: false,
        language: None,
        level: None,
        offered_at: moment(0),
        machine_answered_at: None,
        queued_at: in_queue.then(|| moment(menu)),
        first_offer_at: None,
        answered_at: (outcome == Outcome::Answered).then(|| moment(menu + wait)),
        ended_at: moment(menu + wait + 100),
        wait: seconds(if in_queue { wait } else { 0 }),
        wait_again: Duration::ZERO,
        ring: Duration::ZERO,
        talk: Duration::ZERO,
        hold: Duration::ZERO,
        wrap_up: Duration::ZERO,
        offers: Vec::new(),
        offers_left_out: 0,
        parts: Vec::new(),
        transfers: Vec::<Transfer>::new(),
        to_level_two: None,
        outcome,
        ended_by: EndedBy::Caller,
        cause: EndCause::bare(EndProof::Bye),
        legs: Vec::new(),
        one_way_audio: false,
        silent: false,
    }
}

/// Twenty contacts: 10 answered, 5 abandoned, and one or two of each other row.
fn an_hour() -> Vec<Cdr> {
    let mut hour = Vec::new();
    for (index, wait) in [2, 4, 6, 8, 10, 12, 15, 20, 40, 60].into_iter().enumerate() {
        let mut answered = cdr(Outcome::Answered, 10, wait);
        answered.talk = seconds(300);
        answered.hold = seconds(30);
        answered.wrap_up = seconds(60);
        answered.ended_by = if index < 4 { EndedBy::Operator } else { EndedBy::Caller };
        if index == 0 {
            answered.talk = seconds(5);
            answered.hold = Duration::ZERO;
            answered.silent = true;
        }
        if index == 9 {
            answered.to_level_two =
                Some(LevelTwo { requested_at: UnixMicros(0), wait: seconds(45), answered: true });
        }
        hour.push(answered);
    }
    hour.extend([1, 3, 10, 25, 90].map(|wait| cdr(Outcome::Abandoned, 10, wait)));
    hour.push(cdr(Outcome::Closed(ClosedReason::OutOfHours), 0, 0));
    hour.push(cdr(Outcome::LeftInMenu, 0, 0));
    hour.push(cdr(Outcome::LeftInMenu, 0, 0));
    hour.push(cdr(Outcome::Dissuaded(DissuadedReason::QueueFull), 0, 0));
    hour.push(cdr(Outcome::OtherExit(Some(ExitReason::MaximumWait)), 10, 120));
    hour
}

fn tally(cdrs: &[Cdr]) -> Tally {
    let mut tally = Tally::default();
    cdrs.iter().for_each(|cdr| tally.add(cdr, &Thresholds::default()));
    tally
}

#[test]
fn the_formulas_by_hand() {
    let hour = tally(&an_hour());
    assert_eq!((hour.offered, hour.answered, hour.abandoned), (20, 10, 5));
    assert_eq!((hour.closed, hour.left_in_menu, hour.dissuaded, hour.other_exit), (1, 2, 1, 1));
    // Y = 20 s, S = 5 s. Waits of the answered within 20: 2 4 6 8 10 12 15 20 = 8. Abandoned within
    // 20: 1 3 10 = 3; shorter than 5: 2. From the INVITE (menu of 10 s): 12 14 16 18 20 = 5.
    for (name, figure, expected) in [
        ("SL-1", hour.sl_1(), 8.0 / 10.0),
        ("SL-2", hour.sl_2(), 11.0 / 15.0),
        ("SL-3", hour.sl_3(), 8.0 / 15.0),
        ("SL-4", hour.sl_4(), 8.0 / 13.0),
        ("SL-5", hour.sl_5(), 5.0 / 20.0),
        ("answer rate", hour.answer_rate(), 10.0 / 20.0),
        ("abandon rate", hour.abandon_rate(), 5.0 / 16.0),
        ("short abandons", hour.short_abandon_rate(), 2.0 / 16.0),
        ("dropped", hour.dropped_rate(), 1.0 / 10.0),
        ("silent", hour.silent_rate(), 1.0 / 10.0),
        ("level two", hour.level_two_success(), 1.0),
    ] {
        assert_eq!(figure, Some(expected), "{name}");
    }
    // 2+4+6+8+10+12+15+20+40+60 = 177.
    assert_eq!(hour.average_speed_of_answer(), Some(Duration::from_millis(17_700)));
    // 9 × (300 + 30 + 60) + 5 + 0 + 60 = 3 575.
    assert_eq!(hour.average_handling_time(), Some(Duration::from_millis(357_500)));
    assert_eq!(hour.level_two_wait(), Some(seconds(45)));
    assert_eq!(hour.wait_max, seconds(120));
    assert_eq!(hour.ended_by_caller, 6);
}

#[test]
fn nothing_has_no_figures() {
    let nothing = Tally::default();
    for figure in [nothing.sl_1(), nothing.sl_2(), nothing.sl_3(), nothing.sl_4(), nothing.sl_5()] {
        assert_eq!(figure, None);
    }
    assert_eq!(nothing.average_speed_of_answer(), None);
    assert_eq!(nothing.wait_quantile(0.5), None);
}

#[test]
fn merging_and_adding_are_the_same() {
    let hour = an_hour();
    let (first, second) = hour.split_at(7);
    let mut merged = tally(first);
    merged.merge(&tally(second));
    assert_eq!(merged, tally(&hour));
    let by_row = tally_by(&hour, &Thresholds::default(), |cdr| Some(cdr.outcome.row()));
    assert_eq!(by_row.values().map(|tally| tally.offered).sum::<u64>(), 20);
    assert_eq!(by_row["left_in_menu"].left_in_menu, 2);
}

#[test]
fn ends_that_nobody_proves_are_the_operators_side() {
    for (by, dropped) in [
        (EndedBy::Caller, 0),
        (EndedBy::Network, 0),
        (EndedBy::Operator, 1),
        (EndedBy::Vigie, 1),
        (EndedBy::Unknown, 1),
    ] {
        let mut short = cdr(Outcome::Answered, 0, 1);
        short.talk = seconds(3);
        short.ended_by = by;
        assert_eq!(tally(&[short]).dropped, dropped, "{by:?}");
    }
}

#[test]
fn the_curve_by_hand() {
    // At risk 5: answered at 1 → 4/5; censored at 2; answered at 3 → 4/5 × 2/3 = 8/15; censored at 4;
    // answered at 5 → 0.
    let mut curve = WaitCurve::default();
    [1, 3, 5].into_iter().for_each(|wait| curve.answered(seconds(wait)));
    [2, 4].into_iter().for_each(|wait| curve.censored(seconds(wait)));
    for (share, expected) in [(0.1, Some(1)), (0.2, Some(1)), (0.4, Some(3)), (0.5, Some(5)), (0.9, Some(5))]
    {
        assert_eq!(curve.quantile(share), expected.map(seconds), "{share}");
    }
    // Without censoring the median of five is the third.
    let mut curve = WaitCurve::default();
    [10, 20, 30, 40, 50].into_iter().for_each(|wait| curve.answered(seconds(wait)));
    assert_eq!(curve.quantile(0.5), Some(seconds(30)));
    assert_eq!(curve.quantile(0.6), Some(seconds(30)));
    // If all leave, nobody knows.
    let mut curve = WaitCurve::default();
    [10, 20].into_iter().for_each(|wait| curve.censored(seconds(wait)));
    assert_eq!(curve.quantile(0.5), None);
    // Half a second is rounded up, never down.
    let mut curve = WaitCurve::default();
    curve.answered(Duration::from_millis(20_001));
    assert_eq!(curve.quantile(0.5), Some(seconds(21)));
}

#[test]
fn reach_by_hand() {
    let pseudonym = |byte: u8| CallerPseudonym::from_bytes([byte; 12]);
    let known = |byte| Caller::Known { pseudonym: pseudonym(byte), previous: None };
    let call = |caller, hour: i64, answered: bool| {
        let offered_at = UnixMicros(hour * 3_600_000_000);
        CallerCall { caller, offered_at, answered_at: answered.then(|| offered_at.plus(seconds(10))) }
    };
    let calls = [
        // 1: at once. 2: at the third attempt. 3: never. 4: after 30 hours, too late.
        call(known(1), 0, true),
        call(known(1), 1, true),
        call(known(2), 2, true),
        call(known(2), 0, false),
        call(known(2), 1, false),
        call(known(3), 0, false),
        call(known(4), 0, false),
        call(known(4), 30, true),
        // 5 and 6 are one caller: the key changed in between.
        call(known(5), 0, false),
        call(Caller::Known { pseudonym: pseudonym(6), previous: Some(pseudonym(5)) }, 1, true),
        call(Caller::Withheld, 0, true),
    ];
    let found = reach(calls, seconds(24 * 3600));
    assert_eq!(found, Reach { callers: 5, reached: 3, attempts: 1 + 3 + 2, withheld_calls: 1 });
    assert_eq!((found.rate(), found.attempts_mean()), (Some(0.6), Some(2.0)));
}

#[test]
fn a_circle_of_pseudonyms_hangs_nothing() {
    let pseudonym = |byte: u8| CallerPseudonym::from_bytes([byte; 12]);
    let circle = |now, before| CallerCall {
        caller: Caller::Known { pseudonym: pseudonym(now), previous: Some(pseudonym(before)) },
        offered_at: UnixMicros(0),
        answered_at: None,
    };
    assert_eq!(reach([circle(1, 2), circle(2, 1)], seconds(1)).reached, 0);
}

#[test]
fn occupancy_by_hand() {
    let told = |second: i64, kind| Event { seq: 0, at: UnixMicros(second * 1_000_000), contact: None, kind };
    let state = |state| EventKind::OperatorState {
        operator: "amina".into(),
        employer: "association".into(),
        state,
        cause: StateCause::Registered,
    };
    let mut times = OperatorTimes::new();
    for (second, kind) in [
        (0, state(OperatorState::Ready)),
        (100, state(OperatorState::Offered)),
        (110, state(OperatorState::InContact)),
        (410, state(OperatorState::WrapUp)),
        (470, state(OperatorState::NotReady { reason: "break".into() })),
        (570, state(OperatorState::Ready)),
    ] {
        times.apply(&told(second, kind));
    }
    let total = times.total(UnixMicros(600_000_000));
    // Busy 300 + 60; ringing 10; ready 100 + 30.
    assert_eq!(total.occupancy(), Some(360.0 / 500.0));
    assert_eq!(total.signed_in(), seconds(600));
    // The program was away: nobody's time runs until it says who is there.
    times.apply(&told(900, EventKind::EngineStarted { version: "2".into() }));
    assert_eq!(times.total(UnixMicros(1_000_000_000)).signed_in(), seconds(570));
    times.restart(UnixMicros(1_000_000_000));
    assert_eq!(times.total(UnixMicros(1_000_000_000)), StateTimes::default());
}

#[test]
fn versions_are_stated() {
    assert_eq!((VERSION, FOLD_VERSION), (1, 1));
}
