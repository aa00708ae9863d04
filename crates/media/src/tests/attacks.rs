//! Strangers who send to our ports: neither heard nor answered.

use std::time::Duration;

use super::rig::{FRAME, Peer, Rig, address, rtp, sdp};
use crate::*;

/// Two legs in a bridge whose peers haven't spoken yet.
fn bridged(media_from: MediaFrom) -> (Rig, LegId, Peer, Peer) {
    let mut rig = Rig::new();
    let (a, caller) = rig.caller("198.51.100.7:4000", "8 101", media_from);
    let (b, operator) = rig.callee("203.0.113.9:5000", "8 101", Some(a));
    rig.control.bridge(rig.now, a, b);
    rig.settle();
    (rig, a, caller, operator)
}

fn rejected(rig: &Rig) -> usize {
    rig.events.iter().filter(|event| matches!(event, Event::SourceRejected { .. })).count()
}

#[test]
fn a_stranger_before_the_peer_is_neither_heard_nor_answered() {
    let (mut rig, a, mut caller, mut operator) = bridged(MediaFrom::Signalled);
    let mut stranger = Peer::new(address("192.0.2.66:6666"), caller.ours, 8);
    rig.talk(&mut [&mut stranger, &mut operator], 50);
    assert!(rig.heard_nothing(operator.address), "the stranger was heard");
    assert!(rig.heard_nothing(stranger.address), "the stranger was answered");
    assert_eq!(rejected(&rig), 1, "said once, not a packet");
    assert!(!rig.heard_nothing(caller.address), "the signalled address is sent to before it speaks");
    // The peer still can speak, at once.
    rig.talk(&mut [&mut caller, &mut stranger], 10);
    assert_eq!(rig.heard_by(&operator).packets.len(), 10);
    assert!(
        rig.events
            .iter()
            .any(|event| matches!(event, Event::Latched { leg, as_signalled: true, .. } if *leg == a))
    );
}

#[test]
fn a_stranger_with_the_peers_ssrc_and_sequence_is_not_heard() {
    let (mut rig, _, mut caller, operator) = bridged(MediaFrom::Signalled);
    rig.talk(&mut [&mut caller], 10);
    let heard = rig.heard_by(&operator).packets.len();
    let stranger = address("192.0.2.66:4000");
    for n in 1..200u16 {
        let packet = rtp(
            8,
            caller.sequence.wrapping_add(n),
            caller.timestamp.wrapping_add(u32::from(n) * 160),
            caller.ssrc,
            &[1; 160],
        );
        rig.arrive(stranger, caller.ours, &packet);
        rig.pass(FRAME);
    }
    assert_eq!(rig.heard_by(&operator).packets.len(), heard);
    assert!(rig.heard_nothing(stranger));
}

#[test]
fn another_port_of_the_peers_address_does_not_take_over_while_the_peer_speaks() {
    let (mut rig, _, mut caller, operator) = bridged(MediaFrom::Signalled);
    rig.talk(&mut [&mut caller], 10);
    let neighbour = address("198.51.100.7:4444");
    let before = rig.heard_by(&operator).packets.len();
    for _ in 0..50 {
        let packet = caller.packet();
        rig.arrive(caller.address, caller.ours, &packet);
        // It guessed everything, and is even faster.
        for ahead in 1..8u16 {
            let copy = rtp(8, caller.sequence.wrapping_add(ahead), caller.timestamp, caller.ssrc, &[1; 160]);
            rig.arrive(neighbour, caller.ours, &copy);
        }
        rig.pass(FRAME);
    }
    assert_eq!(rig.heard_by(&operator).packets.len(), before + 50);
    assert!(rig.heard_nothing(neighbour));
}

#[test]
fn another_port_with_another_stream_never_takes_over() {
    let (mut rig, _, mut caller, operator) = bridged(MediaFrom::Signalled);
    rig.talk(&mut [&mut caller], 10);
    rig.pass(Duration::from_secs(2));
    let mut neighbour = Peer::new(address("198.51.100.7:4444"), caller.ours, 8);
    rig.talk(&mut [&mut neighbour], 50);
    assert_eq!(rig.heard_by(&operator).packets.len(), 10);
    assert!(rig.heard_nothing(neighbour.address));
    assert_eq!(rejected(&rig), 1);
}

#[test]
fn a_nats_new_binding_is_followed() {
    let (mut rig, _, mut caller, mut operator) = bridged(MediaFrom::Signalled);
    rig.talk(&mut [&mut caller, &mut operator], 50);
    // The NAT forgets while the caller is silent, and gives a new port when she speaks again.
    rig.pass(Duration::from_secs(1));
    caller.address = address("198.51.100.7:50123");
    rig.talk(&mut [&mut caller, &mut operator], 50);
    let heard = rig.heard_by(&operator).packets.len();
    assert!((90..100).contains(&heard), "{heard} of 100");
    assert!(!rig.heard_nothing(caller.address), "the new port is sent to");
}

#[test]
fn a_phone_behind_nat_is_learnt_from_its_registration() {
    let mut rig = Rig::new();
    let registration = MediaFrom::Registration("198.51.100.99".parse().unwrap());
    let (a, mut phone) = rig.caller("10.0.0.5:4000", "8 101", registration);
    let (b, mut operator) = rig.callee("203.0.113.9:5000", "8 101", Some(a));
    rig.control.bridge(rig.now, a, b);
    phone.address = address("198.51.100.99:31000");
    // Four packets are no proof.
    rig.talk(&mut [&mut phone], 4);
    rig.talk(&mut [&mut operator], 1);
    assert!(rig.heard_nothing(operator.address));
    assert!(rig.heard_nothing(phone.address), "a candidate is not answered");
    rig.talk(&mut [&mut phone, &mut operator], 10);
    assert_eq!(rig.heard_by(&operator).packets.len(), 10);
    assert_eq!(rig.heard_by(&phone).packets.len(), 10);
    assert!(
        rig.events
            .iter()
            .any(|event| matches!(event, Event::Latched { leg, as_signalled: false, .. } if *leg == a))
    );
}

