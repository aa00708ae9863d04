//! `policy.toml`: how contacts are distributed, why operators pause, which codes they dial. All of it has defaults.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

use super::document::Span;
use super::reader::{Reader, quoted};

/// The order among eligible operators.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Strategy {
    /// Best proficiency, then fewest other scarce skills, then longest idle.
    BestThenLongestIdle,
    /// Longest idle alone.
    LongestIdle,
}

pub(super) const STRATEGIES: &[(&str, Strategy)] =
    &[("best-then-longest-idle", Strategy::BestThenLongestIdle), ("longest-idle", Strategy::LongestIdle)];

/// How contacts are distributed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Policy {
    /// For lines that name none.
    pub strategy: Strategy,
    /// After so many offers missed in a row an operator is set not ready, for operators who name none.
    pub missed_offers_max: u8,
    /// Why an operator is not ready: the digit after the code, and the name.
    pub not_ready_reasons: BTreeMap<char, String>,
    /// The codes.
    pub feature_codes: FeatureCodes,
}

/// What operators dial; no code is another one's.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FeatureCodes {
    /// Sign in.
    pub sign_in: String,
    /// Ready; ends wrap-up and debrief too.
    pub ready: String,
    /// Not ready, a reason's digit follows.
    pub not_ready: String,
    /// Sign out.
    pub sign_out: String,
    /// End wrap-up early.
    pub wrap_up_end: String,
    /// Debrief: a pause that nothing interrupts.
    pub debrief: String,
}

impl Default for FeatureCodes {
    fn default() -> Self {
        Self {
            sign_in: "*70".into(),
            ready: "*71".into(),
            not_ready: "*72".into(),
            sign_out: "*73".into(),
            wrap_up_end: "*74".into(),
            debrief: "*75".into(),
        }
    }
}

/// What a reason is, where the configuration names none; each has a prompt of its own.
const REASONS: [(char, &str); 4] = [('1', "break"), ('2', "meal"), ('3', "training"), ('4', "meeting")];

/// Reasons that Vigie itself gives; a person's must not be taken for them.
const RESERVED_REASONS: &[&str] = &["missed", "refused", "device-gone", "debrief"];

