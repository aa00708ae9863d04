//! The event types: everything that happens to a contact, an operator, a trunk, a line or the engine.
//!
//! Knows: what an event says. Must never know: who produces it, how it is kept, and a caller's number
//! (only her pseudonym). What an event says about a person is what an administrator may read.

mod contact;
mod media;
mod operator;
mod system;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

pub use contact::{
    Caller, CallerSignal, ClosedReason, ContactSoFar, DissuadedReason, EndCause, EndProof, EndedBy,
    ExitReason, Menu, MenuChoice, MenuExit, OfferOutcome, OfferReason, OperatorLeaveReason, Party,
    QueueCause, RefusedReason, RuleCount, TransferFailure, TransferMode, TransferTarget,
};
pub use media::{Direction, Leg, Remedy, StreamStats};
pub use operator::{AddressFamily, AuthFailure, OperatorState, RegistrationChange, StateCause, WrapUpEnd};
pub use system::{Actor, Alarm, Digest, Queue};

use crate::ids::{
    Account, ContactId, EmployerName, Language, Level, LineName, OfferId, OperatorName, TrunkCallId,
    TrunkName,
};
use crate::time::UnixMicros;

/// One thing that happened, numbered and dated.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// Its place in the journal. Numbers have no gap; a gap is an event that was lost.
    pub seq: u64,
    /// When, by the wall clock.
    pub at: UnixMicros,
    /// The contact it is about, if it is about one.
    pub contact: Option<ContactId>,
    /// What happened.
    pub kind: EventKind,
}

/// One thing that happened, as the engine says it: by its own clock, not yet numbered.
#[derive(Debug, Clone, PartialEq)]
pub struct Fact {
    /// Since the engine's epoch.
    pub now: Duration,
    /// The contact it is about, if it is about one.
    pub contact: Option<ContactId>,
    /// What happened.
    pub kind: EventKind,
}

/// What happened. Variants marked *contact* come with [`Event::contact`].
#[derive(Debug, Clone, PartialEq)]
pub enum EventKind {
    // ---- the trunk's edge
    /// *Contact.* A call for one of our lines arrived: it counts as offered from here on.
    Offered {
        /// Where it came in.
        trunk: TrunkName,
        /// The line that was dialled.
        line: LineName,
        /// The trunk's Call-ID.
        trunk_call_id: TrunkCallId,
        /// Her pseudonym, or that she withheld her number.
        caller: Caller,
        /// The call was diverted to us (Diversion or History-Info).
        redirected: bool,
    },
    /// A call was refused at the edge, before it could belong to a line; it counts in no line's figures.
    Refused {
        /// The trunk, if the source is one.
        trunk: Option<TrunkName>,
        /// The peer it came from: a carrier's or an attacker's machine, not a caller.
        source: IpAddr,
        /// Its Call-ID.
        trunk_call_id: TrunkCallId,
        /// The SIP status it was given.
        status: u16,
        /// Why.
        reason: RefusedReason,
    },
    /// *Contact.* The trunk was given its 200: the machine answered (the caller may pay from here on).
    AnsweredByMachine,
    /// *Contact.* The caller was heard for the first time. Without it the call is a silent one.
    CallerHeard {
        /// By what.
        by: CallerSignal,
    },

    // ---- before the queue
    /// *Contact.* A menu began.
    MenuEntered {
        /// Which.
        menu: Menu,
    },
    /// *Contact.* The caller (or the default) chose.
    MenuChosen {
        /// Which menu.
        menu: Menu,
        /// What.
        choice: MenuChoice,
        /// The caller chose nothing in time and the line's default was taken.
        by_default: bool,
    },
    /// *Contact.* A menu is over.
    MenuLeft {
        /// Which.
        menu: Menu,
        /// How.
        exit: MenuExit,
    },
    /// *Contact.* The line was closed.
    Closed {
        /// Why.
        reason: ClosedReason,
    },
    /// *Contact.* The line refused the contact before the queue.
    Dissuaded {
        /// Why.
        reason: DissuadedReason,
    },