#[test]
fn inconsistent_packets_prove_nothing() {
    let mut rig = Rig::new();
    let registration = MediaFrom::Registration("198.51.100.99".parse().unwrap());
    let (a, phone) = rig.caller("10.0.0.5:4000", "8 101", registration);
    let (b, operator) = rig.callee("203.0.113.9:5000", "8 101", Some(a));
    rig.control.bridge(rig.now, a, b);
    let from = address("198.51.100.99:31000");
    for n in 0..100u32 {
        let packet = rtp(8, (n * 7919) as u16, n * 160, 5, &[1; 160]);
        rig.arrive(from, phone.ours, &packet);
        let packet = rtp(8, n as u16, n * 160, n, &[1; 160]);
        rig.arrive(from, phone.ours, &packet);
        rig.pass(FRAME);
    }
    assert!(rig.heard_nothing(operator.address));
}

#[test]
fn a_trunks_networks_may_change_the_source_and_nobody_else() {
    let networks = MediaFrom::Networks(vec![("198.51.100.0".parse().unwrap(), 24)]);
    let (mut rig, _, mut caller, mut operator) = bridged(networks);
    rig.talk(&mut [&mut caller, &mut operator], 20);
    assert_eq!(rig.heard_by(&operator).packets.len(), 20);
    // Another machine of the farm goes on.
    caller.address = address("198.51.100.8:7000");
    caller.ssrc = 4242;
    rig.pass(Duration::from_millis(200));
    rig.talk(&mut [&mut caller, &mut operator], 20);
    assert_eq!(rig.heard_by(&operator).packets.len(), 20 + 16);
    // We still send where the trunk said that it receives.
    assert_eq!(rig.heard[&address("198.51.100.7:4000")].packets.len(), 40);
    let mut stranger = Peer::new(address("198.51.101.8:7000"), caller.ours, 8);
    rig.pass(Duration::from_secs(3));
    rig.talk(&mut [&mut stranger], 20);
    assert_eq!(rig.heard_by(&operator).packets.len(), 36);
    assert_eq!(rejected(&rig), 1);
    assert!(
        rig.sockets.values().all(|(at, filter)| *at != caller.ours || filter.is_none()),
        "stays unconnected"
    );
}

#[test]
fn a_renegotiation_lets_the_peer_move_once() {
    let (mut rig, a, mut caller, mut operator) = bridged(MediaFrom::Signalled);
    rig.talk(&mut [&mut caller, &mut operator], 20);
    let moved = address("198.51.100.20:8000");
    let (answer, negotiated) = rig.control.reoffered(rig.now, a, &sdp(moved, "8 101", "")).unwrap();
    assert_eq!(negotiated.direction, Direction::SendRecv);
    assert!(std::str::from_utf8(&answer).unwrap().contains("a=sendrecv"));
    rig.settle();
    // The old address is a stranger now.
    rig.talk(&mut [&mut caller], 5);
    assert_eq!(rig.heard_by(&operator).packets.len(), 20);
    caller.address = moved;
    rig.talk(&mut [&mut caller, &mut operator], 20);
    assert_eq!(rig.heard_by(&operator).packets.len(), 40);
    assert_eq!(rig.heard_by(&caller).packets.len(), 20);
}

#[test]
fn foreign_rtcp_is_not_believed() {
    let (mut rig, a, mut caller, mut operator) = bridged(MediaFrom::Signalled);
    rig.talk(&mut [&mut caller, &mut operator], 20);
    // A receiver report that claims total loss.
    let ours = rig.heard_by(&caller).packets[0].ssrc;
    let mut report = vec![0x81, 201, 0, 7];
    report.extend(caller.ssrc.to_be_bytes());
    report.extend(ours.to_be_bytes());
    report.extend([255, 0, 0, 99, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    let rtcp_port = |mut at: std::net::SocketAddr| {
        at.set_port(at.port() + 1);
        at
    };
    rig.arrive(address("192.0.2.66:6667"), rtcp_port(caller.ours), &report);
    rig.control.release(rig.now, a);
    rig.pass(FRAME);
    let stats = rig.events.iter().find_map(|event| match event {
        Event::Released { leg, stats } if *leg == a => Some(*stats),
        _ => None,
    });
    assert_eq!(stats.unwrap().remote_loss, None);
    assert_eq!(stats.unwrap().received, 20);
    assert_eq!(stats.unwrap().sent, 20);
}

#[test]
fn a_flood_is_cut_to_the_rate_and_counted() {
    let (mut rig, a, mut caller, operator) = bridged(MediaFrom::Signalled);
    for _ in 0..1000 {
        let packet = caller.packet();
        rig.arrive(caller.address, caller.ours, &packet);
    }
    assert_eq!(rig.heard_by(&operator).packets.len(), 250);
    rig.control.release(rig.now, a);
    rig.pass(FRAME);
    assert!(
        rig.events.iter().any(|event| matches!(event, Event::Released { stats, .. } if stats.dropped == 750))
    );
}

#[test]
fn at_most_four_sources_are_told() {
    let (mut rig, _, caller, _) = bridged(MediaFrom::Signalled);
    for port in 1..100 {
        let mut stranger = Peer::new(address(&format!("192.0.2.66:{port}")), caller.ours, 8);
        let packet = stranger.packet();
        rig.arrive(stranger.address, caller.ours, &packet);
    }
    assert_eq!(rejected(&rig), 4);
}
