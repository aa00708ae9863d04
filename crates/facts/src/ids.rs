//! The names and numbers by which events point at things.
//!
//! Knows: plain identifiers of facts' own, so that no room has to know another's. Must never know: what
//! an id leads to. A caller's number is not an id and has no place here; her pseudonym has.

use std::fmt;
use std::sync::Arc;

macro_rules! name {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Wraps a name as configured.
            pub fn new(text: impl Into<Arc<str>>) -> Self {
                Self(text.into())
            }

            /// The name as configured.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.into())
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(text.into())
            }
        }

        impl From<Arc<str>> for $name {
            fn from(text: Arc<str>) -> Self {
                Self(text)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&*self.0, f)
            }
        }
    };
}

name!(
    /// An operator, by the name the configuration gives her.
    OperatorName
);
name!(
    /// Who employs an operator: the association itself, or a subcontractor.
    EmployerName
);
name!(
    /// A line: a dialled number or chat entry with its policy.
    LineName
);
name!(
    /// A SIP trunk, by the name the configuration gives it.
    TrunkName
);
name!(
    /// A language tag as configured (`fr`, `en`, `pt-BR`).
    Language
);
name!(
    /// A SIP account that registers or authenticates: an operator's, or a trunk's own.
    Account
);
name!(
    /// The trunk's Call-ID, with which a carrier finds the call in its own records. Built with
    /// [`crate::sanitise::call_id`], because some equipment puts the caller's number into it.
    TrunkCallId
);

/// One contact, for ever: never used again in the life of a journal, across restarts too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContactId(pub u64);

impl fmt::Display for ContactId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// One offer: one attempt to give one contact to one operator. Unique as [`ContactId`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OfferId(pub u64);

impl fmt::Display for OfferId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// The level of listening a contact needs or an operator gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Welcome, first listening, orientation; may be subcontracted.
    One,
    /// Complex cases; in-house only, ever.
    Two,
}

impl Level {
    /// 1 or 2.
    pub fn number(self) -> u8 {
        match self {
            Self::One => 1,
            Self::Two => 2,
        }
    }

    /// The level of that number, if there is one.
    pub fn from_number(number: u8) -> Option<Self> {
        match number {
            1 => Some(Self::One),
            2 => Some(Self::Two),
            _ => None,
        }
    }
}

/// What stays of a caller's number: a keyed, truncated digest. The same caller has the same pseudonym
/// until the key changes; without the key it leads nowhere.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallerPseudonym([u8; CallerPseudonym::BYTES]);

impl CallerPseudonym {
    /// 96 bits: collisions among the callers of a national line stay improbable for centuries, and the
    /// full digest would serve only who tries keys against it.
    pub const BYTES: usize = 12;

    /// Wraps digest bytes, as read back from a journal.
    pub fn from_bytes(bytes: [u8; Self::BYTES]) -> Self {
        Self(bytes)
    }

    /// The digest bytes.
    pub fn as_bytes(&self) -> &[u8; Self::BYTES] {
        &self.0
    }

    /// Reads the form `Display` writes.
    pub fn from_hex(text: &str) -> Option<Self> {
        let mut bytes = [0; Self::BYTES];
        crate::hex::decode(text, &mut bytes).then_some(Self(bytes))
    }
}

impl fmt::Display for CallerPseudonym {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        crate::hex::write(&self.0, f)
    }
}

impl fmt::Debug for CallerPseudonym {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
