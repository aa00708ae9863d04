//! A small world around the distributor: plans in a few words, a clock, and the proofs kept as `call` would.
//!
//! Knows: the door alone. Each step checks the invariants of the reference.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;

use crate::acd::Acd;
use crate::door::*;
use crate::hours::Hours;
use crate::proof::Proof;
use crate::records::{Key, Restored};
use crate::tests::observer::Observer;
use crate::tests::reference;

pub(crate) fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

pub(crate) fn line(name: &str, level: Level) -> Line {
    Line {
        name: name.into(),
        level,
        languages: vec!["fr".into()],
        skills: vec![],
        hours: Hours::always(),
        waiting_max: 100,
        wait_max: None,
        priority: 0,
        offer_ring: s(20),
        wrap_up: s(30),
        rings: vec![ring(0, 1)],
        strategy: Strategy::BestThenLongestIdle,
    }
}

pub(crate) fn ring(after: u64, language_min: u8) -> Ring {
    Ring { after: s(after), language_min: Proficiency(language_min), level_two_helps: true, sites: vec![] }
}

pub(crate) fn operator(name: &str, levels: &[Level]) -> Operator {
    Operator {
        name: name.into(),
        employer: Employer::InHouse,
        levels: levels.to_vec(),
        languages: vec![("fr".into(), Proficiency(3))],
        skills: vec![],
        lines: vec![],
        site: None,
        ready_on_sign_in: true,
        wrap_up: None,
        missed_max: 1,
    }
}

pub(crate) fn subcontracted(mut operator: Operator) -> Operator {
    operator.employer = Employer::Subcontractor("acme".into());
    operator
}

pub(crate) struct World {
    pub(crate) acd: Acd,
    pub(crate) now: Duration,
    pub(crate) proofs: BTreeMap<OfferId, Proof>,
    /// As the shell would keep them: by applying `Persist`.
    pub(crate) kept: BTreeMap<u64, Bytes>,
    pub(crate) observer: Observer,
}

impl World {
    pub(crate) fn new(lines: Vec<Line>, operators: Vec<Operator>) -> Self {
        let plan = Plan { lines, operators };
        let mut observer = Observer::default();
        observer.plan(&plan);
        let acd = Acd::new(s(0), plan);
        let (proofs, kept) = (BTreeMap::new(), BTreeMap::new());
        let mut world = Self { acd, now: s(0), proofs, kept, observer };
        world.drain();
        world
    }

    /// A world with these operators signed in and ready.
    pub(crate) fn staffed(lines: Vec<Line>, operators: Vec<Operator>) -> Self {
        let names: Vec<Name> = operators.iter().map(|operator| operator.name.clone()).collect();
        let mut world = Self::new(lines, operators);
        for name in names {
            world.devices(&name, true);
        }
        world
    }

    pub(crate) fn step(&mut self, input: Input) -> Vec<String> {
        self.acd.handle(self.now, input);
        self.drain()
    }

    /// Goes to a time, with a `Timeout` at each deadline on the way.
    pub(crate) fn until(&mut self, now: Duration) -> Vec<String> {
        let mut told = Vec::new();
        while let Some(deadline) = self.acd.poll_timeout().filter(|deadline| *deadline <= now) {
            self.now = self.now.max(deadline);
            told.extend(self.step(Input::Timeout));
        }
        self.now = now;
        told
    }

    pub(crate) fn arrive(&mut self, contact: u64, line: &str) -> Vec<String> {
        let line = Name::from(line);
        self.observer.arrives(ContactId(contact), &line);
        self.step(Input::Arrived { contact: ContactId(contact), line })
    }

    pub(crate) fn choose(&mut self, contact: u64, language: &str) -> Vec<String> {
        self.step(Input::Chose { contact: ContactId(contact), language: language.into() })
    }

    /// Arrives and chooses French: what is told from the queue on.
    pub(crate) fn call(&mut self, contact: u64, line: &str) -> Vec<String> {
        self.arrive(contact, line);
        self.choose(contact, "fr")
    }

    pub(crate) fn gone(&mut self, contact: u64) -> Vec<String> {
        self.acd.handle(self.now, Input::Gone { contact: ContactId(contact) });
        self.observer.gone(ContactId(contact));
        self.drain()
    }

    pub(crate) fn lost(&mut self, contact: u64) -> Vec<String> {
        self.observer.lost(ContactId(contact));
        self.step(Input::OperatorLost { contact: ContactId(contact) })
    }

    pub(crate) fn ringing(&mut self, offer: u64) -> Vec<String> {
        self.step(Input::Ringing { offer: OfferId(offer) })
    }

    pub(crate) fn accept(&mut self, offer: u64) -> Vec<String> {
        let proof = self.proofs.remove(&OfferId(offer)).expect("the offer was made, and its proof not used");
        self.step(Input::Accepted { proof })
    }

    pub(crate) fn fail(&mut self, offer: u64, why: OfferFailure) -> Vec<String> {
        let proof = self.proofs.remove(&OfferId(offer)).expect("the offer was made, and its proof not used");
        self.observer.offer_over(OfferId(offer));
        self.step(Input::Failed { proof, why })
    }

