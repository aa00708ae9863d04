//! Ports, hold, early media, silence, reports.

use std::time::Duration;

use super::rig::{FRAME, Rig, address, address_in, sdp, settings};
use crate::*;

#[test]
fn ports_are_taken_rested_and_returned() {
    let mut rig = Rig::new();
    let (a, _) = rig.caller("198.51.100.7:4000", "8", MediaFrom::Signalled);
    let (b, _) = rig.callee("203.0.113.9:5000", "8", Some(a));
    assert_eq!(rig.control.counts(), Counts { legs: 2, ports: 2, quarantined: 0 });
    assert_eq!(rig.sockets.len(), 4);
    rig.control.release(rig.now, a);
    rig.control.release(rig.now, b);
    rig.control.release(rig.now, b);
    rig.pass(FRAME);
    assert_eq!(rig.control.counts(), Counts { legs: 0, ports: 0, quarantined: 2 });
    assert!(rig.sockets.is_empty());
    rig.pass(Duration::from_secs(5));
    assert_eq!(rig.control.counts(), Counts::default());
}

#[test]
fn when_ports_run_out_the_caller_is_told() {
    let mut rig = Rig::with(Settings { ports: 30_000..=30_007, workers: 1, ..settings() });
    for n in 0..4 {
        rig.caller(&format!("198.51.100.7:{}", 4000 + n * 2), "8", MediaFrom::Signalled);
    }
    let offer = Some(sdp(address("198.51.100.7:4444"), "8", ""));
    let request =
        Allocate { media_from: MediaFrom::Signalled, offer, partner: None, ipv6: false, codecs: Vec::new() };
    assert_eq!(rig.control.allocate(rig.now, request).unwrap_err(), MediaError::NoPorts);
}

#[test]
fn ipv6_is_spoken_to_those_who_speak_it() {
    let mut rig = Rig::new();
    let (a, mut caller) = rig.caller("[2001:db8::77]:4000", "8 101", MediaFrom::Signalled);
    assert_eq!(caller.ours.ip(), "2001:db8::1".parse::<std::net::IpAddr>().unwrap());
    let (b, mut operator) = rig.callee("203.0.113.9:5000", "8 101", Some(a));
    rig.control.bridge(rig.now, a, b);
    rig.talk(&mut [&mut caller, &mut operator], 10);
    rig.heard_by(&caller).assert_continuous();
    rig.heard_by(&operator).assert_continuous();
}

#[test]
fn the_advertised_address_stands_in_descriptions_and_the_local_one_is_bound() {
    let advertised_v4 = Some("203.0.113.200".parse().unwrap());
    let mut rig = Rig::with(Settings { advertised_v4, ..settings() });
    let (_, caller) = rig.caller("198.51.100.7:4000", "8", MediaFrom::Signalled);
    assert_eq!(caller.ours.ip(), "203.0.113.200".parse::<std::net::IpAddr>().unwrap());
    assert!(rig.sockets.values().all(|(at, _)| at.ip() == "192.0.2.1".parse::<std::net::IpAddr>().unwrap()));
}

