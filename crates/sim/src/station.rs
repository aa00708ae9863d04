//! A station: a phone at an address, a person at it, and what the phone experienced.
//!
//! Knows: one phone. Must never know: the engine.

use std::time::Duration;

use phone::{Event, Phone, PhoneConfig};

use crate::person::Person;
use crate::random::Dice;

/// One station of a world.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct StationId(pub u32);

/// What a station is to the engine.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Role {
    /// A trunk's side of calls, with the number that it dials.
    Caller {
        /// The line's number.
        dials: String,
    },
    /// An operator.
    Operator {
        /// Her name.
        name: String,
    },
}

/// A phone, its person, its memories.
pub struct Station {
    /// What it is.
    pub role: Role,
    /// The phone.
    pub phone: Phone,
    /// What happened at it, and when.
    pub events: Vec<(Duration, Event)>,
    /// The Call-ID of its first INVITE, as it stood on the wire.
    pub call_id: Option<String>,
    /// Its power was cut at least once.
    pub vanished: bool,
    pub(crate) person: Box<dyn Person>,
    pub(crate) dice: Dice,
    pub(crate) config: PhoneConfig,
    pub(crate) wake: Option<Duration>,
    /// How many phones it has had.
    pub(crate) phones: u8,
}

impl Station {
    /// Whether such an event happened.
    pub fn saw(&self, is: impl Fn(&Event) -> bool) -> bool {
        self.events.iter().any(|(_, event)| is(event))
    }

    /// Notes an INVITE's Call-ID as it leaves.
    pub(crate) fn note_call_id(&mut self, bytes: &[u8]) {
        if self.call_id.is_some() || !bytes.starts_with(b"INVITE ") {
            return;
        }
        let text = String::from_utf8_lossy(bytes);
        self.call_id = text.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("call-id").then(|| value.trim().to_owned())
        });
    }
}
