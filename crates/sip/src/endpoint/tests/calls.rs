//! Whole calls between endpoints, over datagrams and streams.

use super::world::*;
use crate::*;

const TRANSPORTS: [Transport; 2] = [Transport::Udp, Transport::Tcp];

/// The carrier calls the centre, which answers. Gives both legs: the carrier's and the centre's.
fn answered(world: &mut World) -> (DialogId, DialogId) {
    let theirs = world.act(1, |carrier, now| carrier.invite(now, to_trunk("centre", "3919")));
    world.run_ms(100);
    let ours = world.incoming(0).dialog;
    world.act(0, |centre, now| centre.answer(now, ours, answer()));
    world.run_ms(100);
    assert_eq!(brief(&world.events(1)), ["answered sdp"]);
    assert_eq!(brief(&world.events(0)), ["acknowledged"]);
    (theirs, ours)
}

/// Nothing is left, once every timer has run out.
fn at_rest(world: &mut World) {
    world.run_s(1_000);
    for node in 0..world.nodes.len() {
        let counts = world.counts(node);
        assert_eq!((counts.dialogs, counts.transactions), (0, 0), "node {node}");
        assert!(world.nodes[node].records.keys().all(|key| *key == 0), "node {node} keeps records");
    }
}

#[test]
fn a_call_in_and_a_call_out_with_every_stage() {
    let v4 = ["10.0.0.1", "10.0.0.2", "10.0.0.3"];
    let v6 = ["2001:db8::1", "2001:db8::2", "2001:db8::3"];
    for (transport, at) in TRANSPORTS.into_iter().flat_map(|transport| [(transport, v4), (transport, v6)]) {
        let mut world = centre_at(1, transport, at);
        let theirs = world.act(1, |carrier, now| carrier.invite(now, to_trunk("centre", "3919")));
        world.run_ms(100);
        let incoming = world.incoming(0);
        assert_eq!(incoming.peer, Peer::Trunk("carrier".into()));
        assert_eq!((incoming.request_user.as_str(), incoming.to_user.as_str()), ("3919", "3919"));
        assert_eq!(incoming.caller.number.as_ref().map(Private::reveal), Some("0600000000"));
        assert_eq!(incoming.offer.as_deref(), Some(OFFER));
        let ours = incoming.dialog;
        world.act(0, |centre, now| centre.progress(now, ours, 183, Some(answer())));
        world.run_ms(100);
        world.act(0, |centre, now| centre.answer(now, ours, answer()));
        world.run_ms(100);
        assert_eq!(brief(&world.events(1)), ["progress 183 sdp", "answered sdp"]);
        assert_eq!(brief(&world.events(0)), ["acknowledged"]);

        let leg = world.act(0, |centre, now| centre.invite(now, to_account("g2")));
        world.run_ms(100);
        let phone = world.incoming(2).dialog;
        world.act(2, |phone_end, now| phone_end.progress(now, phone, 180, None));
        world.run_ms(100);
        world.act(2, |phone_end, now| phone_end.answer(now, phone, answer()));
        world.run_ms(100);
        assert_eq!(brief(&world.events(0)), ["progress 180", "answered sdp"]);

        world.act(1, |carrier, now| carrier.end(now, theirs, None));
        world.run_ms(100);
        assert_eq!(brief(&world.events(0)), ["ended Bye"]);
        assert_eq!(brief(&world.events(1)), ["ended Us"]);
        let reason = Reason { protocol: "Q.850".into(), cause: 16, text: Some("Normal \"clearing\"".into()) };
        world.act(0, |centre, now| centre.end(now, leg, Some(reason)));
        world.run_ms(100);
        assert_eq!(brief(&world.events(2)), ["acknowledged", "ended Bye Q.850;16"]);
        assert_eq!(brief(&world.events(0)), ["ended Us"]);
        at_rest(&mut world);
    }
}

#[test]
fn a_caller_who_gives_up_while_it_rings() {
    for transport in TRANSPORTS {
        let mut world = centre(2, transport);
        let theirs = world.act(1, |carrier, now| carrier.invite(now, to_trunk("centre", "3919")));
        world.run_ms(100);
        world.events(0);
        let reason = Reason { protocol: "Q.850".into(), cause: 31, text: None };
        world.act(1, |carrier, now| carrier.end(now, theirs, Some(reason)));
        world.run_ms(200);
        assert_eq!(brief(&world.events(0)), ["ended Cancel Q.850;31"]);
        assert_eq!(brief(&world.events(1)), ["failed 487"]);
        at_rest(&mut world);
    }
}

