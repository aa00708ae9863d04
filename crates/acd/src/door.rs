//! The one public door of the distributor: what it is told, what it decides, and the words for both.
//!
//! Knows: lines, operators, contacts, offers. Must never know: SIP, URIs, numbers, RTP, threads, the clock. Time is a
//! [`Duration`] since the engine's epoch; the calendar comes in as an offset ([`Input::Wall`]).

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use crate::hours::Hours;
use crate::proof::Proof;

/// The name of a line, operator, skill, language or employer, as in the configuration.
pub type Name = Arc<str>;

/// One thing that waits for an operator. Named by the user of this room; never reused.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ContactId(pub u64);

/// One attempt to give one contact to one operator. Named by this room; never reused, also not after a restore.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct OfferId(pub u64);

/// Work is split in two levels; level 2 may never be subcontracted.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Level {
    /// Welcome, first listening, orientation.
    One,
    /// Complex cases, in-house only.
    Two,
}

/// 1 (can manage) to 5 (mother tongue, expert).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Proficiency(pub u8);

// ------------------------------------------------------------------------------------------------ the plan

/// Everything that configuration decides for this room. Replaced as a whole by `Acd::reconfigure`, which starts a new
/// policy epoch: proofs of the old one are checked again before they count.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The lines.
    pub lines: Vec<Line>,
    /// The operators.
    pub operators: Vec<Operator>,
}

/// One line and its policy.
#[derive(Clone, Debug)]
pub struct Line {
    /// Its name.
    pub name: Name,
    /// The level of a contact that enters by this line.
    pub level: Level,
    /// The languages it serves; one: no menu.
    pub languages: Vec<Name>,
    /// Skills that an operator must have, with the least proficiency.
    pub skills: Vec<(Name, Proficiency)>,
    /// When it is open.
    pub hours: Hours,
    /// Contacts waiting at once; one more is dissuaded.
    pub waiting_max: usize,
    /// Longest wait before the last resort; none: a contact waits until answered.
    pub wait_max: Option<Duration>,
    /// Higher goes first, before waiting time.
    pub priority: i32,
    /// How long an offer rings.
    pub offer_ring: Duration,
    /// Time to write up after a contact.
    pub wrap_up: Duration,
    /// Soft constraints, given up one ring after the other as the wait grows; the first starts at 0.
    pub rings: Vec<Ring>,
    /// How to choose among eligible operators.
    pub strategy: Strategy,
}

/// One ring of relaxation: what is still preferred from `after` on. Hard constraints are not here: they never relax.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ring {
    /// Waiting time at which this ring begins.
    pub after: Duration,
    /// Least proficiency in the contact's language.
    pub language_min: Proficiency,
    /// Whether operators accredited for level 2 are asked to take level 1 contacts.
    pub level_two_helps: bool,
    /// Sites asked; empty: all.
    pub sites: Vec<Name>,
}

/// The order among eligible operators; ties go to the next criterion, last to the name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Strategy {
    /// Best proficiency, then fewest other scarce skills, then longest idle (the default).
    BestThenLongestIdle,
    /// Longest idle alone.
    LongestIdle,
}

/// One operator.
#[derive(Clone, Debug)]
pub struct Operator {
    /// Her name (the account).
    pub name: Name,
    /// Who employs her.
    pub employer: Employer,
    /// Levels she is accredited for.
    pub levels: Vec<Level>,
    /// Languages she speaks.
    pub languages: Vec<(Name, Proficiency)>,
    /// Other skills.
    pub skills: Vec<(Name, Proficiency)>,
    /// Lines she works for; empty: all.
    pub lines: Vec<Name>,
    /// Her site, if told.
    pub site: Option<Name>,
    /// Ready at once when her phone signs in, else not ready until she says so.
    pub ready_on_sign_in: bool,
    /// Overrides the line's.
    pub wrap_up: Option<Duration>,
    /// After so many offers missed in a row she is set not ready, and told.
    pub missed_max: u8,
}

/// Who employs an operator.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Employer {
    /// The association itself: the only one that may do level 2.
    InHouse,
    /// A subcontractor, by name.
    Subcontractor(Name),
}

// ------------------------------------------------------------------------------------------------ inputs

