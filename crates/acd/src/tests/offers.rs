//! Offers: made, answered, refused, missed, withdrawn, late.

use super::world::*;
use crate::door::Level::{One, Two};
use crate::door::*;

fn two_operators() -> World {
    World::staffed(vec![line("help", One)], vec![operator("ada", &[One]), operator("bea", &[One])])
}

#[test]
fn a_call_is_offered_answered_and_written_up() {
    let mut w = World::staffed(vec![line("help", One)], vec![operator("ada", &[One])]);
    w.now = s(5);
    assert_eq!(w.arrive(1, "help"), ["1 admitted [fr]"]);
    assert_eq!(w.choose(1, "fr"), ["1 queued One fr ahead 0", "ada offered 1 by Offer", "offer 0: 1 to ada"]);
    assert_eq!(w.ringing(0), Vec::<String>::new());
    assert_eq!(w.accept(0), ["1 with ada", "ada talks 1 by Offer"]);
    w.now = s(65);
    assert_eq!(w.gone(1), ["ada wrap-up until 95 by ContactEnded"]);
    assert_eq!(w.until(s(200)), ["ada ready by WrapUpOver"]);
    assert_eq!(w.acd.counts(), Counts::default());
}

#[test]
fn who_does_not_answer_is_set_not_ready_and_the_next_one_is_rung_at_once() {
    let mut w = two_operators();
    w.call(1, "help");
    assert_eq!(
        w.until(s(20)),
        [
            "withdrawn 0 TimedOut",
            "ada not-ready missed by Missed",
            "bea offered 1 by Offer",
            "offer 1: 1 to bea"
        ]
    );
    assert_eq!(w.accept(0), ["closed 0 TooLate"]);
    assert_eq!(w.accept(1), ["1 with bea", "bea talks 1 by Offer"]);
}

#[test]
fn each_failure_of_an_offer_has_its_own_blame() {
    let cases: [(OfferFailure, &[&str]); 4] = [
        (OfferFailure::Refused(486), &["ada not-ready refused by Refused"]),
        (OfferFailure::NoAnswer, &["ada not-ready missed by Missed"]),
        (OfferFailure::DeviceGone, &["ada not-ready device-gone by Devices"]),
        (OfferFailure::Internal, &["ada ready by Offer"]),
    ];
    for (failure, blame) in cases {
        let mut w = two_operators();
        w.call(1, "help");
        let mut expected: Vec<&str> = blame.to_vec();
        expected.extend(["bea offered 1 by Offer", "offer 1: 1 to bea"]);
        assert_eq!(w.fail(0, failure), expected, "{failure:?}");
    }
}

#[test]
fn our_own_failure_lets_her_rest_a_moment_and_she_comes_again() {
    let mut w = World::staffed(vec![line("help", One)], vec![operator("ada", &[One])]);
    w.call(1, "help");
    w.call(2, "help");
    assert_eq!(w.fail(0, OfferFailure::Internal), ["ada ready by Offer"]);
    assert_eq!(w.until(s(1)), Vec::<String>::new());
    // Her rest is over before the first contact may come to her again: the second one gets her.
    assert_eq!(w.until(s(2)), ["ada offered 2 by Offer", "offer 1: 2 to ada"]);
    w.gone(2);
    assert_eq!(w.until(s(10)), ["ada offered 1 by Offer", "offer 2: 1 to ada"]);
}

#[test]
fn who_may_miss_several_is_asked_again_for_the_same_contact_after_a_moment_only() {
    let mut ada = operator("ada", &[One]);
    ada.missed_max = 3;
    let mut w = World::staffed(vec![line("help", One)], vec![ada]);
    w.call(1, "help");
    assert_eq!(w.until(s(20)), ["withdrawn 0 TimedOut", "ada ready by Missed"]);
    assert_eq!(w.until(s(29)), Vec::<String>::new());
    assert_eq!(w.until(s(30)), ["ada offered 1 by Offer", "offer 1: 1 to ada"]);
    // Another contact is not kept from her.
    assert_eq!(w.until(s(50)), ["withdrawn 1 TimedOut", "ada ready by Missed"]);
    assert_eq!(w.call(2, "help")[1..], ["ada offered 2 by Offer", "offer 2: 2 to ada"]);
    assert_eq!(w.until(s(70))[..2], ["withdrawn 2 TimedOut", "ada not-ready missed by Missed"]);
    // She says that she is there: nothing is kept from her any more.
    assert_eq!(
        w.command("ada", OperatorCommand::Ready),
        ["ada ready by Command(FeatureCode)", "ada offered 1 by Offer", "offer 3: 1 to ada"]
    );
}