#[test]
fn a_cancel_that_crosses_the_answer_ends_with_bye() {
    let mut world = centre(3, Transport::Udp);
    let theirs = world.act(1, |carrier, now| carrier.invite(now, to_trunk("centre", "3919")));
    world.run_ms(100);
    let ours = world.incoming(0).dialog;
    world.act(0, |centre, now| centre.answer(now, ours, answer()));
    world.act(1, |carrier, now| carrier.end(now, theirs, None));
    world.run_ms(200);
    assert_eq!(brief(&world.events(1)), ["failed 487"]);
    assert_eq!(brief(&world.events(0)), ["acknowledged", "ended Bye"]);
    at_rest(&mut world);
}

#[test]
fn a_refusal_is_told_with_its_status_and_reason() {
    for transport in TRANSPORTS {
        let mut world = centre(4, transport);
        world.act(1, |carrier, now| carrier.invite(now, to_trunk("centre", "3919")));
        world.run_ms(100);
        let ours = world.incoming(0).dialog;
        world.act(0, |centre, now| centre.reject(now, ours, 480, None));
        world.run_ms(100);
        assert_eq!(brief(&world.events(1)), ["failed 480"]);
        assert_eq!(brief(&world.events(0)), ["ended Us"]);
        at_rest(&mut world);
    }
}

#[test]
fn a_delayed_offer_is_answered_in_the_ack() {
    let mut world = centre(5, Transport::Udp);
    let invite = Invite { offer: None, ..to_trunk("centre", "3919") };
    let theirs = world.act(1, |carrier, now| carrier.invite(now, invite));
    world.run_ms(100);
    let incoming = world.incoming(0);
    assert_eq!(incoming.offer, None);
    world.act(0, |centre, now| centre.answer(now, incoming.dialog, offer()));
    world.run_ms(3_000);
    assert_eq!(brief(&world.events(1)), ["answered sdp"]);
    world.act(1, |carrier, now| carrier.acknowledge(now, theirs, answer()));
    world.run_ms(100);
    assert_eq!(brief(&world.events(0)), ["acknowledged sdp"]);
    world.run_s(40);
    assert_eq!(world.counts(0).dialogs, 1, "the call lives on");
    world.act(1, |carrier, now| carrier.end(now, theirs, None));
    at_rest(&mut world);
}

#[test]
fn hold_and_resume_from_either_side_also_without_offer() {
    let mut world = centre(6, Transport::Udp);
    let (theirs, ours) = answered(&mut world);
    for (from, to, leg, other) in [(1, 0, theirs, ours), (0, 1, ours, theirs)] {
        world.act(from, |endpoint, now| endpoint.reoffer(now, leg, Some(offer())));
        world.run_ms(100);
        assert_eq!(brief(&world.events(to)), ["reoffer sdp"]);
        world.act(to, |endpoint, now| endpoint.answer_reoffer(now, other, answer()));
        world.run_ms(100);
        assert_eq!(brief(&world.events(from)), ["reoffer answered sdp"]);
        assert_eq!(brief(&world.events(to)), ["acknowledged"]);

        world.act(from, |endpoint, now| endpoint.reoffer(now, leg, None));
        world.run_ms(100);
        assert_eq!(brief(&world.events(to)), ["reoffer"]);
        world.act(to, |endpoint, now| endpoint.answer_reoffer(now, other, offer()));
        world.run_ms(100);
        assert_eq!(brief(&world.events(from)), ["reoffer answered sdp"]);
        world.act(from, |endpoint, now| endpoint.acknowledge(now, leg, answer()));
        world.run_ms(100);
        assert_eq!(brief(&world.events(to)), ["acknowledged sdp"]);

        world.act(from, |endpoint, now| endpoint.reoffer(now, leg, Some(offer())));
        world.run_ms(100);
        world.act(to, |endpoint, now| endpoint.reject_reoffer(now, other, 488));
        world.run_ms(100);
        assert_eq!(brief(&world.events(from)), ["reoffer failed 488"]);
        world.events(to);
    }
    world.act(0, |centre, now| centre.end(now, ours, None));
    at_rest(&mut world);
}

#[test]
fn offers_that_cross_are_both_made_in_the_end() {
    for seed in 0..20 {
        let mut world = centre(seed, Transport::Udp);
        let (theirs, ours) = answered(&mut world);
        world.act(0, |centre, now| centre.reoffer(now, ours, Some(offer())));
        world.act(1, |carrier, now| carrier.reoffer(now, theirs, Some(offer())));
        let mut made = [0, 0];
        for _ in 0..200 {
            world.run_ms(100);
            for (node, leg) in [(0, ours), (1, theirs)] {
                for event in world.events(node) {
                    match event {
                        Event::Reoffer { .. } => {
                            world.act(node, |endpoint, now| endpoint.answer_reoffer(now, leg, answer()))
                        }
                        Event::ReofferAnswered { .. } => made[node] += 1,
                        _ => {}
                    }
                }
            }
        }
        assert_eq!(made, [1, 1], "seed {seed}");
        world.act(0, |centre, now| centre.end(now, ours, None));
        at_rest(&mut world);
    }
}

