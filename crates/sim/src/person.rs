//! A person at a phone: what she notices, and what she plans to do.
//!
//! Knows: the words between the world and its people. Must never know: what the engine thinks.

use std::time::Duration;

use phone::Command;

use crate::random::Dice;

/// What a person notices.
#[derive(Clone, Debug)]
pub enum Notice {
    /// Something at her phone.
    Phone(phone::Event),
    /// The other side's sound reaches her: an operator, or a caller.
    Connected,
    /// It does no longer.
    Parted,
    /// She meant to think of something by now.
    Reminder(Reminder),
}

/// What she meant to think of; the number tells older thoughts from newer ones.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Reminder {
    /// Of what.
    pub of: Thought,
    /// Which time.
    pub turn: u32,
}

/// Things to think of.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Thought {
    /// Call.
    Begin,
    /// This has lasted too long.
    GiveUp,
    /// All is said.
    SayGoodbye,
    /// Ask for a moment, or be back.
    Hold,
    /// The trunk's switch refreshes the session.
    Refresh,
    /// The battery is empty.
    Vanish,
    /// Power is back.
    Return,
    /// The shift begins.
    ShiftBegins,
    /// The shift is over.
    ShiftEnds,
    /// Say that she is ready.
    BeReady,
    /// Take a break.
    TakeBreak,
}

/// What she does.
#[derive(Clone, Debug)]
pub enum Act {
    /// Something with her phone.
    Phone(Command),
    /// Thinks of it.
    Remember(Reminder),
    /// Takes another phone, at another address.
    TakeAnotherPhone,
}

/// Something planned.
#[derive(Clone, Debug)]
pub struct Plan {
    /// From now.
    pub after: Duration,
    /// What.
    pub act: Act,
}

impl Plan {
    /// With her phone, so long from now.
    pub fn phone(after: Duration, command: Command) -> Self {
        Self { after, act: Act::Phone(command) }
    }

    /// A reminder, so long from now.
    pub fn remember(after: Duration, of: Thought, turn: u32) -> Self {
        Self { after, act: Act::Remember(Reminder { of, turn }) }
    }
}

/// Whoever is at a phone.
pub trait Person {
    /// Takes notice, and plans.
    fn notices(&mut self, now: Duration, notice: &Notice, dice: &mut Dice) -> Vec<Plan>;
}

/// Nobody: a story's author commands the phone herself.
pub struct Nobody;

impl Person for Nobody {
    fn notices(&mut self, _now: Duration, _notice: &Notice, _dice: &mut Dice) -> Vec<Plan> {
        Vec::new()
    }
}
