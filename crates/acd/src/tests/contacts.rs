//! Contacts: admission, order, fairness, rings, the longest wait, a lost operator, nobody eligible.

use super::world::*;
use crate::door::Level::{One, Two};
use crate::door::*;

#[test]
fn a_full_or_unknown_line_dissuades() {
    let mut small = line("help", One);
    small.waiting_max = 2;
    let mut w = World::new(vec![small], vec![]);
    assert_eq!(w.arrive(1, "nowhere"), ["1 dissuaded NoSuchLine"]);
    w.call(1, "help");
    assert_eq!(w.arrive(2, "help"), ["2 admitted [fr]"]);
    assert_eq!(w.arrive(3, "help"), ["3 dissuaded Full"]);
    w.gone(2);
    assert_eq!(w.arrive(4, "help"), ["4 admitted [fr]"]);
}

#[test]
fn who_is_offered_or_talks_does_not_fill_the_line() {
    let mut small = line("help", One);
    small.waiting_max = 1;
    let mut w = World::staffed(vec![small], vec![operator("ada", &[One]), operator("bea", &[One])]);
    w.call(1, "help");
    w.accept(0);
    w.call(2, "help");
    assert_eq!(w.arrive(3, "help"), ["3 admitted [fr]"]);
    assert_eq!(w.arrive(4, "help"), ["4 dissuaded Full"]);
}

#[test]
fn a_language_that_the_line_does_not_have_is_served_in_its_first() {
    let mut w = World::new(vec![line("help", One)], vec![]);
    w.arrive(1, "help");
    assert_eq!(w.choose(1, "xx"), ["1 queued One fr ahead 0", "1 nobody"]);
    assert_eq!(w.choose(1, "fr"), Vec::<String>::new());
}

#[test]
fn priority_then_one_clock_for_all_lines() {
    let mut urgent = line("urgent", One);
    urgent.priority = 5;
    let mut w =
        World::new(vec![line("help", One), line("night", One), urgent], vec![operator("ada", &[One])]);
    for (contact, name) in [(1, "help"), (2, "night"), (3, "urgent"), (4, "help"), (5, "urgent")] {
        w.now += s(1);
        w.call(contact, name);
    }
    w.devices("ada", true);
    let mut order = Vec::new();
    for offer in 0..5 {
        order.push(w.proofs[&OfferId(offer)].contact().0);
        w.accept(offer);
        w.gone(order[offer as usize]);
        w.until(w.now + s(30));
    }
    assert_eq!(order, [3, 5, 1, 2, 4]);
}

#[test]
fn the_place_is_counted_among_who_competes() {
    let mut urgent = line("urgent", One);
    urgent.priority = 5;
    let mut w = World::new(vec![line("help", One), line("deep", Two), urgent], vec![]);
    assert_eq!(w.call(1, "help")[0], "1 queued One fr ahead 0");
    assert_eq!(w.call(2, "help")[0], "2 queued One fr ahead 1");
    assert_eq!(w.call(3, "urgent")[0], "3 queued One fr ahead 0");
    assert_eq!(w.call(4, "help")[0], "4 queued One fr ahead 3");
    assert_eq!(w.call(5, "deep")[0], "5 queued Two fr ahead 0");
}

#[test]
fn the_best_then_the_least_needed_elsewhere_then_the_longest_idle_then_the_name() {
    let fluent = |name: &str, level: u8| {
        let mut operator = operator(name, &[One]);
        operator.languages = vec![("fr".into(), Proficiency(level))];
        operator
    };
    let mut rare = fluent("abe", 5);
    rare.skills = vec![("sign".into(), Proficiency(5))];
    let (zoe, yve, xia, low) = (fluent("zoe", 5), fluent("yve", 5), fluent("xia", 5), fluent("aaa", 2));
    let cases = [
        (Strategy::BestThenLongestIdle, ["zoe", "xia", "yve", "abe", "aaa"]),
        (Strategy::LongestIdle, ["aaa", "abe", "zoe", "xia", "yve"]),
    ];
    for (strategy, expected) in cases {
        let mut line = line("help", One);
        line.strategy = strategy;
        let staff = vec![low.clone(), rare.clone(), zoe.clone(), yve.clone(), xia.clone()];
        let mut w = World::new(vec![line], staff);
        for (at, names) in [(1, &["aaa", "abe"][..]), (2, &["zoe"]), (3, &["yve", "xia"])] {
            w.now = s(at);
            for name in names {
                w.devices(name, true);
            }
        }
        for contact in 0..5 {
            w.call(contact, "help");
        }
        let chosen: Vec<_> = w.proofs.values().map(|proof| proof.operator().to_string()).collect();
        assert_eq!(chosen, expected, "{strategy:?}");
    }
}

