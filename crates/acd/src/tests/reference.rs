//! The naive reference: every contact against every operator, straight from the plan.
//!
//! Knows: the rules as the door tells them. Must never know: the index, fits, demands. Every choice that any test of this
//! crate brings about is compared with it.

use std::cmp::Reverse;
use std::time::Duration;

use crate::acd::Acd;
use crate::contact::{Contact, Stage};
use crate::door::{ContactId, Employer, Level, Line, Name, Operator, OperatorState, Strategy};
use crate::operator::OperatorSlot;

/// Worlds larger than this are compared in part elsewhere; the reference would take hours.
const PAIRS_MAX: usize = 20_000;

fn proficiency(operator: &Operator, language: &str) -> Option<u8> {
    operator.languages.iter().filter(|(l, _)| **l == *language).map(|(_, p)| p.0).max()
}

fn hard(operator: &Operator, line: &Line, level: Level, language: &str) -> bool {
    let level_allowed = if level == Level::Two {
        operator.employer == Employer::InHouse && operator.levels.contains(&Level::Two)
    } else {
        !operator.levels.is_empty()
    };
    let works = operator.lines.is_empty() || operator.lines.contains(&line.name);
    let skilled = line
        .skills
        .iter()
        .all(|(skill, least)| operator.skills.iter().any(|(held, p)| held == skill && p >= least));
    level_allowed && works && skilled && proficiency(operator, language).is_some()
}

/// The first ring at or before this wait that asks her.
fn ring_asking(
    operator: &Operator,
    line: &Line,
    level: Level,
    language: &str,
    waited: Option<Duration>,
) -> Option<usize> {
    let mut rings = line.rings.clone();
    rings.sort_by_key(|ring| ring.after);
    if rings.is_empty() {
        return Some(0);
    }
    rings.iter().enumerate().position(|(number, ring)| {
        let begun = number == 0 || waited.is_none_or(|waited| ring.after <= waited);
        let level_asked =
            level == Level::Two || ring.level_two_helps || !operator.levels.contains(&Level::Two);
        let site_asked =
            ring.sites.is_empty() || ring.sites.iter().any(|site| operator.site.as_ref() == Some(site));
        begun
            && level_asked
            && site_asked
            && proficiency(operator, language).unwrap_or(0) >= ring.language_min.0
    })
}

fn scarce_others(acd: &Acd, operator: &Operator, line: &Line, level: Level, language: &str) -> usize {
    let staff: Vec<&Operator> =
        acd.operators.values().filter(|entry| !entry.retired).map(|entry| &entry.policy).collect();
    let scarce = |holders: usize| holders * 2 < staff.len();
    let languages = operator.languages.iter().filter(|(other, _)| {
        **other != *language
            && scarce(staff.iter().filter(|o| o.languages.iter().any(|(l, _)| l == other)).count())
    });
    let skills = operator.skills.iter().filter(|(other, _)| {
        !line.skills.iter().any(|(needed, _)| needed == other)
            && scarce(staff.iter().filter(|o| o.skills.iter().any(|(s, _)| s == other)).count())
    });
    let two = |o: &Operator| o.employer == Employer::InHouse && o.levels.contains(&Level::Two);
    let level_two =
        level == Level::One && two(operator) && scarce(staff.iter().filter(|operator| two(operator)).count());
    languages.count() + skills.count() + usize::from(level_two)
}

fn waiting(acd: &Acd) -> Vec<(ContactId, &Contact, &Line)> {
    acd.contacts
        .iter()
        .filter(|(_, contact)| matches!(contact.stage, Stage::Waiting { .. }))
        .map(|(id, contact)| (*id, contact, &*acd.lines[&contact.line].policy))
        .collect()
}

fn free(acd: &Acd) -> Vec<(OperatorSlot, &Operator, Duration)> {
    acd.operators
        .iter()
        .filter(|(_, entry)| {
            !entry.retired && entry.duty.state == OperatorState::Ready && entry.rest_until.is_none()
        })
        .map(|(slot, entry)| (*slot, &entry.policy, entry.duty.idle_since))
        .collect()
}

/// The first contact in order that any free operator may have, and the best of those operators for it.
pub(crate) fn next_pair(acd: &Acd) -> Option<(ContactId, OperatorSlot)> {
    let mut contacts = waiting(acd);
    contacts
        .sort_by_key(|(id, contact, line)| (!contact.returned, Reverse(line.priority), contact.since, *id));
    contacts.into_iter().find_map(|(id, contact, line)| {
        let waited = (!contact.returned).then(|| acd.now.saturating_sub(contact.since));
        let level = contact.level;
        let language = &contact.language;
        free(acd)
            .into_iter()
            .filter(|(_, operator, _)| hard(operator, line, level, language))
            .filter(|(slot, ..)| {
                acd.back_offs
                    .of_contact(id)
                    .all(|(backed_off, until)| backed_off != *slot || until <= acd.now)
            })
            .filter_map(|(slot, operator, idle_since)| {
                let ring = ring_asking(operator, line, level, language, waited)?;
                let merit = match line.strategy {
                    Strategy::BestThenLongestIdle => (
                        Reverse(proficiency(operator, language)),
                        scarce_others(acd, operator, line, level, language),
                    ),
                    Strategy::LongestIdle => (Reverse(None), 0),
                };
                let name: &Name = &operator.name;
                Some(((ring, merit, idle_since, name.clone()), slot))
            })
            .min()
            .map(|(_, slot)| (id, slot))
    })
}

fn small(acd: &Acd) -> bool {
    acd.contacts.len().saturating_mul(acd.operators.len()) <= PAIRS_MAX
}

/// Called before every offer.
pub(crate) fn assert_choice(acd: &Acd, contact: ContactId, operator: OperatorSlot) {
    if small(acd) {
        assert_eq!(next_pair(acd), Some((contact, operator)), "the index chose otherwise than the reference");
    }
}

/// The invariant: no caller waits beside a free operator who may have her now.
pub(crate) fn assert_nobody_waits_in_vain(acd: &Acd) {
    if small(acd) {
        assert_eq!(next_pair(acd), None, "a contact waits beside a free operator");
    }
}

/// What is counted and indexed agrees with what is there.
pub(crate) fn assert_consistent(acd: &Acd) {
    assert_eq!(acd.index.waiting(), waiting(acd).len(), "the index holds who waits");
    for (name, line) in &acd.lines {
        let of_line = || acd.contacts.values().filter(|contact| contact.line == *name);
        assert_eq!(line.contacts, of_line().count(), "contacts of a line");
        let unserved = of_line()
            .filter(|contact| matches!(contact.stage, Stage::Waiting { .. } | Stage::Choosing))
            .count();
        assert_eq!(line.unserved, unserved, "contacts not served yet");
    }
    for (id, offer) in &acd.offers {
        assert_eq!(acd.contacts[&offer.contact].offer(), Some(*id), "an offer's contact knows it");
        let state = &acd.operators[&offer.operator].duty.state;
        assert_eq!(*state, OperatorState::Offered(offer.contact), "an offer's operator knows it");
    }
    for entry in acd.operators.values() {
        match entry.duty.state {
            OperatorState::Offered(contact) => assert!(acd.contacts[&contact].offer().is_some()),
            OperatorState::InContact(contact) => {
                assert!(matches!(acd.contacts[&contact].stage, Stage::Connected { .. }));
            }
            OperatorState::Ready => assert!(entry.duty.reachable, "who is ready has a phone"),
            _ => {}
        }
    }
    if acd.contacts.is_empty() {
        assert_eq!(acd.index.waiting() + acd.offers.len(), 0, "nothing is left of contacts that are gone");
    }
}
