//! `trunks.toml`: the carriers. How each is recognised, where it puts the dialled number, what it may use.

use std::net::IpAddr;
use std::path::Path;
use std::time::Duration;

use facts::TrunkName;
use ipnet::IpNet;
use serde::Deserialize;
use toml::Spanned;

use super::document::Span;
use super::reader::{Reader, quoted};
use super::secret::{Credential, MissingSecret, RawSecret};
use super::target::{MediaFrom, RawMediaFrom, TRANSPORTS, Target, Transport};

/// A carrier.
#[derive(Clone, Debug)]
pub struct Trunk {
    /// Its name.
    pub name: TrunkName,
    /// The source networks by which its requests are recognised; no two trunks' overlap.
    pub networks: Vec<IpNet>,
    /// The digest account with which it proves itself to us, if it has one. With `networks` both are needed.
    pub account: Option<Credential>,
    /// Where requests to it go.
    pub target: Option<Target>,
    /// Where it writes the dialled number.
    pub dialled_number: DialledNumberSource,
    /// How it writes numbers.
    pub number_format: NumberFormat,
    /// Where it writes the caller's identity.
    pub caller_identity: CallerIdentity,
    /// From where its media is believed.
    pub media_from: MediaFrom,
    /// Time between OPTIONS; none: never asked whether it is alive.
    pub keep_alive: Option<Duration>,
    /// Its calls at once; one more hears that all lines are busy.
    pub calls_max: usize,
    /// Codecs in our order of preference.
    pub codecs: Vec<Codec>,
}

/// Where the dialled number is read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DialledNumberSource {
    /// The user part of the Request-URI.
    RequestUri,
    /// The user part of To.
    To,
}

const DIALLED_NUMBER_SOURCES: &[(&str, DialledNumberSource)] =
    &[("request-uri", DialledNumberSource::RequestUri), ("to", DialledNumberSource::To)];

/// How a trunk writes numbers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NumberFormat {
    /// `+33…`, `0033…`, `01…`, told apart by the node's numbering.
    Any,
    /// Always with the country code, with or without `+`.
    International,
}

/// Where the caller's identity is read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CallerIdentity {
    /// RFC 3325: P-Asserted-Identity alone; without it the caller is unknown.
    AssertedIdentity,
    /// P-Asserted-Identity, and From where there is none.
    AssertedIdentityOrFrom,
    /// From alone.
    From,
}

/// A codec that the relay understands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Codec {
    /// G.711 A-law.
    Pcma,
    /// G.711 µ-law.
    Pcmu,
}

const NUMBER_FORMATS: &[(&str, NumberFormat)] =
    &[("any", NumberFormat::Any), ("international", NumberFormat::International)];

const CALLER_IDENTITIES: &[(&str, CallerIdentity)] = &[
    ("p-asserted-identity", CallerIdentity::AssertedIdentity),
    ("p-asserted-identity-or-from", CallerIdentity::AssertedIdentityOrFrom),
    ("from", CallerIdentity::From),
];

const CODECS: &[(&str, Codec)] = &[("PCMA", Codec::Pcma), ("PCMU", Codec::Pcmu)];

/// Less would not be told apart from a flood; carriers ask for 30 to 60.
const KEEP_ALIVE_SECONDS_MIN: i64 = 5;

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawTrunkFile {
    #[serde(default)]
    trunk: Vec<Spanned<RawTrunk>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawTrunk {
    name: Option<Spanned<String>>,
    #[serde(default)]
    networks: Vec<Spanned<String>>,
    account: Option<Spanned<RawAccount>>,
    transport: Option<Spanned<String>>,
    target: Option<Spanned<String>>,
    dialled_number: Option<Spanned<String>>,
    number_format: Option<Spanned<String>>,
    caller_identity: Option<Spanned<String>>,
    media_from: Option<Spanned<RawMediaFrom>>,
    keep_alive_seconds: Option<Spanned<i64>>,
    calls_max: Option<Spanned<i64>>,
    codecs: Option<Spanned<Vec<Spanned<String>>>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawAccount {
    user: Option<Spanned<String>>,
    realm: Option<Spanned<String>>,
    password: Option<Spanned<String>>,
    password_file: Option<Spanned<String>>,
    ha1_sha256: Option<Spanned<String>>,
    ha1_md5: Option<Spanned<String>>,
    algorithm: Option<Spanned<String>>,
}

/// What the trunks' fields are judged against.
pub(super) struct Context<'a> {
    pub(super) domain: &'a str,
    pub(super) calls_max: usize,
    pub(super) directory: &'a Path,
}

pub(super) fn read(
    reader: &mut Reader<'_>,
    raw: RawTrunkFile,
    context: &Context<'_>,
    missing: &mut Vec<MissingSecret>,
) -> Vec<Trunk> {
    if raw.trunk.is_empty() {
        reader.missing(&(0..0), "trunk", "at least one [[trunk]]; without it no call comes in");
    }
    let mut trunks: Vec<Trunk> = Vec::new();
    let mut seen: Vec<(IpNet, Span)> = Vec::new();
    for entry in raw.trunk {
        let span = entry.span();
        let raw = entry.into_inner();
        let trunk = read_trunk(reader, &raw, &span, context, missing);
        if let (Some(name), true) = (&raw.name, trunks.iter().any(|other| other.name == trunk.name)) {
            reader.error(&name.span(), format!("{} a second time", quoted(name.get_ref())), "another name");
        }
        note_overlaps(reader, &raw.networks, &mut seen);
        trunks.push(trunk);
    }
    trunks
}

/// A source address in two trunks' networks could be either's.
fn note_overlaps(reader: &mut Reader<'_>, networks: &[Spanned<String>], seen: &mut Vec<(IpNet, Span)>) {
    let mut own = Vec::new();
    for value in networks {
        let text = value.get_ref();
        let parsed = text.parse::<IpNet>().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from));
        // A network of everything has been told as such.
        let Some(network) = parsed.map(|network| network.trunc()).filter(|network| network.prefix_len() > 0)
        else {
            continue;
        };
        let other = seen.iter().find(|(other, _)| other.contains(&network) || network.contains(other));
        if let Some((other, span)) = other {
            let found = format!("{}, which overlaps \"{other}\" of {}", quoted(text), reader.place(span));
            reader.error(&value.span(), found, "networks that belong to one trunk only");
        }
        own.push((network, value.span()));
    }
    seen.extend(own);
}

