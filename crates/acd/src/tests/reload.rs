//! A new plan in the middle of everything.

use super::world::*;
use crate::door::Level::{One, Two};
use crate::door::*;

fn deep() -> Vec<Line> {
    vec![line("deep", Two)]
}

#[test]
fn an_employer_that_changes_while_the_phone_rings_withdraws_the_offer() {
    let staff = vec![operator("ada", &[Two]), operator("bea", &[Two])];
    let mut w = World::staffed(deep(), staff);
    w.call(1, "deep");
    assert_eq!(
        w.reload(deep(), vec![subcontracted(operator("ada", &[Two])), operator("bea", &[Two])]),
        ["withdrawn 0 NoLongerEligible", "ada ready by Offer", "bea offered 1 by Offer", "offer 1: 1 to bea"]
    );
    assert_eq!(w.accept(0), ["closed 0 TooLate"]);
}

#[test]
fn an_employer_that_changes_while_they_talk_takes_the_contact_back() {
    let staff = vec![operator("ada", &[Two]), operator("bea", &[Two])];
    let mut w = World::staffed(deep(), staff);
    w.call(1, "deep");
    w.accept(0);
    assert_eq!(
        w.reload(deep(), vec![subcontracted(operator("ada", &[Two])), operator("bea", &[Two])]),
        [
            "closed 0 NoLongerEligible",
            "ada wrap-up until 30 by Configuration",
            "1 queued Two fr ahead 0 returned",
            "bea offered 1 by Offer",
            "offer 1: 1 to bea"
        ]
    );
}

#[test]
fn a_proof_of_an_older_plan_counts_when_it_can_be_made_again() {
    let mut w = World::staffed(deep(), vec![operator("ada", &[Two])]);
    w.call(1, "deep");
    assert_eq!(w.reload(deep(), vec![operator("ada", &[One, Two])]), Vec::<String>::new());
    assert_eq!(w.accept(0), ["1 with ada", "ada talks 1 by Offer"]);
}

#[test]
fn a_line_that_becomes_level_two_takes_its_unanswered_contacts_along() {
    let lines = || vec![line("help", One)];
    let staff = || vec![subcontracted(operator("ada", &[One])), subcontracted(operator("bea", &[One]))];
    let mut w = World::staffed(lines(), staff());
    for contact in 1..=3 {
        w.call(contact, "help");
    }
    w.accept(0);
    assert_eq!(
        w.reload(vec![line("help", Two)], staff()),
        [
            "3 queued Two fr ahead 0",
            "3 nobody",
            "withdrawn 1 NoLongerEligible",
            "bea ready by Offer",
            "2 queued Two fr ahead 1",
            "2 nobody"
        ]
    );
    assert_eq!(w.state("ada"), "talks 1");
    // Back to level 1: those who became level 2 stay it.
    assert_eq!(w.reload(lines(), staff()), Vec::<String>::new());
    assert_eq!(
        w.lost(1)[1..],
        ["1 queued One fr ahead 0 returned", "bea offered 1 by Offer", "offer 2: 1 to bea"]
    );
}

#[test]
fn an_operator_whom_the_plan_no_longer_has() {
    // Ready: gone. Offered: withdrawn. With a level 1 contact: until it is over.
    let staff = vec![operator("ada", &[One]), operator("bea", &[One]), operator("cleo", &[One])];
    let mut w = World::staffed(vec![line("help", One)], staff);
    w.call(1, "help");
    w.accept(0);
    w.call(2, "help");
    assert_eq!(
        w.reload(vec![line("help", One)], vec![]),
        [
            "withdrawn 1 NoLongerEligible",
            "bea ready by Offer",
            "bea signed-out by Configuration",
            "2 nobody",
            "cleo signed-out by Configuration",
        ]
    );
    assert_eq!(w.state("ada"), "talks 1");
    assert_eq!(w.gone(1), ["ada wrap-up until 30 by ContactEnded", "ada signed-out by Configuration"]);
    assert_eq!(w.state("ada"), "unknown");
}

#[test]
fn a_line_that_the_plan_no_longer_has_serves_who_waits() {
    let mut w = World::new(vec![line("help", One)], vec![operator("ada", &[One])]);
    w.call(1, "help");
    w.reload(vec![], vec![operator("ada", &[One])]);
    assert_eq!(w.arrive(2, "help"), ["2 dissuaded NoSuchLine"]);
    assert!(w.devices("ada", true).contains(&"offer 0: 1 to ada".to_owned()));
    w.accept(0);
    w.gone(1);
    assert!(w.acd.lines.is_empty());
}

#[test]
fn a_reload_that_changes_nothing_tells_nothing() {
    let lines = || vec![line("help", One), line("deep", Two)];
    let staff = || vec![operator("ada", &[One]), operator("eve", &[Two])];
    let mut w = World::staffed(lines(), staff());
    w.command("eve", OperatorCommand::SignOut);
    w.call(1, "help");
    w.call(2, "help");
    w.call(3, "deep");
    assert_eq!(w.reload(lines(), staff()), Vec::<String>::new());
}
