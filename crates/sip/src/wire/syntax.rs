//! The lexical rules of RFC 3261 §25.1: character classes, whitespace, quoted strings, lists, decimal numbers.

use std::borrow::Cow;
use std::ops::Range;

use bytes::Bytes;

use super::Malformed;

/// RFC 3261 §25.1 `token`.
pub fn is_token(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().all(|&octet| is_token_octet(octet))
}

/// Compares as ASCII without regard to letter case.
pub fn eq_ignore_case(left: &[u8], right: &[u8]) -> bool {
    left.eq_ignore_ascii_case(right)
}

/// The text of a quoted string without its quotes and escapes; any other value as it is.
pub fn unquote(value: &[u8]) -> Cow<'_, [u8]> {
    let Some(inner) = value.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\"")) else {
        return Cow::Borrowed(value);
    };
    if memchr::memchr(b'\\', inner).is_none() {
        return Cow::Borrowed(inner);
    }
    let mut text = Vec::with_capacity(inner.len());
    let mut octets = inner.iter();
    while let Some(&octet) = octets.next() {
        match octet {
            b'\\' => text.extend(octets.next()),
            plain => text.push(plain),
        }
    }
    Cow::Owned(text)
}

pub(super) const fn is_token_octet(octet: u8) -> bool {
    octet.is_ascii_alphanumeric()
        || matches!(octet, b'-' | b'.' | b'!' | b'%' | b'*' | b'_' | b'+' | b'`' | b'\'' | b'~')
}

/// Linear whitespace. The line reader has made sure that CR and LF in a value are only ever part of a fold.
pub(super) const fn is_lws(octet: u8) -> bool {
    matches!(octet, b' ' | b'\t' | b'\r' | b'\n')
}

/// An octet that may stand in a word: printable ASCII or part of UTF-8.
pub(super) const fn is_visible(octet: u8) -> bool {
    octet > b' ' && octet != 0x7f
}

pub(super) fn trim(text: &[u8]) -> &[u8] {
    let range = trimmed(text, 0..text.len());
    &text[range]
}

/// `range` of `text` without whitespace at either end.
pub(super) fn trimmed(text: &[u8], range: Range<usize>) -> Range<usize> {
    let Range { mut start, mut end } = range;
    while start < end && is_lws(text[start]) {
        start += 1;
    }
    while end > start && is_lws(text[end - 1]) {
        end -= 1;
    }
    start..end
}

/// `text` as a `Bytes` without whitespace at either end.
pub(super) fn trim_bytes(text: &Bytes) -> Bytes {
    text.slice(trimmed(text, 0..text.len()))
}

pub(super) fn skip_lws(text: &[u8], mut at: usize) -> usize {
    while at < text.len() && is_lws(text[at]) {
        at += 1;
    }
    at
}

/// The first position at or after `at` that `accepts` refuses.
pub(super) fn skip_while(text: &[u8], mut at: usize, accepts: impl Fn(u8) -> bool) -> usize {
    while at < text.len() && accepts(text[at]) {
        at += 1;
    }
    at
}

/// The position after the quoted string that begins at `at`.
pub(super) fn skip_quoted(text: &[u8], at: usize) -> Result<usize, Malformed> {
    debug_assert_eq!(text.get(at), Some(&b'"'));
    let mut at = at + 1;
    while at < text.len() {
        match text[at] {
            b'"' => return Ok(at + 1),
            // RFC 3261 §25.1: quoted-pair excludes CR and LF.
            b'\\' if matches!(text.get(at + 1), None | Some(b'\r' | b'\n')) => return Err(Malformed),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    Err(Malformed)
}

/// Finds the first octet of `stops` at or after `from` that is neither in a quoted string nor in angle brackets.
pub(super) fn find_outside(text: &[u8], from: usize, stop: u8) -> Option<usize> {
    let mut at = from;
    let mut in_brackets = false;
    while at < text.len() {
        match text[at] {
            // A quote without an end runs to the end of the value: the element's own parser then refuses it.
            b'"' if !in_brackets => at = skip_quoted(text, at).unwrap_or(text.len()),
            octet if octet == stop && !in_brackets => return Some(at),
            octet => {
                match octet {
                    b'<' => in_brackets = true,
                    b'>' => in_brackets = false,
                    _ => {}
                }
                at += 1;
            }
        }
    }
    None
}

/// The elements of a comma-separated header value, trimmed; empty ones too, for their parser to refuse.
#[derive(Clone, Debug)]
pub(super) struct Elements<'a> {
    text: &'a [u8],
    next: Option<usize>,
}

impl<'a> Elements<'a> {
    pub(super) fn new(text: &'a [u8]) -> Self {
        Self { text, next: Some(0) }
    }
}

impl Iterator for Elements<'_> {
    type Item = Range<usize>;

    fn next(&mut self) -> Option<Range<usize>> {
        let start = self.next?;
        let comma = find_outside(self.text, start, b',');
        self.next = comma.map(|comma| comma + 1);
        Some(trimmed(self.text, start..comma.unwrap_or(self.text.len())))
    }
}

/// Decimal digits and nothing else. `None` when there are none, or another octet, or the number exceeds a `u64`.
pub(super) fn decimal(text: &[u8]) -> Option<u64> {
    if text.is_empty() {
        return None;
    }
    text.iter().try_fold(0_u64, |sum, &octet| match octet {
        b'0'..=b'9' => sum.checked_mul(10)?.checked_add(u64::from(octet - b'0')),
        _ => None,
    })
}

/// Like [`decimal`], with too large a number read as the largest.
pub(super) fn decimal_saturating(text: &[u8]) -> Option<u32> {
    if text.is_empty() || !text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    Some(decimal(text).and_then(|number| u32::try_from(number).ok()).unwrap_or(u32::MAX))
}
