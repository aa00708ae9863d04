//! Pairs are taken once, rest, and come back.

use std::collections::BTreeSet;

use proptest::prelude::*;
use rand_chacha::ChaCha12Rng;
use rand_core::SeedableRng;

use super::*;

const REST: Duration = Duration::from_secs(5);

fn all_of(ports: &mut Ports, worker: usize) -> BTreeSet<u16> {
    let mut random = ChaCha12Rng::from_seed([1; 32]);
    std::iter::from_fn(|| ports.take(Duration::ZERO, worker, &mut random)).collect()
}

#[test]
fn a_range_is_split_into_even_pairs_that_fit() {
    for (range, workers, expected) in [
        (20_000..=20_007, 1, vec![vec![20_000, 20_002, 20_004, 20_006]]),
        (20_001..=20_008, 1, vec![vec![20_002, 20_004, 20_006]]),
        (20_000..=20_007, 2, vec![vec![20_000, 20_002], vec![20_004, 20_006]]),
        (20_000..=20_003, 3, vec![vec![], vec![20_000], vec![20_002]]),
        (65_530..=65_535, 1, vec![vec![65_530, 65_532, 65_534]]),
        (0..=5, 1, vec![vec![2, 4]]),
        (20_000..=20_000, 1, vec![vec![]]),
    ] {
        let mut ports = Ports::new(&range, workers);
        let blocks: Vec<Vec<u16>> =
            (0..workers).map(|worker| all_of(&mut ports, worker).into_iter().collect()).collect();
        assert_eq!(blocks, expected, "{range:?} for {workers}");
    }
}

#[test]
fn ports_are_not_taken_in_order() {
    let mut ports = Ports::new(&(20_000..=29_999), 1);
    let mut random = ChaCha12Rng::from_seed([1; 32]);
    let taken: Vec<u16> = (0..50).filter_map(|_| ports.take(Duration::ZERO, 0, &mut random)).collect();
    let steps: BTreeSet<i32> = taken.windows(2).map(|pair| i32::from(pair[1]) - i32::from(pair[0])).collect();
    assert!(steps.len() > 45, "{taken:?}");
}

#[test]
fn a_pair_rests_before_it_is_taken_again() {
    let mut random = ChaCha12Rng::from_seed([1; 32]);
    let mut ports = Ports::new(&(20_000..=20_001), 1);
    assert_eq!(ports.take(Duration::ZERO, 0, &mut random), Some(20_000));
    ports.give_back(Duration::ZERO, 20_000, REST);
    assert_eq!(ports.take(REST - Duration::from_millis(1), 0, &mut random), None);
    assert_eq!(ports.due(), Some(REST));
    assert_eq!(ports.take(REST, 0, &mut random), Some(20_000));
}

#[test]
fn claims_after_a_restart() {
    let mut ports = Ports::new(&(20_000..=20_003), 1);
    assert!(ports.claim(20_002));
    assert!(!ports.claim(20_002));
    assert!(ports.claim(40_000), "the range has changed; the call goes on");
    assert_eq!(all_of(&mut ports, 0), BTreeSet::from([20_000]));
    ports.give_back(Duration::ZERO, 40_000, REST);
    assert_eq!((ports.taken(), ports.resting()), (2, 0));
}

proptest! {
    #[test]
    fn no_pair_is_lost_or_doubled(steps in proptest::collection::vec((0usize..3, any::<bool>()), 0..200)) {
        let mut random = ChaCha12Rng::from_seed([1; 32]);
        let mut ports = Ports::new(&(20_000..=20_063), 3);
        let mut held = Vec::new();
        for (n, (worker, take)) in steps.into_iter().enumerate() {
            let now = Duration::from_millis(n as u64 * 100);
            if take {
                if let Some(port) = ports.take(now, worker, &mut random) {
                    prop_assert!(!held.contains(&port));
                    held.push(port);
                }
            } else if let Some(port) = held.pop() {
                ports.give_back(now, port, REST);
            }
            prop_assert_eq!(ports.taken(), held.len());
        }
        for port in held {
            ports.give_back(Duration::from_secs(100), port, REST);
        }
        ports.wake(Duration::from_secs(106));
        prop_assert_eq!((ports.taken(), ports.resting()), (0, 0));
        let free: usize = (0..3).map(|worker| all_of(&mut ports, worker).len()).sum();
        prop_assert_eq!(free, 32);
    }
}
