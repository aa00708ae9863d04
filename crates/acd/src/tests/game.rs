//! A world played by moves, each of which makes sense in any state.
//!
//! Knows: the door, by way of the world. Must never know: who draws the moves.

use super::world::*;
use crate::contact::Stage;
use crate::door::{
    CommandSource, ContactId, Counts, Employer, Input, Line, LineCommand, Name, OfferFailure, Operator,
    OperatorCommand,
};

pub(crate) const LANGUAGES: [&str; 2] = ["fr", "en"];
pub(crate) const LINES: [&str; 3] = ["help", "deep", "night"];
pub(crate) const OPERATORS: [&str; 6] = ["ada", "bea", "cleo", "dana", "eve", "fay"];
pub(crate) const CONTACTS: u64 = 10;

#[derive(Clone, Debug)]
pub(crate) enum Move {
    /// Arrives and chooses the first language at once.
    Call(u64, usize),
    Arrive(u64, usize),
    Choose(u64, usize),
    Gone(u64),
    Lost(u64),
    Accept(usize),
    Fail(usize, OfferFailure),
    Ring(usize),
    Devices(usize, bool),
    Command(usize, OperatorCommand, CommandSource),
    Line(usize, LineCommand),
    Wait(u64),
    /// Time passes, but nobody tells `Timeout`.
    Late(u64),
    Reload(Box<(Vec<Line>, Vec<Operator>)>),
    /// Every employer changes sides.
    SwapEmployers,
    Restore,
    RestoreUnder(Box<(Vec<Line>, Vec<Operator>)>),
}

/// A world played by moves; contacts are named anew for each arrival.
pub(crate) struct Game {
    pub(crate) world: World,
    pub(crate) plan: (Vec<Line>, Vec<Operator>),
    names: [Option<u64>; CONTACTS as usize],
    next: u64,
}

impl Game {
    pub(crate) fn new(plan: (Vec<Line>, Vec<Operator>)) -> Self {
        let world = World::staffed(plan.0.clone(), plan.1.clone());
        Self { world, plan, names: [None; CONTACTS as usize], next: 0 }
    }

    pub(crate) fn play(&mut self, step: Move) -> Vec<String> {
        let w = &mut self.world;
        match step {
            Move::Call(slot, line) => {
                let told = self.play(Move::Arrive(slot, line));
                [told, self.play(Move::Choose(slot, 0))].concat()
            }
            Move::Arrive(slot, line) => {
                let name = &mut self.names[slot as usize];
                if name.is_some() {
                    return Vec::new();
                }
                let told = w.arrive(self.next, LINES[line]);
                if told.iter().any(|told| told.starts_with(&format!("{} admitted", self.next))) {
                    *name = Some(self.next);
                }
                self.next += 1;
                told
            }
            Move::Choose(slot, language) => match self.names[slot as usize] {
                Some(contact) => w.choose(contact, LANGUAGES[language]),
                None => Vec::new(),
            },
            Move::Gone(slot) => match self.names[slot as usize].take() {
                Some(contact) => w.gone(contact),
                None => Vec::new(),
            },
            Move::Lost(slot) => match self.names[slot as usize] {
                Some(contact) => w.lost(contact),
                None => Vec::new(),
            },
            Move::Accept(nth) => match w.proofs.keys().rev().nth(nth).copied() {
                Some(offer) => w.accept(offer.0),
                None => Vec::new(),
            },
            Move::Fail(nth, why) => match w.proofs.keys().rev().nth(nth).copied() {
                Some(offer) => w.fail(offer.0, why),
                None => Vec::new(),
            },
            Move::Ring(nth) => match w.proofs.keys().rev().nth(nth).copied() {
                Some(offer) => w.ringing(offer.0),
                None => Vec::new(),
            },
            Move::Devices(operator, reachable) => w.devices(OPERATORS[operator], reachable),
            Move::Command(operator, command, by) => {
                let (operator, name) = (OPERATORS[operator], Name::from(OPERATORS[operator]));
                let input = Input::Operator { operator: name, command: command.clone(), by };
                let refused = w.acd.check(&input).is_err();
                let before = w.state(operator);
                let told = w.command_by(operator, command, by);
                assert!(!refused || w.state(operator) == before, "a refused command does nothing");
                told
            }
            Move::Line(line, command) => w.step(Input::Line { line: LINES[line].into(), command }),
            Move::Wait(seconds) => w.until(w.now + s(seconds)),
            Move::Late(seconds) => {
                w.now += s(seconds);
                w.step(Input::Timeout)
            }
            Move::Reload(plan) => {
                self.plan = *plan;
                w.reload(self.plan.0.clone(), self.plan.1.clone())
            }
            Move::SwapEmployers => {
                for operator in &mut self.plan.1 {
                    operator.employer = match operator.employer {
                        Employer::InHouse => Employer::Subcontractor("acme".into()),
                        Employer::Subcontractor(_) => Employer::InHouse,
                    };
                }
                w.reload(self.plan.0.clone(), self.plan.1.clone())
            }
            Move::Restore => w.restore(self.plan.0.clone(), self.plan.1.clone()).1,
            Move::RestoreUnder(plan) => {
                self.plan = *plan;
                w.restore(self.plan.0.clone(), self.plan.1.clone()).1
            }
        }
    }

    pub(crate) fn is_connected(&self, slot: u64) -> bool {
        let contact =
            self.names[slot as usize].and_then(|name| self.world.acd.contacts.get(&ContactId(name)));
        contact.is_some_and(|contact| matches!(contact.stage, Stage::Connected { .. }))
    }

    /// All callers leave: nothing is left of them.
    pub(crate) fn end(mut self) {
        for name in std::mem::take(&mut self.names).into_iter().flatten() {
            self.world.gone(name);
        }
        assert_eq!(self.world.acd.counts(), Counts::default());
        self.world.until(self.world.now + s(600));
        assert_eq!(self.world.acd.timers(), 0, "no deadline is left without contacts");
        let plan = self.plan.clone();
        let (restored, _) = self.world.restore(plan.0, plan.1);
        assert_eq!(restored.unreadable, 0);
        assert_eq!(self.world.acd.counts(), Counts::default());
    }
}
