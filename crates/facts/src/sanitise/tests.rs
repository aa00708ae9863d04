//! Text from the wire, before and after.

use super::*;
use crate::number::NumberingPlan;

#[test]
fn call_ids_lose_the_callers_number_only() {
    let caller = NumberingPlan::france().caller("0142345678");
    for (text, expected) in [
        ("a84b4c76e66710@pc33.example.com", "a84b4c76e66710@pc33.example.com"),
        ("0142345678@gw", "…@gw"),
        ("call-33142345678-77@gw", "call-…@gw"),
        ("01.42.34.56.78@gw", "…@gw"),
        ("x 01 42 34 56 78 y", "x … y"),
        ("20261124011316@gw", "20261124011316@gw"),
        ("x\r\ny", "xy"),
    ] {
        assert_eq!(call_id(text, caller.as_ref()).as_str(), expected, "{text:?}");
    }
    assert_eq!(call_id("0142345678@gw", None).as_str(), "0142345678@gw");
    assert_eq!(call_id(&"x".repeat(1000), None).as_str().len(), CALL_ID_CHARS_MAX);
}

#[test]
fn reasons_lose_all_long_digits() {
    for (text, expected) in [
        ("Normal call clearing", Some("Normal call clearing")),
        ("cause 16 from 0142345678", Some("cause 16 from …")),
        ("from +33 1 42 34 56 78 lost", Some("from +… lost")),
        ("  ", None),
        ("\u{7}\u{0}", None),
    ] {
        assert_eq!(reason_text(text).as_deref(), expected, "{text:?}");
    }
}

#[test]
fn claimed_accounts() {
    for (text, expected) in [("amina", "amina"), ("1001", "1001"), ("0142345678", "…"), ("a\nb", "ab")] {
        assert_eq!(claimed_account(text).as_str(), expected);
    }
}