    // ---- in the queue
    /// *Contact.* It waits for an operator. The first one of a contact starts its wait.
    Queued {
        /// For which line.
        line: LineName,
        /// At which level.
        level: Level,
        /// In which language.
        language: Language,
        /// Higher goes first.
        priority: i32,
        /// Why it waits (again).
        cause: QueueCause,
    },
    /// *Contact.* The caller was told how long she may have to wait.
    WaitTold {
        /// The estimate.
        estimate: Duration,
    },
    /// *Contact.* It left the queue by another way than an operator's answer or the caller's going.
    LeftQueue {
        /// Which way.
        reason: ExitReason,
    },

    // ---- offers
    /// *Contact.* An operator was chosen.
    OfferMade {
        /// The attempt.
        offer: OfferId,
        /// To whom.
        operator: OperatorName,
        /// Employed by whom.
        employer: EmployerName,
        /// How far preferences had relaxed: 0 is the first ring.
        ring: u8,
        /// How long she has to answer.
        ring_time_max: Duration,
        /// Why she and no other.
        reason: OfferReason,
    },
    /// *Contact.* Her phone rings (180 or 183).
    OfferRinging {
        /// The attempt.
        offer: OfferId,
        /// Whose phone.
        operator: OperatorName,
    },
    /// *Contact.* The attempt is over.
    OfferEnded {
        /// The attempt.
        offer: OfferId,
        /// Whose.
        operator: OperatorName,
        /// How.
        outcome: OfferOutcome,
    },

    // ---- talking
    /// *Contact.* Bridged to an operator: *answered* in the sense of every figure.
    AnsweredByOperator {
        /// The offer she accepted; none if she joined by a transfer or a command.
        offer: Option<OfferId>,
        /// Who.
        operator: OperatorName,
        /// Employed by whom.
        employer: EmployerName,
        /// The level at which she answers it.
        level: Level,
    },
    /// *Contact.* An operator is no longer in it, and the contact goes on.
    OperatorLeft {
        /// Who.
        operator: OperatorName,
        /// How.
        reason: OperatorLeaveReason,
    },
    /// *Contact.* One side put the other on hold.
    Held {
        /// Which side did.
        by: Party,
    },
    /// *Contact.* That side took it back.
    Resumed {
        /// Which side did.
        by: Party,
    },
    /// *Contact.* An operator asked for a transfer.
    TransferRequested {
        /// Who.
        by: OperatorName,
        /// Where to.
        target: TransferTarget,
        /// Whether she introduces the caller.
        mode: TransferMode,
    },
    /// *Contact.* The transfer reached somebody.
    TransferCompleted {
        /// From whom.
        from: OperatorName,
        /// To whom.
        to: OperatorName,
    },
    /// *Contact.* The transfer did not happen.
    TransferFailed {
        /// Who had asked.
        by: OperatorName,
        /// Why.
        failure: TransferFailure,
    },
    /// *Contact.* It is now of another level; level 2 is for ever.
    Escalated {
        /// The level it had.
        from: Level,
        /// The level it has.
        to: Level,
        /// Who asked.
        by: Actor,
    },
    /// Somebody tried to give a contact to an operator who may not have it; it did not happen.
    IneligibleAttempt {
        /// The operator.
        operator: OperatorName,
        /// What was tried: `offer`, `transfer`, `conference`, …
        action: Arc<str>,
        /// The rule that forbids it.
        rule: Arc<str>,
    },

    // ---- the end
    /// *Contact.* It is over. Exactly one a contact.
    Ended {
        /// Who ended it, proven from the wire or not.
        by: EndedBy,
        /// The proof.
        cause: EndCause,
    },
    /// *Contact.* After a restart the engine goes on with this contact. Says what it is, in case the
    /// journal's last moments were lost; what the journal already knows is not changed by it.
    Restored(ContactSoFar),

