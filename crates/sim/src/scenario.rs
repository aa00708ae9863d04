//! Scenarios: how many call when, who works when, what goes wrong.
//!
//! Knows: the shape of days. Must never know: how a world is run.

use std::time::Duration;

use crate::network::Links;
use crate::operator::Habits;
use crate::random::Dice;

const HOUR: Duration = Duration::from_secs(3600);

/// A burst: after a broadcast, say.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Burst {
    /// When it begins.
    pub from: Duration,
    /// How long it lasts.
    pub lasts: Duration,
    /// How many times as many call.
    pub factor: f64,
}

/// What a world goes through.
#[derive(Clone, PartialEq, Debug)]
pub struct Scenario {
    /// Its name, for reports.
    pub name: &'static str,
    /// How long calls come in.
    pub lasts: Duration,
    /// Calls a day, on average, bursts left out.
    pub calls_a_day: f64,
    /// The share of each hour of the day, of any sum.
    pub curve: [f64; 24],
    /// Bursts.
    pub bursts: Vec<Burst>,
    /// The links of signalling.
    pub links: Links,
    /// How operators work.
    pub habits: Habits,
    /// How often the program dies in all.
    pub crashes: u32,
    /// With real media workers and sound, or with the timetable.
    pub sounds: bool,
}

/// A helpline's day: the night is quieter and never empty, the late afternoon is fullest.
const DAY: [f64; 24] = [
    2.0, 1.5, 1.2, 1.0, 0.8, 0.8, 1.2, 2.5, 4.5, 6.0, 7.0, 6.5, 5.0, 5.5, 6.5, 7.0, 7.5, 7.5, 7.0, 6.0, 5.5,
    5.0, 4.0, 3.0,
];

impl Scenario {
    /// A day of the helpline: 330 calls, two bursts, a night; people are people, the network is good.
    pub fn helpline_day() -> Self {
        Self {
            name: "helpline day",
            lasts: HOUR * 24,
            calls_a_day: 290.0,
            curve: DAY,
            bursts: vec![
                Burst { from: HOUR * 13, lasts: HOUR / 3, factor: 5.0 },
                Burst { from: HOUR * 21, lasts: HOUR / 4, factor: 8.0 },
            ],
            links: Links::PERFECT,
            habits: Habits::HUMAN,
            crashes: 0,
            sounds: false,
        }
    }

    /// The same day over links that lose, repeat and shuffle.
    pub fn rough_day() -> Self {
        Self { name: "rough day", links: Links::ROUGH, ..Self::helpline_day() }
    }

    /// The same day with a program that dies again and again.
    pub fn day_of_restarts() -> Self {
        Self { name: "day of restarts", crashes: 40, ..Self::helpline_day() }
    }

    /// All of it at once.
    pub fn worst_day() -> Self {
        Self { name: "worst day", links: Links::ROUGH, crashes: 40, ..Self::helpline_day() }
    }

    /// An hour with real media workers and every sound.
    pub fn sounding_hour() -> Self {
        Self {
            name: "sounding hour",
            lasts: HOUR,
            calls_a_day: 700.0,
            curve: [1.0; 24],
            bursts: Vec::new(),
            sounds: true,
            ..Self::helpline_day()
        }
    }

    /// The scenario of that name.
    pub fn named(name: &str) -> Option<Self> {
        [
            Self::helpline_day(),
            Self::rough_day(),
            Self::day_of_restarts(),
            Self::worst_day(),
            Self::sounding_hour(),
        ]
        .into_iter()
        .find(|scenario| scenario.name == name)
    }

    /// When calls come, as drawn: a Poisson process whose rate follows the curve, by thinning.
    pub fn arrivals(&self, dice: &mut Dice) -> Vec<Duration> {
        let rate_max = (0..24).map(|hour| self.rate(HOUR * hour)).fold(0.0, f64::max);
        let rate_max = self.bursts.iter().map(|burst| burst.factor).fold(1.0, f64::max) * rate_max;
        let mut arrivals = Vec::new();
        if rate_max <= 0.0 {
            return arrivals;
        }
        let mut at = Duration::ZERO;
        loop {
            at += dice.exponential(Duration::from_secs_f64(1.0 / rate_max));
            if at >= self.lasts {
                return arrivals;
            }
            let burst: f64 = self
                .bursts
                .iter()
                .filter(|burst| burst.from <= at && at < burst.from + burst.lasts)
                .map(|burst| burst.factor)
                .product();
            if dice.happens(self.rate(at) * burst / rate_max) {
                arrivals.push(at);
            }
        }
    }

    /// Calls a second at that time of day.
    fn rate(&self, at: Duration) -> f64 {
        let hour = (at.as_secs() / 3600 % 24) as usize;
        let sum: f64 = self.curve.iter().sum();
        self.calls_a_day * self.curve[hour] / sum / 3600.0
    }
}
