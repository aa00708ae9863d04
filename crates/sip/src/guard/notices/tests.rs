//! The first is told, the rest of a flood is not.

use super::*;

#[test]
fn one_of_a_kind_at_a_time() {
    let mut notices = Notices::new();
    let source = IpAddr::from([192, 0, 2, 1]);
    assert!(notices.admit(Duration::ZERO, source, "a"));
    assert!(!notices.admit(Duration::from_secs(9), source, "a"));
    assert!(notices.admit(Duration::from_secs(9), source, "b"));
    assert!(notices.admit(Duration::from_secs(10), source, "a"));
}

#[test]
fn many_sources_share_a_second() {
    let mut notices = Notices::new();
    let told = (0..100).filter(|n| notices.admit(Duration::ZERO, IpAddr::from([192, 0, 2, *n]), "a")).count();
    assert_eq!(told, 20);
    assert!(notices.admit(Duration::from_secs(1), IpAddr::from([192, 0, 2, 99]), "a"));
}