const CODE_CHARACTERS_MAX: usize = 6;

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawPolicyFile {
    distribution: Option<Spanned<RawDistribution>>,
    not_ready_reasons: Option<BTreeMap<Spanned<String>, Spanned<String>>>,
    feature_codes: Option<Spanned<RawFeatureCodes>>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawDistribution {
    strategy: Option<Spanned<String>>,
    missed_offers_max: Option<Spanned<i64>>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFeatureCodes {
    sign_in: Option<Spanned<String>>,
    ready: Option<Spanned<String>>,
    not_ready: Option<Spanned<String>>,
    sign_out: Option<Spanned<String>>,
    wrap_up_end: Option<Spanned<String>>,
    debrief: Option<Spanned<String>>,
}

pub(super) fn read(reader: &mut Reader<'_>, raw: RawPolicyFile) -> Policy {
    let distribution = raw.distribution.map(Spanned::into_inner).unwrap_or_default();
    let not_ready_reasons = read_reasons(reader, raw.not_ready_reasons);
    let codes_span = raw.feature_codes.as_ref().map_or(Reader::ABSENT, Spanned::span);
    let codes = raw.feature_codes.map(Spanned::into_inner).unwrap_or_default();
    Policy {
        strategy: reader.choice(&distribution.strategy, Strategy::BestThenLongestIdle, STRATEGIES),
        missed_offers_max: read_missed_offers_max(reader, &distribution.missed_offers_max, 1),
        feature_codes: read_codes(reader, &codes, &codes_span, &not_ready_reasons),
        not_ready_reasons,
    }
}

pub(super) fn read_missed_offers_max(
    reader: &mut Reader<'_>,
    value: &Option<Spanned<i64>>,
    default: u8,
) -> u8 {
    u8::try_from(reader.integer(value, i64::from(default), 1..=10)).unwrap_or(default)
}

fn read_reasons(
    reader: &mut Reader<'_>,
    raw: Option<BTreeMap<Spanned<String>, Spanned<String>>>,
) -> BTreeMap<char, String> {
    let Some(raw) = raw else {
        return REASONS.iter().map(|(digit, name)| (*digit, (*name).to_owned())).collect();
    };
    let mut reasons: BTreeMap<char, String> = BTreeMap::new();
    for (key, value) in raw {
        let digit = key.get_ref().parse::<u8>().ok().filter(|digit| *digit <= 9);
        let digit = digit.map(|digit| char::from(b'0' + digit));
        if digit.is_none() {
            reader.error(&key.span(), quoted(key.get_ref()), "one digit, 0 to 9");
        }
        let name = reader.name(&value.span(), &Some(value.clone()));
        if RESERVED_REASONS.contains(&name.as_str()) {
            reader.error(
                &value.span(),
                format!("{}, which Vigie itself uses", quoted(&name)),
                "another name",
            );
        }
        if reasons.values().any(|other| *other == name) {
            reader.error(&value.span(), format!("{} a second time", quoted(&name)), "each reason once");
        }
        if let Some(digit) = digit {
            reasons.insert(digit, name);
        }
    }
    reasons
}

fn read_codes(
    reader: &mut Reader<'_>,
    raw: &RawFeatureCodes,
    section: &Span,
    reasons: &BTreeMap<char, String>,
) -> FeatureCodes {
    let default = FeatureCodes::default();
    let mut read = |value: &Option<Spanned<String>>, default: String| {
        let Some(value) = value else { return default };
        let code = value.get_ref();
        let body = code.strip_prefix('*').unwrap_or("");
        let good = !body.is_empty()
            && code.len() <= CODE_CHARACTERS_MAX
            && body.bytes().all(|b| b.is_ascii_digit() || b == b'*');
        if !good {
            reader.error(&value.span(), quoted(code), "a star and up to five digits, such as \"*71\"");
        }
        code.clone()
    };
    let codes = FeatureCodes {
        sign_in: read(&raw.sign_in, default.sign_in),
        ready: read(&raw.ready, default.ready),
        not_ready: read(&raw.not_ready, default.not_ready),
        sign_out: read(&raw.sign_out, default.sign_out),
        wrap_up_end: read(&raw.wrap_up_end, default.wrap_up_end),
        debrief: read(&raw.debrief, default.debrief),
    };
    let fields = [
        ("sign_in", &raw.sign_in, &codes.sign_in),
        ("ready", &raw.ready, &codes.ready),
        ("not_ready", &raw.not_ready, &codes.not_ready),
        ("sign_out", &raw.sign_out, &codes.sign_out),
        ("wrap_up_end", &raw.wrap_up_end, &codes.wrap_up_end),
        ("debrief", &raw.debrief, &codes.debrief),
    ];
    // Defaults are taken first: where a written code meets one, the written line is the one to look at.
    let mut taken: BTreeMap<String, &str> = BTreeMap::new();
    for written in [false, true] {
        for (field, value, code) in fields.iter().filter(|(_, value, _)| value.is_some() == written) {
            let span = value.as_ref().map_or_else(|| section.clone(), Spanned::span);
            // A reason's digit makes a code of its own.
            let digits = reasons.keys().filter(|_| *field == "not_ready");
            let dialled = digits.map(|digit| format!("{code}{digit}")).chain([(*code).clone()]);
            for dialled in dialled {
                if let Some(other) = taken.get(&dialled) {
                    let expected = "a code of its own for each; not_ready is followed by a reason's digit";
                    reader.error(&span, format!("\"{dialled}\", which is also {other}"), expected);
                }
                taken.insert(dialled, field);
            }
        }
    }
    codes
}
