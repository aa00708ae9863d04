//! Every flow on a network in good weather.

use super::*;
use crate::{Codec, Direction};

#[test]
fn a_call_is_answered_heard_and_ended_by_either_side() {
    for ending in 0..2 {
        let mut pair = Pair::new(1);
        let call = pair.up();
        pair.run(SECOND * 3);
        for phone in 0..2 {
            let other = Signature::of((1 - phone as u64) * 17 + 3);
            assert!(pair.phones[phone].heard(call, other) > 0.9);
            assert_eq!(pair.phones[phone].loudest(call).map(|(heard, _)| heard), Some(other));
            assert_eq!(pair.count(phone, |event| matches!(event, Event::MediaStarted { .. })), 1);
            assert_eq!(pair.count(phone, |event| *event == Event::MediaHeard { call, signature: other }), 1);
        }
        pair.command(ending, Command::HangUp { call, reason: Some("Q.850;cause=16".to_owned()) });
        pair.run(SECOND);
        assert_eq!(pair.ends(ending), [End::ByMe]);
        assert_eq!(pair.ends(1 - ending), [End::ByPeer]);
        let media = pair.last_media(0);
        assert!(media.received > 200 && media.sent > 200 && media.lost == 0, "{media:?}");
        let told = pair.count(1 - ending, |event| {
            matches!(event, Event::Ended { reason, .. } if reason.as_deref() == Some("Q.850;cause=16"))
        });
        assert_eq!(told, 1);
        pair.assert_nothing_left();
    }
}

#[test]
fn the_callers_name_and_number_arrive_and_stay_out_of_debug() {
    let mut pair = Pair::new(2);
    let mut dial = Dial::to("sip:3919@192.0.2.2").from("sip:+33100000001@trunk.example");
    dial.from_display = Some("0100000001".into());
    dial.asserted_identity = Some("<sip:+33100000001@trunk.example>".into());
    dial.headers.push(("Diversion".to_owned(), "<sip:+33100000001@x>".into()));
    let printed = format!("{dial:?}");
    pair.dial_with(dial);
    pair.run(SECOND);
    let incoming = pair.events[1].iter().find_map(|(_, event)| match event {
        Event::Incoming { from, to, from_display, .. } => {
            Some((from.clone(), to.clone(), from_display.clone()))
        }
        _ => None,
    });
    let (from, to, display) = incoming.unwrap();
    assert_eq!(
        (from.as_str(), to.as_str(), display.as_str()),
        ("sip:+33100000001@trunk.example", "sip:3919@192.0.2.2", "0100000001")
    );
    let events = format!("{:?}", pair.events);
    assert!(!events.contains("100000001") && !printed.contains("100000001"), "{events}");
}

#[test]
fn rejections_reach_the_caller() {
    for status in [302, 404, 480, 486, 503, 600, 603] {
        let mut pair = Pair::new(3);
        pair.behave(1, Ringing::Ring, Answering::Reject { after: 200 * MS, status, contact: None });
        let call = pair.dial();
        pair.run(SECOND);
        assert_eq!(
            pair.count(0, |event| matches!(event, Event::Rejected { status: got, .. } if *got == status)),
            1
        );
        assert_eq!(pair.ends(1), [End::Refused(status)]);
        assert_eq!(pair.sent(0, "ACK"), 1);
        assert_eq!(pair.phones[0].media(call), None);
        pair.assert_nothing_left();
    }
}

#[test]
fn all_lines_taken_is_busy() {
    let mut pair = Pair::new(4);
    let mut a = config(0);
    a.rtp.push(SocketAddr::from(([192, 0, 2, 1], 6000)));
    pair.phones[0] = Phone::new(a, [4; 32]);
    pair.up();
    pair.dial();
    pair.run(SECOND);
    assert_eq!(pair.count(0, |event| matches!(event, Event::Rejected { status: 486, .. })), 1);
    pair.command(0, Command::Dial(Box::new(Dial::to("sip:x@192.0.2.2"))));
    pair.command(0, Command::Dial(Box::new(Dial::to("sip:x@192.0.2.2"))));
    assert_eq!(pair.count(0, |event| *event == Event::Refused { why: Refusal::NoCapacity }), 1);
}

