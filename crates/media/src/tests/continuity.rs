//! One continuous stream towards each peer, whatever it is made of.

use std::time::Duration;

use super::rig::{FRAME, Rig};
use crate::*;

#[test]
fn prompt_then_bridge_then_music_then_bridge_is_one_stream() {
    let mut rig = Rig::new();
    let (a, mut caller) = rig.caller("198.51.100.7:4000", "8 0 101", MediaFrom::Signalled);
    rig.talk(&mut [&mut caller], 3);
    rig.control.play(rig.now, a, Rig::playlist(&["greeting", "menu"], false));
    rig.talk(&mut [&mut caller], 40);
    assert!(rig.events.contains(&Event::PlayDone { leg: a, tag: 9 }), "{:?}", rig.events);

    let (b, mut operator) = rig.callee("203.0.113.9:5000", "8 101", Some(a));
    rig.talk(&mut [&mut caller, &mut operator], 5);
    rig.control.bridge(rig.now, a, b);
    rig.talk(&mut [&mut caller, &mut operator], 50);
    // The operator holds: the caller hears music, then the operator again.
    rig.control.play(rig.now, a, Rig::playlist(&["music"], true));
    rig.talk(&mut [&mut caller, &mut operator], 100);
    rig.control.stop(rig.now, a);
    rig.talk(&mut [&mut caller, &mut operator], 50);
    // Handed on to another operator.
    let (c, mut other) = rig.callee("203.0.113.10:5000", "8 101", Some(a));
    rig.control.bridge(rig.now, a, c);
    rig.control.release(rig.now, b);
    rig.talk(&mut [&mut caller, &mut other], 50);

    for peer in [&caller, &operator, &other] {
        rig.heard_by(peer).assert_continuous();
    }
    let markers = rig.heard_by(&caller).packets.iter().filter(|packet| packet.marker).count();
    assert_eq!(markers, 5, "prompt, operator, music, operator, other operator");
    // What each says arrives as it was said.
    let last = rig.heard_by(&caller).packets.last().unwrap();
    assert_eq!(last.payload, vec![other.ssrc as u8 | 1; 160]);
    assert!(rig.events.iter().any(|event| matches!(event, Event::Released { leg, .. } if *leg == b)));
}

#[test]
fn loss_and_reordering_on_the_way_in_stay_as_they_are() {
    let mut rig = Rig::new();
    let (a, mut caller) = rig.caller("198.51.100.7:4000", "8 101", MediaFrom::Signalled);
    let (b, operator) = rig.callee("203.0.113.9:5000", "8 101", Some(a));
    rig.control.bridge(rig.now, a, b);
    rig.talk(&mut [&mut caller], 5);
    let packets: Vec<_> = (0..6).map(|_| caller.packet()).collect();
    for n in [0, 2, 1, 4, 5] {
        rig.arrive(caller.address, caller.ours, &packets[n]);
        rig.pass(FRAME);
    }
    let heard = &rig.heard_by(&operator).packets;
    let first = heard[0].sequence;
    let numbers: Vec<u16> = heard.iter().map(|packet| packet.sequence.wrapping_sub(first)).collect();
    assert_eq!(numbers, [0, 1, 2, 3, 4, 5, 7, 6, 9, 10]);
    for packet in heard {
        let expected = u32::from(packet.sequence.wrapping_sub(first)) * 160;
        assert_eq!(packet.timestamp.wrapping_sub(heard[0].timestamp), expected);
    }
}

#[test]
fn a_peer_that_starts_a_new_stream_stays_one_stream_for_the_other() {
    let mut rig = Rig::new();
    let (a, mut caller) = rig.caller("198.51.100.7:4000", "8 101", MediaFrom::Signalled);
    let (b, mut operator) = rig.callee("203.0.113.9:5000", "8 101", Some(a));
    rig.control.bridge(rig.now, a, b);
    rig.talk(&mut [&mut caller, &mut operator], 20);
    // A new SSRC, as after a media server's hand-over.
    caller.ssrc = 99;
    caller.sequence = 1;
    caller.timestamp = 5;
    rig.talk(&mut [&mut caller, &mut operator], 20);
    // The clock leaps within the same SSRC.
    caller.timestamp = caller.timestamp.wrapping_add(80_000_000);
    rig.talk(&mut [&mut caller, &mut operator], 20);
    rig.heard_by(&operator).assert_continuous();
    assert_eq!(rig.heard_by(&operator).packets.len(), 60);
}

