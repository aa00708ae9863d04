//! Random plans and random commands: what must hold in every world, not only in those that somebody thought of.
//!
//! Knows: the door. The world's own checks run after every step: the observer (level 2, one operator a contact), the
//! reference (nobody waits in vain, every choice is the best), the records (what is kept is what is live).

use proptest::prelude::{Just, ProptestConfig, Strategy, any, prop, prop_assert_eq, prop_oneof, proptest};

use super::game::{CONTACTS, Game, LANGUAGES, LINES, Move, OPERATORS};
use super::world::*;
use crate::door::{
    CommandSource, Level, Line, LineCommand, Name, OfferFailure, Operator, OperatorCommand, Proficiency,
    Ring, Strategy as Choice,
};

const SKILLS: [&str; 2] = ["law", "sign"];
const SITES: [&str; 2] = ["north", "south"];

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
