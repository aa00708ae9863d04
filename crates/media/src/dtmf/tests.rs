//! Presses as phones send them, and as networks mangle them.

use super::*;

/// (at ms, ssrc, timestamp, event, end, duration)
type Packet = (u64, u32, u32, u8, bool, u16);

fn check(packets: &[Packet], expected: &str) {
    let mut digits = Digits::default();
    let mut said = String::new();
    let mut clock = 0;
    for &(at, ssrc, timestamp, event, end, duration) in packets {
        while clock + 10 <= at {
            clock += 10;
            said.extend(digits.poll(Duration::from_millis(clock)));
        }
        let [high, low] = duration.to_be_bytes();
        let payload = [event, if end { 0x8a } else { 0x0a }, high, low];
        let new = digits.on_event(Duration::from_millis(at), ssrc, timestamp, 8000, &payload);
        said.extend(new.into_iter().flatten());
    }
    for _ in 0..30 {
        clock += 10;
        said.extend(digits.poll(Duration::from_millis(clock)));
    }
    assert_eq!(said, expected, "{packets:?}");
}

#[test]
fn each_press_is_said_once() {
    // A whole press with the end three times.
    check(
        &[
            (0, 1, 100, 1, false, 160),
            (20, 1, 100, 1, false, 320),
            (40, 1, 100, 1, true, 480),
            (41, 1, 100, 1, true, 480),
            (42, 1, 100, 1, true, 480),
        ],
        "1",
    );
    // Only the end arrived.
    check(&[(0, 1, 100, 11, true, 800)], "#");
    // The end was lost.
    check(&[(0, 1, 100, 10, false, 160), (20, 1, 100, 10, false, 320)], "*");
    // The end was lost and the next digit follows at once.
    check(&[(0, 1, 100, 1, false, 160), (30, 1, 400, 2, true, 160)], "12");
    // The same digit twice.
    check(&[(0, 1, 100, 5, true, 800), (200, 1, 2000, 5, true, 800)], "55");
    // A long press is said while it lasts, not again at its end.
    check(&[(0, 1, 100, 7, false, 160), (140, 1, 100, 7, false, 1120), (3000, 1, 100, 7, true, 24_000)], "7");
    // Longer than the field: RFC 4733 §2.5.1.3.
    check(
        &[
            (0, 1, 100, 7, false, 160),
            (8191, 1, 100, 7, false, 0xffff),
            (8200, 1, 100 + 0xffff, 7, false, 80),
            (8300, 1, 100 + 0xffff, 7, true, 880),
        ],
        "7",
    );
    // A late repetition of an old end.
    check(&[(0, 1, 100, 1, true, 800), (200, 1, 2000, 2, true, 800), (210, 1, 100, 1, true, 800)], "12");
    // A new source starts anew.
    check(&[(0, 1, 100_000, 1, true, 800), (200, 2, 50, 1, true, 800)], "11");
    // A flash hook or a tone is no digit.
    check(&[(0, 1, 100, 16, true, 800), (0, 1, 900, 66, true, 800)], "");
    check(&[(0, 1, 100, 15, true, 800)], "D");
}

#[test]
fn short_payloads_are_nothing() {
    let mut digits = Digits::default();
    assert_eq!(digits.on_event(Duration::ZERO, 1, 1, 8000, &[1, 0x80, 0]), [None; 2]);
}
