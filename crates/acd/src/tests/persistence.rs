//! Dropped and restored: nobody loses her place, her deadline, her state.

use super::world::*;
use crate::acd::Acd;
use crate::door::Level::{One, Two};
use crate::door::*;

fn lines() -> Vec<Line> {
    let mut line = line("help", One);
    line.wait_max = Some(s(300));
    vec![line]
}

fn staff() -> Vec<Operator> {
    vec![operator("ada", &[One]), operator("bea", &[One])]
}

/// 1 talks with ada, 2 rings at bea, 3 and 4 wait, 5 chooses.
fn busy() -> World {
    let mut w = World::staffed(lines(), staff());
    for contact in 1..=4 {
        w.now += s(1);
        w.call(contact, "help");
    }
    w.accept(0);
    w.arrive(5, "help");
    w
}

#[test]
fn everything_comes_back_where_it_was() {
    let mut w = busy();
    w.now = s(10);
    let (restored, told) = w.restore(lines(), staff());
    assert_eq!(told, Vec::<String>::new());
    assert_eq!(restored.connected, [(OfferId(0), ContactId(1), "ada".into())]);
    assert_eq!(restored.waiting, [ContactId(3), ContactId(4)]);
    assert_eq!(restored.choosing, [ContactId(5)]);
    assert_eq!(restored.unreadable, 0);
    assert_eq!(w.acd.counts(), Counts { contacts: 5, waiting: 2, offers: 1 });
    assert_eq!(w.acd.poll_timeout(), Some(s(22)), "the ring's deadline is kept");
    assert_eq!(w.accept(1), ["2 with bea", "bea talks 2 by Offer"]);
    assert_eq!(w.gone(1), ["ada wrap-up until 40 by ContactEnded"]);
    let told = w.until(s(40));
    assert_eq!(told[..2], ["ada ready by WrapUpOver", "ada offered 3 by Offer"]);
    assert!(told[2].ends_with("3 to ada"));
    assert_eq!(
        w.until(s(304))[..],
        ["withdrawn 1025 TimedOut", "ada not-ready missed by Missed", "3 last resort", "4 last resort"]
    );
}

#[test]
fn a_deadline_that_passed_meanwhile_is_due_at_once() {
    let mut w = busy();
    w.now = s(100);
    w.restore(lines(), staff());
    assert_eq!(w.acd.poll_timeout(), Some(s(22)));
    assert_eq!(w.step(Input::Timeout), ["withdrawn 1 TimedOut", "bea not-ready missed by Missed"]);
}

#[test]
fn a_plan_that_forbids_meanwhile_is_heeded() {
    let deep = || vec![line("deep", Two)];
    let mut w = World::staffed(deep(), vec![operator("ada", &[Two]), operator("bea", &[Two])]);
    w.call(1, "deep");
    w.accept(0);
    w.call(2, "deep");
    let outside = vec![subcontracted(operator("ada", &[Two])), subcontracted(operator("bea", &[Two]))];
    let (restored, told) = w.restore(deep(), outside);
    assert!(restored.connected.is_empty());
    assert_eq!(restored.waiting, [ContactId(1), ContactId(2)]);
    assert_eq!(
        told,
        [
            "withdrawn 1 NoLongerEligible",
            "bea ready by Offer",
            "2 nobody",
            "closed 0 NoLongerEligible",
            "ada wrap-up until 30 by Configuration",
            "1 queued Two fr ahead 0 returned",
            "1 nobody",
        ]
    );
    assert_eq!(w.accept(1), ["closed 1 TooLate"]);
}

#[test]
fn an_offers_name_is_never_used_again() {
    let mut w = World::staffed(lines(), staff());
    w.call(1, "help");
    w.gone(1);
    w.restore(lines(), staff());
    assert!(w.call(2, "help")[2].starts_with("offer 1025:"));
}

#[test]
fn records_that_cannot_be_read_are_told_and_erased() {
    let mut w = busy();
    let mut records = w.acd.records();
    records[3].1 = bytes::Bytes::from_static(b"\x09what");
    records.push((7, bytes::Bytes::from_static(b"")));
    let keys = [records[3].0, 7];
    let plan = Plan { lines: lines(), operators: staff() };
    let (mut acd, restored) = Acd::restore(s(10), plan, records);
    assert_eq!(restored.unreadable, 2);
    let erased: Vec<u64> = std::iter::from_fn(|| acd.poll_output())
        .filter_map(|output| match output {
            Output::Persist { key, record: None } => Some(key),
            _ => None,
        })
        .collect();
    assert_eq!(erased, keys);
    w.gone(1);
}

#[test]
fn an_operator_whose_contact_is_lost_with_its_record_is_free() {
    let w = busy();
    let records = w.acd.records().into_iter().filter(|(key, _)| *key != 1 << 2);
    let plan = Plan { lines: lines(), operators: staff() };
    let (acd, _) = Acd::restore(s(10), plan, records);
    assert_eq!(acd.operator_state("ada"), Some(&OperatorState::Offered(ContactId(3))));
}

#[test]
fn any_bytes_as_records_do_no_harm() {
    let w = busy();
    for (key, record) in w.acd.records() {
        for cut in 0..record.len() {
            let mut records = w.acd.records();
            records.retain(|(other, _)| *other != key);
            records.push((key, record.slice(..cut)));
            let plan = Plan { lines: lines(), operators: staff() };
            let (acd, _) = Acd::restore(s(10), plan, records);
            super::reference::assert_consistent(&acd);
            super::reference::assert_nobody_waits_in_vain(&acd);
        }
    }
}

#[test]
fn a_steps_changes_are_one_record_each() {
    let mut w = World::staffed(lines(), staff());
    w.arrive(1, "help");
    w.acd.handle(s(0), Input::Chose { contact: ContactId(1), language: "fr".into() });
    let mut keys: Vec<u64> = std::iter::from_fn(|| w.acd.poll_output())
        .filter_map(|output| match output {
            Output::Persist { key, .. } => Some(key),
            _ => None,
        })
        .collect();
    keys.sort_unstable();
    keys.dedup();
    // The room's (offer ids), the contact's and the operator's.
    assert_eq!(keys.len(), 3);
}
