//! `operators.toml`: who answers. Employers, levels, languages, skills, phones and their passwords.
//!
//! A subcontractor's operator with level 2 is refused here already; the distributor refuses her again on its own.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use facts::{EmployerName, Language, LineName, OperatorName};
use serde::Deserialize;
use toml::Spanned;

use super::document::Span;
use super::line::{Level, read_level, read_proficiency};
use super::policy::read_missed_offers_max;
use super::problem::one_of;
use super::reader::{Reader, quoted};
use super::secret::{Credential, MissingSecret, RawSecret};
use super::target::{MediaFrom, RawMediaFrom, TRANSPORTS, Target, Transport};

/// How operators name the association itself; always declared.
pub const IN_HOUSE: &str = "in-house";

/// Who employs operators.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Employer {
    /// Its name.
    pub name: EmployerName,
    /// The association itself, or a subcontractor.
    pub kind: EmployerKind,
}

/// The association itself, or a subcontractor.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum EmployerKind {
    /// The only one that may do level 2.
    InHouse,
    /// May do level 1 only.
    Subcontractor,
}

const KINDS: &[(&str, EmployerKind)] =
    &[("in-house", EmployerKind::InHouse), ("subcontractor", EmployerKind::Subcontractor)];

/// Who answers.
#[derive(Clone, Debug)]
pub struct Operator {
    /// Her name: the account, the user part of her SIP address.
    pub name: OperatorName,
    /// What people see.
    pub display: String,
    /// Who employs her.
    pub employer: Employer,
    /// The levels she is accredited for, ascending; no 2 for a subcontractor's.
    pub levels: Vec<Level>,
    /// What she speaks, with proficiency 1 to 5; never empty.
    pub languages: BTreeMap<Language, u8>,
    /// Other skills, with proficiency 1 to 5.
    pub skills: BTreeMap<String, u8>,
    /// Lines she works for; empty: all.
    pub lines: Vec<LineName>,
    /// Where she works.
    pub site: Option<String>,
    /// How her phone proves itself; none only for a phone at a fixed address.
    pub credential: Option<Credential>,
    /// How her phone is reached.
    pub device: Device,
    /// From where its media is believed.
    pub media_from: MediaFrom,
    /// Instead of the line's.
    pub wrap_up: Option<Duration>,
    /// Ready at once when her phone signs in.
    pub ready_on_sign_in: bool,
    /// After so many offers missed in a row she is set not ready, and told.
    pub missed_offers_max: u8,
}

