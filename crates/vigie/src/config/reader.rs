//! Reads single fields: each method takes what the file says, records what is wrong with it, and gives a usable value.
//!
//! Knows: ranges, choices, addresses, networks, names. A wrong field gives the default, so that the rest is still
//! checked; as the problem is on record, no deployment ever comes of it. Must never know: which field is for what.

use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::time::Duration;

use facts::Language;
use ipnet::IpNet;
use toml::Spanned;

use super::document::{Document, Span};
use super::problem::{Problem, Severity, one_of};
use super::target::{Target, Transport};

/// Names go into SIP URIs, file names and logs.
const NAME_CHARACTERS_MAX: usize = 64;

/// A file and the list its problems go to.
pub(super) struct Reader<'a> {
    document: &'a Document,
    problems: &'a mut Vec<Problem>,
}

impl<'a> Reader<'a> {
    /// Stands for the span of a section that is not in the file: what it lacks is not told field by field.
    pub(super) const ABSENT: Span = usize::MAX..usize::MAX;

    pub(super) fn new(document: &'a Document, problems: &'a mut Vec<Problem>) -> Self {
        Self { document, problems }
    }

    pub(super) fn error(&mut self, span: &Span, found: impl Into<String>, expected: impl Into<String>) {
        let field = self.document.path(span).to_owned();
        self.push(Severity::Error, Some(span), field, found.into(), expected.into());
    }

    pub(super) fn warning(&mut self, span: &Span, found: impl Into<String>, expected: impl Into<String>) {
        let field = self.document.path(span).to_owned();
        self.push(Severity::Warning, Some(span), field, found.into(), expected.into());
    }

    /// A field that is not there, below the entry at `span`. Silent if it was there but did not fit.
    pub(super) fn missing(&mut self, span: &Span, field: &str, expected: impl Into<String>) {
        if *span == Self::ABSENT {
            return;
        }
        let entry = self.document.path(span);
        let field = if entry.is_empty() { field.to_owned() } else { format!("{entry}.{field}") };
        let struck = self.document.was_struck(&field) || self.document.was_struck(entry);
        // An unreadable file has been told as such; nothing is known about what it lacks.
        if self.document.readable && !struck {
            let line = (!entry.is_empty()).then_some(span);
            self.push(Severity::Error, line, field, "nothing".into(), expected.into());
        }
    }

    /// Whether a field of the entry at `span` was there but did not fit: told already.
    pub(super) fn was_told(&self, span: &Span, field: &str) -> bool {
        self.document.was_struck(&format!("{}.{field}", self.document.path(span)))
    }

    fn push(
        &mut self,
        severity: Severity,
        span: Option<&Span>,
        field: String,
        found: String,
        expected: String,
    ) {
        let line = span.filter(|span| **span != Self::ABSENT).map(|span| self.document.line(span));
        let file = self.document.file().to_owned();
        self.problems.push(Problem { severity, file, line, field, found, expected });
    }

    /// The line and path of a span, for a message that points at another place of the same file.
    pub(super) fn place(&self, span: &Span) -> String {
        format!("{} (line {})", self.document.path(span), self.document.line(span))
    }

    pub(super) fn integer(
        &mut self,
        value: &Option<Spanned<i64>>,
        default: i64,
        range: RangeInclusive<i64>,
    ) -> i64 {
        match value {
            None => default,
            Some(value) if range.contains(value.get_ref()) => *value.get_ref(),
            Some(value) => {
                let expected = format!("a number from {} to {}", range.start(), range.end());
                self.error(&value.span(), value.get_ref().to_string(), expected);
                default
            }
        }
    }

    pub(super) fn count(
        &mut self,
        value: &Option<Spanned<i64>>,
        default: usize,
        range: RangeInclusive<usize>,
    ) -> usize {
        let signed = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
        let number = self.integer(value, signed(default), signed(*range.start())..=signed(*range.end()));
        usize::try_from(number).unwrap_or(default)
    }

    pub(super) fn seconds(
        &mut self,
        value: &Option<Spanned<i64>>,
        default: u64,
        range: RangeInclusive<i64>,
    ) -> Duration {
        let number = self.integer(value, i64::try_from(default).unwrap_or(i64::MAX), range);
        Duration::from_secs(u64::try_from(number).unwrap_or(default))
    }

    pub(super) fn choice<T: Clone>(
        &mut self,
        value: &Option<Spanned<String>>,
        default: T,
        table: &[(&str, T)],
    ) -> T {
        let Some(value) = value else { return default };
        match table.iter().find(|(word, _)| word == value.get_ref()) {
            Some((_, choice)) => choice.clone(),
            None => {
                let expected = one_of(value.get_ref(), table.iter().map(|(word, _)| *word));
                self.error(&value.span(), quoted(value.get_ref()), expected);
                default
            }
        }
    }

