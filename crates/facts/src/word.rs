//! One word for each case: how reasons, states and outcomes are written in the journal, in CDRs and on
//! screens that a program reads.
//!
//! Knows: the words, which never change once a journal holds them. Must never know: any language people
//! speak; translations belong to whoever shows things to people.

use std::borrow::Cow;
use std::sync::Arc;

use crate::event::{
    Actor, AddressFamily, AuthFailure, Caller, CallerSignal, ClosedReason, Digest, Direction,
    DissuadedReason, EndProof, EndedBy, ExitReason, Leg, Menu, MenuChoice, MenuExit, OfferOutcome,
    OperatorLeaveReason, OperatorState, Party, Queue, QueueCause, RefusedReason, RegistrationChange, Remedy,
    StateCause, TransferFailure, TransferMode, TransferTarget, WrapUpEnd,
};
use crate::ids::{
    Account, CallerPseudonym, EmployerName, Language, Level, LineName, OperatorName, TrunkCallId, TrunkName,
};

/// Something that is written as one word, `case` or `case:detail`, and read back from it.
pub trait Word: Sized {
    /// The word.
    fn word(&self) -> Cow<'_, str>;
    /// What the word means; none if it is no such word.
    fn from_word(word: &str) -> Option<Self>;
}

macro_rules! plain_words {
    ($($type:ident { $($case:ident = $word:literal),+ $(,)? })+) => {$(
        impl Word for $type {
            fn word(&self) -> Cow<'_, str> {
                Cow::Borrowed(match self { $(Self::$case => $word),+ })
            }

            fn from_word(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$case),)+ _ => None }
            }
        }
    )+};
}

plain_words! {
    CallerSignal { Speech = "speech", Digit = "digit", Text = "text" }
    MenuExit { Chosen = "chosen", Defaulted = "defaulted", CallerGone = "caller_gone" }
    ClosedReason { OutOfHours = "out_of_hours", Holiday = "holiday", ByCommand = "by_command" }
    DissuadedReason {
        QueueFull = "queue_full",
        LineFull = "line_full",
        TrunkFull = "trunk_full",
        NoEligibleOperator = "no_eligible_operator",
        WaitTooLong = "wait_too_long",
        Draining = "draining",
    }
    QueueCause {
        Arrived = "arrived",
        OperatorLost = "operator_lost",
        Transferred = "transferred",
        Escalated = "escalated",
        Overflowed = "overflowed",
    }
    ExitReason {
        MaximumWait = "maximum_wait",
        LastResort = "last_resort",
        NoEligibleOperator = "no_eligible_operator",
        LineClosed = "line_closed",
        Callback = "callback",
        ByCommand = "by_command",
    }
    OperatorLeaveReason {
        HungUp = "hung_up",
        Transferred = "transferred",
        DeviceLost = "device_lost",
        MediaLost = "media_lost",
        ByCommand = "by_command",
        IntroductionOver = "introduction_over",
        IneligibleNow = "ineligible_now",
    }
    TransferMode { Blind = "blind", Introduced = "introduced" }
    EndedBy {
        Caller = "caller",
        Operator = "operator",
        Network = "network",
        Vigie = "vigie",
        Unknown = "unknown",
    }
    WrapUpEnd {
        TimeOver = "time_over",
        ByOperator = "by_operator",
        ByCommand = "by_command",
        SignedOut = "signed_out",
    }
    RegistrationChange {
        Added = "added",
        Removed = "removed",
        Expired = "expired",
        Unreachable = "unreachable",
    }
    AddressFamily { V4 = "ipv4", V6 = "ipv6" }
    AuthFailure {
        UnknownAccount = "unknown_account",
        WrongPassword = "wrong_password",
        Replayed = "replayed",
        Throttled = "throttled",
        Malformed = "malformed",
        Forbidden = "forbidden",
    }
    Direction { Received = "received", Sent = "sent" }
    Remedy {
        AddTrunkNetwork = "add_trunk_network",
        AddPhoneNetwork = "add_phone_network",
        None = "none",
    }
    Queue {
        Journal = "journal",
        Datagrams = "datagrams",
        MediaEvents = "media_events",
        Commands = "commands",
        Recording = "recording",
    }
    Level { One = "1", Two = "2" }
}

