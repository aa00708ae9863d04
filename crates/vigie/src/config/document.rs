//! One TOML file: its text, and where in it each field stands.
//!
//! Knows: how to read a file into a raw struct and tell *every* field that does not fit, by striking each out and
//! reading again. Must never know: what any field means.

use std::collections::BTreeSet;
use std::ops::Range;

use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeTable, DeValue, Deserializer};

use super::problem::{Problem, Severity, one_of};

/// Where a value stands: bytes of the file.
pub(super) type Span = Range<usize>;

/// Past so many misfits in one file the reader has lost the thread, and so would the person who reads them.
const MISFITS_MAX: usize = 200;

/// A parsed file.
pub(super) struct Document {
    file: String,
    line_starts: Vec<usize>,
    places: Vec<(Span, String)>,
    struck: BTreeSet<String>,
    /// Whether the text was TOML at all; if not, what other files say about its content can't be judged.
    pub(super) readable: bool,
}

impl Document {
    /// Reads `text` into the raw struct `T`, with every misfit as a problem. What did not fit is left out of `T`.
    pub(super) fn read<T: DeserializeOwned + Default>(
        file: &str,
        text: &str,
        problems: &mut Vec<Problem>,
    ) -> (Self, T) {
        let (root, errors) = DeTable::parse_recoverable(text);
        let mut document = Self::placed(file, text, &root);
        let mut line_told = 0;
        for error in &errors {
            let span = error.span().unwrap_or(0..0);
            // After the first slip of a line the parser guesses; what it says then leads away from it.
            if document.line(&span) != line_told {
                let message = error.message().lines().next().unwrap_or("");
                let (found, expected) = message.split_once(", expected ").unwrap_or((message, "TOML"));
                let found = format!("text that is not TOML ({found})");
                document.report(problems, Severity::Error, &span, found, expected.to_owned());
            }
            line_told = document.line(&span);
        }
        if !errors.is_empty() {
            document.readable = false;
            return (document, T::default());
        }
        let raw = document.fit(root, problems);
        (document, raw)
    }

    /// A file that is not there: every question about it is answered with nothing.
    pub(super) fn absent(file: &str, readable: bool) -> Self {
        Self {
            file: file.to_owned(),
            line_starts: vec![0],
            places: Vec::new(),
            struck: BTreeSet::new(),
            readable,
        }
    }

    /// The file's name, relative to the configuration directory.
    pub(super) fn file(&self) -> &str {
        &self.file
    }

    /// The line of a span, from 1.
    pub(super) fn line(&self, span: &Span) -> usize {
        self.line_starts.partition_point(|start| *start <= span.start)
    }

    /// The path of the field at a span; empty for the file as a whole.
    pub(super) fn path(&self, span: &Span) -> &str {
        self.places.iter().find(|(place, _)| place == span).map_or("", |(_, path)| path)
    }

    /// Whether the field was there but did not fit: it has been told already, and is not "missing".
    pub(super) fn was_struck(&self, path: &str) -> bool {
        self.struck.contains(path)
    }

    fn placed(file: &str, text: &str, root: &Spanned<DeTable<'_>>) -> Self {
        let mut document = Self::absent(file, true);
        document
            .line_starts
            .extend(text.bytes().enumerate().filter(|(_, b)| *b == b'\n').map(|(at, _)| at + 1));
        place_table(root.get_ref(), "", &mut document.places);
        document
    }

    fn fit<T: DeserializeOwned + Default>(
        &mut self,
        mut root: Spanned<DeTable<'_>>,
        problems: &mut Vec<Problem>,
    ) -> T {
        for _ in 0..MISFITS_MAX {
            let error = match T::deserialize(Deserializer::from(root.clone())) {
                Ok(raw) => return raw,
                Err(error) => error,
            };
            let span = error.span().unwrap_or(0..0);
            let path = self.path(&span).to_owned();
            let (found, expected) = misfit(error.message(), &path);
            self.report(problems, Severity::Error, &span, found, expected);
            if !strike_from_table(root.get_mut(), &span) {
                break;
            }
            self.struck.insert(path);
        }
        T::default()
    }