fn read_trunk(
    reader: &mut Reader<'_>,
    raw: &RawTrunk,
    span: &Span,
    context: &Context<'_>,
    missing: &mut Vec<MissingSecret>,
) -> Trunk {
    let name = reader.name(span, &raw.name);
    let transport = reader.choice(&raw.transport, Transport::Udp, TRANSPORTS);
    let networks: Vec<IpNet> = raw.networks.iter().filter_map(|value| reader.network(value)).collect();
    let account = raw.account.as_ref().and_then(|account| read_account(reader, account, context, missing));
    if raw.networks.is_empty() && raw.account.is_none() {
        let expected = "the carrier's source addresses, such as [\"192.0.2.0/28\"], or a [trunk.account]; without \
                        either nobody is recognised as this trunk";
        reader.missing(span, "networks", expected);
    }
    let target = raw.target.as_ref().and_then(|value| reader.target(value, transport));
    let keep_alive = match &raw.keep_alive_seconds {
        Some(value) if *value.get_ref() == 0 => None,
        value => Some(reader.seconds(value, 30, KEEP_ALIVE_SECONDS_MIN..=3_600)),
    };
    if let (Some(value), None, Some(_)) = (&raw.keep_alive_seconds, &raw.target, keep_alive) {
        reader.error(
            &value.span(),
            "a keep-alive without anywhere to send it",
            "a target, or no keep_alive_seconds",
        );
    }
    Trunk {
        name: TrunkName::from(name),
        networks,
        account,
        keep_alive: keep_alive.filter(|_| target.is_some()),
        target,
        dialled_number: reader.choice(
            &raw.dialled_number,
            DialledNumberSource::RequestUri,
            DIALLED_NUMBER_SOURCES,
        ),
        number_format: reader.choice(&raw.number_format, NumberFormat::Any, NUMBER_FORMATS),
        caller_identity: reader.choice(
            &raw.caller_identity,
            CallerIdentity::AssertedIdentityOrFrom,
            CALLER_IDENTITIES,
        ),
        media_from: MediaFrom::read(reader, &raw.media_from, false),
        calls_max: reader.count(&raw.calls_max, context.calls_max, 1..=100_000),
        codecs: read_codecs(reader, &raw.codecs),
    }
}

fn read_account(
    reader: &mut Reader<'_>,
    account: &Spanned<RawAccount>,
    context: &Context<'_>,
    missing: &mut Vec<MissingSecret>,
) -> Option<Credential> {
    let raw = account.get_ref();
    let span = account.span();
    let Some(user) = &raw.user else {
        reader.missing(&span, "user", "the user name that the carrier authenticates with");
        return None;
    };
    let realm = raw.realm.as_ref().map_or(context.domain, |realm| realm.get_ref());
    let secret = RawSecret {
        password: raw.password.clone(),
        password_file: raw.password_file.clone(),
        ha1_sha256: raw.ha1_sha256.clone(),
        ha1_md5: raw.ha1_md5.clone(),
        algorithm: raw.algorithm.clone(),
    };
    secret.read(reader, &span, user.get_ref(), realm, context.directory, missing)
}

fn read_codecs(reader: &mut Reader<'_>, raw: &Option<Spanned<Vec<Spanned<String>>>>) -> Vec<Codec> {
    let Some(list) = raw else { return vec![Codec::Pcma, Codec::Pcmu] };
    if list.get_ref().is_empty() {
        reader.error(&list.span(), "an empty list", "at least one of \"PCMA\", \"PCMU\"");
    }
    let mut codecs = Vec::new();
    for value in list.get_ref() {
        let codec = reader.choice(&Some(value.clone()), Codec::Pcma, CODECS);
        if codecs.contains(&codec) && CODECS.iter().any(|(word, _)| word == value.get_ref()) {
            reader.error(
                &value.span(),
                format!("{} a second time", quoted(value.get_ref())),
                "each codec once",
            );
        }
        codecs.push(codec);
    }
    codecs
}
