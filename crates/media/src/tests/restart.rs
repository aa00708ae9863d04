//! Restored from records at any step: legs, ports, bridges and prompts go on, and no number comes twice.

use std::collections::BTreeSet;
use std::time::Duration;

use proptest::prelude::*;

use super::rig::{FRAME, Rig, address, settings};
use crate::*;

/// The program dies and starts again `after` that: new workers, control from what was persisted.
fn restart(rig: &mut Rig, after: Duration) {
    rig.settle();
    let kept = rig.records.clone();
    let said: Vec<_> = kept.clone().into_iter().collect();
    assert_eq!(rig.control.records(), said, "what was persisted piece by piece is the whole");
    rig.sockets.clear();
    rig.now += after;
    rig.control = Control::restore(rig.now, settings(), [9; 32], kept);
    for (number, worker) in rig.workers.iter_mut().enumerate() {
        *worker = Worker::new(rig.now, rig.control.worker_settings(), [40 + number as u8; 32]);
    }
    rig.settle();
}

#[test]
fn a_bridge_goes_on_with_the_same_streams() {
    let mut rig = Rig::new();
    let (a, mut caller) = rig.caller("198.51.100.7:4000", "8 101", MediaFrom::Signalled);
    let (b, mut operator) = rig.callee("203.0.113.9:5000", "8 101", Some(a));
    rig.control.bridge(rig.now, a, b);
    rig.talk(&mut [&mut caller, &mut operator], 130);
    let before = rig.heard_by(&operator).packets.clone();
    restart(&mut rig, Duration::from_millis(900));
    rig.talk(&mut [&mut caller, &mut operator], 50);

    let heard = &rig.heard_by(&operator).packets;
    let (last, next) = (&heard[before.len() - 1], &heard[before.len()]);
    assert_eq!(next.ssrc, last.ssrc);
    let step = next.sequence.wrapping_sub(last.sequence);
    assert!((1..1000).contains(&step), "forward, and not taken for a new stream: {step}");
    assert!((1..160_000).contains(&next.timestamp.wrapping_sub(last.timestamp)));
    assert_eq!(heard.len(), before.len() + 50, "the latched source is known at once");
    assert_eq!(rig.control.counts(), Counts { legs: 2, ports: 2, quarantined: 0 });
}

#[test]
fn a_prompt_goes_on_where_it_was() {
    let mut rig = Rig::new();
    let (a, mut caller) = rig.caller("198.51.100.7:4000", "8 101", MediaFrom::Signalled);
    rig.control.play(rig.now, a, Rig::playlist(&["music", "menu"], false));
    rig.talk(&mut [&mut caller], 120);
    let heard = rig.heard_by(&caller).packets.len();
    restart(&mut rig, Duration::from_millis(100));
    rig.talk(&mut [&mut caller], 200);
    assert!(rig.events.contains(&Event::PlayDone { leg: a, tag: 9 }));
    let total = rig.heard_by(&caller).packets.len();
    // 3.2 s of sound are 160 packets; at most a second is heard twice.
    assert!((160..=215).contains(&total), "{heard} before, {total} in all");
}

#[test]
fn names_are_never_used_again() {
    let mut rig = Rig::new();
    let (a, _) = rig.caller("198.51.100.7:4000", "8", MediaFrom::Signalled);
    rig.control.release(rig.now, a);
    restart(&mut rig, FRAME);
    let (b, _) = rig.caller("198.51.100.7:4000", "8", MediaFrom::Signalled);
    assert!(b > a, "{b:?} after {a:?}");
}

#[test]
fn what_cannot_be_read_is_skipped() {
    let mut rig = Rig::new();
    let (a, _) = rig.caller("198.51.100.7:4000", "8", MediaFrom::Signalled);
    rig.caller("198.51.100.8:4000", "8", MediaFrom::Signalled);
    rig.settle();
    let mut records = rig.records.clone();
    records.insert(a.0 * 2, bytes::Bytes::from_static(&[1, 255, 255]));
    records.insert(900, bytes::Bytes::from_static(&[77]));
    records.insert(901, bytes::Bytes::new());
    let control = Control::restore(rig.now, settings(), [9; 32], records);
    assert_eq!(control.counts().legs, 1);
    assert_eq!(control.negotiated(a), None);
}

