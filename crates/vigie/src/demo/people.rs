//! The people of the demonstration: callers who come at random, wait, speak or give up; operators who answer, talk, pause.
//!
//! Knows: what people do at their telephones, and when. Must never know: sockets, the clock, the engine. Pure: the same
//! seed and the same events give the same people. What a person hears, others tell her ([`Input::Hears`]).

use std::collections::VecDeque;
use std::time::Duration;

use phone::{Command, Event};
use rand_chacha::ChaCha12Rng;
use rand_core::{Rng as _, SeedableRng as _};

use super::voices::Voices;
use callers::Callers;
use operators::Operators;

mod callers;
mod operators;

pub(crate) use callers::{DialledLine, Number};

/// A telephone, by its place: the trunk's, then one for each operator.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct TelephoneId(pub(crate) usize);

/// The telephone that all callers come by.
pub(crate) const TRUNK: TelephoneId = TelephoneId(0);

/// What the people are told at the beginning.
pub(crate) struct Plan {
    /// Callers an hour, before `speed`.
    pub(crate) calls_per_hour: u32,
    /// Talks, pauses and gaps between calls are so many times shorter.
    pub(crate) speed: f64,
    /// Calls at once that the trunk's telephone can have.
    pub(crate) calls_max: usize,
    /// The lines that can be dialled, with their weights.
    pub(crate) lines: Vec<DialledLine>,
    /// Simulated operators.
    pub(crate) operators: usize,
    /// What they dial.
    pub(crate) codes: Codes,
    /// Host and port of the engine, as a URI has it.
    pub(crate) host: String,
    /// The host that callers' addresses name.
    pub(crate) caller_host: String,
    /// Where feature codes are dialled.
    pub(crate) domain: String,
}

/// The feature codes that operators dial.
#[derive(Clone, Debug)]
pub(crate) struct Codes {
    /// Ready; ends wrap-up, pause and debrief.
    pub(crate) ready: String,
    /// Pauses, by their codes.
    pub(crate) pauses: Vec<String>,
    /// A breath after a hard call.
    pub(crate) debrief: String,
}

/// What happens to people.
pub(crate) enum Input<'a> {
    /// A telephone noticed something.
    Telephone(TelephoneId, &'a Event),
    /// These callers hear a person now, and no longer music.
    Hears(&'a [Number]),
    /// No more callers; those who talk come to an end.
    Drain,
    /// The time that `poll_timeout` named has come.
    Timeout,
}

/// Something a person does at a telephone.
pub(crate) struct Action {
    /// Which.
    pub(crate) telephone: TelephoneId,
    /// What.
    pub(crate) command: Command,
}

/// Everybody.
pub(crate) struct People {
    callers: Callers,
    operators: Operators,
    world: World,
}

/// What callers and operators share.
struct World {
    plan: Plan,
    voices: Voices,
    random: ChaCha12Rng,
    draining: bool,
    actions: VecDeque<Action>,
}

impl People {
    /// Nobody has done anything yet.
    pub(crate) fn new(plan: Plan, voices: Voices, seed: u64) -> Self {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&seed.to_le_bytes());
        let random = ChaCha12Rng::from_seed(bytes);
        let mut world = World { plan, voices, random, draining: false, actions: VecDeque::new() };
        Self { callers: Callers::new(&mut world), operators: Operators::new(&mut world), world }
    }

    /// Takes one input; drain `poll_action` afterwards.
    pub(crate) fn handle(&mut self, now: Duration, input: Input<'_>) {
        match input {
            Input::Telephone(TRUNK, event) => self.callers.on_event(now, event, &mut self.world),
            Input::Telephone(telephone, event) => {
                self.operators.on_event(now, telephone, event, &mut self.world);
            }
            Input::Hears(numbers) => self.callers.on_hearing(now, numbers, &mut self.world),
            Input::Drain => {
                self.world.draining = true;
                self.callers.on_drain(now, &mut self.world);
                self.operators.on_drain(now, &mut self.world);
            }
            Input::Timeout => {
                self.callers.on_timeout(now, &mut self.world);
                self.operators.on_timeout(now, &mut self.world);
            }
        }
    }

    /// The next thing somebody does.
    pub(crate) fn poll_action(&mut self) -> Option<Action> {
        self.world.actions.pop_front()
    }

    /// When to give [`Input::Timeout`] at the latest.
    pub(crate) fn poll_timeout(&self) -> Option<Duration> {
        [self.callers.poll_timeout(), self.operators.poll_timeout()].into_iter().flatten().min()
    }

    /// Callers who are in a call.
    pub(crate) fn calling(&self) -> usize {
        self.callers.count()
    }

    /// Everybody hangs up and signs out, now.
    pub(crate) fn all_leave(&mut self) {
        self.callers.all_leave(&mut self.world);
        self.operators.all_leave(&mut self.world);
    }
}

impl World {
    fn act(&mut self, telephone: TelephoneId, command: Command) {
        self.actions.push_back(Action { telephone, command });
    }

    /// Uniform, 0 to just below 1.
    fn share(&mut self) -> f64 {
        (self.random.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// True in so many of a hundred cases.
    fn percent(&mut self, of_hundred: u32) -> bool {
        self.share() * 100.0 < f64::from(of_hundred)
    }

    /// Uniform between two times, in seconds.
    fn between(&mut self, from_s: f64, to_s: f64) -> Duration {
        Duration::from_secs_f64(from_s + (to_s - from_s) * self.share())
    }

    /// Without memory, as arrivals and talks are; `mean_s` on average and never beyond eight times that.
    fn exponential(&mut self, mean_s: f64) -> Duration {
        Duration::from_secs_f64((-(1.0 - self.share()).ln()).min(8.0) * mean_s)
    }

    /// A time that `--speed` makes shorter.
    fn sped_up(&self, time: Duration) -> Duration {
        time.div_f64(self.plan.speed)
    }

    fn draw(&mut self) -> u64 {
        self.random.next_u64()
    }
}

#[cfg(test)]
mod tests;
