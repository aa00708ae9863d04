//! `vigie.toml`: this machine. Where it listens, where its media and its state are, how numbers are dialled here.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono_tz::Tz;
use facts::{Language, NumberingPlan};
use serde::Deserialize;
use toml::Spanned;

use super::document::Span;
use super::problem::one_of;
use super::reader::{Reader, quoted};
use super::secret::{KeyBytes, MissingSecret, read_key};
use super::target::{Transport, is_host_name};

/// A caller's leg and an operator's, each with a port for RTP and one for RTCP.
const PORTS_A_CALL: usize = 4;

/// `struct sockaddr_un` holds a path of 107 bytes and its end.
const SOCKET_PATH_BYTES_MAX: usize = 107;

/// This machine.
#[derive(Clone, Debug)]
pub struct Node {
    /// Its name, in logs and records.
    pub name: String,
    /// How numbers are dialled where the trunks come from.
    pub numbering: NumberingPlan,
    /// The languages that lines and operators may name.
    pub languages: Vec<Language>,
    /// What operators hear their confirmations in, and callers where nothing else is known.
    pub default_language: Language,
    /// The time zone of opening hours that name none.
    pub time_zone: Tz,
    /// `error`, `warn`, `info`, `debug` or `trace`.
    pub log_level: LogLevel,
    /// SIP.
    pub sip: Sip,
    /// Media.
    pub rtp: Rtp,
    /// Files.
    pub state: State,
    /// Caps and rates.
    pub admission: Admission,
}

/// How much is written to the log.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LogLevel {
    /// What stops calls.
    Error,
    /// What somebody should look at.
    Warn,
    /// What happens.
    Info,
    /// Why it happens.
    Debug,
    /// Everything.
    Trace,
}

const LOG_LEVELS: &[(&str, LogLevel)] = &[
    ("error", LogLevel::Error),
    ("warn", LogLevel::Warn),
    ("info", LogLevel::Info),
    ("debug", LogLevel::Debug),
    ("trace", LogLevel::Trace),
];

/// Where and as what SIP is spoken.
#[derive(Clone, Debug)]
pub struct Sip {
    /// The host part of our URIs and the realm of digest authentication.
    pub domain: String,
    /// Other domains that are ours.
    pub aliases: Vec<String>,
    /// The listening sockets; no address and port twice on one transport. Port 0: any free port.
    pub listen: Vec<Listen>,
}

/// One listening socket.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Listen {
    /// UDP or TCP.
    pub transport: Transport,
    /// The address to bind.
    pub address: SocketAddr,
    /// What peers are told instead, behind a NAT or for a wildcard address. Never a wildcard.
    pub advertised: Option<IpAddr>,
}

/// Where media is received.
#[derive(Clone, Debug)]
pub struct Rtp {
    /// At most one address of each family.
    pub addresses: Vec<RtpAddress>,
    /// An even first port, an odd last one; free of SIP ports.
    pub ports: RangeInclusive<u16>,
}

/// One media address.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RtpAddress {
    /// The address to bind.
    pub bind: IpAddr,
    /// The address in session descriptions; equals `bind` where there is no NAT. Never a wildcard.
    pub advertised: IpAddr,
}

/// Files and directories, all absolute or relative to the working directory (joined with the configuration's own).
#[derive(Clone, Debug)]
pub struct State {
    /// What must survive a restart of the machine.
    pub directory: PathBuf,
    /// The journal.
    pub journal: PathBuf,
    /// What must survive a restart of the program: on tmpfs.
    pub live_directory: PathBuf,
    /// Where `vigie status` and its like connect.
    pub control_socket: PathBuf,
    /// Where the key of the pseudonyms is.
    pub pseudonym_key_file: PathBuf,
    /// That key; none if its file does not exist yet.
    pub pseudonym_key: Option<KeyBytes>,
}

