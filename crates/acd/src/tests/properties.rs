//! Random plans and random commands: what must hold in every world, not only in those that somebody thought of.
//!
//! Knows: the door. The world's own checks run after every step: the observer (level 2, one operator a contact), the
//! reference (nobody waits in vain, every choice is the best), the records (what is kept is what is live).

use proptest::prelude::{Just, ProptestConfig, Strategy, any, prop, prop_assert_eq, prop_oneof, proptest};

use super::world::*;
use crate::door::{
    CommandSource, Counts, Employer, Input, Level, Line, LineCommand, Name, OfferFailure, Operator,
    OperatorCommand, Proficiency, Ring, Strategy as Choice,
};

const LANGUAGES: [&str; 2] = ["fr", "en"];
const SKILLS: [&str; 2] = ["law", "sign"];
const SITES: [&str; 2] = ["north", "south"];
const LINES: [&str; 3] = ["help", "deep", "night"];
const OPERATORS: [&str; 6] = ["ada", "bea", "cleo", "dana", "eve", "fay"];
const CONTACTS: u64 = 10;

fn any_level() -> impl Strategy<Value = Level> {
    prop_oneof![Just(Level::One), Just(Level::Two)]
}

fn any_ring() -> impl Strategy<Value = Ring> {
    (0..60_u64, 0..5_u8, any::<bool>(), prop::option::of(0..2_usize)).prop_map(
        |(after, least, level_two_helps, site)| Ring {
            after: s(after),
            language_min: Proficiency(least),
            level_two_helps,
            sites: site.map(|site| SITES[site].into()).into_iter().collect(),
        },
    )
}

fn any_line(name: &'static str) -> impl Strategy<Value = Line> {
    let shape = (any_level(), 1..3_usize, prop::option::of((0..2_usize, 1..4_u8)), 0..2_i32);
    let policy = (
        prop::collection::vec(any_ring(), 0..3),
        any::<bool>(),
        prop::option::of(1..90_u64),
        1..8_usize,
        0..30_u64,
    );
    (shape, policy).prop_map(move |((level, languages, skill, priority), policy)| {
        let (rings, longest_idle, wait_max, waiting_max, wrap_up) = policy;
        Line {
            languages: LANGUAGES[..languages].iter().map(|l| Name::from(*l)).collect(),
            skills: skill.map(|(s, p)| (SKILLS[s].into(), Proficiency(p))).into_iter().collect(),
            priority,
            rings,
            strategy: if longest_idle { Choice::LongestIdle } else { Choice::BestThenLongestIdle },
            wait_max: wait_max.map(s),
            waiting_max,
            wrap_up: s(wrap_up),
            ..line(name, level)
        }
    })
}

fn any_operator(name: &'static str) -> impl Strategy<Value = Operator> {
    let who = (any::<bool>(), 0..4_usize, 1..6_u8, prop::option::of(1..6_u8), prop::option::of(0..2_usize));
    let more =
        (prop::option::of((0..2_usize, 1..5_u8)), prop::option::of(0..3_usize), any::<bool>(), 1..3_u8);
    (who, more).prop_map(
        move |((in_house, levels, french, english, site), (skill, only, ready, missed_max))| {
            let levels: &[Level] = [&[Level::One][..], &[Level::Two], &[Level::One, Level::Two], &[]][levels];
            let mut languages = vec![("fr".into(), Proficiency(french))];
            languages.extend(english.map(|p| (Name::from("en"), Proficiency(p))));
            let operator = Operator {
                languages,
                skills: skill.map(|(s, p)| (SKILLS[s].into(), Proficiency(p))).into_iter().collect(),
                lines: only.map(|line| LINES[line].into()).into_iter().collect(),
                site: site.map(|site| SITES[site].into()),
                ready_on_sign_in: ready,
                missed_max,
                ..operator(name, levels)
            };
            if in_house { operator } else { subcontracted(operator) }
        },
    )
}

/// Each line and operator is there or not.
fn any_plan() -> impl Strategy<Value = (Vec<Line>, Vec<Operator>)> {
    let lines: Vec<_> =
        LINES.iter().map(|name| prop::option::weighted(0.9, any_line(name)).boxed()).collect();
    let operators: Vec<_> =
        OPERATORS.iter().map(|name| prop::option::weighted(0.9, any_operator(name)).boxed()).collect();
    (lines, operators).prop_map(|(lines, operators)| {
        (lines.into_iter().flatten().collect(), operators.into_iter().flatten().collect())
    })
}

