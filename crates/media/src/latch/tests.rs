//! The transition table, row by row.

use proptest::prelude::*;

use super::*;
use Judgement::{Accept, Learn};

const SIGNALLED: &str = "198.51.100.7:4000";
const OTHER_PORT: &str = "198.51.100.7:4444";
const REGISTERED: &str = "198.51.100.99:31000";
const NETWORK: &str = "10.1.2.3:9000";
const STRANGER: &str = "192.0.2.66:6666";

/// (source, SSRC, first sequence, packets, ms between) gives the last packet's verdict.
type Burst = (&'static str, u32, u16, u16, u64);

#[derive(Clone, Copy, PartialEq, Debug)]
enum Verdict {
    Accepted,
    Learning,
    Refused,
}

fn play(latch: &mut Latch, now: &mut Duration, (source, ssrc, first, packets, every_ms): Burst) -> Verdict {
    let mut verdict = Verdict::Refused;
    for n in 0..packets {
        let sight = Sight {
            from: source.parse().unwrap(),
            ssrc,
            position: Some((first.wrapping_add(n), u32::from(first.wrapping_add(n)) * 160)),
            vouched: false,
        };
        *now += Duration::from_millis(every_ms);
        verdict = match latch.judge(*now, &sight) {
            Accept { .. } => Verdict::Accepted,
            Learn => Verdict::Learning,
            Judgement::Refuse(remedy) => {
                assert!(remedy.contains("media_from") || remedy.contains("re-INVITE"));
                Verdict::Refused
            }
        };
    }
    verdict
}

fn check(media_from: &MediaFrom, bursts: &[(Burst, Verdict)], send_to: &str) {
    let mut latch = Latch::new(media_from.clone(), None);
    latch.negotiated(SIGNALLED.parse().ok(), media_from.clone());
    let mut now = Duration::from_secs(1);
    for (burst, expected) in bursts {
        assert_eq!(play(&mut latch, &mut now, *burst), *expected, "{media_from:?}: {burst:?} of {bursts:?}");
    }
    assert_eq!(latch.send_to(), send_to.parse().ok(), "{media_from:?}: {bursts:?}");
}

#[test]
fn signalled() {
    use Verdict::{Accepted, Learning, Refused};
    let from = MediaFrom::Signalled;
    check(&from, &[((SIGNALLED, 1, 1, 1, 20), Accepted)], SIGNALLED);
    check(&from, &[((OTHER_PORT, 1, 1, 4, 20), Learning)], SIGNALLED);
    check(&from, &[((OTHER_PORT, 1, 1, 5, 20), Accepted)], OTHER_PORT);
    check(&from, &[((STRANGER, 1, 1, 100, 20), Refused)], SIGNALLED);
    check(&from, &[((REGISTERED, 1, 1, 100, 20), Refused)], SIGNALLED);
    // An exact match wins over a candidate.
    check(&from, &[((OTHER_PORT, 1, 1, 4, 20), Learning), ((SIGNALLED, 2, 1, 1, 20), Accepted)], SIGNALLED);
    // Locked is locked.
    check(&from, &[((OTHER_PORT, 1, 1, 5, 20), Accepted), ((SIGNALLED, 2, 1, 50, 20), Refused)], OTHER_PORT);
    // The chance to learn does not expire.
    check(
        &from,
        &[((STRANGER, 1, 1, 9, 60_000), Refused), ((OTHER_PORT, 1, 1, 5, 20), Accepted)],
        OTHER_PORT,
    );
    // A new binding of the same stream, after a pause.
    let rebound = [((SIGNALLED, 1, 1, 10, 20), Accepted), ((OTHER_PORT, 1, 11, 4, 20), Learning)];
    check(&from, &rebound, SIGNALLED);
    check(&from, &[rebound[0], ((OTHER_PORT, 1, 11, 10, 20), Accepted)], OTHER_PORT);
    check(&from, &[rebound[0], ((OTHER_PORT, 1, 11, 9, 20), Learning)], SIGNALLED);
    // Another SSRC, an older sequence, a far one: not the same stream.
    check(&from, &[rebound[0], ((OTHER_PORT, 2, 11, 100, 20), Refused)], SIGNALLED);
    check(
        &from,
        &[((SIGNALLED, 1, 500, 10, 20), Accepted), ((OTHER_PORT, 1, 1, 100, 20), Refused)],
        SIGNALLED,
    );
    check(&from, &[rebound[0], ((OTHER_PORT, 1, 9000, 100, 20), Refused)], SIGNALLED);
}

#[test]
fn registration() {
    use Verdict::{Accepted, Learning, Refused};
    let from = MediaFrom::Registration("198.51.100.99".parse().unwrap());
    check(&from, &[((SIGNALLED, 1, 1, 1, 20), Accepted)], SIGNALLED);
    check(&from, &[((REGISTERED, 1, 1, 4, 20), Learning)], SIGNALLED);
    check(&from, &[((REGISTERED, 1, 1, 5, 20), Accepted)], REGISTERED);
    check(&from, &[((STRANGER, 1, 1, 100, 20), Refused)], SIGNALLED);
    // Two candidates: the first goes on, the other waits until it is gone.
    let both = [((REGISTERED, 1, 1, 3, 20), Learning), ((OTHER_PORT, 2, 1, 5, 20), Learning)];
    check(&from, &[both[0], both[1], ((REGISTERED, 1, 4, 2, 20), Accepted)], REGISTERED);
    check(
        &from,
        &[both[0], ((OTHER_PORT, 2, 1, 1, 700), Learning), ((OTHER_PORT, 2, 2, 4, 20), Accepted)],
        OTHER_PORT,
    );
    // Inconsistent streams.
    check(&from, &[((REGISTERED, 1, 1, 4, 20), Learning), ((REGISTERED, 2, 9, 4, 20), Learning)], SIGNALLED);
    check(&from, &[((REGISTERED, 1, 9, 4, 20), Learning), ((REGISTERED, 1, 5, 4, 20), Learning)], SIGNALLED);
}

#[test]
fn networks() {
    use Verdict::{Accepted, Learning, Refused};
    let inside = MediaFrom::Networks(vec![
        ("10.1.0.0".parse().unwrap(), 16),
        ("198.51.100.0".parse().unwrap(), 24),
        ("2001:db8::".parse().unwrap(), 32),
    ]);
    check(&inside, &[((NETWORK, 1, 1, 4, 20), Learning)], SIGNALLED);
    // A farm's signalled address is believed.
    check(&inside, &[((NETWORK, 1, 1, 5, 20), Accepted)], SIGNALLED);
    check(&inside, &[((OTHER_PORT, 1, 1, 5, 20), Accepted)], OTHER_PORT);
    // It may change, to the signalled at once, to others after a proof and when the old one is quiet.
    check(&inside, &[((NETWORK, 1, 1, 5, 20), Accepted), ((SIGNALLED, 2, 1, 1, 20), Accepted)], SIGNALLED);
    check(&inside, &[((SIGNALLED, 1, 1, 5, 20), Accepted), ((OTHER_PORT, 2, 1, 9, 20), Learning)], SIGNALLED);
    check(
        &inside,
        &[((SIGNALLED, 1, 1, 5, 20), Accepted), ((OTHER_PORT, 2, 1, 10, 20), Accepted)],
        OTHER_PORT,
    );
    check(&inside, &[((STRANGER, 1, 1, 50, 20), Refused)], SIGNALLED);
    // A signalled address outside the networks can't be reached; the source can.
    let vpn = MediaFrom::Networks(vec![("10.1.0.0".parse().unwrap(), 16)]);
    check(&vpn, &[((NETWORK, 1, 1, 5, 20), Accepted)], NETWORK);
}

#[test]
fn a_renegotiation_gives_one_chance_and_another_address_starts_anew() {
    let mut latch = Latch::new(MediaFrom::Signalled, None);
    let mut now = Duration::from_secs(1);
    latch.negotiated(SIGNALLED.parse().ok(), MediaFrom::Signalled);
    play(&mut latch, &mut now, (SIGNALLED, 1, 1, 5, 20));
    latch.negotiated(SIGNALLED.parse().ok(), MediaFrom::Signalled);
    assert_eq!(play(&mut latch, &mut now, (OTHER_PORT, 2, 1, 10, 50)), Verdict::Accepted);
    assert_eq!(play(&mut latch, &mut now, (SIGNALLED, 3, 1, 10, 50)), Verdict::Refused);
    // On hold and back.
    latch.negotiated(None, MediaFrom::Signalled);
    latch.negotiated(SIGNALLED.parse().ok(), MediaFrom::Signalled);
    assert_eq!(latch.source(), OTHER_PORT.parse().ok());
    // Elsewhere.
    latch.negotiated(NETWORK.parse().ok(), MediaFrom::Signalled);
    assert_eq!(latch.source(), None);
    assert_eq!(play(&mut latch, &mut now, (OTHER_PORT, 2, 11, 10, 50)), Verdict::Refused);
    assert_eq!(play(&mut latch, &mut now, (NETWORK, 4, 1, 1, 50)), Verdict::Accepted);
    // What is no longer permitted is let go.
    latch.negotiated(NETWORK.parse().ok(), MediaFrom::Registration("192.0.2.1".parse().unwrap()));
    assert!(latch.as_signalled());
}

#[test]
fn prefixes() {
    for (network, prefix, address, inside) in [
        ("10.0.0.0", 8, "10.255.0.1", true),
        ("10.0.0.0", 8, "11.0.0.1", false),
        ("0.0.0.0", 0, "203.0.113.1", true),
        ("203.0.113.1", 32, "203.0.113.1", true),
        ("203.0.113.1", 32, "203.0.113.2", false),
        ("203.0.113.1", 200, "203.0.113.1", true),
        ("2001:db8::", 32, "2001:db8:ffff::1", true),
        ("2001:db8::", 32, "2001:db9::1", false),
        ("::", 0, "2001:db9::1", true),
        ("::", 0, "10.0.0.1", false),
        ("10.0.0.0", 8, "::ffff:10.0.0.1", true),
    ] {
        let networks = [(network.parse().unwrap(), prefix)];
        assert_eq!(
            in_networks(&networks, address.parse().unwrap()),
            inside,
            "{address} in {network}/{prefix}"
        );
    }
}

proptest! {
    #[test]
    fn a_foreign_address_is_never_accepted(packets in proptest::collection::vec((0u8..4, 0u32..3, any::<u16>(), 0u64..300), 0..300)) {
        for media_from in [
            MediaFrom::Signalled,
            MediaFrom::Registration("198.51.100.99".parse().unwrap()),
            MediaFrom::Networks(vec![("10.1.0.0".parse().unwrap(), 16)]),
        ] {
            let mut latch = Latch::new(media_from.clone(), None);
            latch.negotiated(SIGNALLED.parse().ok(), media_from);
            let mut now = Duration::ZERO;
            for &(source, ssrc, sequence, ms) in &packets {
                now += Duration::from_millis(ms);
                let from = [SIGNALLED, OTHER_PORT, STRANGER, STRANGER][usize::from(source)].parse().unwrap();
                let sight = Sight { from, ssrc, position: Some((sequence, u32::from(sequence))), vouched: false };
                if latch.judge(now, &sight) != Learn && latch.source() == Some(from) {
                    prop_assert_ne!(from, STRANGER.parse().unwrap());
                }
                prop_assert_ne!(latch.send_to(), STRANGER.parse().ok());
            }
        }
    }
}
