//! A scenario becomes a world: who is where, when who calls, when the program dies.
//!
//! Knows: scenarios and worlds. Must never know: what is right; the checkers say so.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use phone::{Credentials, Dial, PhoneConfig, RtpMode, Signature, Voice};

use crate::caller::{Caller, Temper};
use crate::deployment::{self, COMPLEX, DOMAIN, HELPLINE, HELPLINE_ENGLISH, PLAIN, SERVER};
use crate::network::Links;
use crate::operator::Operator;
use crate::person::{Plan, Thought};
use crate::random::Dice;
use crate::report::Report;
use crate::scenario::Scenario;
use crate::station::Role;
use crate::world::{Crash, NewStation, Setup, World};

const HOUR: Duration = Duration::from_secs(3600);
/// Talks that go on when the last call has come in end within this.
const LAST_TALKS: Duration = Duration::from_secs(4 * 3600);
/// And all timers, registrations and resting ports with them.
const QUIESCENCE: Duration = Duration::from_secs(1200);

/// Runs a scenario under a seed.
pub fn run(seed: u64, scenario: &Scenario) -> Report {
    let mut world = World::new(Setup {
        seed,
        settings: deployment::settings(),
        links: scenario.links,
        media_links: Links { loss: scenario.links.loss / 2.0, ..Links::PERFECT },
        sounds: scenario.sounds,
    });
    hire(&mut world, scenario);
    let callers = call_in(&mut world, seed, scenario);
    kill(&mut world, seed, scenario);
    world.run_until(scenario.lasts + LAST_TALKS + QUIESCENCE);
    world.finish();
    let (steps, datagrams, datagrams_lost, crashes) = world.counters();
    Report {
        scenario: scenario.name,
        seed,
        lasted: world.now(),
        callers,
        tally: world.checkers().outcomes().tally(),
        steps,
        datagrams,
        datagrams_lost,
        crashes,
        trace_hash: world.trace_hash(),
        violations: world.checkers().violations().to_vec(),
    }
}

/// An operator's phone.
pub fn operator_config(index: u8, name: &str) -> PhoneConfig {
    let address = SocketAddr::from((Ipv4Addr::new(10, 2, 0, index + 1), 5060));
    let mut config = PhoneConfig::new(name, address, SERVER);
    config.domain = DOMAIN.to_owned();
    config.credentials = Some(Credentials { user: name.to_owned(), password: deployment::password(name) });
    config.rtp = (0..3).map(|call| SocketAddr::new(address.ip(), 7000 + 2 * call)).collect();
    config.voice = Voice::Signature(Signature::of(100 + u64::from(index)));
    config
}

/// A trunk's side of one call.
pub fn caller_config(index: u16) -> PhoneConfig {
    let [high, low] = index.to_be_bytes();
    let address = SocketAddr::from((Ipv4Addr::new(10, 1, high, low), 5060));
    let mut config = PhoneConfig::new("trunk", address, SERVER);
    config.voice = Voice::Signature(Signature::of(u64::from(index) % 100));
    config
}

fn hire(world: &mut World, scenario: &Scenario) {
    for (index, name) in deployment::operators().enumerate() {
        let index = u8::try_from(index).unwrap_or(u8::MAX);
        let mut config = operator_config(index, name);
        config.rtp_mode = if scenario.sounds { RtpMode::Full } else { RtpMode::Off };
        let code = |code: &str| format!("sip:{code}@{DOMAIN}");
        let person = Operator::new(scenario.habits, code("*71"), code("*72"));
        // Three shifts overlap; one of each kind works at night too.
        let (begins, lasts) = match index % 4 {
            _ if scenario.lasts <= HOUR * 2 => (Duration::ZERO, scenario.lasts + LAST_TALKS / 2),
            0 => (Duration::ZERO, scenario.lasts + LAST_TALKS / 2),
            1 => (HOUR * 6, HOUR * 9),
            2 => (HOUR * 8, HOUR * 10),
            _ => (HOUR * 13, HOUR * 10),
        };
        let begins = begins + Duration::from_secs(7 * u64::from(index) + 1);
        let plans = vec![
            Plan::remember(Duration::ZERO, Thought::ShiftBegins, 0),
            Plan::remember(lasts, Thought::ShiftEnds, 0),
        ];
        let role = Role::Operator { name: name.to_owned() };
        world.add_station_at(begins, NewStation { role, config, person: Box::new(person), plans });
    }
}

fn call_in(world: &mut World, seed: u64, scenario: &Scenario) -> usize {
    let mut dice = Dice::new(seed, "callers");
    let arrivals = scenario.arrivals(&mut dice);
    for (index, at) in arrivals.iter().enumerate() {
        let index = u16::try_from(index).unwrap_or(u16::MAX);
        let mut config = caller_config(index);
        config.rtp_mode = if scenario.sounds { RtpMode::Full } else { RtpMode::Off };
        let dials = dialled(&mut dice);
        let dial = dial(&mut dice, &dials, config.address);
        let mut temper = Temper::drawn(&mut dice);
        if scenario.sounds {
            temper.talk = temper.talk.min(Duration::from_secs(240));
        }
        let plans = vec![Plan::remember(Duration::ZERO, Thought::Begin, 0)];
        let role = Role::Caller { dials };
        let person = Box::new(Caller::new(dial, temper));
        world.add_station_at(*at, NewStation { role, config, person, plans });
    }
    arrivals.len()
}

/// A line's number, in one of the forms in which trunks write it; now and then a number that is nobody's.
fn dialled(dice: &mut Dice) -> String {
    let number = match dice.below(100) {
        0..=69 => HELPLINE,
        70..=79 => HELPLINE_ENGLISH,
        80..=89 => COMPLEX,
        90..=98 => PLAIN,
        _ => return "+33199999999".to_owned(),
    };
    match (number.strip_prefix("+33"), dice.below(3)) {
        (Some(national), 1) => format!("0{national}"),
        (Some(national), 2) => format!("0033{national}"),
        _ => number.to_owned(),
    }
}

fn dial(dice: &mut Dice, dials: &str, from: SocketAddr) -> Dial {
    let national = 600_000_000 + dice.below(100_000_000);
    let written = match dice.below(4) {
        0 => format!("+33{national}"),
        1 => format!("0033{national}"),
        2 => format!("33{national}"),
        _ => format!("0{national}"),
    };
    let number = format!("sip:{written}@{}", from.ip());
    let mut dial = Dial::to(&format!("sip:{dials}@{SERVER}"));
    if dice.happens(0.1) {
        dial.from = Some("sip:anonymous@anonymous.invalid".into());
        dial.asserted_identity = Some(format!("<{number}>").as_str().into());
        dial.privacy = Some("id".to_owned());
    } else {
        dial.from = Some(number.as_str().into());
        dial.from_display = dice.happens(0.3).then(|| written.as_str().into());
    }
    dial.offer = !dice.happens(0.05);
    dial
}

fn kill(world: &mut World, seed: u64, scenario: &Scenario) {
    let mut dice = Dice::new(seed, "faults");
    for _ in 0..scenario.crashes {
        let at = dice.between(Duration::from_secs(30), scenario.lasts);
        let down = dice.between(Duration::from_millis(20), Duration::from_millis(3000));
        world.crash_at(at, Crash { before_sending: dice.happens(0.5), down });
    }
}