    // ---- operators
    /// The time to write up began. Without a contact it is her last one.
    WrapUpStarted {
        /// Whose.
        operator: OperatorName,
        /// How long it may last.
        time_max: Duration,
    },
    /// The time to write up is over. Without a contact it is her last one.
    WrapUpEnded {
        /// Whose.
        operator: OperatorName,
        /// How.
        cause: WrapUpEnd,
    },
    /// An operator's state changed. Also said of each operator after [`EventKind::EngineStarted`].
    OperatorState {
        /// Whose.
        operator: OperatorName,
        /// Employed by whom.
        employer: EmployerName,
        /// The new state.
        state: OperatorState,
        /// Why.
        cause: StateCause,
    },
    /// A phone registered, went or was forgotten.
    Registration {
        /// The account.
        account: Account,
        /// What changed.
        change: RegistrationChange,
        /// The kind of the device's address; the address itself is nobody's business.
        family: AddressFamily,
        /// How many devices the account has now.
        devices: u16,
    },
    /// A digest was wrong.
    AuthFailed {
        /// The account as claimed, shortened and cleaned.
        account: Account,
        /// The peer it came from.
        source: IpAddr,
        /// Why.
        failure: AuthFailure,
    },

    // ---- trunks and lines
    /// A trunk answers our OPTIONS (again), or has sent something.
    TrunkAlive {
        /// Which.
        trunk: TrunkName,
    },
    /// A trunk does not answer.
    TrunkDead {
        /// Which.
        trunk: TrunkName,
        /// The status that says so (408 when nothing came, 503).
        status: u16,
    },
    /// A line was opened by a command.
    LineOpened {
        /// Which.
        line: LineName,
        /// By whom.
        by: Actor,
    },
    /// A line was closed by a command.
    LineClosed {
        /// Which.
        line: LineName,
        /// By whom.
        by: Actor,
    },

    // ---- media
    /// *Contact.* A leg's codec is settled (or changed).
    CodecChosen {
        /// Which leg.
        leg: Leg,
        /// As in SDP: `PCMA/8000`.
        codec: Arc<str>,
    },
    /// *Contact.* The peer's media address was learnt and locked.
    MediaLatched {
        /// Which leg.
        leg: Leg,
        /// The address.
        address: SocketAddr,
    },
    /// *Contact.* A stream from an address that may not send was thrown away.
    MediaRejected {
        /// Which leg.
        leg: Leg,
        /// The address.
        address: SocketAddr,
        /// What an administrator can do if it was legitimate.
        remedy: Remedy,
    },
    /// *Contact.* Sound goes one way only.
    OneWayAudio {
        /// The leg that lacks one direction.
        leg: Leg,
        /// The direction that is missing.
        missing: Direction,
    },
    /// *Contact.* Neither RTP nor RTCP came from a leg for a while; the leg is being probed.
    MediaSilence {
        /// Which leg.
        leg: Leg,
        /// For how long.
        silent_for: Duration,
    },
    /// *Contact.* The totals of a leg, once, when it is over.
    MediaStats {
        /// Which leg.
        leg: Leg,
        /// What we received from the peer.
        received: StreamStats,
        /// What we sent, with loss and jitter as the peer reported them.
        sent: StreamStats,
    },

    // ---- the engine
    /// Something needs a person's attention, or no longer does.
    Alarm {
        /// What.
        alarm: Alarm,
        /// False when it is over.
        raised: bool,
    },
    /// A command was refused.
    CommandRefused {
        /// By whom it was given.
        by: Actor,
        /// What: `operator ready`, `line close`, …
        command: Arc<str>,
        /// Why not.
        reason: Arc<str>,
    },
    /// The program started. Until [`EventKind::EngineRestored`], which must follow, what was going on
    /// before is in doubt.
    EngineStarted {
        /// Its version.
        version: Arc<str>,
    },
    /// It has said everything it goes on with ([`EventKind::Restored`]); what it did not say ended when the
    /// program before it did. Said after every start, with zeros if there was nothing.
    EngineRestored {
        /// Contacts it goes on with.
        contacts: u32,
        /// Contacts whose records could not be read or used.
        lost: u32,
    },
    /// It takes no new calls and waits for the last to end.
    EngineDraining,
    /// It stopped in order.
    EngineStopped,
    /// A configuration is in force.
    ConfigLoaded {
        /// SHA-256 of its files.
        hash: Digest,
    },
    /// Something bounded was full, and things were thrown away.
    OverflowDropped {
        /// Where.
        queue: Queue,
        /// How many since the last such event.
        count: u64,
    },
}
