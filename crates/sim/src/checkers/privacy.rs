//! No caller's number is anywhere but in SIP towards the trunk and in sealed records.
//!
//! Knows: all numbers that callers of this world have, in every form in which they are written.

use std::collections::BTreeSet;
use std::time::Duration;

use call::{Output, Room};
use phone::{Dial, PhoneConfig};

use super::Findings;

/// Digits of a French number without its prefix.
const NATIONAL_DIGITS: usize = 9;

/// Looks for callers' numbers.
#[derive(Default)]
pub(crate) struct Privacy {
    numbers: BTreeSet<u64>,
    found: Vec<(Duration, &'static str)>,
}

impl Privacy {
    pub(crate) fn learn(&mut self, config: &PhoneConfig) {
        self.learn_text(config.user.as_str());
        self.learn_text(config.display.as_str());
    }

    pub(crate) fn learn_dial(&mut self, dial: &Dial) {
        for text in [&dial.from, &dial.from_display, &dial.asserted_identity].into_iter().flatten() {
            self.learn_text(text.as_str());
        }
    }

    fn learn_text(&mut self, text: &str) {
        self.numbers.extend(nationals(text.as_bytes()));
    }

    pub(crate) fn output(&mut self, now: Duration, output: &Output) {
        match output {
            // Sealed by the shell before they are written.
            Output::Persist { room: Room::Sip, .. } => {}
            Output::Persist { record: Some(record), .. } => self.look(now, record, "a state record"),
            // What SIP says to whom is looked at where it is known who that is.
            Output::Datagram { .. } | Output::Persist { .. } => {}
            other => self.look(now, format!("{other:?}").as_bytes(), "the Debug form of an output"),
        }
    }

    pub(crate) fn written(&mut self, now: Duration, written: &str) {
        self.look(now, written.as_bytes(), "the journal");
    }

    pub(crate) fn message_to_operator(&mut self, now: Duration, message: &[u8]) {
        self.look(now, message, "a message to an operator's phone");
    }

    fn look(&mut self, now: Duration, bytes: &[u8], place: &'static str) {
        if nationals(bytes).any(|number| self.numbers.contains(&number)) {
            self.found.push((now, place));
        }
    }

    pub(super) fn report(&mut self, findings: &mut Findings) {
        for (at, place) in self.found.drain(..) {
            findings.add(at, "no number anywhere", format!("a caller's number is in {place}"));
        }
    }
}

/// Every run of digits that may be a number, without its prefix: `+33`, `0033`, `33`, `0`, or none.
fn nationals(bytes: &[u8]) -> impl Iterator<Item = u64> + '_ {
    bytes.split(|byte| !byte.is_ascii_digit()).filter_map(|run| {
        let (prefix, national) = run.split_at(run.len().checked_sub(NATIONAL_DIGITS)?);
        matches!(prefix, b"" | b"0" | b"33" | b"0033")
            .then(|| national.iter().fold(0, |number, digit| number * 10 + u64::from(digit - b'0')))
    })
}