    /// A name that other files may refer to. Empty if there is none that can be used.
    pub(super) fn name(&mut self, entry: &Span, value: &Option<Spanned<String>>) -> String {
        let Some(value) = value else {
            self.missing(entry, "name", "a name in lower-case letters, digits, \"-\", \"_\" or \".\"");
            return String::new();
        };
        let text = value.get_ref();
        let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_.".contains(&b);
        let good = text.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
            && text.len() <= NAME_CHARACTERS_MAX
            && text.bytes().all(allowed);
        if !good {
            let expected = format!(
                "up to {NAME_CHARACTERS_MAX} lower-case letters without accents, digits, \"-\", \"_\" or \".\", \
                 beginning with a letter or digit"
            );
            self.error(&value.span(), quoted(text), expected);
        }
        text.clone()
    }

    /// A text that a person sees, on a phone's display for example.
    pub(super) fn display(&mut self, value: &Option<Spanned<String>>, default: &str) -> String {
        let Some(value) = value else { return default.to_owned() };
        let text = value.get_ref().trim();
        if text.is_empty() || text.chars().count() > NAME_CHARACTERS_MAX || text.chars().any(char::is_control)
        {
            let expected = format!("a text of 1 to {NAME_CHARACTERS_MAX} characters on one line");
            self.error(&value.span(), format!("{text:?}"), expected);
        }
        text.to_owned()
    }

    /// A reference to something declared elsewhere.
    pub(super) fn reference(&mut self, value: &Spanned<String>, known: &[String]) {
        if !known.contains(value.get_ref()) {
            let expected = one_of(value.get_ref(), known.iter().map(String::as_str));
            self.error(&value.span(), quoted(value.get_ref()), expected);
        }
    }

    pub(super) fn language(&mut self, value: &Spanned<String>, known: &[Language]) -> Language {
        // Where no language could be read, that is what has to be put right first.
        if !known.is_empty() && !known.iter().any(|language| language.as_str() == value.get_ref()) {
            let expected = one_of(value.get_ref(), known.iter().map(Language::as_str));
            self.error(&value.span(), quoted(value.get_ref()), expected);
        }
        Language::new(value.get_ref().as_str())
    }

    pub(super) fn socket_address(&mut self, value: &Spanned<String>) -> Option<SocketAddr> {
        let parsed = value.get_ref().parse().ok();
        if parsed.is_none() {
            let expected = "an address and a port, such as \"192.0.2.1:5060\" or \"[2001:db8::1]:5060\"";
            self.error(&value.span(), quoted(value.get_ref()), expected);
        }
        parsed
    }

    pub(super) fn address(&mut self, value: &Spanned<String>) -> Option<IpAddr> {
        let parsed = value.get_ref().parse().ok();
        if parsed.is_none() {
            let expected = "an IP address without port or brackets, such as \"192.0.2.1\" or \"2001:db8::1\"";
            self.error(&value.span(), quoted(value.get_ref()), expected);
        }
        parsed
    }

    /// An address, or a network in prefix notation; host bits are not cut off silently.
    pub(super) fn network(&mut self, value: &Spanned<String>) -> Option<IpNet> {
        let text = value.get_ref();
        let network = text.parse::<IpNet>().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from));
        let Some(network) = network else {
            let expected = "an address or a network, such as \"192.0.2.1\" or \"192.0.2.0/24\"";
            self.error(&value.span(), quoted(text), expected);
            return None;
        };
        if network.trunc() != network {
            let meant =
                format!("\"{}\" for the network, or \"{}\" for the address", network.trunc(), network.addr());
            self.error(&value.span(), quoted(text), meant);
        }
        if network.prefix_len() == 0 {
            self.error(
                &value.span(),
                quoted(text),
                "the peer's own networks; this one is the whole Internet",
            );
            return None;
        }
        Some(network.trunc())
    }

    /// A next hop: `host`, `host:port`, `[v6]:port`.
    pub(super) fn target(&mut self, value: &Spanned<String>, transport: Transport) -> Option<Target> {
        let parsed = Target::parse(value.get_ref(), transport);
        if parsed.is_none() {
            let expected = "a host and perhaps a port, such as \"sip.example.org\" or \"192.0.2.1:5060\"";
            self.error(&value.span(), quoted(value.get_ref()), expected);
        }
        parsed
    }
}

pub(super) fn quoted(text: &str) -> String {
    format!("\"{text}\"")
}