#[test]
fn the_caller_gives_up_while_it_rings() {
    let mut pair = Pair::new(5);
    let mut dial = Dial::to("sip:bea@192.0.2.2");
    dial.give_up_after = Some(SECOND * 5);
    pair.dial_with(dial);
    pair.run(SECOND * 6);
    assert_eq!((pair.ends(0), pair.ends(1)), (vec![End::Cancelled], vec![End::Cancelled]));
    assert_eq!((pair.sent(0, "CANCEL"), pair.sent(1, "SIP/2.0 487")), (1, 1));
    pair.assert_nothing_left();
}

#[test]
fn a_cancel_waits_for_the_first_provisional_response() {
    let mut pair = Pair::new(6);
    let call = pair.dial();
    pair.command(0, Command::HangUp { call, reason: None });
    assert_eq!(pair.sent(0, "CANCEL"), 0);
    pair.run(SECOND);
    assert_eq!(pair.sent(0, "CANCEL"), 1);
    assert_eq!((pair.ends(0), pair.ends(1)), (vec![End::Cancelled], vec![End::Cancelled]));
    pair.assert_nothing_left();
}

#[test]
fn a_cancel_that_crosses_the_200_is_followed_by_a_bye() {
    let mut pair = Pair::new(7);
    let call = pair.dial();
    pair.run(SECOND);
    pair.command(1, Command::Answer { call });
    pair.command(0, Command::HangUp { call, reason: None });
    pair.run(SECOND);
    assert_eq!((pair.sent(0, "CANCEL"), pair.sent(0, "ACK"), pair.sent(0, "BYE")), (1, 1, 1));
    assert_eq!((pair.ends(0), pair.ends(1)), (vec![End::Cancelled], vec![End::ByPeer]));
    pair.assert_nothing_left();
}

#[test]
fn nobody_answers_a_dead_or_switched_off_phone() {
    for power in [true, false] {
        let mut pair = Pair::new(8);
        pair.behave(1, Ringing::Ring, Answering::Dead);
        pair.command(1, Command::Power(power));
        pair.dial();
        pair.run(SECOND * 40);
        // RFC 3261 §17.1.1.2: seven INVITEs, at 0, 0.5, 1.5, 3.5, 7.5, 15.5 and 31.5 s.
        assert_eq!(pair.sent(0, "INVITE"), 7);
        assert_eq!(pair.count(0, |event| matches!(event, Event::Rejected { status: 408, .. })), 1);
        assert!(pair.events[1].is_empty());
    }
}

#[test]
fn power_comes_back_with_nothing_remembered() {
    let mut pair = Pair::new(9);
    let call = pair.up();
    pair.command(1, Command::Power(false));
    pair.command(1, Command::Answer { call });
    assert_eq!(pair.count(1, |event| *event == Event::Refused { why: Refusal::PoweredOff }), 1);
    pair.run(SECOND);
    pair.command(1, Command::Power(true));
    pair.command(0, Command::Refresh { call, update: false, offer: true });
    pair.run(SECOND);
    assert_eq!(pair.ends(0), [End::Lost], "the other side answers 481");
    pair.assert_nothing_left();
}

#[test]
fn early_media_is_heard_before_the_answer() {
    let mut pair = Pair::new(10);
    pair.behave(1, Ringing::EarlyMedia, Answering::OnCommand);
    let call = pair.dial();
    pair.run(SECOND);
    assert_eq!(pair.count(0, |event| *event == Event::Ringing { call, status: 183, early_media: true }), 1);
    assert!(pair.phones[0].heard(call, Signature::of(20)) > 0.9);
    pair.command(1, Command::Answer { call });
    pair.run(SECOND);
    assert!(pair.phones[0].is_established(call) && pair.phones[1].is_established(call));
    assert_eq!(pair.phones[0].media(call).map(|media| (media.lost, media.ssrc_changes)), Some((0, 0)));
}

#[test]
fn a_late_offer_is_answered_in_the_ack() {
    let mut pair = Pair::new(11);
    pair.behave(1, Ringing::Ring, Answering::Accept { after: SECOND });
    let mut dial = Dial::to("sip:bea@192.0.2.2");
    dial.offer = false;
    let call = pair.dial_with(dial);
    pair.run(SECOND * 3);
    for phone in 0..2 {
        assert!(pair.phones[phone].media(call).is_some_and(|media| media.received > 50), "{phone}");
    }
}