/// What the distributor is told.
#[derive(Debug)]
pub enum Input {
    /// The calendar: Unix milliseconds at the engine's epoch. First of all inputs, and again when the clock is set.
    Wall {
        /// Unix time in ms of engine time zero.
        unix_ms_at_epoch: i64,
    },
    /// A contact reached a line. Answered at once by `Admitted` or `Dissuaded`.
    Arrived {
        /// Its new name.
        contact: ContactId,
        /// The line.
        line: Name,
    },
    /// The menu is done, or there was none to do: it enters the queue. A contact admitted with one language needs
    /// this too (when the greeting may begin to be interrupted: at once).
    Chose {
        /// Which.
        contact: ContactId,
        /// One of the line's languages.
        language: Name,
    },
    /// The contact is over: the caller left, or the call was ended, at whatever stage.
    Gone {
        /// Which.
        contact: ContactId,
    },
    /// The operator's phone rings.
    Ringing {
        /// Which offer.
        offer: OfferId,
    },
    /// The operator's phone answered. Decided by `Connected` or `OfferClosed`.
    Accepted {
        /// The proof that the offer carried.
        proof: Proof,
    },
    /// The offer failed at the operator's phone.
    Failed {
        /// The proof that the offer carried.
        proof: Proof,
        /// How.
        why: OfferFailure,
    },
    /// The operator's leg of a connected contact is gone without her doing (phone vanished): the contact goes back to
    /// the front of the queue; answered by `Queued`, and she is set not ready (device gone).
    OperatorLost {
        /// Which contact.
        contact: ContactId,
    },
    /// Whether any phone of the operator is reachable. The first one signs her in, the last one's loss signs her out.
    Devices {
        /// Who.
        operator: Name,
        /// Any?
        reachable: bool,
    },
    /// She, or a supervisor for her, changes her state.
    Operator {
        /// Who.
        operator: Name,
        /// What.
        command: OperatorCommand,
        /// By which way.
        by: CommandSource,
    },
    /// A line is opened or closed by hand.
    Line {
        /// Which.
        line: Name,
        /// What.
        command: LineCommand,
    },
    /// A deadline of `poll_timeout` has come.
    Timeout,
}

/// How an offer failed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OfferFailure {
    /// Declined or busy at the phone, with the SIP status. Sets her not ready.
    Refused(u16),
    /// Rang to the deadline of the phone itself (the distributor's own deadline needs no telling).
    NoAnswer,
    /// No phone could be reached: sets her not ready (device gone).
    DeviceGone,
    /// Our own lack (no port, bad description): she is not blamed and stays ready.
    Internal,
}

/// What can be commanded of an operator.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum OperatorCommand {
    /// Work, with a reachable phone.
    SignIn,
    /// Ready for contacts (ends wrap-up too).
    Ready,
    /// Not ready, with a reason. In a contact or wrap-up: takes hold after it.
    NotReady(Name),
    /// A protected pause after a hard call: nothing may interrupt it but she herself.
    Debrief,
    /// Signed out. In a contact: takes hold after it.
    SignOut,
}

/// By which way a state changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CommandSource {
    /// A feature code dialled on her own phone.
    FeatureCode,
    /// The control socket (`vigie operator …`).
    Control,
    /// The console.
    Console,
}

/// What can be commanded of a line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LineCommand {
    /// Open, whatever the hours say.
    Open,
    /// Closed, whatever the hours say.
    Close,
    /// As the hours say.
    ByHours,
}

/// Why a command was not done; returned by `Acd::check`, so that whoever commands is told.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum CommandRefused {
    /// No such operator.
    UnknownOperator,
    /// No such line.
    UnknownLine,
    /// Ready needs a phone.
    NoDevice,
    /// She is in debrief; only her own phone may end it.
    Debrief,
}

// ------------------------------------------------------------------------------------------------ outputs

