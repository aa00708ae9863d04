//! One caller, one pseudonym; another key, another pseudonym; both for a day.

use super::*;
use crate::number::NumberingPlan;

const DAY: Duration = Duration::from_secs(24 * 3600);

fn number(text: &str) -> CallerNumber {
    NumberingPlan::france().caller(text).unwrap()
}

#[test]
fn known_answer() {
    // HMAC-SHA256(key = 32 × 0x0b, "+33142345678"), first 12 bytes; computed with an independent tool.
    let pseudonym = PseudonymKey::new([0x0b; 32]).pseudonym(&number("0142345678"));
    assert_eq!(pseudonym.to_string(), "20084b33c302a6b9b7cc0ffe");
    assert_eq!(CallerPseudonym::from_hex(&pseudonym.to_string()), Some(pseudonym));
}

#[test]
fn spellings_share_a_pseudonym_and_callers_do_not() {
    let keys = Pseudonymiser::new(PseudonymKey::new([1; 32]));
    let of = |text| keys.caller(Duration::ZERO, Some(&number(text)));
    assert_eq!(of("0142345678"), of("+33142345678"));
    assert_eq!(of("0142345678"), of("0033142345678"));
    assert_ne!(of("0142345678"), of("0142345679"));
}

#[test]
fn the_old_key_is_matched_for_a_day() {
    let mut keys = Pseudonymiser::new(PseudonymKey::new([1; 32]));
    let caller = number("0142345678");
    let Caller::Known { pseudonym: before, previous: None } = keys.caller(Duration::ZERO, Some(&caller))
    else {
        panic!("one key, one pseudonym")
    };
    keys.rotate(DAY, PseudonymKey::new([2; 32]));
    let Caller::Known { pseudonym: after, previous } =
        keys.caller(2 * DAY - Duration::from_micros(1), Some(&caller))
    else {
        panic!("known")
    };
    assert_ne!(before, after);
    assert_eq!(previous, Some(before));
    assert_eq!(keys.caller(2 * DAY, Some(&caller)), Caller::Known { pseudonym: after, previous: None });
}

#[test]
fn withheld_has_none_and_keys_cannot_be_printed() {
    let keys = Pseudonymiser::new(PseudonymKey::new([7; 32]));
    assert_eq!(keys.caller(Duration::ZERO, None), Caller::Withheld);
    assert_eq!(format!("{keys:?}"), "Pseudonymiser { current: PseudonymKey(…), previous: None }");
}