#[test]
fn hold_and_resume_from_either_side() {
    for holder in 0..2 {
        let other = 1 - holder;
        let mut pair = Pair::new(12);
        let call = pair.up();
        for (wish, sends) in [(Direction::SendOnly, true), (Direction::Inactive, false)] {
            pair.command(holder, Command::Redirect { call, direction: wish });
            pair.run(SECOND);
            assert_eq!(pair.count(other, |event| *event == Event::Redirected { call, direction: wish }), 1);
            let before = [0, 1].map(|phone| pair.phones[phone].media(call).unwrap().received);
            pair.run(SECOND);
            let after = [0, 1].map(|phone| pair.phones[phone].media(call).unwrap().received);
            assert_eq!(after[holder], before[holder], "the held side is silent");
            assert_eq!(after[other] > before[other], sends, "{wish:?}");
        }
        pair.command(holder, Command::Redirect { call, direction: Direction::SendRecv });
        pair.run(SECOND);
        let before = [0, 1].map(|phone| pair.phones[phone].media(call).unwrap().received);
        pair.run(SECOND);
        for (phone, before) in before.into_iter().enumerate() {
            let media = pair.phones[phone].media(call).unwrap();
            assert!(media.received >= before + 48, "{phone}");
            assert_eq!((media.lost, media.ssrc_changes), (0, 0));
        }
        pair.command(holder, Command::HangUp { call, reason: None });
        pair.assert_nothing_left();
    }
}

#[test]
fn refreshes_leave_the_session_alone() {
    for (update, offer) in [(false, true), (false, false), (true, true), (true, false)] {
        for phone in 0..2 {
            let mut pair = Pair::new(13);
            let call = pair.up();
            pair.command(phone, Command::Refresh { call, update, offer });
            pair.run(SECOND);
            assert_eq!(pair.count(phone, |event| *event == Event::Refreshed { call, status: 200 }), 1);
            assert_eq!(pair.count(1 - phone, |event| matches!(event, Event::Redirected { .. })), 0);
            let before = pair.phones[0].media(call).unwrap();
            pair.run(SECOND);
            let after = pair.phones[0].media(call).unwrap();
            assert!(after.received > before.received + 40 && after.lost == 0, "{update} {offer}");
        }
    }
}

#[test]
fn glare_is_resolved() {
    let mut pair = Pair::new(14);
    let call = pair.up();
    pair.command(0, Command::Redirect { call, direction: Direction::SendOnly });
    pair.command(1, Command::Refresh { call, update: false, offer: true });
    pair.run(SECOND * 10);
    assert!(pair.sent(0, "SIP/2.0 491") > 0 && pair.sent(1, "SIP/2.0 491") > 0);
    for phone in 0..2 {
        assert_eq!(pair.count(phone, |event| *event == Event::Refreshed { call, status: 200 }), 1, "{phone}");
    }
    pair.command(0, Command::HangUp { call, reason: None });
    pair.assert_nothing_left();
}

#[test]
fn digits_are_heard_once_each_in_every_mode() {
    for mode in [RtpMode::Full, RtpMode::Off, RtpMode::Sparse { every_ms: 500 }] {
        let mut pair = Pair::new(15);
        let call = pair.up();
        pair.command(0, Command::RtpMode { call, mode });
        pair.run(SECOND);
        pair.command(0, Command::Digits { call, digits: "1122*#0D".to_owned() });
        pair.run(SECOND * 4);
        let digits: String = pair.events[1]
            .iter()
            .filter_map(|(_, event)| match event {
                Event::Digit { digit, duration_ms, .. } => {
                    assert_eq!(*duration_ms, 160);
                    Some(*digit)
                }
                _ => None,
            })
            .collect();
        assert_eq!(digits, "1122*#0D", "{mode:?}");
        pair.command(0, Command::Digits { call, digits: "x".to_owned() });
        assert_eq!(pair.count(0, |event| *event == Event::Refused { why: Refusal::NoDigits }), 1);
    }
}

#[test]
fn modes_and_muting_change_what_is_sent() {
    let mut pair = Pair::new(16);
    let call = pair.up();
    pair.command(0, Command::RtpMode { call, mode: RtpMode::Sparse { every_ms: 500 } });
    let before = pair.phones[0].media(call).unwrap().sent;
    pair.run(SECOND * 10);
    let sparse = pair.phones[0].media(call).unwrap().sent - before;
    assert!((20..=22).contains(&sparse), "{sparse}");
    pair.command(0, Command::RtpMode { call, mode: RtpMode::Full });
    pair.command(0, Command::Mute { call, muted: true });
    pair.run(SECOND * 5);
    let before = pair.phones[1].media(call).unwrap();
    pair.run(SECOND);
    assert!(
        pair.phones[1].media(call).unwrap().received >= before.received + 49,
        "silence is sent as packets"
    );
    pair.command(0, Command::Mute { call, muted: false });
    pair.command(0, Command::Speak { call, voice: Voice::Signature(Signature::of(99)) });
    pair.run(SECOND * 2);
    assert_eq!(pair.phones[1].loudest(call).map(|(heard, _)| heard), Some(Signature::of(99)));
}

