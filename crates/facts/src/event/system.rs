//! The words in which trunks', lines' and the engine's own events speak.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::ids::{Language, Level, LineName, OperatorName, TrunkName};

/// Who did something deliberately.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    /// An operator, from her phone or desktop.
    Operator(OperatorName),
    /// A supervisor or administrator, by account name.
    Person(Arc<str>),
    /// Whoever has the machine's local control socket.
    LocalControl,
    /// A policy of the configuration.
    Policy,
}

/// What needs a person's attention.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Alarm {
    /// A contact waits that nobody signed in may answer.
    NoEligibleOperator {
        /// On which line.
        line: LineName,
        /// At which level.
        level: Level,
        /// In which language.
        language: Language,
    },
    /// A contact has waited longer than the line wants.
    LongWait {
        /// On which line.
        line: LineName,
        /// How long.
        waited: Duration,
    },
    /// A trunk does not answer.
    TrunkDown {
        /// Which.
        trunk: TrunkName,
    },
    /// The journal is away; events are spooled.
    JournalAway,
    /// The state file cannot be written: a restart would lose calls.
    StateNotPersisted,
    /// Something else, in words.
    Other(Arc<str>),
}

/// A place of bounded room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Queue {
    /// Events on their way to the journal: the figures lack them.
    Journal,
    /// Datagrams on their way to the engine.
    Datagrams,
    /// Media events on their way to the engine.
    MediaEvents,
    /// Commands on their way to the engine.
    Commands,
    /// Sound on its way to a recording.
    Recording,
}

/// A SHA-256 digest.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(pub [u8; 32]);

impl Digest {
    /// Reads the form `Display` writes.
    pub fn from_hex(text: &str) -> Option<Self> {
        let mut bytes = [0; 32];
        crate::hex::decode(text, &mut bytes).then_some(Self(bytes))
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        crate::hex::write(&self.0, f)
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
