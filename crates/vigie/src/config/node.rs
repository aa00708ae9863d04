//! `vigie.toml`: this machine. Where it listens, where its media and its state are, how numbers are dialled here.

use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono_tz::Tz;
use facts::{Language, NumberingPlan};
use sha2::Digest;
use toml::Spanned;

use super::document::Span;
use super::problem::one_of;
use super::reader::{Reader, quoted};
use super::secret::{KeyBytes, MissingSecret, read_key};

mod listening;
mod raw;

pub use listening::{Listen, Rtp, RtpAddress, Sip};
use listening::{read_rtp, read_sip};
pub(super) use raw::RawNodeFile;
use raw::{RawAdmission, RawNode, RawState};

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

/// On tmpfs, and of this deployment alone: a copy of it under the same name must not take up this one's calls.
fn live_default(node_name: &str, state_directory: &Path) -> PathBuf {
    let digest = sha2::Sha256::digest(state_directory.as_os_str().as_encoded_bytes());
    let short = u32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]]);
    PathBuf::from(format!("/dev/shm/vigie-{node_name}-{short:08x}"))
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
    let live_default = live_default(node_name, &state_directory);
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
