//! Restarts: at each stage of a call, from the records alone.

use super::script::*;
use super::world::*;
use crate::*;

/// Runs both sides of a restored call to its end, and sees that both agree.
fn hang_up_and_rest(world: &mut World, centre_leg: DialogId) {
    world.act(0, |centre, now| centre.end(now, centre_leg, None));
    world.run_s(100);
    for node in 0..world.nodes.len() {
        assert_eq!(world.counts(node).dialogs, 0, "node {node}");
        assert_eq!(world.counts(node).transactions, 0, "node {node}");
    }
}

#[test]
fn an_established_call_goes_on_with_the_same_name() {
    for transport in [Transport::Udp, Transport::Tcp] {
        let mut world = centre(1, transport);
        let theirs = world.act(1, |carrier, now| carrier.invite(now, to_trunk("centre", "3919")));
        world.run_ms(100);
        let ours = world.incoming(0).dialog;
        world.act(0, |centre, now| centre.answer(now, ours, answer()));
        world.run_ms(100);
        world.restart(0);
        world.run_s(5);
        assert_eq!(world.counts(0).dialogs, 1);
        world.events(0);
        world.events(1);
        // Each end can still be heard by the other.
        world.act(0, |centre, now| centre.reoffer(now, ours, Some(offer())));
        world.run_ms(200);
        assert_eq!(brief(&world.events(1)), ["reoffer sdp"]);
        world.act(1, |carrier, now| carrier.answer_reoffer(now, theirs, answer()));
        world.run_ms(200);
        assert_eq!(brief(&world.events(0)), ["reoffer answered sdp"]);
        world.act(1, |carrier, now| carrier.probe(now, theirs));
        world.run_ms(200);
        assert!(brief(&world.events(1)).contains(&"alive".to_owned()));
        hang_up_and_rest(&mut world, ours);
        assert_eq!(brief(&world.events(1)).last().unwrap(), "ended Bye");
    }
}

#[test]
fn an_answer_that_was_not_acknowledged_is_repeated() {
    let mut world = centre(2, Transport::Udp);
    world.act(1, |carrier, now| carrier.invite(now, to_trunk("centre", "3919")));
    world.run_ms(100);
    let ours = world.incoming(0).dialog;
    world.weather.lost = 100;
    world.act(0, |centre, now| centre.answer(now, ours, answer()));
    world.restart(0);
    world.weather.lost = 0;
    world.run_s(2);
    assert_eq!(brief(&world.events(1)), ["answered sdp"]);
    assert!(brief(&world.events(0)).contains(&"acknowledged".to_owned()));
    hang_up_and_rest(&mut world, ours);
}

/// The program dies between writing its records and sending: all that the peer has done is to say INVITE.
#[test]
fn an_invite_that_comes_again_after_a_restart_is_no_new_call() {
    for refused in [false, true] {
        let mut world = centre(2, Transport::Udp);
        world.weather.lost = 0;
        world.act(1, |carrier, now| carrier.invite(now, to_trunk("centre", "3919")));
        // The INVITE arrives; nothing of the answer does.
        while world.counts(0).dialogs == 0 {
            world.run_ms(1);
        }
        let ours = world.incoming(0).dialog;
        world.weather.lost = 100;
        world.act(0, |centre, now| match refused {
            true => centre.reject(now, ours, 486, None),
            false => centre.answer(now, ours, answer()),
        });
        world.restart(0);
        world.run_ms(400);
        world.weather.lost = 0;
        world.run_s(3);
        let told = brief(&world.events(0));
        assert!(!told.iter().any(|event| event.starts_with("incoming")), "{told:?}");
        let theirs = brief(&world.events(1));
        assert_eq!(theirs.last().unwrap(), if refused { "failed 486" } else { "answered sdp" }, "{theirs:?}");
        hang_up_and_rest(&mut world, ours);
    }
}

