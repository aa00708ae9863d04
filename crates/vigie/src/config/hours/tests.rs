//! Hours in every spelling that is meant, and none that is not.

use super::*;

fn range(from: (u8, u8), to: (u8, u8)) -> HoursRange {
    let time = |(hour, minute)| TimeOfDay { hour, minute };
    HoursRange { from: time(from), to: time(to) }
}

type Weekly = Vec<(Weekday, HoursRange)>;

#[test]
fn weekly_hours() {
    use Weekday::{Friday, Monday, Saturday, Sunday};
    let nine_to_five = range((9, 0), (17, 0));
    let cases: &[(&str, Option<Weekly>)] = &[
        ("mon 09:00-17:00", Some(vec![(Monday, nine_to_five)])),
        ("MON 9:00 - 17:00", Some(vec![(Monday, nine_to_five)])),
        (
            "fri-mon 09:00-17:00",
            Some([Friday, Saturday, Sunday, Monday].map(|day| (day, nine_to_five)).to_vec()),
        ),
        ("sun 22:00-06:00", Some(vec![(Sunday, range((22, 0), (6, 0)))])),
        ("sun 00:00-24:00", Some(vec![(Sunday, range((0, 0), (24, 0)))])),
        ("sun 24:00-06:00", None),
        ("sun 09:00-09:00", None),
        ("sun 09:60-10:00", None),
        ("sun 25:00-26:00", None),
        ("sun 9-17", None),
        ("lun 09:00-17:00", None),
        ("09:00-17:00", None),
        ("mon", None),
        ("", None),
    ];
    for (text, expected) in cases {
        assert_eq!(parse_weekly(text), *expected, "{text:?}");
    }
}

#[test]
fn holidays() {
    let cases: &[(&str, Option<Holiday>)] = &[
        ("2026-12-24", Some(Holiday::On { year: 2026, month: 12, day: 24 })),
        ("2028-02-29", Some(Holiday::On { year: 2028, month: 2, day: 29 })),
        ("2026-02-29", None),
        ("02-29", Some(Holiday::EachYear { month: 2, day: 29 })),
        ("12-25", Some(Holiday::EachYear { month: 12, day: 25 })),
        ("1-5", None),
        ("13-01", None),
        ("easter", Some(Holiday::Easter { offset_days: 0 })),
        ("easter+50", Some(Holiday::Easter { offset_days: 50 })),
        ("easter-2", Some(Holiday::Easter { offset_days: -2 })),
        ("easter50", None),
        ("easter+500", None),
        ("", None),
    ];
    for (text, expected) in cases {
        assert_eq!(parse_holiday(text), *expected, "{text:?}");
    }
}
