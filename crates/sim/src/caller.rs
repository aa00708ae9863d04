//! Callers: how long they wait, what they press, how long they talk, how they leave.
//!
//! Knows: people. Must never know: who answers, nor any state of the engine.

use std::time::Duration;

use phone::{CallId, Command, Dial, Direction, Event};

use crate::person::{Notice, Person, Plan, Reminder, Thought};
use crate::random::Dice;

/// What a caller will do, drawn when she decides to call.
#[derive(Clone, Debug)]
pub struct Temper {
    /// Waits so long for an operator, from dialling or from being cut off.
    pub patience: Duration,
    /// Talks so long at most.
    pub talk: Duration,
    /// Presses these, so long after she hears the machine.
    pub digits: Option<(Duration, String)>,
    /// Her trunk refreshes the session so often: by UPDATE, with an offer.
    pub refresh: Option<(Duration, bool, bool)>,
    /// Is put on hold by her own side after so long of talk, for so long.
    pub hold: Option<(Duration, Duration)>,
    /// Her phone dies after so long.
    pub vanish: Option<Duration>,
}

impl Temper {
    /// As drawn.
    pub fn drawn(dice: &mut Dice) -> Self {
        let seconds = Duration::from_secs;
        let digits = match dice.below(10) {
            0..=6 => Some(if dice.happens(0.75) { "1" } else { "2" }),
            7 => Some("9"),
            8 => Some("71"),
            _ => None,
        };
        Self {
            patience: seconds(4) + dice.exponential(seconds(150)),
            talk: seconds(3) + dice.exponential(seconds(480)),
            digits: digits.map(|digits| (dice.between(seconds(1), seconds(12)), digits.to_owned())),
            refresh: dice
                .happens(0.3)
                .then(|| (dice.between(seconds(20), seconds(300)), dice.happens(0.5), dice.happens(0.7))),
            hold: dice
                .happens(0.05)
                .then(|| (dice.between(seconds(5), seconds(60)), dice.between(seconds(2), seconds(40)))),
            vanish: dice.happens(0.01).then(|| dice.exponential(seconds(200))),
        }
    }
}

/// A caller.
pub struct Caller {
    dial: Option<Box<Dial>>,
    temper: Temper,
    call: Option<CallId>,
    connected: bool,
    holding: bool,
    pressed: bool,
    turn: u32,
}

impl Caller {
    /// Who will dial so when she is reminded to [`Thought::Begin`].
    pub fn new(dial: Dial, temper: Temper) -> Self {
        Self {
            dial: Some(Box::new(dial)),
            temper,
            call: None,
            connected: false,
            holding: false,
            pressed: false,
            turn: 0,
        }
    }

    fn phone_says(&mut self, event: &Event) -> Vec<Plan> {
        match event {
            Event::Dialling { call } => {
                self.call = Some(*call);
                let mut plans = vec![Plan::remember(self.temper.patience, Thought::GiveUp, self.turn)];
                plans.extend(self.temper.vanish.map(|after| Plan::remember(after, Thought::Vanish, 0)));
                plans
            }
            Event::Ringing { call, early_media: true, .. } | Event::Answered { call } => {
                let mut plans = Vec::new();
                if !std::mem::replace(&mut self.pressed, true)
                    && let Some((after, digits)) = self.temper.digits.clone()
                {
                    plans.push(Plan::phone(after, Command::Digits { call: *call, digits }));
                }
                if matches!(event, Event::Answered { .. })
                    && let Some((every, ..)) = self.temper.refresh
                {
                    plans.push(Plan::remember(every, Thought::Refresh, 0));
                }
                plans
            }
            Event::Ended { .. } | Event::Rejected { .. } => {
                self.call = None;
                Vec::new()
            }
            _ => Vec::new(),
        }
    }

    fn remembers(&mut self, reminder: Reminder) -> Vec<Plan> {
        let at_once = |command| vec![Plan::phone(Duration::ZERO, command)];
        if reminder.of == Thought::Begin {
            return self.dial.take().map_or_else(Vec::new, |dial| at_once(Command::Dial(dial)));
        }
        let Some(call) = self.call else { return Vec::new() };
        match reminder.of {
            Thought::GiveUp if !self.connected && reminder.turn == self.turn => {
                at_once(Command::HangUp { call, reason: None })
            }
            Thought::SayGoodbye if self.connected && reminder.turn == self.turn => {
                at_once(Command::HangUp { call, reason: None })
            }
            Thought::Hold if self.connected && reminder.turn == self.turn => {
                self.holding = !self.holding;
                let direction = if self.holding { Direction::SendOnly } else { Direction::SendRecv };
                let mut plans = at_once(Command::Redirect { call, direction });
                if let Some((_, time)) = self.temper.hold.filter(|_| self.holding) {
                    plans.push(Plan::remember(time, Thought::Hold, self.turn));
                }
                plans
            }
            Thought::Refresh => {
                let Some((every, update, offer)) = self.temper.refresh else { return Vec::new() };
                let mut plans = vec![Plan::remember(every, Thought::Refresh, 0)];
                if !self.holding {
                    plans.push(Plan::phone(Duration::ZERO, Command::Refresh { call, update, offer }));
                }
                plans
            }
            Thought::Vanish => {
                self.call = None;
                at_once(Command::Power(false))
            }
            _ => Vec::new(),
        }
    }
}

impl Person for Caller {
    fn notices(&mut self, _now: Duration, notice: &Notice, _dice: &mut Dice) -> Vec<Plan> {
        match notice {
            Notice::Phone(event) => self.phone_says(event),
            Notice::Connected => {
                self.connected = true;
                self.turn += 1;
                let mut plans = vec![Plan::remember(self.temper.talk, Thought::SayGoodbye, self.turn)];
                if let Some((after, _)) = self.temper.hold {
                    plans.push(Plan::remember(after, Thought::Hold, self.turn));
                }
                plans
            }
            Notice::Parted => {
                self.connected = false;
                self.turn += 1;
                vec![Plan::remember(self.temper.patience, Thought::GiveUp, self.turn)]
            }
            Notice::Reminder(reminder) => self.remembers(*reminder),
        }
    }
}