macro_rules! text_words {
    ($($type:ty),+) => {$(
        impl Word for $type {
            fn word(&self) -> Cow<'_, str> {
                Cow::Borrowed(self.as_str())
            }

            fn from_word(word: &str) -> Option<Self> {
                Some(Self::from(word))
            }
        }
    )+};
}

text_words!(OperatorName, EmployerName, LineName, TrunkName, Language, Account, TrunkCallId);

impl Word for Arc<str> {
    fn word(&self) -> Cow<'_, str> {
        Cow::Borrowed(self)
    }

    fn from_word(word: &str) -> Option<Self> {
        Some(word.into())
    }
}

macro_rules! parsed_words {
    ($($type:ty),+) => {$(
        impl Word for $type {
            fn word(&self) -> Cow<'_, str> {
                Cow::Owned(self.to_string())
            }

            fn from_word(word: &str) -> Option<Self> {
                word.parse().ok()
            }
        }
    )+};
}

parsed_words!(std::net::IpAddr, std::net::SocketAddr);

macro_rules! hex_words {
    ($($type:ty),+) => {$(
        impl Word for $type {
            fn word(&self) -> Cow<'_, str> {
                Cow::Owned(self.to_string())
            }

            fn from_word(word: &str) -> Option<Self> {
                Self::from_hex(word)
            }
        }
    )+};
}

hex_words!(CallerPseudonym, Digest);

/// `case` and, after the first colon, its detail.
fn split(word: &str) -> (&str, Option<&str>) {
    match word.split_once(':') {
        Some((case, detail)) => (case, Some(detail)),
        None => (word, None),
    }
}

fn detailed(case: &str, detail: impl std::fmt::Display) -> Cow<'static, str> {
    Cow::Owned(format!("{case}:{detail}"))
}

impl Word for Caller {
    fn word(&self) -> Cow<'_, str> {
        match self {
            Self::Withheld => Cow::Borrowed("withheld"),
            Self::Known { pseudonym, previous: None } => Cow::Owned(pseudonym.to_string()),
            Self::Known { pseudonym, previous: Some(previous) } => {
                Cow::Owned(format!("{pseudonym}:{previous}"))
            }
        }
    }

    fn from_word(word: &str) -> Option<Self> {
        if word == "withheld" {
            return Some(Self::Withheld);
        }
        let (pseudonym, previous) = split(word);
        let previous = match previous {
            Some(previous) => Some(CallerPseudonym::from_hex(previous)?),
            None => None,
        };
        Some(Self::Known { pseudonym: CallerPseudonym::from_hex(pseudonym)?, previous })
    }
}

impl Word for RefusedReason {
    fn word(&self) -> Cow<'_, str> {
        Cow::Borrowed(match self {
            Self::UnknownNumber { dialled: None } => "unknown_number",
            Self::UnknownNumber { dialled: Some(dialled) } => return detailed("unknown_number", dialled),
            Self::UnknownSource => "unknown_source",
            Self::TrunkFull => "trunk_full",
            Self::EngineFull => "engine_full",
            Self::Draining => "draining",
            Self::MediaNotAcceptable => "media_not_acceptable",
            Self::Malformed => "malformed",
        })
    }

    fn from_word(word: &str) -> Option<Self> {
        Some(match split(word) {
            ("unknown_number", dialled) => Self::UnknownNumber { dialled: dialled.map(Arc::from) },
            ("unknown_source", None) => Self::UnknownSource,
            ("trunk_full", None) => Self::TrunkFull,
            ("engine_full", None) => Self::EngineFull,
            ("draining", None) => Self::Draining,
            ("media_not_acceptable", None) => Self::MediaNotAcceptable,
            ("malformed", None) => Self::Malformed,
            _ => return None,
        })
    }
}

impl Word for Menu {
    fn word(&self) -> Cow<'_, str> {
        match self {
            Self::Language => Cow::Borrowed("language"),
            Self::Level => Cow::Borrowed("level"),
            Self::Named(name) => detailed("named", name),
        }
    }

    fn from_word(word: &str) -> Option<Self> {
        match split(word) {
            ("language", None) => Some(Self::Language),
            ("level", None) => Some(Self::Level),
            ("named", Some(name)) => Some(Self::Named(name.into())),
            _ => None,
        }
    }
}

