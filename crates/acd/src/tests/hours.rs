//! Opening hours against hand-made calendars.

use crate::hours::{ExceptionDay, Hours, HoursError, Range, TimeOfDay, Weekday};

fn at(text: &str) -> i64 {
    chrono::DateTime::parse_from_rfc3339(text).unwrap().timestamp_millis()
}

fn show(unix_ms: i64) -> String {
    chrono::DateTime::from_timestamp_millis(unix_ms)
        .unwrap()
        .to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
}

fn range(from: (u8, u8), to: (u8, u8)) -> Range {
    Range { from: TimeOfDay::new(from.0, from.1).unwrap(), to: TimeOfDay::new(to.0, to.1).unwrap() }
}

fn each_day(range: Range) -> Hours {
    Weekday::ALL
        .into_iter()
        .fold(Hours::in_zone("Europe/Paris").unwrap(), |hours, day| hours.weekly(day, range))
}

/// Each row: an instant, whether it is open, and the next change.
fn check(hours: &Hours, rows: &[(&str, bool, &str)]) {
    for (instant, open, next) in rows {
        assert_eq!(hours.is_open(at(instant)), *open, "at {instant}");
        assert_eq!(hours.next_change(at(instant)).map(show).as_deref(), Some(*next), "after {instant}");
    }
}

#[test]
fn a_day_has_its_edges() {
    check(
        &each_day(range((9, 0), (18, 0))),
        &[
            ("2026-11-24T07:59:59Z", false, "2026-11-24T08:00:00Z"),
            ("2026-11-24T08:00:00Z", true, "2026-11-24T17:00:00Z"),
            ("2026-11-24T16:59:59Z", true, "2026-11-24T17:00:00Z"),
            ("2026-11-24T17:00:00Z", false, "2026-11-25T08:00:00Z"),
        ],
    );
}

#[test]
fn a_night_passes_midnight_and_belongs_to_its_evening() {
    let friday_night =
        Hours::in_zone("Europe/Paris").unwrap().weekly(Weekday::Friday, range((22, 0), (6, 0)));
    check(
        &friday_night,
        &[
            ("2026-11-27T20:59:00Z", false, "2026-11-27T21:00:00Z"),
            ("2026-11-28T04:59:00Z", true, "2026-11-28T05:00:00Z"),
            ("2026-11-28T05:00:00Z", false, "2026-12-04T21:00:00Z"),
        ],
    );
}

#[test]
fn ranges_that_touch_are_one_opening() {
    let hours = Hours::in_zone("Europe/Paris")
        .unwrap()
        .weekly(Weekday::Monday, range((8, 0), (24, 0)))
        .weekly(Weekday::Tuesday, range((0, 0), (2, 0)));
    check(&hours, &[("2026-11-23T10:00:00Z", true, "2026-11-24T01:00:00Z")]);
}

#[test]
fn day_and_night_never_changes() {
    assert!(Hours::always().is_open(0));
    assert_eq!(Hours::always().next_change(0), None);
    let whole = each_day(range((0, 0), (24, 0)));
    let now = at("2026-11-24T07:00:00Z");
    assert!(whole.is_open(now));
    // Asked again a year later, and open still.
    let next = whole.next_change(now).unwrap();
    assert!(next - now >= 399 * 86_400_000 && whole.is_open(next));
    assert!(!Hours::in_zone("Europe/Paris").unwrap().is_open(now), "without ranges it is closed");
}

#[test]
fn exceptions_replace_the_weekly_ranges_of_their_day() {
    let hours = each_day(range((9, 0), (18, 0)))
        .exception(ExceptionDay::on(2026, 12, 24).unwrap(), vec![range((9, 0), (12, 0))])
        .exception(ExceptionDay::each_year(12, 25).unwrap(), vec![])
        .exception(ExceptionDay::easter(1), vec![]);
    check(
        &hours,
        &[
            ("2026-12-24T10:00:00Z", true, "2026-12-24T11:00:00Z"),
            ("2026-12-24T11:00:00Z", false, "2026-12-26T08:00:00Z"),
            ("2027-12-25T10:00:00Z", false, "2027-12-26T08:00:00Z"),
            // Easter Monday 2027 is 29 March.
            ("2027-03-29T10:00:00Z", false, "2027-03-30T07:00:00Z"),
        ],
    );
}