/// Bounds of what is admitted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Admission {
    /// Callers at once, waiting or talking.
    pub calls_max: usize,
    /// SIP dialogs at once.
    pub dialogs_max: usize,
    /// SIP transactions at once.
    pub transactions_max: usize,
    /// TCP connections at once.
    pub streams_max: usize,
    /// Phones that one account may register.
    pub phones_per_account_max: usize,
    /// Requests a second from one source that is no trunk.
    pub unknown_requests_per_second_max: u32,
    /// Shortest registration.
    pub registration_min: Duration,
    /// Longest registration.
    pub registration_max: Duration,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawNodeFile {
    node: Option<Spanned<RawNode>>,
    sip: Option<Spanned<RawSip>>,
    rtp: Option<Spanned<RawRtp>>,
    state: Option<Spanned<RawState>>,
    admission: Option<Spanned<RawAdmission>>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawNode {
    name: Option<Spanned<String>>,
    country_code: Option<Spanned<String>>,
    international_prefix: Option<Spanned<String>>,
    national_prefix: Option<Spanned<String>>,
    national_digits: Option<Spanned<i64>>,
    languages: Option<Spanned<Vec<Spanned<String>>>>,
    default_language: Option<Spanned<String>>,
    time_zone: Option<Spanned<String>>,
    log_level: Option<Spanned<String>>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSip {
    domain: Option<Spanned<String>>,
    #[serde(default)]
    aliases: Vec<Spanned<String>>,
    #[serde(default)]
    listen_udp: Vec<Spanned<String>>,
    #[serde(default)]
    listen_tcp: Vec<Spanned<String>>,
    #[serde(default)]
    advertised: Vec<Spanned<String>>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRtp {
    addresses: Option<Spanned<Vec<Spanned<String>>>>,
    #[serde(default)]
    advertised: Vec<Spanned<String>>,
    port_first: Option<Spanned<i64>>,
    port_last: Option<Spanned<i64>>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawState {
    directory: Option<Spanned<String>>,
    journal: Option<Spanned<String>>,
    live_directory: Option<Spanned<String>>,
    control_socket: Option<Spanned<String>>,
    pseudonym_key_file: Option<Spanned<String>>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawAdmission {
    calls_max: Option<Spanned<i64>>,
    dialogs_max: Option<Spanned<i64>>,
    transactions_max: Option<Spanned<i64>>,
    streams_max: Option<Spanned<i64>>,
    phones_per_account_max: Option<Spanned<i64>>,
    unknown_requests_per_second_max: Option<Spanned<i64>>,
    registration_seconds_min: Option<Spanned<i64>>,
    registration_seconds_max: Option<Spanned<i64>>,
}

pub(super) fn read(
    reader: &mut Reader<'_>,
    raw: RawNodeFile,
    directory: &Path,
    missing: &mut Vec<MissingSecret>,
) -> Node {
    let (node, node_span) = section(reader, raw.node, Some("node"));
    let (sip, sip_span) = section(reader, raw.sip, Some("sip"));
    let (rtp, rtp_span) = section(reader, raw.rtp, Some("rtp"));
    let (state, state_span) = section(reader, raw.state, None);
    let (admission, admission_span) = section(reader, raw.admission, None);

    let name = reader.name(&node_span, &node.name);
    let languages = read_languages(reader, &node_span, &node);
    let default_language = match &node.default_language {
        Some(value) => reader.language(value, &languages),
        None => languages.first().cloned().unwrap_or_else(|| Language::from("en")),
    };
    let admission = read_admission(reader, &admission, &admission_span);
    let sip = read_sip(reader, &sip, &sip_span);
    let rtp = read_rtp(reader, &rtp, &rtp_span, &sip, admission.calls_max);
    Node {
        numbering: read_numbering(reader, &node_span, &node),
        languages,
        default_language,
        time_zone: read_time_zone(reader, &node.time_zone).unwrap_or_else(|| {
            if node.time_zone.is_none() {
                reader.missing(&node_span, "time_zone", "a time zone such as \"Europe/Paris\"");
            }
            Tz::UTC
        }),
        log_level: reader.choice(&node.log_level, LogLevel::Info, LOG_LEVELS),
        state: read_state(reader, &state, &state_span, &name, directory, missing),
        name,
        sip,
        rtp,
        admission,
    }
}

/// Stands for a section that is not there: it has been told as a whole, or all of it has defaults.
fn section<T: Default>(
    reader: &mut Reader<'_>,
    raw: Option<Spanned<T>>,
    required: Option<&str>,
) -> (T, Span) {
    match raw {
        Some(raw) => {
            let span = raw.span();
            (raw.into_inner(), span)
        }
        None => {
            if let Some(name) = required {
                reader.missing(&(0..0), name, format!("a section [{name}]"));
            }
            (T::default(), Reader::ABSENT)
        }
    }
}

/// RFC 5646 in the part that is of use here: `fr`, `en`, `pt-BR`.
fn is_language_tag(text: &str) -> bool {
    let mut parts = text.split('-');
    let language = parts.next().unwrap_or("");
    (2..=3).contains(&language.len())
        && language.bytes().all(|b| b.is_ascii_lowercase())
        && parts.all(|part| (2..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric()))
}

fn read_languages(reader: &mut Reader<'_>, span: &Span, node: &RawNode) -> Vec<Language> {
    let Some(list) = &node.languages else {
        reader.missing(span, "languages", "the languages of this deployment, such as [\"fr\", \"en\"]");
        return Vec::new();
    };
    if list.get_ref().is_empty() {
        reader.error(&list.span(), "an empty list", "at least one language, such as [\"fr\"]");
    }
    let mut languages: Vec<Language> = Vec::new();
    for value in list.get_ref() {
        let language = Language::from(value.get_ref().as_str());
        if !is_language_tag(value.get_ref()) {
            reader.error(
                &value.span(),
                quoted(value.get_ref()),
                "a language code such as \"fr\", \"en\" or \"pt-BR\"",
            );
        }
        if languages.contains(&language) {
            reader.error(
                &value.span(),
                format!("{} a second time", quoted(value.get_ref())),
                "each language once",
            );
        }
        languages.push(language);
    }
    languages
}

fn read_numbering(reader: &mut Reader<'_>, span: &Span, node: &RawNode) -> NumberingPlan {
    let france = NumberingPlan::france();
    let mut digits = |value: &Option<Spanned<String>>, default: String, length: RangeInclusive<usize>| {
        let Some(value) = value else { return default };
        let text = value.get_ref();
        if !text.bytes().all(|b| b.is_ascii_digit()) || !length.contains(&text.len()) {
            let expected = format!("{} to {} digits, without \"+\"", length.start(), length.end());
            reader.error(&value.span(), quoted(text), expected);
            return default;
        }
        text.clone()
    };
    let country_code = digits(&node.country_code, france.country_code, 1..=3);
    let international_prefix = digits(&node.international_prefix, france.international_prefix, 1..=5);
    let national_prefix = digits(&node.national_prefix, france.national_prefix, 0..=3);
    let national_digits = u8::try_from(reader.integer(&node.national_digits, 9, 0..=14)).unwrap_or(0);
    if node.country_code.is_none() {
        reader.missing(span, "country_code", "the country code of the trunks' numbers, such as \"33\"");
    }
    NumberingPlan { country_code, international_prefix, national_prefix, national_digits }
}

/// A time zone by its name in the IANA database, which is built into the program.
pub(super) fn read_time_zone(reader: &mut Reader<'_>, value: &Option<Spanned<String>>) -> Option<Tz> {
    let value = value.as_ref()?;
    let zone = value.get_ref().parse().ok();
    if zone.is_none() {
        let names: Vec<&str> = chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name()).collect();
        let mut expected = "a time zone such as \"Europe/Paris\"".to_owned();
        let listed = one_of(value.get_ref(), names);
        if let Some(at) = listed.find(" (did you mean") {
            expected.push_str(&listed[at..]);
        }
        reader.error(&value.span(), quoted(value.get_ref()), expected);
    }
    zone
}

fn read_sip(reader: &mut Reader<'_>, sip: &RawSip, span: &Span) -> Sip {
    let mut domain_name = |value: &Spanned<String>| {
        if !is_host_name(value.get_ref()) && value.get_ref().parse::<IpAddr>().is_err() {
            reader.error(&value.span(), quoted(value.get_ref()), "a domain such as \"vigie.example.org\"");
        }
        value.get_ref().clone()
    };
    let domain = sip.domain.as_ref().map(&mut domain_name);
    let aliases = sip.aliases.iter().map(&mut domain_name).collect();
    if domain.is_none() {
        reader.missing(span, "domain", "the domain of this deployment, such as \"vigie.example.org\"");
    }
    let advertised = read_advertised(reader, &sip.advertised);
    let mut listen: Vec<Listen> = Vec::new();
    let udp = sip.listen_udp.iter().map(|value| (Transport::Udp, value));
    let tcp = sip.listen_tcp.iter().map(|value| (Transport::Tcp, value));
    for (transport, value) in udp.chain(tcp) {
        let Some(address) = reader.socket_address(value) else { continue };
        if let Some(other) =
            listen.iter().find(|other| other.transport == transport && overlap(other.address, address))
        {
            let found = format!("\"{address}\", which \"{}\" listens on already", other.address);
            reader.error(&value.span(), found, "each address and port once");
        }
        let public = advertised.iter().copied().find(|ip| ip.is_ipv4() == address.is_ipv4());
        if address.ip().is_unspecified() && public.is_none() {
            reader.error(
                &value.span(),
                format!("\"{address}\", from which peers can't tell where to answer"),
                "the address itself, or an address of that family in sip.advertised",
            );
        }
        listen.push(Listen { transport, address, advertised: public });
    }
    if sip.listen_udp.is_empty() && sip.listen_tcp.is_empty() {
        reader.missing(span, "listen_udp", "at least one address, such as [\"192.0.2.1:5060\"]");
    }
    Sip { domain: domain.unwrap_or_default(), aliases, listen }
}

/// Whether two sockets of one transport would claim the same packets. Port 0 is whatever is free.
fn overlap(a: SocketAddr, b: SocketAddr) -> bool {
    let same_ip = a.ip() == b.ip() || a.ip().is_unspecified() || b.ip().is_unspecified();
    a.port() != 0 && a.port() == b.port() && a.is_ipv4() == b.is_ipv4() && same_ip
}

/// What peers are told: at most one address of each family, none of them a wildcard.
fn read_advertised(reader: &mut Reader<'_>, values: &[Spanned<String>]) -> Vec<IpAddr> {
    let mut addresses: Vec<IpAddr> = Vec::new();
    for value in values {
        let Some(address) = reader.address(value) else { continue };
        if address.is_unspecified() {
            reader.error(&value.span(), quoted(value.get_ref()), "an address that peers can send to");
        }
        if addresses.iter().any(|other| other.is_ipv4() == address.is_ipv4()) {
            reader.error(
                &value.span(),
                format!("{} as another address of that family", quoted(value.get_ref())),
                "one IPv4 and one IPv6 address at most",
            );
        }
        addresses.push(address);
    }
    addresses
}

fn read_rtp(reader: &mut Reader<'_>, rtp: &RawRtp, span: &Span, sip: &Sip, calls_max: usize) -> Rtp {
    let advertised = read_advertised(reader, &rtp.advertised);
    let mut addresses: Vec<RtpAddress> = Vec::new();
    match &rtp.addresses {
        Some(list) if !list.get_ref().is_empty() => {
            for value in list.get_ref() {
                let Some(bind) = reader.address(value) else { continue };
                if addresses.iter().any(|other| other.bind.is_ipv4() == bind.is_ipv4()) {
                    let found = format!("{} as another address of that family", quoted(value.get_ref()));
                    reader.error(&value.span(), found, "one IPv4 and one IPv6 address at most");
                }
                let public = advertised.iter().copied().find(|ip| ip.is_ipv4() == bind.is_ipv4());
                if bind.is_unspecified() && public.is_none() {
                    let found = format!("{}, to which no peer can send", quoted(value.get_ref()));
                    reader.error(
                        &value.span(),
                        found,
                        "the address itself, or one of that family in rtp.advertised",
                    );
                }
                addresses.push(RtpAddress { bind, advertised: public.unwrap_or(bind) });
            }
        }
        Some(list) => reader.error(&list.span(), "an empty list", "at least one address"),
        None => reader.missing(span, "addresses", "where media is received, such as [\"192.0.2.1\"]"),
    }
    let ports = read_ports(reader, rtp, span, sip, calls_max);
    Rtp { addresses, ports }
}

fn read_ports(
    reader: &mut Reader<'_>,
    rtp: &RawRtp,
    span: &Span,
    sip: &Sip,
    calls_max: usize,
) -> RangeInclusive<u16> {
    let port = |number: i64| u16::try_from(number).unwrap_or(u16::MAX);
    let first = port(reader.integer(&rtp.port_first, 20_000, 1_024..=65_534));
    let last = port(reader.integer(&rtp.port_last, 29_999, 1_025..=65_535));
    let first_span = rtp.port_first.as_ref().map_or_else(|| span.clone(), Spanned::span);
    let last_span = rtp.port_last.as_ref().map_or_else(|| span.clone(), Spanned::span);
    // RFC 3550 §11: RTP on an even port, RTCP on the odd one after it.
    if first % 2 == 1 {
        reader.error(&first_span, first.to_string(), "an even port: RTP takes the even one of each pair");
    }
    if last % 2 == 0 {
        reader.error(&last_span, last.to_string(), "an odd port: RTCP takes the odd one of each pair");
    }
    if last <= first {
        reader.error(&last_span, last.to_string(), format!("a port above port_first, which is {first}"));
        return first..=last;
    }
    let ports = usize::from(last - first) + 1;
    let needed = calls_max * PORTS_A_CALL;
    if ports < PORTS_A_CALL {
        reader.error(
            &last_span,
            format!("room for {ports} ports"),
            format!("at least {PORTS_A_CALL}: one call's"),
        );
    } else if ports < needed {
        let found = format!("{ports} ports, enough for {} calls", ports / PORTS_A_CALL);
        reader.warning(
            &last_span,
            found,
            format!("{needed} ports for the {calls_max} calls of admission.calls_max"),
        );
    }
    let taken: BTreeSet<u16> = sip.listen.iter().map(|listen| listen.address.port()).collect();
    for port in taken.into_iter().filter(|port| (first..=last).contains(port)) {
        reader.error(
            &first_span,
            format!("ports {first} to {last}, which hold SIP's {port}"),
            "ports free of SIP's",
        );
    }
    first..=last
}

fn read_state(
    reader: &mut Reader<'_>,
    state: &RawState,
    span: &Span,
    node_name: &str,
    directory: &Path,
    missing: &mut Vec<MissingSecret>,
) -> State {
    let path = |value: &Option<Spanned<String>>, default: &Path, below: &Path| {
        value.as_ref().map_or_else(|| below.join(default), |value| below.join(value.get_ref()))
    };
    let state_directory = path(&state.directory, Path::new("state"), directory);
    let live_default = PathBuf::from(format!("/dev/shm/vigie-{node_name}"));
    let control_socket = path(&state.control_socket, Path::new("control.sock"), &state_directory);
    let length = control_socket.as_os_str().len();
    if length > SOCKET_PATH_BYTES_MAX {
        let span = state.control_socket.as_ref().map_or_else(|| span.clone(), Spanned::span);
        let expected =
            format!("a path of at most {SOCKET_PATH_BYTES_MAX} bytes; the system takes no longer one");
        reader.error(&span, format!("a socket path of {length} bytes"), expected);
    }
    let default_key_file = Spanned::new(span.clone(), "secrets/pseudonym.key".to_owned());
    let key_file = state.pseudonym_key_file.as_ref().unwrap_or(&default_key_file);
    let pseudonym_key_file = directory.join(key_file.get_ref());
    State {
        journal: path(&state.journal, Path::new("journal.sqlite"), &state_directory),
        live_directory: path(&state.live_directory, &live_default, directory),
        directory: state_directory,
        control_socket,
        pseudonym_key: read_key(reader, key_file, &pseudonym_key_file, missing),
        pseudonym_key_file,
    }
}

fn read_admission(reader: &mut Reader<'_>, raw: &RawAdmission, span: &Span) -> Admission {
    let calls_max = reader.count(&raw.calls_max, 500, 1..=100_000);
    let registration_min = reader.seconds(&raw.registration_seconds_min, 60, 1..=86_400);
    let registration_max = reader.seconds(&raw.registration_seconds_max, 3_600, 1..=86_400);
    if registration_max < registration_min {
        let span = raw.registration_seconds_max.as_ref().map_or_else(|| span.clone(), Spanned::span);
        let expected = format!("at least registration_seconds_min, which is {}", registration_min.as_secs());
        reader.error(&span, registration_max.as_secs().to_string(), expected);
    }
    let dialogs_max = reader.count(&raw.dialogs_max, 4 * calls_max, 2..=1_000_000);
    if dialogs_max < 2 * calls_max {
        let span = raw.dialogs_max.as_ref().map_or_else(|| span.clone(), Spanned::span);
        let expected =
            format!("at least {}: two for each of the {calls_max} calls of calls_max", 2 * calls_max);
        reader.error(&span, dialogs_max.to_string(), expected);
    }
    Admission {
        calls_max,
        dialogs_max,
        transactions_max: reader.count(&raw.transactions_max, 20_000, 100..=1_000_000),
        streams_max: reader.count(&raw.streams_max, 2_000, 1..=1_000_000),
        phones_per_account_max: reader.count(&raw.phones_per_account_max, 4, 1..=10),
        unknown_requests_per_second_max: u32::try_from(reader.count(
            &raw.unknown_requests_per_second_max,
            20,
            1..=10_000,
        ))
        .unwrap_or(u32::MAX),
        registration_min,
        registration_max,
    }
}