/// How an operator's phone is reached.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Device {
    /// It registers.
    Registers,
    /// It is always at this address.
    Fixed(Target),
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawOperatorFile {
    #[serde(default)]
    employer: Vec<Spanned<RawEmployer>>,
    #[serde(default)]
    operator: Vec<Spanned<RawOperator>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawEmployer {
    name: Option<Spanned<String>>,
    kind: Option<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawOperator {
    name: Option<Spanned<String>>,
    display: Option<Spanned<String>>,
    employer: Option<Spanned<String>>,
    levels: Option<Spanned<Vec<Spanned<i64>>>>,
    #[serde(default)]
    languages: BTreeMap<Spanned<String>, Spanned<i64>>,
    #[serde(default)]
    skills: BTreeMap<Spanned<String>, Spanned<i64>>,
    #[serde(default)]
    lines: Vec<Spanned<String>>,
    site: Option<Spanned<String>>,
    password: Option<Spanned<String>>,
    password_file: Option<Spanned<String>>,
    ha1_sha256: Option<Spanned<String>>,
    ha1_md5: Option<Spanned<String>>,
    algorithm: Option<Spanned<String>>,
    fixed_address: Option<Spanned<String>>,
    transport: Option<Spanned<String>>,
    media_from: Option<Spanned<RawMediaFrom>>,
    wrap_up_seconds: Option<Spanned<i64>>,
    on_sign_in: Option<Spanned<String>>,
    missed_offers_max: Option<Spanned<i64>>,
}

/// What the operators' fields are judged against.
pub(super) struct Context<'a> {
    pub(super) domain: &'a str,
    pub(super) languages: &'a [Language],
    /// The lines' names; none if `lines.toml` could not be read, and nothing can be said about references to them.
    pub(super) lines: Option<&'a [String]>,
    pub(super) missed_offers_max: u8,
    pub(super) directory: &'a Path,
}

pub(super) fn read(
    reader: &mut Reader<'_>,
    raw: RawOperatorFile,
    context: &Context<'_>,
    missing: &mut Vec<MissingSecret>,
) -> (Vec<Employer>, Vec<(Span, Operator)>) {
    let employers = read_employers(reader, &raw.employer);
    if raw.operator.is_empty() {
        reader.missing(&(0..0), "operator", "at least one [[operator]]; without it nobody answers");
    }
    let mut operators: Vec<(Span, Operator)> = Vec::new();
    let mut password_files: BTreeMap<String, String> = BTreeMap::new();
    for entry in raw.operator {
        let span = entry.span();
        let raw = entry.into_inner();
        let operator = read_operator(reader, &raw, &span, context, &employers, missing);
        if let (Some(name), true) =
            (&raw.name, operators.iter().any(|(_, other)| other.name == operator.name))
        {
            reader.error(&name.span(), format!("{} a second time", quoted(name.get_ref())), "another name");
        }
        if let Some(file) = &raw.password_file
            && let Some(other) =
                password_files.insert(file.get_ref().clone(), operator.name.as_str().to_owned())
        {
            let found = format!("{}, which is \"{other}\"'s too", quoted(file.get_ref()));
            reader.warning(&file.span(), found, "a password of her own for each operator");
        }
        operators.push((span, operator));
    }
    (employers, operators)
}

fn read_employers(reader: &mut Reader<'_>, raw: &[Spanned<RawEmployer>]) -> Vec<Employer> {
    let mut employers = vec![Employer { name: EmployerName::from(IN_HOUSE), kind: EmployerKind::InHouse }];
    for entry in raw {
        let (span, raw) = (entry.span(), entry.get_ref());
        let name = EmployerName::from(reader.name(&span, &raw.name));
        if raw.kind.is_none() {
            reader.missing(&span, "kind", "\"in-house\" or \"subcontractor\"");
        }
        // In doubt a subcontractor: the kind that may do less.
        let kind = reader.choice(&raw.kind, EmployerKind::Subcontractor, KINDS);
        if let (Some(value), true) = (&raw.name, employers.iter().any(|other| other.name == name)) {
            let expected = "another name; \"in-house\" is declared always";
            reader.error(&value.span(), format!("{} a second time", quoted(value.get_ref())), expected);
            continue;
        }
        employers.push(Employer { name, kind });
    }
    employers
}

fn read_operator(
    reader: &mut Reader<'_>,
    raw: &RawOperator,
    span: &Span,
    context: &Context<'_>,
    employers: &[Employer],
    missing: &mut Vec<MissingSecret>,
) -> Operator {
    let name = reader.name(span, &raw.name);
    let employer = read_employer(reader, raw, span, employers);
    let transport = reader.choice(&raw.transport, Transport::Udp, TRANSPORTS);
    let fixed = raw.fixed_address.as_ref().and_then(|value| reader.target(value, transport));
    if let (Some(value), None) = (&raw.transport, &raw.fixed_address) {
        let expected = "no transport; a phone that registers chooses its own";
        reader.error(&value.span(), "a transport without a fixed_address", expected);
    }
    let registers = raw.fixed_address.is_none();
    let lines = read_lines(reader, raw, context);
    let missed = &raw.missed_offers_max;
    Operator {
        display: reader.display(&raw.display, &name),
        levels: read_levels(reader, raw, span, &employer),
        employer,
        languages: read_languages(reader, raw, span, context),
        skills: raw
            .skills
            .iter()
            .map(|(skill, value)| (skill.get_ref().clone(), read_proficiency(reader, value)))
            .collect(),
        lines,
        site: raw.site.as_ref().map(|site| site.get_ref().clone()),
        credential: read_credential(reader, raw, span, context, &name, registers, missing),
        device: fixed.map_or(Device::Registers, Device::Fixed),
        media_from: MediaFrom::read(reader, &raw.media_from, registers),
        wrap_up: raw.wrap_up_seconds.is_some().then(|| reader.seconds(&raw.wrap_up_seconds, 60, 0..=3_600)),
        ready_on_sign_in: reader.choice(&raw.on_sign_in, false, &[("ready", true), ("not-ready", false)]),
        missed_offers_max: read_missed_offers_max(reader, missed, context.missed_offers_max),
        name: OperatorName::from(name),
    }
}

fn read_employer(
    reader: &mut Reader<'_>,
    raw: &RawOperator,
    span: &Span,
    employers: &[Employer],
) -> Employer {
    let names = || employers.iter().map(|employer| employer.name.as_str());
    match &raw.employer {
        Some(value) => {
            if let Some(employer) =
                employers.iter().find(|employer| employer.name.as_str() == value.get_ref())
            {
                return employer.clone();
            }
            let expected =
                format!("{}; a subcontractor is declared by [[employer]]", one_of(value.get_ref(), names()));
            reader.error(&value.span(), quoted(value.get_ref()), expected);
            // Not known to be a subcontractor: her level 2 is not to be blamed for a slip in this name.
            Employer { name: EmployerName::from(value.get_ref().as_str()), kind: EmployerKind::InHouse }
        }
        None => {
            reader.missing(span, "employer", format!("who employs her: {}", one_of("", names())));
            Employer { name: EmployerName::from(IN_HOUSE), kind: EmployerKind::InHouse }
        }
    }
}

fn read_levels(reader: &mut Reader<'_>, raw: &RawOperator, span: &Span, employer: &Employer) -> Vec<Level> {
    let Some(list) = &raw.levels else {
        reader.missing(span, "levels", "the levels she is accredited for: [1], [2] or [1, 2]");
        return vec![Level::One];
    };
    if list.get_ref().is_empty() {
        reader.error(&list.span(), "an empty list", "the levels she is accredited for: [1], [2] or [1, 2]");
    }
    let mut levels = Vec::new();
    for value in list.get_ref() {
        let level = read_level(reader, value);
        if level == Level::Two && employer.kind == EmployerKind::Subcontractor {
            let found = format!("level 2 for an operator of \"{}\", a subcontractor", employer.name);
            let expected =
                "[1]: level 2 (complex cases) may never be subcontracted; only in-house operators take it";
            reader.error(&value.span(), found, expected);
        }
        levels.push(level);
    }
    levels.sort();
    levels.dedup();
    levels
}

fn read_languages(
    reader: &mut Reader<'_>,
    raw: &RawOperator,
    span: &Span,
    context: &Context<'_>,
) -> BTreeMap<Language, u8> {
    if raw.languages.is_empty() {
        reader.missing(
            span,
            "languages",
            "what she speaks, with proficiency 1 to 5, such as { fr = 5, en = 3 }",
        );
    }
    let mut languages = BTreeMap::new();
    for (key, value) in &raw.languages {
        languages.insert(reader.language(key, context.languages), read_proficiency(reader, value));
    }
    languages
}

fn read_lines(reader: &mut Reader<'_>, raw: &RawOperator, context: &Context<'_>) -> Vec<LineName> {
    for value in &raw.lines {
        if let Some(known) = context.lines {
            reader.reference(value, known);
        }
    }
    raw.lines.iter().map(|value| LineName::from(value.get_ref().as_str())).collect()
}

fn read_credential(
    reader: &mut Reader<'_>,
    raw: &RawOperator,
    span: &Span,
    context: &Context<'_>,
    name: &str,
    registers: bool,
    missing: &mut Vec<MissingSecret>,
) -> Option<Credential> {
    let secret = RawSecret {
        password: raw.password.clone(),
        password_file: raw.password_file.clone(),
        ha1_sha256: raw.ha1_sha256.clone(),
        ha1_md5: raw.ha1_md5.clone(),
        algorithm: raw.algorithm.clone(),
    };
    // A phone at a fixed address may be believed by its address alone.
    if !registers && secret.ways() == 0 {
        return None;
    }
    secret.read(reader, span, name, context.domain, context.directory, missing)
}
