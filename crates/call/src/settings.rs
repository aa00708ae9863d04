//! What configuration decides for calls: trunks' habits, lines' announcements, operators' phones, feature codes.
//!
//! Knows: validated values. Must never know: files, formats, where they come from.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use facts::{NumberingPlan, Pseudonymiser};

/// The name of a trunk, line, operator, language or prompt.
pub type Name = Arc<str>;

/// Everything for the engine. Replaced as a whole by a reload.
#[derive(Clone, Debug)]
pub struct Settings {
    /// For the SIP room.
    pub sip: sip::Settings,
    /// For the media room.
    pub media: media::Settings,
    /// For the distributor. Lines and operators bear the names used below.
    pub plan: acd::Plan,
    /// Trunks, by the names of `sip.trunks`.
    pub trunks: Vec<TrunkPolicy>,
    /// Lines, by the names of `plan.lines`.
    pub lines: Vec<LinePolicy>,
    /// Operators, by the names of `plan.operators` (and of `sip.accounts`).
    pub operators: Vec<OperatorPolicy>,
    /// Codes that operators dial.
    pub feature_codes: Vec<FeatureCode>,
    /// How numbers are brought to one form.
    pub numbering: NumberingPlan,
    /// How callers become pseudonyms.
    pub pseudonymiser: Pseudonymiser,
}

/// A trunk's habits.
#[derive(Clone, Debug)]
pub struct TrunkPolicy {
    /// Its name.
    pub name: Name,
    /// Where the dialled number stands.
    pub dialled: Dialled,
    /// Numbers come with the country code and without `+` (`331…`), not as they are dialled.
    pub international_numbers: bool,
    /// Whose packets its legs accept.
    pub media_from: MediaFromPolicy,
    /// Calls at once; one more gets 486.
    pub calls_max: Option<usize>,
    /// Voice codecs that we speak with it, in order of preference.
    pub codecs: Vec<media::VoiceCodec>,
}

/// Where a trunk puts the dialled number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Dialled {
    /// In the Request-URI.
    RequestUri,
    /// In To.
    To,
}

/// Whose packets a leg accepts; the addresses are known only when a call comes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum MediaFromPolicy {
    /// The address in the session description.
    Signalled,
    /// That, or the source of the signalling.
    Registration,
    /// Any source in these networks (address, prefix length).
    Networks(Vec<(IpAddr, u8)>),
}

impl MediaFromPolicy {
    /// With the signalling's source filled in.
    pub(crate) fn resolve(&self, source: IpAddr) -> media::MediaFrom {
        match self {
            Self::Signalled => media::MediaFrom::Signalled,
            Self::Registration => media::MediaFrom::Registration(source),
            Self::Networks(networks) => media::MediaFrom::Networks(networks.clone()),
        }
    }
}

/// What a line says and when it answers. Prompts are base names: `.` and the language are appended.
#[derive(Clone, Debug)]
pub struct LinePolicy {
    /// Its name.
    pub name: Name,
    /// What operators' phones show.
    pub display: Name,
    /// Numbers and user names that lead to it, as configured; compared by the numbering plan and literally.
    pub numbers: Vec<Name>,
    /// When the trunk gets its 200.
    pub answer: AnswerMode,
    /// Said first, before a menu, in each language; without a menu in the one language.
    pub greeting: Vec<Name>,
    /// Numbers that tell the language: no menu for them.
    pub language_by_number: Vec<(Name, Name)>,
    /// The choice of language, for lines with more than one.
    pub menu: Option<LanguageMenu>,
    /// Said once when the wait begins.
    pub waiting: Vec<Name>,
    /// Played while waiting and on hold: full prompt names.
    pub music: Vec<Name>,
    /// Said now and again while waiting.
    pub comfort: Vec<Name>,
    /// How often; none: never.
    pub comfort_every: Option<Duration>,
    /// Said to a caller whose operator's phone was lost.
    pub cut_off: Vec<Name>,
    /// What a closed line does.
    pub closed: Refusal,
    /// What a full line does.
    pub full: Refusal,
    /// What happens after the longest wait.
    pub last_resort: Exhausted,
    /// What happens when nobody signed in may ever take the contact.
    pub nobody_eligible: NobodyEligible,
}

/// When the trunk gets its 200.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AnswerMode {
    /// At once: the caller hears the greeting, the music.
    AtOnce,
    /// When an operator answers: until then 180, the caller's own network plays the ringing tone.
    OnOperatorRinging,
    /// When an operator answers: until then 183, and greeting, menu and wait as early media.
    OnOperatorEarlyMedia,
}

/// The choice of language by a digit.
#[derive(Clone, Debug)]
pub struct LanguageMenu {
    /// Said in each language in the order of `options`.
    pub prompts: Vec<Name>,
    /// Digit and language.
    pub options: Vec<(char, Name)>,
    /// Silence after the prompts before the next round.
    pub timeout: Duration,
    /// Rounds before the default is taken.
    pub rounds: u8,
    /// The language of those who choose nothing.
    pub default: Name,
}

/// How a line refuses.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// Answers, says so (in the line's languages one after the other), ends.
    Announce(Vec<Name>),
    /// This SIP status, unanswered.
    Status(u16),
}

/// What is done when waiting leads nowhere.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Exhausted {
    /// Says so once; she keeps her place.
    Keep(Vec<Name>),
    /// Says so and ends.
    AnnounceAndEnd(Vec<Name>),
    /// She waits on this line from now on.
    OtherLine(Name),
}

/// What happens when nobody signed in may ever take a contact.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NobodyEligible {
    /// Raises an alarm at once.
    pub alarm: bool,
    /// How long it must have been so before `then`.
    pub after: Duration,
    /// What is done then.
    pub then: Exhausted,
}

/// An operator's phone.
#[derive(Clone, Debug)]
pub struct OperatorPolicy {
    /// Her name.
    pub name: Name,
    /// Whose packets her legs accept.
    pub media_from: MediaFromPolicy,
    /// The language of confirmations.
    pub language: Name,
}

/// A code that operators dial, and what it does.
#[derive(Clone, Debug)]
pub struct FeatureCode {
    /// As dialled: `*71`.
    pub code: Name,
    /// What it does.
    pub action: FeatureAction,
    /// Base name of the prompt that confirms it.
    pub confirmation: Name,
}

/// What a feature code does.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum FeatureAction {
    /// Changes her state.
    State(acd::OperatorCommand),
}
