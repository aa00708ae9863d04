//! Telephone numbers: a caller's, which nothing may print, and the one form all its spellings share.
//!
//! Knows: country codes, trunk and international prefixes, `tel:` and visual separators.
//! Must never do: let a caller's number out by `Debug`, `Display`, serialisation or an error.

use std::fmt;

use zeroize::Zeroize;

/// E.164 §6.2.1: at most 15 digits. What is longer is no number anybody can call back.
pub const DIGITS_MAX: usize = 15;

/// How numbers are dialled where the trunk comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NumberingPlan {
    /// The country code without `+`: `33`.
    pub country_code: String,
    /// What is dialled before an international number: `00`.
    pub international_prefix: String,
    /// What is dialled before a national number: `0`; empty where there is none.
    pub national_prefix: String,
    /// How many digits a national number has without that prefix: 9. Tells a number that came without
    /// any prefix from one that came with a bare country code; 0 if they vary.
    pub national_digits: u8,
}

impl NumberingPlan {
    /// France: +33, 00, 0, nine digits.
    pub fn france() -> Self {
        Self {
            country_code: "33".into(),
            international_prefix: "00".into(),
            national_prefix: "0".into(),
            national_digits: 9,
        }
    }

    /// The one form of a *dialled* number (a line's): `+` and digits. None if it is not a number.
    ///
    /// Takes what a Request-URI or To may hold: `+33…`, `0033…`, `01 42…`, `tel:…;phone-context=…`, a
    /// short code such as `3919`.
    pub fn dialled(&self, text: &str) -> Option<String> {
        self.normalise(text).map(|digits| format!("+{}", digits.as_str()))
    }

    /// A caller's number in its one form. None if it is not a number (`anonymous`, a name).
    pub fn caller(&self, text: &str) -> Option<CallerNumber> {
        self.normalise(text).map(|digits| {
            let mut number = String::with_capacity(DIGITS_MAX + 1);
            number.push('+');
            number.push_str(digits.as_str());
            CallerNumber(number)
        })
    }

    fn normalise(&self, text: &str) -> Option<Digits> {
        let text = text.trim();
        let text =
            ["tel:", "TEL:", "Tel:"].iter().find_map(|scheme| text.strip_prefix(scheme)).unwrap_or(text);
        let (number, parameters) = text.split_once(';').unwrap_or((text, ""));
        // RFC 3966 §5.1.5: a local number is global once its context, if that is a number, is put before it.
        let context = parameters.split(';').find_map(|parameter| {
            let (name, value) = parameter.split_once('=')?;
            name.eq_ignore_ascii_case("phone-context").then(|| value.strip_prefix('+')).flatten()
        });
        let (international, number) = match number.strip_prefix('+') {
            Some(rest) => (true, rest),
            None => (false, number),
        };
        let mut digits = Digits::default();
        // "+33 (0)1 …": what stands in those brackets is dialled only inside the country.
        let inside_only = format!("({})", self.national_prefix);
        match number.split_once(inside_only.as_str()) {
            Some((before, after)) if international && !self.national_prefix.is_empty() => {
                digits.push_text(before)?;
                digits.push_text(after)?;
            }
            _ => digits.push_text(number)?,
        }
        self.complete(&digits, international, context)
    }

    /// Puts before the digits what makes them international.
    fn complete(&self, digits: &Digits, international: bool, context: Option<&str>) -> Option<Digits> {
        let text = digits.as_str();
        if text.is_empty() {
            return None;
        }
        if international {
            return Digits::of(&[text]);
        }
        if let Some(rest) = strip_some_prefix(text, &self.international_prefix) {
            return Digits::of(&[rest]);
        }
        if let Some(context) = context {
            let mut before = Digits::default();
            before.push_text(context)?;
            return Digits::of(&[before.as_str(), text]);
        }
        if let Some(rest) = strip_some_prefix(text, &self.national_prefix) {
            return Digits::of(&[&self.country_code, rest]);
        }
        let bare_international = self.national_digits > 0
            && text.starts_with(self.country_code.as_str())
            && text.len() == self.country_code.len() + usize::from(self.national_digits);
        if bare_international { Digits::of(&[text]) } else { Digits::of(&[&self.country_code, text]) }
    }
}

fn strip_some_prefix<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    if prefix.is_empty() { None } else { text.strip_prefix(prefix).filter(|rest| !rest.is_empty()) }
}

/// Digits on their way through normalisation; wiped when dropped, because they may be a caller's.
#[derive(Default)]
struct Digits {
    bytes: [u8; Self::ROOM],
    len: usize,
}

impl Digits {
    /// Room for the longest number behind the longest prefixes.
    const ROOM: usize = DIGITS_MAX + 8;

    fn of(parts: &[&str]) -> Option<Self> {
        let mut digits = Self::default();
        for part in parts {
            digits.push_text(part)?;
        }
        (1..=DIGITS_MAX).contains(&digits.len).then_some(digits)
    }

    /// RFC 3966 §5.1.1: visual separators carry no meaning. Anything else but a digit is no number.
    fn push_text(&mut self, text: &str) -> Option<()> {
        for byte in text.bytes() {
            match byte {
                b'0'..=b'9' => {
                    *self.bytes.get_mut(self.len)? = byte;
                    self.len += 1;
                }
                b'-' | b'.' | b'(' | b')' | b' ' => {}
                _ => return None,
            }
        }
        Some(())
    }

    fn as_str(&self) -> &str {
        std::str::from_utf8(&self.bytes[..self.len]).unwrap_or("")
    }
}

impl Drop for Digits {
    fn drop(&mut self) {
        self.bytes.zeroize();
    }
}

/// A caller's number, normalised (`+` and digits). Cannot be printed, serialised or compared by accident;
/// wiped from memory when dropped.
pub struct CallerNumber(String);

impl CallerNumber {
    /// The number itself, for SIP's To and for the keyed digest. Every use of this is a place to review.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for CallerNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CallerNumber(…)")
    }
}

impl Drop for CallerNumber {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

#[cfg(test)]
mod tests;
