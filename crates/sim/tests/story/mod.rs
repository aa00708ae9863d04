//! A small stage for stories: a helpline with sound, callers and operators who do what the story says.

use std::time::Duration;

use call::Settings;
use facts::Cdr;
use phone::{CallId, Command, Dial, Event, Signature, Voice};
use sim::deployment::{self, DOMAIN, SERVER};
use sim::{Links, Nobody, Role, Setup, StationId, World, caller_config, operator_config};

pub(crate) fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// A world, its callers and operators by name.
pub(crate) struct Story {
    pub(crate) world: World,
    callers: u16,
}

impl Story {
    pub(crate) fn new() -> Self {
        Self::with(|_| {})
    }

    /// With other settings.
    pub(crate) fn with(change: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = deployment::settings();
        change(&mut settings);
        let world = World::new(Setup {
            seed: 1,
            settings,
            links: Links::PERFECT,
            media_links: Links::PERFECT,
            sounds: true,
        });
        Self { world, callers: 0 }
    }

    /// An operator signs in and is ready.
    pub(crate) fn operator(&mut self, name: &str) -> StationId {
        let index = deployment::operators().position(|known| known == name).expect("an operator");
        let config = operator_config(index as u8, name);
        let role = Role::Operator { name: name.to_owned() };
        let station = self.world.add_station(role, config, Box::new(Nobody));
        self.world.command(station, Command::Register);
        self.world.run_for(s(1));
        station
    }

    /// Someone calls a line.
    pub(crate) fn caller(&mut self, number: &str) -> StationId {
        self.callers += 1;
        let config = caller_config(self.callers);
        let role = Role::Caller { dials: number.to_owned() };
        let from = format!("sip:+3361200{:04}@{}", self.callers, config.address.ip());
        let station = self.world.add_station(role, config, Box::new(Nobody));
        let dial = Dial::to(&format!("sip:{number}@{SERVER}")).from(&from);
        self.world.command(station, Command::Dial(Box::new(dial)));
        self.world.run_for(s(1));
        station
    }

    pub(crate) fn press(&mut self, station: StationId, digits: &str) {
        let call = self.call(station).expect("a call");
        self.world.command(station, Command::Digits { call, digits: digits.to_owned() });
        self.world.run_for(s(1));
    }

    pub(crate) fn answer(&mut self, station: StationId) {
        let call = self.call(station).expect("a call that rings");
        self.world.command(station, Command::Answer { call });
        self.world.run_for(s(2));
    }

    pub(crate) fn hang_up(&mut self, station: StationId) {
        let call = self.call(station).expect("a call");
        self.world.command(station, Command::HangUp { call, reason: None });
        self.world.run_for(s(1));
    }

    /// An operator dials a feature code and hears it confirmed.
    pub(crate) fn dials(&mut self, station: StationId, code: &str) {
        let dial = Dial::to(&format!("sip:{code}@{DOMAIN}"));
        self.world.command(station, Command::Dial(Box::new(dial)));
        self.world.run_for(s(5));
    }

    /// The call that a station has.
    pub(crate) fn call(&self, station: StationId) -> Option<CallId> {
        self.world.station(station).phone.calls().last()
    }

    pub(crate) fn rings(&self, station: StationId) -> bool {
        self.call(station).is_some_and(|call| !self.world.station(station).phone.is_established(call))
    }

    /// Whether a station hears that signature now.
    pub(crate) fn hears(&self, station: StationId, signature: Signature) -> bool {
        let Some(call) = self.call(station) else { return false };
        self.world.station(station).phone.heard(call, signature) >= phone::HEARD_SCORE_MIN
    }

    /// Packets that a station's call has received.
    pub(crate) fn received(&self, station: StationId) -> u64 {
        let phone = &self.world.station(station).phone;
        self.call(station).and_then(|call| phone.media(call)).map_or(0, |media| media.received)
    }

    /// Whether each of the two hears the other.
    pub(crate) fn talk(&self, one: StationId, other: StationId) -> bool {
        self.hears(one, self.voice(other)) && self.hears(other, self.voice(one))
    }

    pub(crate) fn voice(&self, station: StationId) -> Signature {
        match self.world.station(station).role {
            Role::Operator { ref name } => {
                let index = deployment::operators().position(|known| known == name).expect("an operator");
                Signature::of(100 + index as u64)
            }
            Role::Caller { .. } => {
                // Callers are numbered from 1 in the order in which they called.
                let before = self
                    .world
                    .stations()
                    .filter(|(id, of)| *id <= station && matches!(of.role, Role::Caller { .. }));
                let Voice::Signature(signature) = caller_config(before.count() as u16).voice else {
                    unreachable!("callers speak with signatures")
                };
                signature
            }
        }
    }

    pub(crate) fn state(&self, operator: &str) -> String {
        format!("{:?}", self.world.engine().expect("an engine").operator_state(operator).expect("known"))
    }

    /// Everything ends; returns the records, and nothing may be wrong.
    pub(crate) fn end(mut self) -> Vec<Cdr> {
        let stations: Vec<StationId> = self.world.stations().map(|(id, _)| id).collect();
        for id in stations {
            while let Some(call) = self.call(id) {
                self.world.command(id, Command::HangUp { call, reason: None });
                self.world.run_for(s(1));
            }
            if let Role::Operator { .. } = self.world.station(id).role {
                self.world.command(id, Command::Unregister);
            }
        }
        self.world.run_for(s(600));
        self.world.finish();
        let violations = self.world.checkers().violations();
        assert!(violations.is_empty(), "{violations:#?}");
        self.world.checkers().outcomes().cdrs().cloned().collect()
    }

    pub(crate) fn saw(&self, station: StationId, is: impl Fn(&Event) -> bool) -> bool {
        self.world.station(station).saw(is)
    }
}
