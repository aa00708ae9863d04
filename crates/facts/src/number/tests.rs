//! Every spelling of a number has one form; no form is ever printed.

use super::*;

#[test]
fn spellings_of_one_number_are_one() {
    let plan = NumberingPlan::france();
    let cases = [
        ("+33142345678", Some("+33142345678")),
        ("0033142345678", Some("+33142345678")),
        ("0142345678", Some("+33142345678")),
        ("01 42 34 56 78", Some("+33142345678")),
        ("01.42.34.56.78", Some("+33142345678")),
        ("+33 (0)1 42 34 56 78", Some("+33142345678")),
        ("33142345678", Some("+33142345678")),
        ("142345678", Some("+33142345678")),
        ("tel:+33-1-42-34-56-78", Some("+33142345678")),
        ("tel:142345678;phone-context=+33", Some("+33142345678")),
        ("+33142345678;user=phone", Some("+33142345678")),
        (" +33142345678 ", Some("+33142345678")),
        ("3919", Some("+333919")),
        ("+333919", Some("+333919")),
        ("15", Some("+3315")),
        ("+442079460000", Some("+442079460000")),
        ("00442079460000", Some("+442079460000")),
        ("anonymous", None),
        ("", None),
        ("+", None),
        ("tel:", None),
        ("0", Some("+330")),
        ("00", Some("+330")),
        ("*71", None),
        ("+1234567890123456", None),
        ("123456789012345678901234567890", None),
        ("+33١٤٢", None),
    ];
    for (text, expected) in cases {
        assert_eq!(plan.dialled(text).as_deref(), expected, "dialled {text:?}");
        assert_eq!(plan.caller(text).as_ref().map(CallerNumber::expose), expected, "caller {text:?}");
    }
}

#[test]
fn a_country_without_national_prefix() {
    let plan = NumberingPlan {
        country_code: "1".into(),
        international_prefix: "011".into(),
        national_prefix: String::new(),
        national_digits: 10,
    };
    for (text, expected) in [
        ("2125550100", "+12125550100"),
        ("12125550100", "+12125550100"),
        ("011442079460000", "+442079460000"),
        ("+1 (212) 555-0100", "+12125550100"),
    ] {
        assert_eq!(plan.dialled(text).as_deref(), Some(expected), "{text:?}");
    }
}

#[test]
fn a_callers_number_cannot_be_printed() {
    let number = NumberingPlan::france().caller("0142345678").unwrap();
    assert_eq!(format!("{number:?}"), "CallerNumber(…)");
    assert_eq!(format!("{:#?}", Some(number)), "Some(\n    CallerNumber(…),\n)");
}