impl Word for MenuChoice {
    fn word(&self) -> Cow<'_, str> {
        match self {
            Self::Language(language) => detailed("language", language),
            Self::Level(level) => detailed("level", level.number()),
            Self::Option(option) => detailed("option", option),
        }
    }

    fn from_word(word: &str) -> Option<Self> {
        match split(word) {
            ("language", Some(language)) => Some(Self::Language(language.into())),
            ("level", Some(level)) => Level::from_word(level).map(Self::Level),
            ("option", Some(option)) => Some(Self::Option(option.into())),
            _ => None,
        }
    }
}

impl Word for OfferOutcome {
    fn word(&self) -> Cow<'_, str> {
        Cow::Borrowed(match self {
            Self::Accepted => "accepted",
            Self::Refused { status } => return detailed("refused", status),
            Self::TimedOut => "timed_out",
            Self::CallerGone => "caller_gone",
            Self::DeviceGone => "device_gone",
            Self::LostRace => "lost_race",
            Self::IneligibleNow => "ineligible_now",
            Self::Withdrawn => "withdrawn",
        })
    }

    fn from_word(word: &str) -> Option<Self> {
        Some(match split(word) {
            ("accepted", None) => Self::Accepted,
            ("refused", Some(status)) => Self::Refused { status: status.parse().ok()? },
            ("timed_out", None) => Self::TimedOut,
            ("caller_gone", None) => Self::CallerGone,
            ("device_gone", None) => Self::DeviceGone,
            ("lost_race", None) => Self::LostRace,
            ("ineligible_now", None) => Self::IneligibleNow,
            ("withdrawn", None) => Self::Withdrawn,
            _ => return None,
        })
    }
}

impl Word for Party {
    fn word(&self) -> Cow<'_, str> {
        match self {
            Self::Caller => Cow::Borrowed("caller"),
            Self::Operator(operator) => detailed("operator", operator),
        }
    }

    fn from_word(word: &str) -> Option<Self> {
        match split(word) {
            ("caller", None) => Some(Self::Caller),
            ("operator", Some(operator)) => Some(Self::Operator(operator.into())),
            _ => None,
        }
    }
}

impl Word for Leg {
    fn word(&self) -> Cow<'_, str> {
        match self {
            Self::Caller => Cow::Borrowed("caller"),
            Self::Operator(operator) => detailed("operator", operator),
        }
    }

    fn from_word(word: &str) -> Option<Self> {
        match split(word) {
            ("caller", None) => Some(Self::Caller),
            ("operator", Some(operator)) => Some(Self::Operator(operator.into())),
            _ => None,
        }
    }
}

impl Word for TransferTarget {
    fn word(&self) -> Cow<'_, str> {
        match self {
            Self::Operator(operator) => detailed("operator", operator),
            // The level goes first because a line's name may hold anything, a colon too.
            Self::Queue { line, level } => detailed("queue", format_args!("{}:{line}", level.number())),
            Self::Outside(name) => detailed("outside", name),
        }
    }

    fn from_word(word: &str) -> Option<Self> {
        match split(word) {
            ("operator", Some(operator)) => Some(Self::Operator(operator.into())),
            ("queue", Some(detail)) => {
                let (level, line) = detail.split_once(':')?;
                Some(Self::Queue { line: line.into(), level: Level::from_word(level)? })
            }
            ("outside", Some(name)) => Some(Self::Outside(name.into())),
            _ => None,
        }
    }
}

impl Word for TransferFailure {
    fn word(&self) -> Cow<'_, str> {
        Cow::Borrowed(match self {
            Self::Ineligible => "ineligible",
            Self::Refused { status } => return detailed("refused", status),
            Self::NoAnswer => "no_answer",
            Self::CallerGone => "caller_gone",
            Self::Withdrawn => "withdrawn",
        })
    }

    fn from_word(word: &str) -> Option<Self> {
        Some(match split(word) {
            ("ineligible", None) => Self::Ineligible,
            ("refused", Some(status)) => Self::Refused { status: status.parse().ok()? },
            ("no_answer", None) => Self::NoAnswer,
            ("caller_gone", None) => Self::CallerGone,
            ("withdrawn", None) => Self::Withdrawn,
            _ => return None,
        })
    }
}