#[test]
fn a_probe_finds_the_living_and_the_gone() {
    for transport in TRANSPORTS {
        let mut world = centre(7, transport);
        let (_, ours) = answered(&mut world);
        world.act(0, |centre, now| centre.probe(now, ours));
        world.run_ms(100);
        assert_eq!(brief(&world.events(0)), ["alive"]);
        world.nodes[1].gone = true;
        if transport == Transport::Tcp {
            world.break_streams(1);
        }
        world.run_ms(100);
        world.act(0, |centre, now| centre.probe(now, ours));
        world.run_s(33);
        assert_eq!(brief(&world.events(0)), ["ended Lost(408)"]);
    }
}

#[test]
fn both_hang_up_at_once() {
    let mut world = centre(8, Transport::Udp);
    let (theirs, ours) = answered(&mut world);
    world.act(0, |centre, now| centre.end(now, ours, None));
    world.act(1, |carrier, now| carrier.end(now, theirs, None));
    world.run_s(1);
    assert_eq!(brief(&world.events(0)), ["ended Us"]);
    assert_eq!(brief(&world.events(1)), ["ended Us"]);
    at_rest(&mut world);
}

#[test]
fn an_answer_without_ack_is_repeated_and_then_given_up() {
    let mut world = centre(9, Transport::Udp);
    world.act(1, |carrier, now| carrier.invite(now, to_trunk("centre", "3919")));
    world.run_ms(100);
    let ours = world.incoming(0).dialog;
    world.nodes[1].gone = true;
    world.sent.clear();
    world.act(0, |centre, now| centre.answer(now, ours, answer()));
    world.run_ms(31_000);
    let answers = world.sent.iter().filter(|(.., bytes)| bytes.starts_with(b"SIP/2.0 200")).count();
    // T1 doubles to T2: 0, 0.5, 1.5, 3.5, 7.5, then every 4 s up to 32 s.
    assert_eq!(answers, 10);
    world.run_s(40);
    assert_eq!(brief(&world.events(0)), ["ended NoAck"]);
    assert_eq!(world.counts(0), Counts::default());
}

#[test]
fn a_phone_that_is_not_there_is_a_device_gone() {
    for transport in TRANSPORTS {
        let mut world = centre(10, transport);
        world.nodes[2].gone = true;
        world.events(0);
        world.act(0, |centre, now| centre.invite(now, to_account("g2")));
        world.run_s(33);
        assert_eq!(brief(&world.events(0)), ["failed 408 gone"]);
        world.act(0, |centre, now| centre.invite(now, to_account("nobody")));
        assert_eq!(brief(&world.events(0)), ["failed 480 gone"]);
        at_rest(&mut world);
    }
}

#[test]
fn ending_before_the_ack_waits_for_it() {
    let mut world = centre(11, Transport::Udp);
    world.act(1, |carrier, now| carrier.invite(now, to_trunk("centre", "3919")));
    world.run_ms(100);
    let ours = world.incoming(0).dialog;
    world.act(0, |centre, now| centre.answer(now, ours, answer()));
    world.act(0, |centre, now| centre.end(now, ours, None));
    assert!(!world.sent.iter().any(|(.., bytes)| bytes.starts_with(b"BYE")));
    world.run_ms(200);
    assert_eq!(brief(&world.events(0)), ["ended Us"]);
    assert_eq!(brief(&world.events(1)), ["answered sdp", "ended Bye"]);
    at_rest(&mut world);
}

#[test]
fn a_name_is_looked_up_before_calling() {
    let mut world = centre(12, Transport::Udp);
    let mut settings = world.nodes[1].settings.clone();
    settings.trunks = vec![Trunk {
        keep_alive: Some(std::time::Duration::from_secs(30)),
        ..trunk("centre", "node0", Transport::Udp)
    }];
    world.nodes[1].settings = settings.clone();
    world.act(1, |carrier, now| carrier.reconfigure(now, settings));
    world.act(1, |carrier, now| carrier.invite(now, to_trunk("centre", "3919")));
    world.run_ms(200);
    assert_eq!(brief(&world.events(1)), ["trunk alive true"]);
    assert_eq!(world.incoming(0).request_user, "3919");
    world.nodes[0].gone = true;
    world.run_s(90);
    assert!(brief(&world.events(1)).contains(&"trunk alive false".to_owned()));
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let run = || {
        let mut world = centre(13, Transport::Udp);
        world.weather = Weather { lost: 20, doubled: 10, late_ms: 300 };
        let (ours, _) = {
            let theirs = world.act(1, |carrier, now| carrier.invite(now, to_trunk("centre", "3919")));
            (theirs, ())
        };
        world.run_s(5);
        world.act(1, |carrier, now| carrier.end(now, ours, None));
        world.run_s(100);
        world.sent
    };
    assert_eq!(run(), run());
}