/// What the distributor decides.
#[derive(Debug)]
pub enum Output {
    /// The line is open: greet. With more than one language let the caller choose.
    Admitted {
        /// Which.
        contact: ContactId,
        /// The line's languages.
        languages: Vec<Name>,
    },
    /// The line does not take it; the contact is over for this room.
    Dissuaded {
        /// Which.
        contact: ContactId,
        /// Why.
        why: Dissuasion,
    },
    /// It waits (again).
    Queued {
        /// Which.
        contact: ContactId,
        /// Its level now.
        level: Level,
        /// Its language.
        language: Name,
        /// Contacts that would be served before it.
        ahead: usize,
        /// Whether it was with an operator before, whose phone was lost: say so to the caller.
        returned: bool,
    },
    /// Ring this operator for this contact.
    Offer {
        /// Which.
        offer: OfferId,
        /// The proof to hand back with the outcome. It says contact and operator.
        proof: Proof,
        /// When the distributor withdraws it.
        deadline: Duration,
        /// Why she.
        reason: OfferReason,
    },
    /// Stop the ring of this offer: its time is up, the contact is gone, or the operator may no longer have it.
    Withdrawn {
        /// Which.
        offer: OfferId,
        /// Its contact.
        contact: ContactId,
        /// Its operator.
        operator: Name,
        /// Why.
        why: Withdrawal,
    },
    /// Bridge them.
    Connected {
        /// Which offer.
        offer: OfferId,
        /// Contact.
        contact: ContactId,
        /// Operator.
        operator: Name,
    },
    /// The answer came too late or may not count: hang up on the operator; the contact's own fate is told apart.
    OfferClosed {
        /// Which offer.
        offer: OfferId,
        /// Its operator.
        operator: Name,
        /// Why.
        why: Withdrawal,
    },
    /// The longest wait is over: play the last resort. The contact stays in the queue until `Gone`.
    LastResort {
        /// Which.
        contact: ContactId,
    },
    /// Nobody signed in could ever take this contact under the last ring (said once a contact, and again after a
    /// change that clears and re-creates it).
    NobodyEligible {
        /// Which.
        contact: ContactId,
        /// Counts by the rule that excluded them.
        excluded: Excluded,
    },
    /// An operator's state changed.
    OperatorState {
        /// Who.
        operator: Name,
        /// Now.
        state: OperatorState,
        /// Why.
        cause: StateCause,
    },
    /// A line opened or closed.
    LineState {
        /// Which.
        line: Name,
        /// Now.
        open: bool,
        /// By hand or by hours.
        by_hand: bool,
    },
    /// Keep this record (or erase it: `None`) before doing anything else of this step.
    Persist {
        /// The record's key within this room.
        key: u64,
        /// Versioned bytes; no numbers inside.
        record: Option<Bytes>,
    },
}

/// Why a line did not take a contact.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Dissuasion {
    /// Outside its hours, or closed by hand (`true`).
    Closed {
        /// By hand.
        by_hand: bool,
    },
    /// As many wait as may.
    Full,
    /// No such line (a configuration slip of the caller of this room).
    NoSuchLine,
}

/// Why an offer was withdrawn or closed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Withdrawal {
    /// She did not answer in time: she is set not ready.
    TimedOut,
    /// The contact is gone.
    ContactGone,
    /// She signed out, or her phone went.
    OperatorGone,
    /// A reload or command made her ineligible; the hard constraints were checked again.
    NoLongerEligible,
    /// The answer was for an offer that is over.
    TooLate,
}

/// Why this operator; the journal keeps it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OfferReason {
    /// The ring (0-based) under which she was eligible.
    pub ring: u8,
    /// The strategy.
    pub strategy: Strategy,
    /// Eligible and ready operators there were, she among them.
    pub candidates: u32,
    /// The rest, by the rule that excluded them.
    pub excluded: Excluded,
    /// Her proficiency in the contact's language.
    pub proficiency: Proficiency,
    /// How long she had been idle.
    pub idle: Duration,
    /// How long the contact had waited.
    pub waited: Duration,
}

/// Operators by the first rule that excluded them, in this order.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Excluded {
    /// Hard: level and employer.
    pub level: u32,
    /// Does not work for the line.
    pub line: u32,
    /// Lacks the language.
    pub language: u32,
    /// Lacks a skill.
    pub skill: u32,
    /// Signed out.
    pub signed_out: u32,
    /// Not ready, wrap-up, debrief, offered or in contact.
    pub busy: u32,
    /// Soft: the current ring does not ask her yet.
    pub ring: u32,
}

/// An operator's state.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum OperatorState {
    /// No reachable phone, or signed out by hand.
    SignedOut,
    /// May be offered a contact.
    Ready,
    /// Her phone rings.
    Offered(ContactId),
    /// Talking.
    InContact(ContactId),
    /// Writing up until then.
    WrapUp {
        /// Engine time.
        until: Duration,
    },
    /// Not to be offered anything.
    NotReady {
        /// Why, for example `break`, `missed`, `device-gone`.
        reason: Name,
    },
    /// Protected pause.
    Debrief,
}

/// What changed an operator's state.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StateCause {
    /// A phone became reachable, or the last one went.
    Devices,
    /// A command, by which way.
    Command(CommandSource),
    /// An offer began, was answered, or ended without blame.
    Offer,
    /// She refused an offer.
    Refused,
    /// She did not answer.
    Missed,
    /// Her contact ended.
    ContactEnded,
    /// Wrap-up ran out.
    WrapUpOver,
    /// A reload.
    Configuration,
}

/// What is live; returns to zero when contacts are gone.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Counts {
    /// Contacts known.
    pub contacts: usize,
    /// Of them waiting.
    pub waiting: usize,
    /// Open offers.
    pub offers: usize,
}