#[test]
fn rings_widen_with_the_wait_and_the_place_is_kept() {
    let mut line = line("help", One);
    line.rings = vec![
        Ring {
            after: s(0),
            language_min: Proficiency(3),
            level_two_helps: false,
            sites: vec!["north".into()],
        },
        Ring { after: s(30), language_min: Proficiency(3), level_two_helps: false, sites: vec![] },
        Ring { after: s(60), language_min: Proficiency(1), level_two_helps: false, sites: vec![] },
        Ring { after: s(90), language_min: Proficiency(1), level_two_helps: true, sites: vec![] },
    ];
    let south = operator("south", &[One]);
    let mut weak = operator("weak", &[One]);
    weak.languages = vec![("fr".into(), Proficiency(1))];
    let expert = operator("expert", &[One, Two]);
    let mut w = World::staffed(vec![line], vec![south, weak, expert]);
    for contact in 1..=4 {
        w.now = s(contact);
        assert_eq!(w.call(contact, "help").len(), 1);
    }
    assert_eq!(w.until(s(31)), ["south offered 1 by Offer", "offer 0: 1 to south"]);
    w.accept(0);
    assert_eq!(w.until(s(62)), ["weak offered 2 by Offer", "offer 1: 2 to weak"]);
    w.accept(1);
    assert_eq!(w.until(s(92)), Vec::<String>::new());
    assert_eq!(w.until(s(93)), ["expert offered 3 by Offer", "offer 2: 3 to expert"]);
}

#[test]
fn the_longest_wait_is_told_once_and_the_caller_stays() {
    let mut line = line("help", One);
    line.wait_max = Some(s(60));
    let mut w = World::new(vec![line], vec![operator("ada", &[One])]);
    w.call(1, "help");
    assert_eq!(w.until(s(60)), ["1 last resort"]);
    assert_eq!(w.until(s(600)), Vec::<String>::new());
    assert_eq!(
        w.devices("ada", true),
        ["ada ready by Devices", "ada offered 1 by Offer", "offer 0: 1 to ada"]
    );
}

#[test]
fn the_last_resort_waits_while_a_phone_rings() {
    let mut line = line("help", One);
    line.wait_max = Some(s(10));
    let mut w = World::staffed(vec![line], vec![operator("ada", &[One])]);
    w.call(1, "help");
    assert_eq!(w.until(s(19)), Vec::<String>::new());
    assert_eq!(w.until(s(20)), ["withdrawn 0 TimedOut", "ada not-ready missed by Missed", "1 last resort"]);
}

#[test]
fn a_lost_operator_puts_the_caller_in_front() {
    let mut urgent = line("urgent", One);
    urgent.priority = 9;
    let mut w = World::staffed(vec![line("help", One), urgent], vec![operator("ada", &[One])]);
    w.call(1, "help");
    w.accept(0);
    w.call(2, "urgent");
    w.now = s(50);
    assert_eq!(w.lost(1), ["ada not-ready device-gone by Devices", "1 queued One fr ahead 0 returned"]);
    assert_eq!(w.lost(1), Vec::<String>::new());
    let told = w.command("ada", OperatorCommand::Ready);
    assert_eq!(told[1..], ["ada offered 1 by Offer", "offer 1: 1 to ada"]);
}

#[test]
fn nobody_eligible_is_told_once_and_again_after_it_was_cleared() {
    let mut w = World::new(vec![line("deep", Two)], vec![operator("ada", &[One]), operator("eve", &[Two])]);
    w.devices("ada", true);
    assert_eq!(w.call(1, "deep"), ["1 queued Two fr ahead 0", "1 nobody"]);
    assert_eq!(w.call(2, "deep"), ["2 queued Two fr ahead 1", "2 nobody"]);
    w.devices("eve", true);
    w.command("eve", OperatorCommand::NotReady("break".into()));
    assert_eq!(w.acd.counts().waiting, 2);
    assert_eq!(w.devices("eve", false), ["eve signed-out by Devices"]);
    assert_eq!(w.until(w.now), ["1 nobody", "2 nobody"]);
}

#[test]
fn closing_throws_nobody_out() {
    let mut w = World::new(vec![line("help", One)], vec![operator("ada", &[One])]);
    w.call(1, "help");
    w.arrive(2, "help");
    w.step(Input::Line { line: "help".into(), command: LineCommand::Close });
    assert_eq!(w.arrive(3, "help"), ["3 dissuaded Closed { by_hand: true }"]);
    assert_eq!(w.choose(2, "fr")[0], "2 queued One fr ahead 1");
    assert!(w.devices("ada", true).contains(&"offer 0: 1 to ada".to_owned()));
}