/// A caller whom the 200 has not reached would answer 481, and be ended for it.
#[test]
fn whom_the_answer_has_not_reached_is_not_probed() {
    let mut world = centre(2, Transport::Udp);
    world.act(1, |carrier, now| carrier.invite(now, to_trunk("centre", "3919")));
    world.run_ms(100);
    let ours = world.incoming(0).dialog;
    world.weather.lost = 100;
    world.act(0, |centre, now| centre.answer(now, ours, answer()));
    world.run_ms(200);
    world.weather.lost = 0;
    world.act(0, |centre, now| centre.probe(now, ours));
    world.run_s(3);
    assert_eq!(brief(&world.events(0)), ["acknowledged"]);
    hang_up_and_rest(&mut world, ours);
}

#[test]
fn a_call_that_waits_can_still_be_answered_or_cancelled() {
    for cancelled in [false, true] {
        let mut world = centre(3, Transport::Udp);
        let theirs = world.act(1, |carrier, now| carrier.invite(now, to_trunk("centre", "3919")));
        world.run_ms(100);
        let ours = world.incoming(0).dialog;
        world.act(0, |centre, now| centre.progress(now, ours, 182, None));
        world.run_ms(100);
        world.restart(0);
        world.run_ms(100);
        assert_eq!(brief(&world.events(1)), ["progress 182", "progress 182"]);
        world.events(0);
        if cancelled {
            world.act(1, |carrier, now| carrier.end(now, theirs, None));
            world.run_ms(200);
            assert_eq!(brief(&world.events(0)), ["ended Cancel"]);
            assert_eq!(brief(&world.events(1)), ["failed 487"]);
        } else {
            world.act(0, |centre, now| centre.answer(now, ours, answer()));
            world.run_ms(200);
            assert_eq!(brief(&world.events(1)), ["answered sdp"]);
            assert_eq!(brief(&world.events(0)), ["acknowledged"]);
        }
        hang_up_and_rest(&mut world, ours);
    }
}

#[test]
fn a_call_that_rang_is_cancelled_and_nothing_rings_anew() {
    let mut world = centre(4, Transport::Udp);
    world.events(0);
    let leg = world.act(0, |centre, now| centre.invite(now, to_account("g2")));
    world.run_ms(100);
    let phone = world.incoming(2).dialog;
    world.act(2, |endpoint, now| endpoint.progress(now, phone, 180, None));
    world.run_ms(100);
    world.events(0);
    world.sent.clear();
    world.restart(0);
    world.run_s(1);
    assert!(!world.sent.iter().any(|(.., bytes)| bytes.starts_with(b"INVITE")));
    assert_eq!(brief(&world.events(2)), ["ended Cancel"]);
    assert!(brief(&world.events(0)).contains(&"failed 487".to_owned()));
    hang_up_and_rest(&mut world, leg);
}

#[test]
fn a_bye_that_was_under_way_is_sent_again() {
    let mut world = centre(5, Transport::Udp);
    world.act(1, |carrier, now| carrier.invite(now, to_trunk("centre", "3919")));
    world.run_ms(100);
    let ours = world.incoming(0).dialog;
    world.act(0, |centre, now| centre.answer(now, ours, answer()));
    world.run_ms(100);
    world.weather.lost = 100;
    world.act(0, |centre, now| centre.end(now, ours, None));
    world.weather.lost = 0;
    world.events(0);
    world.restart(0);
    world.run_s(1);
    assert!(brief(&world.events(0)).contains(&"ended Us".to_owned()));
    assert_eq!(brief(&world.events(1)).last().unwrap(), "ended Bye");
    hang_up_and_rest(&mut world, ours);
}

