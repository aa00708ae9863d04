//! The words in which a contact's events speak.

use std::sync::Arc;

use crate::ids::{
    CallerPseudonym, EmployerName, Language, Level, LineName, OperatorName, TrunkCallId, TrunkName,
};
use crate::time::UnixMicros;

/// Who calls, as far as anybody may know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Caller {
    /// Her number was presented.
    Known {
        /// Under the key in force.
        pseudonym: CallerPseudonym,
        /// Under the key before it, while both are matched.
        previous: Option<CallerPseudonym>,
    },
    /// She withheld her number, or it was not a number.
    Withheld,
}

/// How a caller was heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallerSignal {
    /// Voice activity.
    Speech,
    /// A DTMF digit.
    Digit,
    /// Real-time text, or a chat message.
    Text,
}

/// Why a call was refused at the edge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RefusedReason {
    /// No line has the number that was dialled.
    UnknownNumber {
        /// The number dialled (ours or a slip, never the caller's), when it came from a trunk.
        dialled: Option<Arc<str>>,
    },
    /// The peer is neither a trunk nor a registered phone.
    UnknownSource,
    /// The trunk is over its cap of calls.
    TrunkFull,
    /// The engine is over its cap of calls.
    EngineFull,
    /// The engine is stopping.
    Draining,
    /// No codec or address in the offer can be served.
    MediaNotAcceptable,
    /// The request breaks the protocol.
    Malformed,
}

/// A menu.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Menu {
    /// The choice of the language.
    Language,
    /// The choice of the level.
    Level,
    /// Another, by its configured name.
    Named(Arc<str>),
}

/// What was chosen in a menu.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MenuChoice {
    /// A language.
    Language(Language),
    /// A level.
    Level(Level),
    /// An option, by its configured name (never the digits: they may be a caller's secret).
    Option(Arc<str>),
}

/// How a menu ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MenuExit {
    /// By a choice.
    Chosen,
    /// By the default, for want of a choice.
    Defaulted,
    /// The caller left.
    CallerGone,
}

/// Why a line is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ClosedReason {
    /// Outside its opening hours.
    OutOfHours,
    /// On a day that is set apart.
    Holiday,
    /// By a command.
    ByCommand,
}

/// Why a line refused a contact before the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DissuadedReason {
    /// As many wait as may.
    QueueFull,
    /// The line has as many calls as it may.
    LineFull,
    /// The trunk has as many calls as it may.
    TrunkFull,
    /// Nobody who could answer is signed in.
    NoEligibleOperator,
    /// The wait would be longer than the line allows.
    WaitTooLong,
    /// The engine is stopping.
    Draining,
}

/// Why a contact waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QueueCause {
    /// It arrived.
    Arrived,
    /// Its operator was lost; it is at the front.
    OperatorLost,
    /// It was transferred into a queue.
    Transferred,
    /// It waits for another level.
    Escalated,
    /// Another line takes over.
    Overflowed,
}

/// How a contact left the queue without an operator and without the caller's will.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ExitReason {
    /// It waited as long as the line allows.
    MaximumWait,
    /// The line's last resort took it.
    LastResort,
    /// Nobody who could answer is signed in (any more).
    NoEligibleOperator,
    /// The line closed while it waited.
    LineClosed,
    /// It became a callback.
    Callback,
    /// A command took it out.
    ByCommand,
}

/// Why this operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfferReason {
    /// The strategy that chose, by its configured name.
    pub strategy: Arc<str>,
    /// How many candidates each rule left, in the order in which the rules were applied.
    pub candidates: Vec<RuleCount>,
}

/// How many candidates a rule left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleCount {
    /// The rule's name.
    pub rule: Arc<str>,
    /// How many were left after it.
    pub left: u32,
}