#[test]
fn a_peer_on_hold_hears_nothing_and_then_the_same_stream() {
    let mut rig = Rig::new();
    let (a, mut caller) = rig.caller("198.51.100.7:4000", "8 101", MediaFrom::Signalled);
    let (b, mut operator) = rig.callee("203.0.113.9:5000", "8 101", Some(a));
    rig.control.bridge(rig.now, a, b);
    rig.talk(&mut [&mut caller, &mut operator], 10);
    for hold in ["a=sendonly\r\n", "a=inactive\r\n"] {
        let (answer, negotiated) =
            rig.control.reoffered(rig.now, b, &sdp(operator.address, "8 101", hold)).unwrap();
        assert!(negotiated.direction.is_hold());
        let answer = std::str::from_utf8(&answer).unwrap();
        assert!(
            answer.contains(if hold.contains("sendonly") { "a=recvonly" } else { "a=inactive" }),
            "{answer}"
        );
        let before = rig.heard_by(&operator).packets.len();
        rig.talk(&mut [&mut caller], 10);
        assert_eq!(rig.heard_by(&operator).packets.len(), before, "{hold}");
    }
    // The old way to hold.
    let old = String::from_utf8(sdp(operator.address, "8 101", "").to_vec()).unwrap();
    let old = old.replace("c=IN IP4 203.0.113.9", "c=IN IP4 0.0.0.0").into();
    assert_eq!(rig.control.reoffered(rig.now, b, &old).unwrap().1.direction, Direction::Inactive);
    rig.talk(&mut [&mut caller], 10);
    rig.control.reoffered(rig.now, b, &sdp(operator.address, "8 101", "a=sendrecv\r\n")).unwrap();
    rig.settle();
    // Her phone's clock went on meanwhile.
    operator.timestamp = operator.timestamp.wrapping_add(30 * 160);
    rig.talk(&mut [&mut caller, &mut operator], 10);
    // What was said to nobody is loss to nobody: the numbers of the stream go on.
    let heard = &rig.heard_by(&operator).packets;
    assert_eq!(heard.len(), 20);
    assert!(heard.iter().all(|packet| packet.ssrc == heard[0].ssrc));
    for pair in rig.heard_by(&caller).packets.windows(2) {
        assert_eq!(pair[1].sequence, pair[0].sequence.wrapping_add(1));
    }
}

#[test]
fn early_media_of_one_phone_gives_way_to_the_answer_of_another() {
    let mut rig = Rig::new();
    let (a, mut caller) = rig.caller("198.51.100.7:4000", "8 101", MediaFrom::Signalled);
    let request = Allocate {
        media_from: MediaFrom::Signalled,
        offer: None,
        partner: Some(a),
        ipv6: false,
        codecs: Vec::new(),
    };
    let Allocated { leg: b, sdp: offer } = rig.control.allocate(rig.now, request).unwrap();
    rig.control.bridge(rig.now, a, b);
    rig.settle();
    let mut early = super::rig::Peer::new(address("203.0.113.1:5000"), address_in(&offer), 8);
    let mut last = super::rig::Peer::new(address("10.0.0.9:5000"), address_in(&offer), 8);
    rig.control.answered(rig.now, b, &sdp(early.address, "8 101", ""), None).unwrap();
    rig.talk(&mut [&mut caller, &mut early], 10);
    assert_eq!(rig.heard_by(&caller).packets.len(), 10);
    // Another phone answers, from behind a NAT.
    let registration = MediaFrom::Registration("203.0.113.50".parse().unwrap());
    rig.control.answered(rig.now, b, &sdp(last.address, "8 101", ""), Some(registration)).unwrap();
    rig.settle();
    last.address = address("203.0.113.50:33000");
    rig.talk(&mut [&mut caller, &mut early, &mut last], 20);
    assert_eq!(rig.heard_by(&caller).packets.len(), 10 + 16);
    assert_eq!(rig.heard_by(&caller).packets.last().unwrap().payload[0], last.ssrc as u8 | 1);
    rig.heard_by(&caller).packets.windows(2).for_each(|pair| assert_eq!(pair[0].ssrc, pair[1].ssrc));
}

#[test]
fn an_answer_taken_again_changes_nothing() {
    let mut rig = Rig::new();
    let (a, mut caller) = rig.caller("198.51.100.7:4000", "8 101", MediaFrom::Signalled);
    let (b, mut operator) = rig.callee("203.0.113.9:5000", "8 101", Some(a));
    rig.control.bridge(rig.now, a, b);
    rig.talk(&mut [&mut caller, &mut operator], 10);
    rig.control.answered(rig.now, b, &sdp(operator.address, "8 101", ""), None).unwrap();
    rig.talk(&mut [&mut caller, &mut operator], 10);
    rig.heard_by(&caller).assert_continuous();
    rig.heard_by(&operator).assert_continuous();
    assert_eq!(rig.heard_by(&caller).packets.len(), 20);
}