    pub(crate) fn devices(&mut self, operator: &str, reachable: bool) -> Vec<String> {
        self.step(Input::Devices { operator: operator.into(), reachable })
    }

    pub(crate) fn command(&mut self, operator: &str, command: OperatorCommand) -> Vec<String> {
        self.command_by(operator, command, CommandSource::FeatureCode)
    }

    pub(crate) fn command_by(
        &mut self,
        operator: &str,
        command: OperatorCommand,
        by: CommandSource,
    ) -> Vec<String> {
        self.step(Input::Operator { operator: operator.into(), command, by })
    }

    pub(crate) fn reload(&mut self, lines: Vec<Line>, operators: Vec<Operator>) -> Vec<String> {
        let plan = Plan { lines, operators };
        self.observer.plan(&plan);
        self.acd.reconfigure(self.now, plan);
        self.drain()
    }

    /// Drops the room and restores it from what the shell kept.
    pub(crate) fn restore(&mut self, lines: Vec<Line>, operators: Vec<Operator>) -> (Restored, Vec<String>) {
        let plan = Plan { lines, operators };
        self.observer.plan(&plan);
        let records: Vec<_> = self.kept.iter().map(|(key, record)| (*key, record.clone())).collect();
        let (acd, mut restored) = Acd::restore(self.now, plan, records);
        self.acd = acd;
        // Proofs of offers that are over stay in hand: a late answer may still come.
        self.proofs.extend(restored.offers.drain(..));
        let told = self.drain();
        (restored, told)
    }

    pub(crate) fn state(&self, operator: &str) -> String {
        self.acd.operator_state(operator).map_or("unknown".to_owned(), tell_state)
    }

    fn drain(&mut self) -> Vec<String> {
        let mut told = Vec::new();
        let mut others = false;
        while let Some(output) = self.acd.poll_output() {
            self.observer.sees(&output);
            if let Output::Persist { key, record } = output {
                assert!(!others, "a step's records come before its other outputs");
                match record {
                    Some(record) => self.kept.insert(key, record),
                    None => self.kept.remove(&key),
                };
                continue;
            }
            others = true;
            told.push(tell(&output));
            if let Output::Offer { offer, proof, deadline, .. } = output {
                assert!(deadline > self.acd.now, "an offer has time to ring");
                self.proofs.insert(offer, proof);
            }
        }
        self.observer.step_over();
        reference::assert_nobody_waits_in_vain(&self.acd);
        reference::assert_consistent(&self.acd);
        self.assert_kept();
        told
    }

    /// What the shell kept is what is live.
    fn assert_kept(&self) {
        let live: BTreeMap<u64, Bytes> = self.acd.records().into_iter().collect();
        for (key, record) in &self.kept {
            assert_eq!(live.get(key), Some(record), "{:?}", Key::from_u64(*key));
        }
        for key in live.keys().filter(|key| matches!(Key::from_u64(**key), Some(Key::Contact(_)))) {
            assert!(self.kept.contains_key(key), "a live contact was never persisted");
        }
    }
}

/// An output in a few words, so that a test reads as what happens.
fn tell(output: &Output) -> String {
    match output {
        Output::Admitted { contact, languages } => {
            format!("{} admitted [{}]", contact.0, languages.join(" "))
        }
        Output::Dissuaded { contact, why } => format!("{} dissuaded {why:?}", contact.0),
        Output::Queued { contact, level, language, ahead, returned } => {
            let returned = if *returned { " returned" } else { "" };
            format!("{} queued {level:?} {language} ahead {ahead}{returned}", contact.0)
        }
        Output::Offer { offer, proof, .. } => {
            format!("offer {}: {} to {}", offer.0, proof.contact().0, proof.operator())
        }
        Output::Withdrawn { offer, why, .. } => format!("withdrawn {} {why:?}", offer.0),
        Output::Connected { contact, operator, .. } => format!("{} with {operator}", contact.0),
        Output::OfferClosed { offer, why, .. } => format!("closed {} {why:?}", offer.0),
        Output::LastResort { contact } => format!("{} last resort", contact.0),
        Output::NobodyEligible { contact, .. } => format!("{} nobody", contact.0),
        Output::OperatorState { operator, state, cause } => {
            format!("{operator} {} by {cause:?}", tell_state(state))
        }
        Output::LineState { line, open, by_hand } => {
            let open = if *open { "open" } else { "closed" };
            format!("{line} {open}{}", if *by_hand { " by hand" } else { "" })
        }
        Output::Persist { key, .. } => format!("persist {key}"),
    }
}

fn tell_state(state: &OperatorState) -> String {
    match state {
        OperatorState::SignedOut => "signed-out".to_owned(),
        OperatorState::Ready => "ready".to_owned(),
        OperatorState::Offered(contact) => format!("offered {}", contact.0),
        OperatorState::InContact(contact) => format!("talks {}", contact.0),
        OperatorState::WrapUp { until } => format!("wrap-up until {}", until.as_secs()),
        OperatorState::NotReady { reason } => format!("not-ready {reason}"),
        OperatorState::Debrief => "debrief".to_owned(),
    }
}