impl Word for EndProof {
    fn word(&self) -> Cow<'_, str> {
        Cow::Borrowed(match self {
            Self::Bye => "bye",
            Self::Cancel => "cancel",
            Self::Failure { status } => return detailed("failure", status),
            Self::DeviceLost => "device_lost",
            Self::MediaLost => "media_lost",
            Self::SessionExpired => "session_expired",
            Self::Policy => "policy",
            Self::Command => "command",
            Self::Restart => "restart",
            Self::None => "none",
        })
    }

    fn from_word(word: &str) -> Option<Self> {
        Some(match split(word) {
            ("bye", None) => Self::Bye,
            ("cancel", None) => Self::Cancel,
            ("failure", Some(status)) => Self::Failure { status: status.parse().ok()? },
            ("device_lost", None) => Self::DeviceLost,
            ("media_lost", None) => Self::MediaLost,
            ("session_expired", None) => Self::SessionExpired,
            ("policy", None) => Self::Policy,
            ("command", None) => Self::Command,
            ("restart", None) => Self::Restart,
            ("none", None) => Self::None,
            _ => return None,
        })
    }
}

impl Word for OperatorState {
    fn word(&self) -> Cow<'_, str> {
        Cow::Borrowed(match self {
            Self::SignedOut => "signed_out",
            Self::Ready => "ready",
            Self::Offered => "offered",
            Self::InContact => "in_contact",
            Self::WrapUp => "wrap_up",
            Self::NotReady { reason } => return detailed("not_ready", reason),
            Self::Debrief => "debrief",
        })
    }

    fn from_word(word: &str) -> Option<Self> {
        Some(match split(word) {
            ("signed_out", None) => Self::SignedOut,
            ("ready", None) => Self::Ready,
            ("offered", None) => Self::Offered,
            ("in_contact", None) => Self::InContact,
            ("wrap_up", None) => Self::WrapUp,
            ("not_ready", Some(reason)) => Self::NotReady { reason: reason.into() },
            ("debrief", None) => Self::Debrief,
            _ => return None,
        })
    }
}

impl Word for StateCause {
    fn word(&self) -> Cow<'_, str> {
        Cow::Borrowed(match self {
            Self::Registered => "registered",
            Self::RegistrationLost => "registration_lost",
            Self::FeatureCode => "feature_code",
            Self::Command { by } => return detailed("command", by.word()),
            Self::Offer => "offer",
            Self::MissedOffer => "missed_offer",
            Self::RefusedOffer => "refused_offer",
            Self::DeviceGone => "device_gone",
            Self::OfferOver => "offer_over",
            Self::ContactStarted => "contact_started",
            Self::ContactOver => "contact_over",
            Self::TimeOver => "time_over",
            Self::Configuration => "configuration",
            Self::Restored => "restored",
        })
    }

    fn from_word(word: &str) -> Option<Self> {
        Some(match split(word) {
            ("registered", None) => Self::Registered,
            ("registration_lost", None) => Self::RegistrationLost,
            ("feature_code", None) => Self::FeatureCode,
            ("command", Some(by)) => Self::Command { by: Actor::from_word(by)? },
            ("offer", None) => Self::Offer,
            ("missed_offer", None) => Self::MissedOffer,
            ("refused_offer", None) => Self::RefusedOffer,
            ("device_gone", None) => Self::DeviceGone,
            ("offer_over", None) => Self::OfferOver,
            ("contact_started", None) => Self::ContactStarted,
            ("contact_over", None) => Self::ContactOver,
            ("time_over", None) => Self::TimeOver,
            ("configuration", None) => Self::Configuration,
            ("restored", None) => Self::Restored,
            _ => return None,
        })
    }
}

impl Word for Actor {
    fn word(&self) -> Cow<'_, str> {
        match self {
            Self::Operator(operator) => detailed("operator", operator),
            Self::Person(person) => detailed("person", person),
            Self::LocalControl => Cow::Borrowed("local_control"),
            Self::Policy => Cow::Borrowed("policy"),
        }
    }

    fn from_word(word: &str) -> Option<Self> {
        match split(word) {
            ("operator", Some(operator)) => Some(Self::Operator(operator.into())),
            ("person", Some(person)) => Some(Self::Person(person.into())),
            ("local_control", None) => Some(Self::LocalControl),
            ("policy", None) => Some(Self::Policy),
            _ => None,
        }
    }
}