#[test]
fn silence_is_told_again_after_each_such_time() {
    let mut rig = Rig::new();
    let (a, mut caller) = rig.caller("198.51.100.7:4000", "8 101", MediaFrom::Signalled);
    rig.pass(Duration::from_secs(41));
    rig.talk(&mut [&mut caller], 10);
    rig.pass(Duration::from_secs(21));
    let told: Vec<_> = rig
        .events
        .iter()
        .filter_map(|event| match event {
            Event::Silent { leg, since, ever } if *leg == a => Some((since.as_secs(), *ever)),
            _ => None,
        })
        .collect();
    assert_eq!(told, [(20, false), (40, false), (20, true)]);
}

#[test]
fn a_leg_that_is_not_negotiated_is_not_silent() {
    let mut rig = Rig::new();
    let request = Allocate {
        media_from: MediaFrom::Signalled,
        offer: None,
        partner: None,
        ipv6: false,
        codecs: Vec::new(),
    };
    rig.control.allocate(rig.now, request).unwrap();
    rig.pass(Duration::from_secs(60));
    assert!(rig.events.is_empty(), "{:?}", rig.events);
}

#[test]
fn reports_go_out_and_come_in() {
    let mut rig = Rig::new();
    let (a, mut caller) = rig.caller("198.51.100.7:4000", "8 101", MediaFrom::Signalled);
    rig.control.play(rig.now, a, Rig::playlist(&["music"], true));
    rig.talk(&mut [&mut caller], 600);
    let (to, report) = rig.rtcp_heard.last().cloned().expect("reports go out");
    assert_eq!(to, address("198.51.100.7:4001"));
    assert_eq!(report[1], 200, "a sender report, since sound goes out");
    let word = |at: usize| u32::from_be_bytes(report[at..at + 4].try_into().unwrap());
    assert_eq!(word(4), rig.heard_by(&caller).packets[0].ssrc);
    assert!(word(20) > 100, "packets sent");
    assert_eq!(word(28), caller.ssrc, "a block about the caller");
    assert_eq!(word(32) >> 24, 0, "without loss");
    // The caller's report: 25 % loss, and our report's time 100 ms later, held for 60 ms.
    let middle = (word(8) << 16) | (word(12) >> 16);
    let mut answer = vec![0x81, 201, 0, 7];
    answer.extend(caller.ssrc.to_be_bytes());
    answer.extend(word(4).to_be_bytes());
    answer.extend([64, 0, 0, 9, 0, 0, 0, 9, 0, 0, 0, 0]);
    answer.extend(middle.to_be_bytes());
    answer.extend((65_536u32 * 60 / 1000).to_be_bytes());
    rig.rtcp_heard.clear();
    let sent_at = Duration::from_secs(u64::from(word(8)))
        + Duration::from_micros((u64::from(word(12)) * 1_000_000) >> 32);
    rig.now = rig.now.max(sent_at + Duration::from_millis(100));
    let expected_ms = (rig.now - sent_at).as_secs_f32() * 1000.0 - 60.0;
    let mut port = caller.ours;
    port.set_port(port.port() + 1);
    assert_eq!(rig.arrive(address("198.51.100.7:4001"), port, &answer), Some(Verdict::Consume));
    rig.control.release(rig.now, a);
    rig.pass(FRAME);
    let Some(Event::Released { stats, .. }) = rig.events.last() else { panic!("{:?}", rig.events) };
    assert_eq!(stats.remote_loss, Some(0.25));
    assert!((stats.round_trip_ms.unwrap() - expected_ms).abs() < 2.0, "{stats:?} {expected_ms}");
    assert_eq!((stats.received, stats.lost), (600, 0));
    assert!(
        rig.rtcp_heard.iter().any(|(_, report)| report.windows(2).any(|bytes| bytes == [0x81, 203])),
        "BYE"
    );
}

