//! Operators: shifts, answering, refusing, vanishing, holding, breaks.
//!
//! Knows: people. Must never know: who calls, nor any state of the engine but what her phone tells her.

use std::time::Duration;

use phone::{CallId, Command, Dial, Direction, Event};

use crate::person::{Act, Notice, Person, Plan, Reminder, Thought};
use crate::random::Dice;

/// How an operator works; shares are of offers, or of talks.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Habits {
    /// Refuses.
    pub refuses: f64,
    /// Lets it ring.
    pub ignores: f64,
    /// Her phone dies while it rings.
    pub vanishes_ringing: f64,
    /// Her phone dies in a talk.
    pub vanishes_talking: f64,
    /// Holds in a talk.
    pub holds: f64,
    /// Ends a talk before the caller does.
    pub hangs_up: f64,
    /// Time between breaks, on average.
    pub break_every: Duration,
}

impl Habits {
    /// Answers everything, ends nothing.
    pub const STEADY: Self = Self {
        refuses: 0.0,
        ignores: 0.0,
        vanishes_ringing: 0.0,
        vanishes_talking: 0.0,
        holds: 0.0,
        hangs_up: 0.0,
        break_every: Duration::from_secs(1 << 30),
    };

    /// A person.
    pub const HUMAN: Self = Self {
        refuses: 0.03,
        ignores: 0.05,
        vanishes_ringing: 0.01,
        vanishes_talking: 0.02,
        holds: 0.15,
        hangs_up: 0.35,
        break_every: Duration::from_secs(3 * 3600),
    };
}

/// An operator.
pub struct Operator {
    habits: Habits,
    /// `sip:*71@…`: says that she is ready.
    ready_code: String,
    /// `sip:*72@…`: says that she is not.
    break_code: String,
    on_shift: bool,
    call: Option<CallId>,
    connected: bool,
    holding: bool,
    turn: u32,
}

impl Operator {
    /// Who dials these to be ready and for a break.
    pub fn new(habits: Habits, ready_code: String, break_code: String) -> Self {
        Self {
            habits,
            ready_code,
            break_code,
            on_shift: false,
            call: None,
            connected: false,
            holding: false,
            turn: 0,
        }
    }

    fn phone_says(&mut self, event: &Event, dice: &mut Dice) -> Vec<Plan> {
        let seconds = Duration::from_secs;
        match event {
            Event::Incoming { call, .. } => {
                self.call = Some(*call);
                self.turn += 1;
                let (call, habits) = (*call, self.habits);
                let delay = dice.between(seconds(1), seconds(12));
                let mut share = dice.share();
                let mut is = |part: f64| {
                    share -= part;
                    share < 0.0 && share + part >= 0.0
                };
                if is(habits.refuses) {
                    let reject = Command::Reject { call, status: 486, contact: None };
                    let ready = dice.between(seconds(20), seconds(200));
                    vec![Plan::phone(delay, reject), Plan::remember(ready, Thought::BeReady, 0)]
                } else if is(habits.ignores) {
                    vec![Plan::remember(dice.between(seconds(40), seconds(400)), Thought::BeReady, 0)]
                } else if is(habits.vanishes_ringing) {
                    vec![Plan::remember(delay, Thought::Vanish, self.turn)]
                } else {
                    vec![Plan::phone(delay, Command::Answer { call })]
                }
            }
            Event::Ended { call, .. } if self.call == Some(*call) => {
                self.call = None;
                Vec::new()
            }
            _ => Vec::new(),
        }
    }

    fn talks(&mut self, dice: &mut Dice) -> Vec<Plan> {
        let seconds = Duration::from_secs;
        let (habits, turn) = (self.habits, self.turn);
        let mut plans = Vec::new();
        if dice.happens(habits.hangs_up) {
            let after = seconds(2) + dice.exponential(seconds(420));
            plans.push(Plan::remember(after, Thought::SayGoodbye, turn));
        }
        if dice.happens(habits.holds) {
            plans.push(Plan::remember(dice.between(seconds(2), seconds(120)), Thought::Hold, turn));
        }
        if dice.happens(habits.vanishes_talking) {
            plans.push(Plan::remember(dice.exponential(seconds(200)), Thought::Vanish, turn));
        }
        plans
    }

    fn remembers(&mut self, reminder: Reminder, dice: &mut Dice) -> Vec<Plan> {
        let seconds = Duration::from_secs;
        let at_once = |command| Plan::phone(Duration::ZERO, command);
        let this_turn = reminder.turn == self.turn;
        match (reminder.of, self.call) {
            (Thought::ShiftBegins, _) => {
                self.on_shift = true;
                let rest = dice.exponential(self.habits.break_every);
                vec![at_once(Command::Register), Plan::remember(rest, Thought::TakeBreak, 0)]
            }
            (Thought::ShiftEnds, Some(_)) => vec![Plan::remember(seconds(30), Thought::ShiftEnds, 0)],
            (Thought::ShiftEnds, None) => {
                self.on_shift = false;
                vec![at_once(Command::Unregister)]
            }
            (Thought::SayGoodbye, Some(call)) if self.connected && this_turn => {
                vec![at_once(Command::HangUp { call, reason: None })]
            }
            (Thought::Hold, Some(call)) if self.connected && this_turn => {
                self.holding = !self.holding;
                let direction = if self.holding { Direction::SendOnly } else { Direction::SendRecv };
                let mut plans = vec![at_once(Command::Redirect { call, direction })];
                if self.holding {
                    plans.push(Plan::remember(
                        dice.between(seconds(2), seconds(60)),
                        Thought::Hold,
                        self.turn,
                    ));
                }
                plans
            }
            (Thought::Vanish, Some(_)) if this_turn => {
                self.call = None;
                self.connected = false;
                let back = dice.between(seconds(5), seconds(900));
                vec![at_once(Command::Power(false)), Plan::remember(back, Thought::Return, 0)]
            }
            (Thought::Return, _) => {
                let mut plans = Vec::new();
                if dice.happens(0.5) {
                    plans.push(Plan { after: Duration::ZERO, act: Act::TakeAnotherPhone });
                } else {
                    plans.push(at_once(Command::Power(true)));
                }
                if self.on_shift {
                    plans.push(at_once(Command::Register));
                    plans.push(Plan::remember(seconds(3), Thought::BeReady, 0));
                }
                plans
            }
            (Thought::BeReady | Thought::TakeBreak, Some(_)) => {
                vec![Plan::remember(seconds(60), reminder.of, 0)]
            }
            (Thought::BeReady, None) if self.on_shift => {
                vec![at_once(Command::Dial(Box::new(Dial::to(&self.ready_code))))]
            }
            (Thought::TakeBreak, None) if self.on_shift => {
                let rest = dice.between(seconds(60), seconds(900));
                let again = rest + dice.exponential(self.habits.break_every);
                vec![
                    at_once(Command::Dial(Box::new(Dial::to(&self.break_code)))),
                    Plan::remember(rest, Thought::BeReady, 0),
                    Plan::remember(again, Thought::TakeBreak, 0),
                ]
            }
            _ => Vec::new(),
        }
    }
}

impl Person for Operator {
    fn notices(&mut self, _now: Duration, notice: &Notice, dice: &mut Dice) -> Vec<Plan> {
        match notice {
            Notice::Phone(event) => self.phone_says(event, dice),
            Notice::Connected => {
                self.connected = true;
                self.holding = false;
                self.turn += 1;
                self.talks(dice)
            }
            Notice::Parted => {
                self.connected = false;
                self.turn += 1;
                Vec::new()
            }
            Notice::Reminder(reminder) => self.remembers(*reminder, dice),
        }
    }
}