#[test]
fn fewer_workers_after_the_restart_keep_bridges_together() {
    let mut rig = Rig::new();
    let mut pairs = Vec::new();
    for n in 0..6 {
        let (a, caller) = rig.caller(&format!("198.51.100.{n}:4000"), "8 101", MediaFrom::Signalled);
        let (b, operator) = rig.callee(&format!("203.0.113.{n}:5000"), "8 101", Some(a));
        rig.control.bridge(rig.now, a, b);
        pairs.push((caller, operator));
    }
    rig.settle();
    let one = Settings { workers: 1, ..settings() };
    rig.sockets.clear();
    rig.control = Control::restore(rig.now, one, [9; 32], rig.records.clone());
    rig.workers = vec![Worker::new(rig.now, rig.control.worker_settings(), [1; 32])];
    rig.settle();
    for (caller, operator) in &mut pairs {
        rig.talk(&mut [caller, operator], 3);
        assert_eq!(rig.heard_by(operator).packets.len(), 3);
    }
}

#[derive(Clone, Debug)]
enum Step {
    Call,
    Bridge(usize, usize),
    Unbridge(usize),
    Play(usize, bool),
    Stop(usize),
    Hold(usize, bool),
    Release(usize),
    Talk,
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => Just(Step::Call),
        3 => (0usize..8, 0usize..8).prop_map(|(a, b)| Step::Bridge(a, b)),
        1 => (0usize..8).prop_map(Step::Unbridge),
        2 => (0usize..8, any::<bool>()).prop_map(|(leg, repeat)| Step::Play(leg, repeat)),
        1 => (0usize..8).prop_map(Step::Stop),
        1 => (0usize..8, any::<bool>()).prop_map(|(leg, hold)| Step::Hold(leg, hold)),
        2 => (0usize..8).prop_map(Step::Release),
        3 => Just(Step::Talk),
        1 => Just(Step::Restart),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn any_life_with_restarts_at_any_step_ends_with_nothing_left(steps in proptest::collection::vec(step(), 1..40)) {
        let mut rig = Rig::new();
        let mut legs = Vec::new();
        let mut host = 0u32;
        for step in steps {
            match step {
                Step::Call => {
                    host += 1;
                    let at = format!("198.51.100.{}:{}", host % 250, 4000 + host * 2);
                    legs.push(rig.caller(&at, "8 0 101", MediaFrom::Signalled));
                }
                Step::Bridge(a, b) if a < legs.len() && b < legs.len() => {
                    rig.control.bridge(rig.now, legs[a].0, legs[b].0);
                }
                Step::Unbridge(leg) if leg < legs.len() => rig.control.unbridge(rig.now, legs[leg].0),
                Step::Play(leg, repeat) if leg < legs.len() => {
                    rig.control.play(rig.now, legs[leg].0, Rig::playlist(&["menu"], repeat));
                }
                Step::Stop(leg) if leg < legs.len() => rig.control.stop(rig.now, legs[leg].0),
                Step::Hold(leg, hold) if leg < legs.len() => {
                    let extra = if hold { "a=sendonly\r\n" } else { "" };
                    let offer = super::rig::sdp(legs[leg].1.address, "8 101", extra);
                    rig.control.reoffered(rig.now, legs[leg].0, &offer).unwrap();
                }
                Step::Release(leg) if leg < legs.len() => {
                    let (leg, _) = legs.swap_remove(leg);
                    rig.control.release(rig.now, leg);
                }
                Step::Talk => {
                    let mut peers: Vec<_> = legs.iter_mut().map(|(_, peer)| peer).collect();
                    rig.talk(&mut peers, 3);
                }
                Step::Restart => restart(&mut rig, Duration::from_millis(50)),
                _ => {}
            }
            rig.settle();
            let ports: BTreeSet<_> = rig.sockets.values().map(|(at, _)| *at).collect();
            prop_assert_eq!(ports.len(), legs.len() * 2, "each leg has its own pair");
        }
        for (leg, _) in legs {
            rig.control.release(rig.now, leg);
        }
        rig.pass(Duration::from_secs(6));
        prop_assert_eq!(rig.control.counts(), Counts::default());
        prop_assert!(rig.sockets.is_empty());
        prop_assert!(rig.workers.iter().all(|worker| worker.poll_timeout().is_none()));
        prop_assert_eq!(rig.records.len(), usize::from(rig.records.contains_key(&0)), "only the counter stays");
    }

    #[test]
    fn the_same_inputs_give_the_same_outputs(seed: [u8; 32]) {
        let life = || {
            let mut control = Control::new(Duration::ZERO, settings(), seed);
            let offer = Some(super::rig::sdp(address("198.51.100.7:4000"), "8 101", ""));
            let request = Allocate { media_from: MediaFrom::Signalled, offer, partner: None, ipv6: false, codecs: Vec::new() };
            let allocated = control.allocate(Duration::ZERO, request).unwrap();
            control.play(Duration::ZERO, allocated.leg, Rig::playlist(&["music"], true));
            let mut log = format!("{:?}", allocated.sdp);
            while let Some(output) = control.poll_output() {
                log += &format!("{output:?}");
            }
            log
        };
        prop_assert_eq!(life(), life());
    }
}