#[test]
fn what_one_leg_cannot_take_leaves_no_gap() {
    let mut rig = Rig::new();
    let (a, mut caller) = rig.caller("198.51.100.7:4000", "8 101", MediaFrom::Signalled);
    let (b, operator) = rig.callee("203.0.113.9:5000", "8", Some(a));
    rig.control.bridge(rig.now, a, b);
    rig.talk(&mut [&mut caller], 10);
    for (end, duration) in [(false, 160), (false, 320), (true, 480), (true, 480)] {
        let packet = caller.event(5, end, duration);
        rig.arrive(caller.address, caller.ours, &packet);
        rig.pass(FRAME);
    }
    caller.timestamp = caller.timestamp.wrapping_add(640);
    rig.talk(&mut [&mut caller], 10);
    let heard = &rig.heard_by(&operator).packets;
    assert_eq!(heard.len(), 20);
    for pair in heard.windows(2) {
        assert_eq!(pair[1].sequence, pair[0].sequence.wrapping_add(1));
    }
    assert_eq!(rig.events.iter().filter(|event| matches!(event, Event::Digit { digit: '5', .. })).count(), 1);
}

#[test]
fn digits_pass_through_the_bridge_and_are_said_once() {
    let mut rig = Rig::new();
    let (a, mut caller) = rig.caller("198.51.100.7:4000", "8 101", MediaFrom::Signalled);
    let (b, operator) = rig.callee("203.0.113.9:5000", "8 101", Some(a));
    rig.control.bridge(rig.now, a, b);
    rig.talk(&mut [&mut caller], 10);
    for (end, duration) in [(false, 160), (false, 320), (true, 480), (true, 480), (true, 480)] {
        let packet = caller.event(11, end, duration);
        rig.arrive(caller.address, caller.ours, &packet);
    }
    rig.pass(FRAME);
    let events: Vec<_> =
        rig.heard_by(&operator).packets.iter().filter(|heard| heard.payload_type == 101).collect();
    assert_eq!(events.len(), 5);
    assert!(events.iter().all(|event| event.timestamp == events[0].timestamp));
    assert_eq!(rig.events.iter().filter(|event| matches!(event, Event::Digit { .. })).count(), 1);
}

#[test]
fn laws_are_converted_only_where_none_is_shared() {
    for (operator_takes, expected_type, converted) in
        [("8 101", 8, false), ("0 101", 0, true), ("0 8 101", 8, false)]
    {
        let mut rig = Rig::new();
        let (a, mut caller) = rig.caller("198.51.100.7:4000", "8 101", MediaFrom::Signalled);
        let (b, mut operator) = rig.callee("203.0.113.9:5000", operator_takes, Some(a));
        rig.control.bridge(rig.now, a, b);
        rig.talk(&mut [&mut caller, &mut operator], 10);
        let heard = rig.heard_by(&operator).packets.last().unwrap();
        assert_eq!(heard.payload_type, expected_type, "{operator_takes}");
        assert_eq!(heard.payload[0] != caller.ssrc as u8 | 1, converted, "{operator_takes}");
        rig.heard_by(&caller).assert_continuous();
        assert_eq!(rig.heard_by(&caller).packets.last().unwrap().payload_type, 8);
    }
}

#[test]
fn a_codec_that_is_not_ours_passes_through() {
    let mut rig = Rig::new();
    let (a, mut caller) = rig.caller("198.51.100.7:4000", "18 101", MediaFrom::Signalled);
    assert_eq!(rig.control.negotiated(a).unwrap().codec, None);
    rig.control.play(rig.now, a, Rig::playlist(&["menu"], false));
    rig.pass(Duration::from_secs(1));
    assert!(rig.events.iter().any(|event| matches!(event, Event::Trouble { .. })));
    assert!(rig.events.contains(&Event::PlayDone { leg: a, tag: 9 }), "the call goes on all the same");
    let (b, mut operator) = rig.callee("203.0.113.9:5000", "18 101", Some(a));
    rig.control.bridge(rig.now, a, b);
    rig.talk(&mut [&mut caller, &mut operator], 10);
    rig.heard_by(&operator).assert_continuous();
    assert_eq!(rig.heard_by(&operator).packets.last().unwrap().payload, vec![caller.ssrc as u8 | 1; 160]);
}