#[test]
fn easter_is_known() {
    for (year, month, day) in [(2024, 3, 31), (2025, 4, 20), (2026, 4, 5), (2027, 3, 28), (2038, 4, 25)] {
        let noon = at(&format!("{year}-{month:02}-{day:02}T12:00:00Z"));
        let closed = each_day(range((0, 0), (24, 0))).exception(ExceptionDay::easter(0), vec![]);
        assert!(!closed.is_open(noon), "{year}");
        assert!(closed.is_open(noon - 86_400_000) && closed.is_open(noon + 86_400_000), "{year}");
    }
}

#[test]
fn a_time_that_the_spring_skips_is_the_instant_of_the_jump() {
    // 2026-03-29 02:00 becomes 03:00 in Paris, at 01:00 UTC.
    let hours = Hours::in_zone("Europe/Paris").unwrap();
    check(
        &hours.clone().weekly(Weekday::Sunday, range((2, 30), (10, 0))),
        &[
            ("2026-03-29T00:59:59Z", false, "2026-03-29T01:00:00Z"),
            ("2026-03-29T01:00:00Z", true, "2026-03-29T08:00:00Z"),
        ],
    );
    check(
        &hours.weekly(Weekday::Sunday, range((1, 0), (2, 30))),
        &[("2026-03-29T00:30:00Z", true, "2026-03-29T01:00:00Z")],
    );
}

#[test]
fn an_hour_that_the_autumn_repeats_is_open_both_times() {
    // 2026-10-25 03:00 becomes 02:00 in Paris, at 01:00 UTC.
    let hours = Hours::in_zone("Europe/Paris").unwrap().weekly(Weekday::Sunday, range((2, 15), (2, 45)));
    check(
        &hours,
        &[
            ("2026-10-25T00:14:59Z", false, "2026-10-25T00:15:00Z"),
            ("2026-10-25T00:15:00Z", true, "2026-10-25T01:45:00Z"),
            ("2026-10-25T01:20:00Z", true, "2026-10-25T01:45:00Z"),
        ],
    );
}

#[test]
fn next_change_and_is_open_agree_at_every_quarter_of_a_year() {
    let hours = each_day(range((22, 0), (3, 0)))
        .weekly(Weekday::Sunday, range((2, 30), (2, 45)))
        .exception(ExceptionDay::each_year(5, 1).unwrap(), vec![range((10, 0), (11, 0))]);
    let quarter_ms = 15 * 60_000;
    let mut now = at("2026-01-01T00:00:00Z");
    let end = at("2027-01-01T00:00:00Z");
    while now < end {
        let next = hours.next_change(now).unwrap();
        assert!(next > now);
        let open = hours.is_open(now);
        let mut probe = now;
        while probe < next {
            assert_eq!(hours.is_open(probe), open, "{} before {}", show(probe), show(next));
            probe += quarter_ms;
        }
        assert_eq!(hours.is_open(next), !open, "{}", show(next));
        now = next;
    }
}

#[test]
fn what_cannot_be_is_told() {
    assert_eq!(Hours::in_zone("Paris"), Err(HoursError::UnknownZone("Paris".into())));
    assert_eq!(TimeOfDay::new(24, 1), Err(HoursError::NoSuchTime { hour: 24, minute: 1 }));
    assert_eq!(TimeOfDay::new(12, 60), Err(HoursError::NoSuchTime { hour: 12, minute: 60 }));
    assert_eq!(ExceptionDay::on(2026, 2, 29), Err(HoursError::NoSuchDate { month: 2, day: 29 }));
    assert!(ExceptionDay::each_year(2, 29).is_ok());
    assert!(TimeOfDay::new(24, 0).is_ok());
}