#[test]
fn the_called_sides_first_codec_of_the_offer_wins_and_strangers_get_488() {
    for codec in [Codec::ALaw, Codec::MuLaw] {
        let (a, mut b) = (config(0), config(1));
        b.codecs = vec![codec];
        let mut pair = Pair::of(17, a, b);
        let call = pair.up();
        pair.run(SECOND);
        assert!(pair.phones[0].heard(call, Signature::of(20)) > 0.9, "{codec:?}");
    }
    let (mut a, mut b) = (config(0), config(1));
    (a.codecs, b.codecs) = (vec![Codec::ALaw], vec![Codec::MuLaw]);
    let mut pair = Pair::of(18, a, b);
    pair.dial();
    pair.run(SECOND);
    assert_eq!(pair.count(0, |event| matches!(event, Event::Rejected { status: 488, .. })), 1);
    assert!(pair.events[1].is_empty());
    pair.assert_nothing_left();
}

#[test]
fn the_called_side_waits_for_the_ack_before_its_bye() {
    let mut pair = Pair::new(19);
    let call = pair.dial();
    pair.run(SECOND);
    pair.command(1, Command::Answer { call });
    pair.command(1, Command::HangUp { call, reason: None });
    assert_eq!(pair.sent(1, "BYE"), 0);
    pair.run(SECOND);
    assert_eq!((pair.sent(1, "BYE"), pair.ends(1), pair.ends(0)), (1, vec![End::ByMe], vec![End::ByPeer]));
    pair.assert_nothing_left();
}

#[test]
fn a_200_never_acknowledged_ends_in_a_bye() {
    let mut pair = Pair::new(20);
    pair.filter = Some(Box::new(|phone, line| phone == 0 && line.starts_with("ACK")));
    let call = pair.dial();
    pair.run(SECOND);
    pair.command(1, Command::Answer { call });
    pair.run(SECOND * 40);
    assert_eq!((pair.ends(1), pair.ends(0)), (vec![End::Lost], vec![End::ByPeer]));
    // T1 doubling to T2 within 64·T1, beside the first: RFC 3261 §13.3.1.4.
    assert_eq!(pair.sent(1, "SIP/2.0 200"), 11);
    assert_eq!(pair.sent(0, "ACK"), 11, "each 200 gets its ACK again");
    pair.assert_nothing_left();
}

#[test]
fn options_are_answered() {
    let mut pair = Pair::new(21);
    pair.command(0, Command::Options);
    pair.run(SECOND);
    assert_eq!(pair.count(0, |event| *event == Event::OptionsAnswered { status: 200 }), 1);
    pair.assert_nothing_left();
}

#[test]
fn commands_that_make_no_sense_are_refused() {
    let mut pair = Pair::new(22);
    let nobody = CallId(99);
    for command in [
        Command::Answer { call: nobody },
        Command::HangUp { call: nobody, reason: None },
        Command::Mute { call: nobody, muted: true },
    ] {
        pair.command(0, command);
    }
    assert_eq!(pair.count(0, |event| *event == Event::Refused { why: Refusal::NoSuchCall }), 3);
    let call = pair.up();
    for command in [
        Command::Answer { call },
        Command::Ring { call, ringing: Ringing::Ring },
        Command::Reject { call, status: 486, contact: None },
        Command::Unregister,
    ] {
        pair.command(0, command);
    }
    assert_eq!(pair.count(0, |event| *event == Event::Refused { why: Refusal::WrongState }), 4);
}

#[test]
fn the_tape_keeps_the_last_seconds() {
    let (mut a, b) = (config(0), config(1));
    a.tape_s = 1;
    let mut pair = Pair::of(23, a, b);
    let call = pair.up();
    pair.run(SECOND * 5);
    assert_eq!(pair.phones[0].tape(call).count(), 8000);
    assert_eq!(pair.phones[1].tape(call).count(), 0);
}
