//! Text from the wire on its way into an event: cut, cleaned, and without the caller's number.
//!
//! Knows: what may stand in a journal. Must never let through: control characters, text without end,
//! and digits that are (or could be) a caller's number.

use std::sync::Arc;

use crate::ids::{Account, TrunkCallId};
use crate::number::CallerNumber;

/// Longer than any Call-ID a carrier was seen to send, short enough for a column.
pub const CALL_ID_CHARS_MAX: usize = 128;
/// A Reason text is a phrase, not a letter.
pub const REASON_CHARS_MAX: usize = 80;
/// An account is a name.
pub const ACCOUNT_CHARS_MAX: usize = 64;
/// So many digits in a row may be somebody's number; a Q.850 cause or a status is shorter.
const DIGITS_SUSPECT: usize = 6;
/// So many last digits of a number identify it, however it is prefixed or separated.
const DIGITS_TELLING: usize = 7;

/// The trunk's Call-ID; where equipment built it from the caller's number, that number is masked.
pub fn call_id(text: &str, caller: Option<&CallerNumber>) -> TrunkCallId {
    let clean = clean(text, CALL_ID_CHARS_MAX);
    TrunkCallId::from(match caller {
        Some(caller) => mask_number(&clean, caller),
        None => clean,
    })
}

/// The text of a Reason header: no long digits at all, since nobody can say whose they are.
pub fn reason_text(text: &str) -> Option<Arc<str>> {
    let clean = mask_long_digits(&clean(text, REASON_CHARS_MAX));
    (!clean.is_empty()).then(|| clean.into())
}

/// An account as a peer claims it: may be anything, so long digits are masked there too.
pub fn claimed_account(text: &str) -> Account {
    Account::from(mask_long_digits(&clean(text, ACCOUNT_CHARS_MAX)))
}

fn clean(text: &str, chars_max: usize) -> String {
    text.trim().chars().filter(|c| !c.is_control()).take(chars_max).collect()
}

/// Replaces runs of digits (separators between them included) of suspicious length.
fn mask_long_digits(text: &str) -> String {
    mask_runs(text, |digits| digits.len() >= DIGITS_SUSPECT)
}

fn mask_number(text: &str, caller: &CallerNumber) -> String {
    let number = caller.expose();
    let telling = &number[number.len().saturating_sub(DIGITS_TELLING)..];
    let telling = telling.trim_start_matches('+');
    mask_runs(text, |digits| digits.contains(telling))
}

/// Walks runs of digits joined by separators and replaces by `…` those of which `suspect` says so.
fn mask_runs(text: &str, suspect: impl Fn(&str) -> bool) -> String {
    let mut out = String::with_capacity(text.len());
    let mut run = String::new();
    let mut digits = String::new();
    for character in text.chars() {
        let separator = matches!(character, '-' | '.' | ' ' | '(' | ')' | '+');
        if character.is_ascii_digit() || (separator && !digits.is_empty()) {
            run.push(character);
            if character.is_ascii_digit() {
                digits.push(character);
            }
            continue;
        }
        flush_run(&mut out, &mut run, &mut digits, &suspect);
        out.push(character);
    }
    flush_run(&mut out, &mut run, &mut digits, &suspect);
    out
}

fn flush_run(out: &mut String, run: &mut String, digits: &mut String, suspect: &impl Fn(&str) -> bool) {
    if suspect(digits) {
        out.push('…');
        out.push_str(&run[run.trim_end_matches(|c: char| !c.is_ascii_digit()).len()..]);
    } else {
        out.push_str(run);
    }
    run.clear();
    digits.clear();
}

#[cfg(test)]
mod tests;
