//! A line as it stands in `lines.toml`, before anything about it is believed.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::de::Visitor;
use toml::Spanned;

use super::super::hours::RawHours;

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct RawLineFile {
    #[serde(default)]
    pub(super) line: Vec<Spanned<RawLine>>,
}

impl RawLineFile {
    /// The names that are told, whether or not their lines are right: others may refer to them. None if a line has no
    /// usable name: a reference may mean that one.
    pub(in super::super) fn names(&self) -> Option<Vec<String>> {
        let name = |line: &Spanned<RawLine>| line.get_ref().name.as_ref().map(|name| name.get_ref().clone());
        self.line.iter().map(name).collect()
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawLine {
    pub(super) name: Option<Spanned<String>>,
    pub(super) display: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) numbers: Vec<Spanned<String>>,
    pub(super) level: Option<Spanned<i64>>,
    pub(super) languages: Option<Spanned<Vec<Spanned<String>>>>,
    #[serde(default)]
    pub(super) language_by_number: BTreeMap<Spanned<String>, Spanned<String>>,
    pub(super) language_menu: Option<Spanned<RawMenu>>,
    pub(super) hours: Option<Spanned<RawHours>>,
    pub(super) greeting: Option<Spanned<String>>,
    pub(super) answer: Option<Spanned<String>>,
    pub(super) ringback: Option<Spanned<i64>>,
    #[serde(default)]
    pub(super) early_prompts: Vec<Spanned<String>>,
    pub(super) when_closed: Option<Spanned<RawRefusal>>,
    pub(super) closed_prompt: Option<Spanned<String>>,
    pub(super) when_full: Option<Spanned<RawRefusal>>,
    pub(super) full_prompt: Option<Spanned<String>>,
    pub(super) waiting: Option<Spanned<RawWaiting>>,
    pub(super) priority: Option<Spanned<i64>>,
    #[serde(default)]
    pub(super) required_skills: BTreeMap<Spanned<String>, Spanned<i64>>,
    #[serde(default)]
    pub(super) ring: Vec<Spanned<RawRing>>,
    pub(super) strategy: Option<Spanned<String>>,
    pub(super) offer_ring_seconds: Option<Spanned<i64>>,
    pub(super) wrap_up_seconds: Option<Spanned<i64>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawMenu {
    pub(super) prompt: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) digits: BTreeMap<Spanned<String>, Spanned<String>>,
    pub(super) timeout_seconds: Option<Spanned<i64>>,
    pub(super) repeats: Option<Spanned<i64>>,
    pub(super) default: Option<Spanned<String>>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawWaiting {
    pub(super) waiting_max: Option<Spanned<i64>>,
    pub(super) music: Option<Spanned<String>>,
    pub(super) welcome_prompt: Option<Spanned<String>>,
    pub(super) comfort_prompt: Option<Spanned<String>>,
    pub(super) comfort_every_seconds: Option<Spanned<i64>>,
    pub(super) wait_seconds_max: Option<Spanned<i64>>,
    pub(super) last_resort: Option<Spanned<RawLastResort>>,
    pub(super) nobody_eligible: Option<Spanned<RawNobodyEligible>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawLastResort {
    pub(super) action: Option<Spanned<String>>,
    pub(super) prompt: Option<Spanned<String>>,
    pub(super) line: Option<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawNobodyEligible {
    pub(super) alarm: Option<Spanned<bool>>,
    pub(super) after_seconds: Option<Spanned<i64>>,
    pub(super) action: Option<Spanned<String>>,
    pub(super) prompt: Option<Spanned<String>>,
    pub(super) line: Option<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawRing {
    pub(super) after_seconds: Option<Spanned<i64>>,
    pub(super) language_min: Option<Spanned<i64>>,
    pub(super) level_two_helps: Option<Spanned<bool>>,
    #[serde(default)]
    pub(super) sites: Vec<Spanned<String>>,
}

/// `"announce"`, or a SIP status.
pub(super) enum RawRefusal {
    Word(String),
    Status(i64),
}

impl<'de> Deserialize<'de> for RawRefusal {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl Visitor<'_> for Either {
            type Value = RawRefusal;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("\"announce\", 480 or 486")
            }

            fn visit_str<E>(self, text: &str) -> Result<RawRefusal, E> {
                Ok(RawRefusal::Word(text.to_owned()))
            }

            fn visit_i64<E>(self, status: i64) -> Result<RawRefusal, E> {
                Ok(RawRefusal::Status(status))
            }
        }
        deserializer.deserialize_any(Either)
    }
}
