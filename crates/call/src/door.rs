//! The one public door: what the shell hands in and what it carries out.
//!
//! Knows: the words. Must never know: what is done with them.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;

use crate::settings::Settings;

/// Which room a state record belongs to.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Room {
    /// Dialogs and registrations.
    Sip,
    /// Media legs.
    Media,
    /// Contacts' places and operators' states.
    Acd,
    /// What joins them.
    Call,
}

impl Room {
    /// The room's number in the state file.
    pub fn number(self) -> u8 {
        match self {
            Self::Sip => 1,
            Self::Media => 2,
            Self::Acd => 3,
            Self::Call => 4,
        }
    }

    /// The room of that number.
    pub fn from_number(number: u8) -> Option<Self> {
        [Self::Sip, Self::Media, Self::Acd, Self::Call].into_iter().find(|room| room.number() == number)
    }
}

/// What the shell hands in.
#[derive(Debug)]
pub enum Input {
    /// From the network.
    Sip(sip::Input),
    /// From a media worker.
    Media {
        /// Which worker.
        worker: usize,
        /// What it says.
        event: media::WorkerEvent,
    },
    /// Somebody commands. Answered by [`Output::Reply`] with the same token.
    Command {
        /// Comes back with the reply.
        token: u64,
        /// Who.
        actor: Actor,
        /// What.
        command: Command,
    },
    /// The wall clock: first of all inputs, and again whenever it was set.
    Wall {
        /// Unix time of the engine's epoch, in microseconds.
        unix_micros_at_epoch: i64,
    },
    /// A new configuration is in force from now on.
    Reload(Box<Settings>),
    /// Take no new calls; those that live go on.
    Drain,
    /// Stop: end what still lives, decently.
    Stop,
    /// A deadline of `poll_timeout` has come.
    Timeout,
}

/// Who commands, as far as it is proven.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Actor {
    /// Whoever may open the machine's local control socket.
    LocalControl,
    /// An operator, by a feature code on her authenticated phone.
    Phone(Arc<str>),
}

/// What can be commanded: one typed set, whatever the way in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Command {
    /// An operator's state.
    Operator {
        /// Who.
        operator: Arc<str>,
        /// What.
        command: acd::OperatorCommand,
    },
    /// A line's opening.
    Line {
        /// Which.
        line: Arc<str>,
        /// What.
        command: acd::LineCommand,
    },
}

/// Why a command was not done.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Refused {
    /// The distributor says no.
    Acd(acd::CommandRefused),
    /// This actor may not do that.
    NotYours,
    /// Configuration knows no such reason of being not ready.
    UnknownReason(Arc<str>),
}

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::UnknownReason(reason) => {
                return write!(f, "\"{reason}\" is none of the reasons in policy.toml");
            }
            Self::Acd(acd::CommandRefused::UnknownOperator) => "there is no operator of that name",
            Self::Acd(acd::CommandRefused::UnknownLine) => "there is no line of that name",
            Self::Acd(acd::CommandRefused::NoDevice) => {
                "no phone of this operator is reachable: it must register first"
            }
            Self::Acd(acd::CommandRefused::Debrief) => "she is in debrief; only her own phone may end it",
            Self::NotYours => "an operator's phone may change that operator's own state only",
        })
    }
}

/// What the shell carries out. All `Persist` of a step are written before anything else of it is sent.
#[derive(Debug)]
pub enum Output {
    /// Send this datagram.
    Datagram {
        /// From the socket bound here.
        local: SocketAddr,
        /// To there.
        remote: SocketAddr,
        /// The message.
        bytes: Bytes,
    },
    /// Open a stream.
    StreamConnect {
        /// Its name from now on.
        stream: sip::StreamId,
        /// Which kind.
        transport: sip::Transport,
        /// Where to.
        remote: SocketAddr,
    },
    /// Write to a stream.
    StreamWrite {
        /// Which.
        stream: sip::StreamId,
        /// What.
        bytes: Bytes,
    },
    /// Close a stream after what was written.
    StreamClose {
        /// Which.
        stream: sip::StreamId,
    },
    /// Look a host name up.
    Resolve {
        /// The job.
        job: sip::ResolveId,
        /// The host.
        host: Arc<str>,
    },
    /// For a media worker.
    Media {
        /// Which.
        worker: usize,
        /// What.
        command: media::Command,
    },
    /// Something happened: for the journal and every figure.
    Fact(facts::Fact),
    /// The answer to a command.
    Reply {
        /// The command's token.
        token: u64,
        /// Done, or why not.
        result: Result<(), Refused>,
    },
    /// Keep this record, or erase it.
    Persist {
        /// Whose.
        room: Room,
        /// Its key within the room.
        key: u64,
        /// Its bytes; `None` erases.
        record: Option<Bytes>,
    },
}

/// What lives; every figure returns to zero when the calls are gone.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Counts {
    /// Calls of this room: contacts, and operators' own calls to feature codes.
    pub calls: usize,
    /// Of the SIP room.
    pub sip: sip::Counts,
    /// Of the media room.
    pub media: media::Counts,
    /// Of the distributor.
    pub acd: acd::Counts,
}