#[test]
fn a_late_copy_of_an_answered_invite_is_no_new_call() {
    let mut script = Script::new();
    script.from(CARRIER, &invite("a", 1));
    let leg = script.leg();
    script.act(|endpoint, now| endpoint.answer(now, leg, answer()));
    let to = to_of(&script);
    script.from(CARRIER, &request("ACK", "ack", &to, 1, ""));
    script.restart();
    script.told();
    script.said();
    script.from(CARRIER, &invite("a", 1));
    assert_eq!((script.said().len(), script.told().len()), (0, 0));
    assert_eq!(script.endpoint.counts().dialogs, 1);
    script.from(CARRIER, &invite("b", 1).replace("call-1", "call-2"));
    assert_eq!(script.told(), ["incoming"]);
}

#[test]
fn numbers_are_never_used_twice() {
    let mut script = Script::new();
    script.from(CARRIER, &invite("a", 1));
    let first = script.leg();
    script.act(|endpoint, now| endpoint.reject(now, first, 486, None));
    let to = to_of(&script);
    script.from(CARRIER, &request("ACK", "a", &to, 1, ""));
    script.pass_s(40);
    script.restart();
    script.from(CARRIER, &invite("b", 2));
    assert!(script.leg() > first, "although nothing of it is on record any more");
}

#[test]
fn sequence_numbers_jump_forward() {
    let mut script = Script::new();
    script.from(CARRIER, &invite("a", 1));
    let leg = script.leg();
    script.act(|endpoint, now| endpoint.answer(now, leg, answer()));
    let to = to_of(&script);
    script.from(CARRIER, &request("ACK", "ack", &to, 1, ""));
    let mut last = 0;
    for _ in 0..200 {
        script.act(|endpoint, now| endpoint.probe(now, leg));
        let options = script.request().clone();
        last = options.cseq().sequence;
        script.from(CARRIER, &reply(&options, 200, "", ""));
    }
    script.restart();
    script.act(|endpoint, now| endpoint.probe(now, leg));
    assert!(script.request().cseq().sequence > last);
}

#[test]
fn records_that_cannot_be_read_are_told_and_erased() {
    let mut script = Script::new();
    script.from(CARRIER, &invite("a", 1));
    let leg = script.leg();
    let key = *script.records.keys().next_back().unwrap();
    assert_eq!(key, leg.0);
    let whole = script.records[&key].clone();
    for cut in 0..whole.len() {
        script.records.insert(key, whole.slice(..cut));
        script.events.clear();
        script.restart();
        assert_eq!(script.told(), ["notice record unreadable"], "cut at {cut}");
        assert_eq!(script.endpoint.counts(), Counts::default());
        assert!(!script.records.contains_key(&key));
    }
    // Another version is another shape.
    let mut other = whole.to_vec();
    other[0] = 99;
    script.records.insert(key, other.into());
    script.restart();
    assert_eq!(script.told(), ["notice record unreadable"]);
}

#[test]
fn records_come_before_everything_else_of_a_step() {
    let mut script = Script::new();
    let input = Input::Datagram {
        local: CENTRE.parse().unwrap(),
        remote: CARRIER.parse().unwrap(),
        bytes: message(&invite("a", 1)),
    };
    script.endpoint.handle(script.now, input);
    let outputs: Vec<Output> = std::iter::from_fn(|| script.endpoint.poll_output()).collect();
    let kinds: Vec<&str> = outputs
        .iter()
        .map(|output| match output {
            Output::Persist { .. } => "persist",
            Output::Datagram { .. } => "datagram",
            Output::Event(_) => "event",
            _ => "other",
        })
        .collect();
    assert_eq!(kinds, ["persist", "persist", "datagram", "event"], "the mark, the leg, 100, the call");
}

#[test]
fn what_was_told_as_records_is_what_records_gives() {
    let mut script = Script::new();
    script.from(CARRIER, &invite("a", 1));
    let leg = script.leg();
    script.act(|endpoint, now| endpoint.answer(now, leg, answer()));
    let whole: Vec<(u64, bytes::Bytes)> = script.endpoint.records();
    assert_eq!(whole, script.records.clone().into_iter().collect::<Vec<_>>());
}
