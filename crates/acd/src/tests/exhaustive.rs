//! Every order of the same few events: races have no order that nobody thought of.
//!
//! Knows: the game. The world's own checks run after every step.

use super::game::{Game, Move};
use super::world::*;
use crate::door::Level::{One, Two};
use crate::door::{CommandSource, Counts, Employer, OfferFailure, OperatorCommand};

/// Plays all orders of these moves, each in a world of its own.
fn all_orders(moves: &[Move], check: impl Fn(Game)) {
    fn permute(rest: &mut Vec<Move>, from: usize, play: &mut impl FnMut(&[Move])) {
        if from == rest.len() {
            return play(rest);
        }
        for next in from..rest.len() {
            rest.swap(from, next);
            permute(rest, from + 1, play);
            rest.swap(from, next);
        }
    }
    permute(&mut moves.to_vec(), 0, &mut |order| {
        let lines = vec![line("help", One), line("deep", Two)];
        let mut eve = operator("eve", &[One, Two]);
        eve.missed_max = 2;
        let mut game = Game::new((lines, vec![operator("ada", &[One]), eve]));
        for step in order {
            game.play(step.clone());
        }
        check(game);
    });
}

#[test]
fn answers_hang_ups_reloads_and_restarts_may_cross() {
    let moves = [
        Move::Call(0, 1),
        Move::Call(1, 0),
        Move::Accept(0),
        Move::Fail(0, OfferFailure::NoAnswer),
        Move::Gone(0),
        Move::SwapEmployers,
        Move::Restore,
    ];
    all_orders(&moves, |mut game| {
        // Whatever came first: with everybody back at work, whoever is left is served.
        for operator in &mut game.plan.1 {
            operator.employer = Employer::InHouse;
        }
        game.play(Move::Reload(Box::new(game.plan.clone())));
        for _ in 0..4 {
            for operator in [0, 4] {
                game.play(Move::Command(operator, OperatorCommand::Ready, CommandSource::FeatureCode));
            }
            game.play(Move::Wait(11));
            game.play(Move::Accept(0));
            game.play(Move::Accept(0));
            for slot in 0..2 {
                if game.is_connected(slot) {
                    game.play(Move::Gone(slot));
                }
            }
            game.play(Move::Wait(31));
        }
        assert_eq!(game.world.acd.counts(), Counts::default());
        game.end();
    });
}

#[test]
fn phones_commands_and_deadlines_may_cross() {
    let moves = [
        Move::Call(0, 0),
        Move::Accept(0),
        Move::Devices(0, false),
        Move::Devices(0, true),
        Move::Command(0, OperatorCommand::NotReady("break".into()), CommandSource::Console),
        Move::Lost(0),
        Move::Wait(20),
    ];
    all_orders(&moves, |game| {
        assert_ne!(game.world.state("eve"), "signed-out", "nothing happened to her phone");
        game.end();
    });
}
