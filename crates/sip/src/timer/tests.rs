//! The schedule: order, cancelling, equal instants.

use super::*;

fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn expires_in_order_of_time_then_of_setting() {
    let mut schedule = Schedule::new();
    schedule.set(s(2), 'c');
    schedule.set(s(1), 'a');
    schedule.set(s(1), 'b');
    assert_eq!(schedule.next(), Some(s(1)));
    assert!(schedule.expire(Duration::ZERO).is_none());
    let expired: String = std::iter::from_fn(|| schedule.expire(s(2)).map(|(_, key)| key)).collect();
    assert_eq!(expired, "abc");
    assert_eq!(schedule.next(), None);
}

#[test]
fn a_cancelled_or_replaced_deadline_never_comes() {
    let mut schedule = Schedule::new();
    let first = schedule.set(s(1), 'a');
    schedule.cancel(first);
    schedule.cancel(first);
    let mut slot = None;
    schedule.replace(&mut slot, Some(s(3)), 'b');
    schedule.replace(&mut slot, Some(s(5)), 'b');
    assert_eq!(schedule.len(), 1);
    assert!(schedule.expire(s(4)).is_none());
    schedule.replace(&mut slot, None, 'b');
    assert_eq!(schedule.len(), 0);
}
