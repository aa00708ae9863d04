//! Challenges and credentials: WWW-Authenticate, Proxy-Authenticate, Authorization, Proxy-Authorization.
//!
//! It knows their grammar only; what a nonce or a digest means is not known here.

use std::borrow::Cow;

use bytes::Bytes;

use super::Malformed;
use super::params::{PARAMS_MAX, Param};
use super::syntax::{
    eq_ignore_case, is_lws, is_token_octet, is_visible, skip_lws, skip_quoted, skip_while, trim_bytes,
    unquote,
};

/// A scheme with its comma-separated `name=value` parameters. The value of the header is one of these: such headers
/// are never joined with commas (RFC 3261 §7.3.1).
#[derive(Clone)]
pub struct AuthParams {
    raw: Bytes,
    scheme_end: usize,
}

impl AuthParams {
    /// Reads a header value.
    pub fn parse(raw: Bytes) -> Result<Self, Malformed> {
        let raw = trim_bytes(&raw);
        let scheme_end = skip_while(&raw, 0, is_token_octet);
        if scheme_end == 0 || raw.get(scheme_end).is_some_and(|&octet| !is_lws(octet)) {
            return Err(Malformed);
        }
        let mut at = scheme_end;
        for _ in 0..PARAMS_MAX {
            match param_at(&raw, at)? {
                Some((_, next)) => at = next,
                None => return Ok(Self { raw, scheme_end }),
            }
        }
        Err(Malformed)
    }

    /// Whether the scheme is `Digest`.
    pub fn is_digest(&self) -> bool {
        eq_ignore_case(self.scheme(), b"Digest")
    }

    /// The scheme as it stands.
    pub fn scheme(&self) -> &[u8] {
        &self.raw[..self.scheme_end]
    }

    /// The parameters, in their order.
    pub fn iter(&self) -> impl Iterator<Item = Param<'_>> {
        let mut at = self.scheme_end;
        std::iter::from_fn(move || {
            let (param, next) = param_at(&self.raw, at).ok()??;
            at = next;
            Some(param)
        })
    }

    /// The value of the first parameter of that name, without quotes and escapes.
    pub fn value(&self, name: &str) -> Option<Cow<'_, [u8]>> {
        self.iter().find(|param| eq_ignore_case(param.name, name.as_bytes()))?.value.map(unquote)
    }

    /// Whether a parameter occurs more than once: such credentials are ambiguous.
    pub fn has_repeated(&self, name: &str) -> bool {
        self.iter().filter(|param| eq_ignore_case(param.name, name.as_bytes())).count() > 1
    }
}

/// The parameter at or after `at` (`None` at the end of the value) and the position after it and its comma.
fn param_at(text: &[u8], at: usize) -> Result<Option<(Param<'_>, usize)>, Malformed> {
    let start = skip_while(text, at, |octet| is_lws(octet) || octet == b',');
    if start == text.len() {
        return Ok(None);
    }
    let name_end = skip_while(text, start, is_token_octet);
    let equals = skip_lws(text, name_end);
    if name_end == start || text.get(equals) != Some(&b'=') {
        return Err(Malformed);
    }
    let value_start = skip_lws(text, equals + 1);
    let value_end = match text.get(value_start) {
        Some(b'"') => skip_quoted(text, value_start)?,
        _ => skip_while(text, value_start, |octet| is_visible(octet) && !matches!(octet, b',' | b'"')),
    };
    let next = skip_lws(text, value_end);
    if value_end == value_start || text.get(next).is_some_and(|&octet| octet != b',') {
        return Err(Malformed);
    }
    let param = Param { name: &text[start..name_end], value: Some(&text[value_start..value_end]) };
    Ok(Some((param, next)))
}

impl std::fmt::Debug for AuthParams {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "AuthParams({} octets)", self.raw.len())
    }
}