#[derive(Clone, Debug)]
enum Move {
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

fn any_failure() -> impl Strategy<Value = OfferFailure> {
    prop_oneof![
        Just(OfferFailure::Refused(603)),
        Just(OfferFailure::NoAnswer),
        Just(OfferFailure::DeviceGone),
        Just(OfferFailure::Internal),
    ]
}

fn any_command() -> impl Strategy<Value = OperatorCommand> {
    prop_oneof![
        1 => Just(OperatorCommand::SignIn),
        4 => Just(OperatorCommand::Ready),
        1 => Just(OperatorCommand::NotReady("break".into())),
        1 => Just(OperatorCommand::Debrief),
        1 => Just(OperatorCommand::SignOut),
    ]
}

fn any_move() -> impl Strategy<Value = Move> {
    let operator = 0..OPERATORS.len();
    let by = prop_oneof![3 => Just(CommandSource::FeatureCode), 1 => Just(CommandSource::Control)];
    let line_command = prop_oneof![2 => Just(LineCommand::Open), 1 => Just(LineCommand::Close), 1 => Just(LineCommand::ByHours)];
    prop_oneof![
        6 => (0..CONTACTS, 0..LINES.len()).prop_map(|(c, l)| Move::Arrive(c, l)),
        6 => (0..CONTACTS, 0..2_usize).prop_map(|(c, l)| Move::Choose(c, l)),
        3 => (0..CONTACTS).prop_map(Move::Gone),
        1 => (0..CONTACTS).prop_map(Move::Lost),
        6 => (0..8_usize).prop_map(Move::Accept),
        2 => (0..8_usize, any_failure()).prop_map(|(o, f)| Move::Fail(o, f)),
        1 => (0..8_usize).prop_map(Move::Ring),
        6 => (operator.clone(), prop::bool::weighted(0.8)).prop_map(|(o, r)| Move::Devices(o, r)),
        6 => (operator, any_command(), by).prop_map(|(o, c, b)| Move::Command(o, c, b)),
        1 => (0..LINES.len(), line_command).prop_map(|(l, c)| Move::Line(l, c)),
        4 => (0..40_u64).prop_map(Move::Wait),
        1 => (0..40_u64).prop_map(Move::Late),
        1 => any_plan().prop_map(|plan| Move::Reload(Box::new(plan))),
        1 => Just(Move::SwapEmployers),
        1 => Just(Move::Restore),
        1 => any_plan().prop_map(|plan| Move::RestoreUnder(Box::new(plan))),
    ]
}

/// A world played by moves; contacts are named anew for each arrival.
struct Game {
    world: World,
    plan: (Vec<Line>, Vec<Operator>),
    names: [Option<u64>; CONTACTS as usize],
    next: u64,
    trace: Vec<String>,
}

impl Game {
    fn new(plan: (Vec<Line>, Vec<Operator>)) -> Self {
        let world = World::staffed(plan.0.clone(), plan.1.clone());
        Self { world, plan, names: [None; CONTACTS as usize], next: 0, trace: Vec::new() }
    }

    fn play(&mut self, step: Move) {
        let told = self.told(step);
        self.trace.extend(told);
    }

    fn told(&mut self, step: Move) -> Vec<String> {
        let w = &mut self.world;
        match step {
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

    /// All callers leave: nothing is left of them.
    fn end(mut self) {
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

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    /// Level 2 never reaches a subcontractor; nobody waits in vain; every choice is the reference's; nothing leaks.
    #[test]
    fn whatever_happens_the_rules_hold(
        plan in any_plan(),
        moves in prop::collection::vec(any_move(), 1..150),
    ) {
        let mut game = Game::new(plan);
        for step in moves {
            game.play(step);
        }
        game.end();
    }

    /// The same inputs give the same outputs, and a room that was dropped and restored at any step goes on as if it had
    /// not been.
    #[test]
    fn a_restored_room_goes_on_the_same(
        plan in any_plan(),
        moves in prop::collection::vec(any_move(), 1..80),
        restores in prop::collection::vec(any::<bool>(), 80),
    ) {
        let mut straight = Game::new(plan.clone());
        let mut dropped = Game::new(plan);
        for (step, restore) in moves.into_iter().zip(restores) {
            // Of a line that was removed a reload remembers the last policy, and a restore cannot.
            match &step {
                Move::RestoreUnder(_) => continue,
                Move::Reload(plan) if plan.0.len() < LINES.len() => continue,
                _ => {}
            }
            straight.play(step.clone());
            dropped.play(step);
            if restore {
                let plan = dropped.plan.clone();
                dropped.world.restore(plan.0, plan.1);
            }
            for operator in OPERATORS {
                prop_assert_eq!(straight.world.state(operator), dropped.world.state(operator));
            }
            prop_assert_eq!(straight.world.acd.counts(), dropped.world.acd.counts());
        }
    }
}
