//! `;name=value` parameters of headers: Via, From, To, Contact, Content-Type and their kin.

use std::borrow::Cow;

use bytes::Bytes;

use super::Malformed;
use super::syntax::{
    eq_ignore_case, is_lws, is_token_octet, is_visible, skip_lws, skip_quoted, skip_while, unquote,
};

/// More parameters than this on one element are refused: comparing two URIs looks at every pair.
pub const PARAMS_MAX: usize = 64;

/// Parameters, checked once, kept as the slice they came in.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Params(Bytes);

/// One parameter.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Param<'a> {
    /// The name; compare it without regard to letter case.
    pub name: &'a [u8],
    /// The value as it stands, quotes included; `None` for a flag.
    pub value: Option<&'a [u8]>,
}

impl Params {
    /// Reads `text`, which is empty or begins with a semicolon (whitespace aside).
    pub fn parse(text: Bytes) -> Result<Self, Malformed> {
        let mut at = skip_lws(&text, 0);
        let mut count = 0;
        while at < text.len() {
            let (_, next) = param_at(&text, at)?;
            at = next;
            count += 1;
            if count > PARAMS_MAX {
                return Err(Malformed);
            }
        }
        Ok(Self(text))
    }

    /// In their order.
    pub fn iter(&self) -> impl Iterator<Item = Param<'_>> {
        let text = &self.0[..];
        let mut at = skip_lws(text, 0);
        std::iter::from_fn(move || {
            if at >= text.len() {
                return None;
            }
            let (param, next) = param_at(text, at).ok()?;
            at = next;
            Some(param)
        })
    }

    /// The first parameter of that name.
    pub fn first(&self, name: &str) -> Option<Param<'_>> {
        self.iter().find(|param| eq_ignore_case(param.name, name.as_bytes()))
    }

    /// The value of the first parameter of that name, as it stands.
    pub fn value(&self, name: &str) -> Option<&[u8]> {
        self.first(name)?.value
    }

    /// Like [`value`](Self::value), as a slice that shares the message's buffer.
    pub fn value_bytes(&self, name: &str) -> Option<Bytes> {
        self.value(name).map(|value| self.0.slice_ref(value))
    }

    /// Whether there is a parameter of that name, with or without a value.
    pub fn contains(&self, name: &str) -> bool {
        self.first(name).is_some()
    }

    /// The text: empty, or `;name=value;…`.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        skip_lws(&self.0, 0) == self.0.len()
    }
}

impl<'a> Param<'a> {
    /// The value without quotes and escapes.
    pub fn unquoted(&self) -> Option<Cow<'a, [u8]>> {
        self.value.map(unquote)
    }
}

/// The parameter whose semicolon is at `at`, and where the next one's is.
fn param_at(text: &[u8], at: usize) -> Result<(Param<'_>, usize), Malformed> {
    if text.get(at) != Some(&b';') {
        return Err(Malformed);
    }
    let name_start = skip_lws(text, at + 1);
    let name_end = skip_while(text, name_start, is_token_octet);
    if name_end == name_start {
        return Err(Malformed);
    }
    let name = &text[name_start..name_end];
    let after_name = skip_lws(text, name_end);
    if text.get(after_name) != Some(&b'=') {
        return Ok((Param { name, value: None }, after_name));
    }
    let value_start = skip_lws(text, after_name + 1);
    let value_end = match text.get(value_start) {
        Some(b'"') => skip_quoted(text, value_start)?,
        _ => skip_while(text, value_start, is_value_octet),
    };
    if value_end == value_start {
        return Err(Malformed);
    }
    Ok((Param { name, value: Some(&text[value_start..value_end]) }, skip_lws(text, value_end)))
}

/// Wider than `gen-value` (token, host or quoted string): base64, URIs and IPv6 addresses without brackets
/// (RFC 5118 §4.5) are met there, and none of these octets ends a value.
const fn is_value_octet(octet: u8) -> bool {
    is_visible(octet) && !is_lws(octet) && !matches!(octet, b';' | b',' | b'"' | b'<' | b'>')
}

impl std::fmt::Debug for Params {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Params({} octets)", self.0.len())
    }
}

impl std::fmt::Debug for Param<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Param({} octets)", self.name.len() + self.value.map_or(0, <[u8]>::len))
    }
}