#[test]
fn a_caller_who_leaves_stops_the_ring() {
    let mut w = two_operators();
    w.call(1, "help");
    assert_eq!(w.gone(1), ["withdrawn 0 ContactGone", "ada ready by Offer"]);
    assert_eq!(w.accept(0), ["closed 0 TooLate"]);
    assert_eq!(w.acd.counts(), Counts::default());
}

#[test]
fn an_operator_who_leaves_while_her_phone_rings() {
    let cases: [(OperatorCommand, &str, &str); 3] = [
        (OperatorCommand::SignOut, "withdrawn 0 OperatorGone", "ada signed-out by Command(FeatureCode)"),
        (
            OperatorCommand::NotReady("break".into()),
            "withdrawn 0 NoLongerEligible",
            "ada not-ready break by Command(FeatureCode)",
        ),
        (OperatorCommand::Debrief, "withdrawn 0 NoLongerEligible", "ada debrief by Command(FeatureCode)"),
    ];
    for (command, withdrawn, state) in cases {
        let mut w = two_operators();
        w.call(1, "help");
        assert_eq!(
            w.command("ada", command),
            [withdrawn, state, "bea offered 1 by Offer", "offer 1: 1 to bea"]
        );
    }
    let mut w = two_operators();
    w.call(1, "help");
    assert_eq!(
        w.devices("ada", false),
        [
            "withdrawn 0 OperatorGone",
            "ada signed-out by Devices",
            "bea offered 1 by Offer",
            "offer 1: 1 to bea"
        ]
    );
}

#[test]
fn level_two_goes_to_in_house_operators_accredited_for_it() {
    let mut w = World::staffed(
        vec![line("deep", Two)],
        vec![
            subcontracted(operator("ada", &[One, Two])),
            operator("bea", &[One]),
            operator("eve", &[One, Two]),
        ],
    );
    assert_eq!(w.call(1, "deep"), ["1 queued Two fr ahead 0", "eve offered 1 by Offer", "offer 0: 1 to eve"]);
    w.accept(0);
    assert_eq!(w.call(2, "deep"), ["2 queued Two fr ahead 0"]);
    assert_eq!(w.lost(1), ["eve not-ready device-gone by Devices", "1 queued Two fr ahead 0 returned"]);
    assert_eq!(
        w.command("eve", OperatorCommand::Ready),
        ["eve ready by Command(FeatureCode)", "eve offered 1 by Offer", "offer 1: 1 to eve"]
    );
}

#[test]
fn the_reason_of_an_offer_counts_everybody_once() {
    let mut line = line("help", One);
    line.skills = vec![("law".into(), Proficiency(2))];
    line.rings = vec![ring(0, 3), ring(60, 1)];
    let skilled = |name: &str| {
        let mut operator = operator(name, &[One]);
        operator.skills = vec![("law".into(), Proficiency(2))];
        operator
    };
    let mut elsewhere = skilled("elsewhere");
    elsewhere.lines = vec!["other".into()];
    let mut english = skilled("english");
    english.languages = vec![("en".into(), Proficiency(5))];
    let mut weak = skilled("weak");
    weak.languages = vec![("fr".into(), Proficiency(1))];
    let mut w = World::staffed(
        vec![line],
        vec![
            operator("nobody", &[]),
            elsewhere,
            english,
            operator("unskilled", &[One]),
            skilled("away"),
            skilled("paused"),
            weak,
            skilled("ada"),
            skilled("bea"),
        ],
    );
    w.devices("away", false);
    w.command("paused", OperatorCommand::NotReady("break".into()));
    w.now = s(7);
    w.arrive(1, "help");
    w.acd.handle(w.now, Input::Chose { contact: ContactId(1), language: "fr".into() });
    let reason = std::iter::from_fn(|| w.acd.poll_output())
        .find_map(|output| match output {
            Output::Offer { reason, .. } => Some(reason),
            _ => None,
        })
        .unwrap();
    let excluded = Excluded { level: 1, line: 1, language: 1, skill: 1, signed_out: 1, busy: 1, ring: 1 };
    assert_eq!(
        reason,
        OfferReason {
            ring: 0,
            strategy: Strategy::BestThenLongestIdle,
            candidates: 2,
            excluded,
            proficiency: Proficiency(3),
            idle: s(7),
            waited: s(0),
        }
    );
}
