//! Age, forgery, counts, and the bound.

use super::*;

const NOW: Duration = Duration::from_secs(1_000);

#[test]
fn counts_are_used_once_in_any_order_within_the_window() {
    let mut nonces = Nonces::new([7; 32]);
    let nonce = nonces.issue(NOW);
    for (count, expected) in [
        (1, Freshness::Fresh),
        (1, Freshness::Stale),
        (3, Freshness::Fresh),
        (2, Freshness::Fresh),
        (2, Freshness::Stale),
        (0, Freshness::Stale),
        (100, Freshness::Fresh),
        (36, Freshness::Stale),
        (37, Freshness::Fresh),
        (u32::MAX, Freshness::Fresh),
        (100, Freshness::Stale),
    ] {
        assert_eq!(nonces.redeem(NOW, &nonce, count), expected, "count {count}");
    }
}

#[test]
fn the_old_the_forged_and_the_foreign_are_stale() {
    let mut nonces = Nonces::new([7; 32]);
    let nonce = nonces.issue(NOW);
    assert_eq!(nonces.redeem(NOW + LIFETIME + Duration::from_secs(1), &nonce, 1), Freshness::Stale);
    let foreign = Nonces::new([8; 32]).issue(NOW);
    for bad in [foreign.as_str(), "", "zz", &nonce[1..], &format!("{}é", &nonce[..46])] {
        assert_eq!(nonces.redeem(NOW, bad, 1), Freshness::Stale, "{bad}");
    }
}

#[test]
fn a_nonce_that_was_pushed_out_never_comes_back() {
    let mut nonces = Nonces::new([7; 32]);
    let first = nonces.issue(NOW);
    assert_eq!(nonces.redeem(NOW, &first, 1), Freshness::Fresh);
    for _ in 0..ANSWERED_MAX {
        let nonce = nonces.issue(NOW);
        assert_eq!(nonces.redeem(NOW, &nonce, 1), Freshness::Fresh);
    }
    assert_eq!(nonces.answered.len(), ANSWERED_MAX);
    assert_eq!(nonces.redeem(NOW, &first, 2), Freshness::Stale);
}