#[test]
fn reports_share_the_port_where_that_is_agreed() {
    let mut rig = Rig::new();
    let at = address("198.51.100.7:4000");
    let offer = Some(sdp(at, "8 101", "a=rtcp-mux\r\n"));
    let request =
        Allocate { media_from: MediaFrom::Signalled, offer, partner: None, ipv6: false, codecs: Vec::new() };
    let allocated = rig.control.allocate(rig.now, request).unwrap();
    assert!(std::str::from_utf8(&allocated.sdp).unwrap().contains("a=rtcp-mux"));
    rig.pass(Duration::from_secs(20));
    assert!(!rig.rtcp_heard.is_empty());
    assert!(rig.rtcp_heard.iter().all(|(to, _)| *to == at));
    let report = [0x80, 201, 0, 1, 0, 0, 0, 5];
    assert_eq!(rig.arrive(at, address_in(&allocated.sdp), &report), Some(Verdict::Consume));
    let stranger = address("192.0.2.66:4000");
    assert_eq!(rig.arrive(stranger, address_in(&allocated.sdp), &report), Some(Verdict::Drop));
}

#[test]
fn callers_who_wait_together_hear_music_from_different_places() {
    let mut rig = Rig::new();
    let mut heard = std::collections::BTreeSet::new();
    let legs: Vec<_> =
        (0..20).map(|n| rig.caller(&format!("198.51.100.{n}:4000"), "8", MediaFrom::Signalled).0).collect();
    for leg in legs {
        rig.control.play(rig.now, leg, Rig::playlist(&["music"], true));
    }
    while let Some(output) = rig.control.poll_output() {
        if let Output::Command { command: Command::Play { play, .. }, .. } = output {
            heard.insert(play.start);
        }
    }
    assert!(heard.len() > 15, "{heard:?}");
}

#[test]
fn a_missing_prompt_is_skipped_and_told_once() {
    let mut rig = Rig::new();
    let (a, _) = rig.caller("198.51.100.7:4000", "8", MediaFrom::Signalled);
    for _ in 0..3 {
        rig.control.play(rig.now, a, Rig::playlist(&["nowhere", "menu"], false));
        rig.pass(Duration::from_secs(1));
    }
    let count = |wanted: fn(&Event) -> bool| rig.events.iter().filter(|event| wanted(event)).count();
    assert_eq!(count(|event| matches!(event, Event::Trouble { .. })), 1);
    assert_eq!(count(|event| matches!(event, Event::PlayDone { .. })), 3);
}

#[test]
fn a_stopped_or_replaced_list_is_never_done() {
    let mut rig = Rig::new();
    let (a, _) = rig.caller("198.51.100.7:4000", "8", MediaFrom::Signalled);
    rig.control.play(rig.now, a, Rig::playlist(&["menu"], false));
    rig.pass(Duration::from_millis(100));
    rig.control.stop(rig.now, a);
    rig.control.play(rig.now, a, Rig::playlist(&["menu"], false));
    rig.pass(Duration::from_millis(100));
    rig.control.play(rig.now, a, Rig::playlist(&["menu"], false));
    rig.pass(Duration::from_secs(2));
    assert_eq!(rig.events.iter().filter(|event| matches!(event, Event::PlayDone { .. })).count(), 1);
}

#[test]
fn a_peer_that_takes_only_short_packets_gets_them() {
    let mut rig = Rig::new();
    let at = address("198.51.100.7:4000");
    let offer = Some(sdp(at, "8", "a=maxptime:10\r\n"));
    let request =
        Allocate { media_from: MediaFrom::Signalled, offer, partner: None, ipv6: false, codecs: Vec::new() };
    let Allocated { leg, .. } = rig.control.allocate(rig.now, request).unwrap();
    rig.control.play(rig.now, leg, Rig::playlist(&["menu"], false));
    rig.pass(Duration::from_secs(1));
    let heard = &rig.heard[&at].packets;
    assert_eq!(heard.len(), 20);
    assert!(heard.iter().all(|packet| packet.payload.len() == 80));
}

#[test]
fn legs_on_different_threads_are_not_bridged_and_that_is_said() {
    let mut rig = Rig::new();
    let (a, _) = rig.caller("198.51.100.7:4000", "8", MediaFrom::Signalled);
    let (b, _) = rig.caller("198.51.100.8:4000", "8", MediaFrom::Signalled);
    rig.control.bridge(rig.now, a, b);
    rig.settle();
    assert!(rig.events.iter().all(|event| matches!(event, Event::Trouble { .. })));
    assert_eq!(rig.events.len(), 2);
}