/// How an offer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OfferOutcome {
    /// She answered and has the contact.
    Accepted,
    /// Her phone said no.
    Refused {
        /// With this SIP status.
        status: u16,
    },
    /// She did not answer in time.
    TimedOut,
    /// The caller left first.
    CallerGone,
    /// Her phone is gone: no answer to the INVITE, connection lost, registration removed.
    DeviceGone,
    /// Another operator answered first.
    LostRace,
    /// She answered, but by then she might not have it.
    IneligibleNow,
    /// It was taken back by a command, a timer of the line, or a stop.
    Withdrawn,
}

/// How an operator left a contact that goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OperatorLeaveReason {
    /// She hung up.
    HungUp,
    /// Another has it now.
    Transferred,
    /// Her phone is gone.
    DeviceLost,
    /// No sound from her phone, and no answer to a probe.
    MediaLost,
    /// By a command.
    ByCommand,
    /// The time to introduce the caller is over.
    IntroductionOver,
    /// She no longer may have it.
    IneligibleNow,
}

/// One side of a bridged contact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Party {
    /// The caller (or her network).
    Caller,
    /// An operator.
    Operator(OperatorName),
}

/// Where a transfer leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TransferTarget {
    /// To one operator.
    Operator(OperatorName),
    /// To the queue of a line, at a level.
    Queue {
        /// The line.
        line: LineName,
        /// The level.
        level: Level,
    },
    /// To an outside number, by the name the configuration gives it.
    Outside(Arc<str>),
}

/// How a transfer is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransferMode {
    /// Without introduction.
    Blind,
    /// The first operator introduces the caller.
    Introduced,
}

/// Why a transfer failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransferFailure {
    /// The target may not have the contact.
    Ineligible,
    /// The target refused.
    Refused {
        /// With this SIP status.
        status: u16,
    },
    /// The target did not answer.
    NoAnswer,
    /// The caller left during the transfer.
    CallerGone,
    /// Who asked took it back.
    Withdrawn,
}

/// Who ended a contact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum EndedBy {
    /// The caller, proven.
    Caller,
    /// An operator's side.
    Operator,
    /// The network between, proven.
    Network,
    /// This program: a policy, a command, a restart.
    Vigie,
    /// Nobody can prove it. Counts on the operator's side once an operator answered.
    Unknown,
}

/// The first thing on the wire that said it is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndProof {
    /// A BYE.
    Bye,
    /// A CANCEL.
    Cancel,
    /// A final status other than 2xx, sent or received.
    Failure {
        /// That status.
        status: u16,
    },
    /// The device or its connection is gone.
    DeviceLost,
    /// No sound, and no answer to a probe.
    MediaLost,
    /// Nobody refreshed the session (RFC 4028).
    SessionExpired,
    /// The line's or the menu's own course led to the end.
    Policy,
    /// A command.
    Command,
    /// A restart could not go on with it.
    Restart,
    /// Nothing.
    None,
}

/// Why a contact ended, from the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndCause {
    /// The first proof.
    pub proof: EndProof,
    /// The Q.850 cause of the Reason header (RFC 3326).
    pub q850: Option<u8>,
    /// The SIP cause of the Reason header (RFC 3326).
    pub sip: Option<u16>,
    /// The Reason header's text, through [`crate::sanitise::reason_text`].
    pub text: Option<Arc<str>>,
}

impl EndCause {
    /// A cause without a Reason header.
    pub fn bare(proof: EndProof) -> Self {
        Self { proof, q850: None, sip: None, text: None }
    }
}

/// A contact as the engine knows it after a restart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContactSoFar {
    /// Where it came in.
    pub trunk: TrunkName,
    /// The line.
    pub line: LineName,
    /// The trunk's Call-ID.
    pub trunk_call_id: TrunkCallId,
    /// Who calls.
    pub caller: Caller,
    /// When it was offered.
    pub offered_at: UnixMicros,
    /// When it first entered the queue.
    pub queued_at: Option<UnixMicros>,
    /// Its level, once known.
    pub level: Option<Level>,
    /// Its language, once known.
    pub language: Option<Language>,
    /// When it was first bridged to an operator.
    pub answered_at: Option<UnixMicros>,
    /// The operator it is bridged to, and her employer.
    pub operator: Option<(OperatorName, EmployerName)>,
}