    fn report(
        &self,
        problems: &mut Vec<Problem>,
        severity: Severity,
        span: &Span,
        found: String,
        expected: String,
    ) {
        problems.push(Problem {
            severity,
            file: self.file.clone(),
            line: Some(self.line(span)),
            field: self.path(span).to_owned(),
            found,
            expected,
        });
    }
}

/// Turns serde's words into found and expected. Its message is the only place where these are told.
fn misfit(message: &str, path: &str) -> (String, String) {
    let message = message.lines().next().unwrap_or(message);
    if let Some(rest) = message.strip_prefix("unknown field `") {
        let (field, rest) = rest.split_once('`').unwrap_or((rest, ""));
        let known = rest.split('`').skip(1).step_by(2);
        return (format!("the unknown field \"{field}\""), one_of(field, known));
    }
    let (found, expected) = message.split_once(", expected ").unwrap_or((message, "another value"));
    let found =
        ["invalid type: ", "invalid value: "].iter().find_map(|p| found.strip_prefix(p)).unwrap_or(found);
    // The value of a secret must not be told, not even where it has the wrong type.
    let secret = path.ends_with("password") || path.contains("ha1_");
    let found = if secret { "a value of another kind".into() } else { value_in_words(found) };
    (found, kind_in_words(expected).to_owned())
}

/// Serde names what Rust has; an administrator reads TOML.
fn value_in_words(found: &str) -> String {
    match found {
        "sequence" => "a list".into(),
        "map" => "a table".into(),
        value => {
            let kinds = ["string ", "integer ", "boolean ", "floating point "];
            kinds.iter().find_map(|kind| value.strip_prefix(kind)).unwrap_or(value).replace('`', "")
        }
    }
}

fn kind_in_words(expected: &str) -> &str {
    match expected {
        "i64" => "a whole number, without quotes",
        "a string" => "a text in quotes",
        "a boolean" => "true or false, without quotes",
        "a sequence" => "a list in brackets",
        "a map" => "a table: { key = value }",
        table if table.starts_with("struct ") => "a table: { key = value }",
        other => other,
    }
}

fn place_table(table: &DeTable<'_>, path: &str, places: &mut Vec<(Span, String)>) {
    for (key, value) in table.iter() {
        let key_text: &str = key.get_ref();
        let plain = key_text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
        let segment = if plain { key_text.to_owned() } else { format!("\"{key_text}\"") };
        let path = if path.is_empty() { segment } else { format!("{path}.{segment}") };
        places.push((key.span(), path.clone()));
        place_value(value, path, places);
    }
}

fn place_value(value: &Spanned<DeValue<'_>>, path: String, places: &mut Vec<(Span, String)>) {
    match value.get_ref() {
        DeValue::Table(table) => place_table(table, &path, places),
        DeValue::Array(array) => {
            for (index, element) in array.iter().enumerate() {
                place_value(element, format!("{path}[{index}]"), places);
            }
        }
        _ => {}
    }
    places.push((value.span(), path));
}

fn strike_from_table(table: &mut DeTable<'_>, span: &Span) -> bool {
    let hit = table.iter().find(|(key, value)| key.span() == *span || value.span() == *span);
    if let Some(key) = hit.map(|(key, _)| key.clone()) {
        return table.remove(&key).is_some();
    }
    table.iter_mut().any(|(_, value)| strike_from_value(value.get_mut(), span))
}

fn strike_from_value(value: &mut DeValue<'_>, span: &Span) -> bool {
    match value {
        DeValue::Table(table) => strike_from_table(table, span),
        DeValue::Array(array) => {
            let kept: Vec<_> = array.iter().filter(|element| element.span() != *span).cloned().collect();
            if kept.len() < array.len() {
                *array = kept.into_iter().collect();
                return true;
            }
            let mut struck = false;
            let elements = array.iter().cloned().map(|mut element| {
                struck = struck || strike_from_value(element.get_mut(), span);
                element
            });
            let elements: Vec<_> = elements.collect();
            *array = elements.into_iter().collect();
            struck
        }
        _ => false,
    }
}
