//! Legs, ours and theirs, against hand-written messages: each rule by the messages that meet it.

use super::script::*;
use super::world::{answer, offer, to_account};
use crate::wire::{HeaderId, Method, Request};
use crate::*;

/// An account at a fixed address, so that calls out need no registration.
const DESK: &str = "10.0.0.9:5060";

fn with_desk() -> Script {
    Script::with(|settings| {
        let target = Target { host: "10.0.0.9".into(), port: None, transport: Transport::Udp, user: None };
        settings.accounts.push(Account { name: "desk".into(), credential: None, fixed: Some(target) });
    })
}

/// The carrier's call, answered and acknowledged. Gives the leg and our To.
fn incoming_call(script: &mut Script) -> (DialogId, String) {
    script.from(CARRIER, &invite("first", 1));
    let leg = script.leg();
    script.act(|endpoint, now| endpoint.answer(now, leg, answer()));
    let to = to_of(script);
    script.from(CARRIER, &request("ACK", "ack", &to, 1, ""));
    assert_eq!(script.told(), ["incoming", "acknowledged"]);
    script.said();
    (leg, to)
}

/// Our call to the desk, ringing. Gives the leg and the INVITE.
fn ringing_call(script: &mut Script) -> (DialogId, Request) {
    script.told();
    script.said();
    let leg = script.act(|endpoint, now| endpoint.invite(now, to_account("desk")));
    let invite = script.request().clone();
    script.from(DESK, &reply(&invite, 180, "d", ""));
    assert_eq!(script.told(), ["progress 180"]);
    script.said();
    (leg, invite)
}

const DESK_CONTACT: &str = "Contact: <sip:desk@10.0.0.9:5060>\n";

fn ok(invite: &Request, tag: &str) -> String {
    reply(invite, 200, tag, &format!("{DESK_CONTACT}{SDP_BODY}"))
}

#[test]
fn the_answer_makes_a_dialog_with_its_route_set() {
    let mut script = Script::new();
    let routes = "Record-Route: <sip:10.0.0.5;lr>, <sip:10.0.0.6;lr>\n";
    script.from(CARRIER, &request("INVITE", "a", TO, 1, &format!("{routes}{SDP_BODY}")));
    let leg = script.leg();
    script.act(|endpoint, now| endpoint.progress(now, leg, 183, Some(answer())));
    let progress = script.response();
    assert_eq!(progress.first(HeaderId::RecordRoute), Some(&b"<sip:10.0.0.5;lr>, <sip:10.0.0.6;lr>"[..]));
    assert!(progress.to().tag().is_some() && progress.sdp().is_some() && progress.has(HeaderId::Contact));
    script.act(|endpoint, now| endpoint.answer(now, leg, answer()));
    let to = to_of(&script);
    script.from(CARRIER, &request("ACK", "ack", &to, 1, ""));
    script.act(|endpoint, now| endpoint.end(now, leg, None));
    let bye = script.request();
    // RFC 3261 §12.1.1: in the order of the request.
    let route: Vec<&[u8]> = bye.all(HeaderId::Route).collect();
    assert_eq!(route, [&b"<sip:10.0.0.5;lr>"[..], b"<sip:10.0.0.6;lr>"]);
    assert_eq!(bye.uri().as_bytes(), b"sip:0612345678@10.0.0.2:5060");
    assert_eq!(script.sent.last().unwrap().0.to_string(), "10.0.0.5:5060");
    assert_eq!(bye.to().as_bytes(), b"<sip:0612345678@10.0.0.2>;tag=carrier1");
}

#[test]
fn a_strict_router_gets_the_request_uri() {
    let mut script = with_desk();
    let (leg, invite) = ringing_call(&mut script);
    let routes = "Record-Route: <sip:10.0.0.6;lr>, <sip:10.0.0.5>\n";
    script.from(DESK, &reply(&invite, 200, "d", &format!("{routes}{DESK_CONTACT}{SDP_BODY}")));
    let ack = script.request();
    assert_eq!(*ack.method(), Method::Ack);
    // RFC 3261 §12.1.2: reversed; §12.2.1.1: the strict router's URI, and the target last.
    assert_eq!(ack.uri().as_bytes(), b"sip:10.0.0.5");
    let route: Vec<&[u8]> = ack.all(HeaderId::Route).collect();
    assert_eq!(route, [&b"<sip:10.0.0.6;lr>"[..], b"<sip:desk@10.0.0.9:5060>"]);
    let _ = leg;
}

#[test]
fn cancel_waits_for_a_sign_of_life() {
    let mut script = with_desk();
    let leg = script.act(|endpoint, now| endpoint.invite(now, to_account("desk")));
    let invite = script.request().clone();
    script.act(|endpoint, now| endpoint.end(now, leg, None));
    assert_eq!(script.said(), ["INVITE"], "RFC 3261 §9.1: no CANCEL before a provisional response");
    script.from(DESK, &reply(&invite, 100, "", ""));
    let cancel = script.request().clone();
    assert_eq!(*cancel.method(), Method::Cancel);
    assert_eq!(
        (cancel.via().branch(), cancel.uri().as_bytes()),
        (invite.via().branch(), invite.uri().as_bytes())
    );
    assert_eq!(cancel.cseq().sequence, invite.cseq().sequence);
    script.from(DESK, &reply(&cancel, 200, "c", ""));
    script.from(DESK, &reply(&invite, 487, "d", ""));
    assert_eq!(script.request().method(), &Method::Ack);
    assert_eq!(script.request().via().branch(), invite.via().branch());
    assert_eq!(script.told().last().unwrap(), "failed 487");
    // The 487 again: its ACK again, and nothing else.
    script.said();
    script.from(DESK, &reply(&invite, 487, "d", ""));
    assert_eq!(script.said(), ["ACK"]);
    script.pass_s(40);
    assert_eq!(script.endpoint.counts().transactions, 0);
}

#[test]
fn a_cancel_that_nobody_answers_is_given_up() {
    let mut script = with_desk();
    let (leg, _) = ringing_call(&mut script);
    script.act(|endpoint, now| endpoint.end(now, leg, None));
    script.pass_s(33);
    assert_eq!(script.told(), ["failed 487"]);
    assert_eq!(script.endpoint.counts().dialogs, 0);
}

#[test]
fn answers_of_other_forks_are_acknowledged_and_ended() {
    let mut script = with_desk();
    let (_, invite) = ringing_call(&mut script);
    script.from(DESK, &ok(&invite, "d"));
    script.from(DESK, &ok(&invite, "d"));
    assert_eq!(script.said(), ["ACK", "ACK"], "a repeated 2xx gets its ACK again");
    script.from(DESK, &ok(&invite, "other"));
    assert_eq!(
        script.requests().iter().filter(|request| request.to().tag().as_deref() == Some(b"other")).count(),
        2
    );
    assert_eq!(script.said(), ["ACK", "BYE"]);
    script.from(DESK, &ok(&invite, "other"));
    assert_eq!(script.said(), ["ACK"]);
    assert_eq!(script.told(), ["answered sdp"]);
    assert_eq!(script.endpoint.counts().dialogs, 1);
}

#[test]
fn of_several_contacts_one_wins() {
    let mut script = with_desk();
    // A second way to the desk: registered contacts beside its fixed address need a password, so give it one.
    let mut settings = script.settings.clone();
    let target = Target { host: "10.0.0.9".into(), port: Some(5062), transport: Transport::Udp, user: None };
    settings.accounts.push(Account { name: "desk2".into(), credential: None, fixed: Some(target) });
    script.act(|endpoint, now| endpoint.reconfigure(now, settings));
    let register = |script: &mut Script, port: u16| {
        let text = format!(
            "REGISTER sip:{DOMAIN} SIP/2.0\nVia: SIP/2.0/UDP 10.0.0.9:{port};rport;branch=z9hG4bKr{port}\n\
             From: <sip:desk2@{DOMAIN}>;tag=r{port}\nTo: <sip:desk2@{DOMAIN}>\nCall-ID: r{port}\nCSeq: 1 REGISTER\n\
             Contact: <sip:desk2@10.0.0.9:{port}>\n"
        );
        script.from("10.0.0.9:5062", &text);
        assert_eq!(script.response().status().code(), 200);
    };
    register(&mut script, 5062);
    register(&mut script, 5072);
    script.told();
    script.said();
    let leg = script.act(|endpoint, now| endpoint.invite(now, to_account("desk2")));
    let invites: Vec<Request> = script.requests().into_iter().cloned().collect();
    assert_eq!(invites.len(), 3);
    assert!(invites.iter().all(|invite| invite.call_id() == invites[0].call_id()));
    script.said();
    script.from(DESK, &reply(&invites[0], 180, "a", ""));
    script.from(DESK, &reply(&invites[1], 486, "b", ""));
    assert_eq!(script.told(), ["progress 180"]);
    script.from(DESK, &ok(&invites[2], "c"));
    assert_eq!(script.told(), ["answered sdp"]);
    let cancel =
        script.requests().into_iter().find(|request| *request.method() == Method::Cancel).unwrap().clone();
    assert_eq!(cancel.via().branch(), invites[0].via().branch());
    assert_eq!(cancel.first(HeaderId::Reason), Some(&b"SIP;cause=200;text=\"Call completed elsewhere\""[..]));
    // The loser answered all the same.
    script.said();
    script.from(DESK, &ok(&invites[0], "a"));
    assert_eq!(script.said(), ["ACK", "BYE"]);
    script.act(|endpoint, now| endpoint.end(now, leg, None));
    let bye = script.request().clone();
    script.from(DESK, &reply(&bye, 200, "", ""));
    assert_eq!(script.told(), ["ended Us"]);
}

#[test]
fn the_best_failure_is_told() {
    // (answers of the two contacts, what is told)
    for (first, second, told) in [
        (486, 480, "failed 486"),
        (480, 486, "failed 486"),
        (486, 603, "failed 603"),
        (503, 404, "failed 404"),
        (500, 486, "failed 486"),
        (302, 486, "failed 302"),
        (404, 401, "failed 401"),
        (408, 487, "failed 408"),
    ] {
        let mut script = with_desk();
        script.told();
        let text = format!(
            "REGISTER sip:{DOMAIN} SIP/2.0\nVia: SIP/2.0/UDP 10.0.0.9;rport;branch=z9hG4bKr\n\
             From: <sip:desk@{DOMAIN}>;tag=r\nTo: <sip:desk@{DOMAIN}>\nCall-ID: r\nCSeq: 1 REGISTER\n\
             Contact: <sip:desk@10.0.0.9:5060;x=y>\n"
        );
        script.from(DESK, &text);
        script.told();
        script.said();
        script.act(|endpoint, now| endpoint.invite(now, to_account("desk")));
        let invites: Vec<Request> = script.requests().into_iter().cloned().collect();
        assert_eq!(invites.len(), 2);
        script.from(DESK, &reply(&invites[0], first, "a", ""));
        assert!(script.told().is_empty());
        script.from(DESK, &reply(&invites[1], second, "b", ""));
        assert_eq!(script.told(), [told], "{first} and {second}");
    }
}

#[test]
fn order_of_requests_within_a_dialog() {
    let mut script = Script::new();
    let (leg, to) = incoming_call(&mut script);
    script.from(CARRIER, &request("OPTIONS", "b1", &to, 5, ""));
    script.from(CARRIER, &request("OPTIONS", "b2", &to, 4, ""));
    script.from(CARRIER, &request("OPTIONS", "b1", &to, 5, ""));
    assert_eq!(script.said(), ["200", "500", "200"]);
    script.from(CARRIER, &request("OPTIONS", "b3", &to, 6, "").replace("carrier1", "someone"));
    assert_eq!(script.said(), ["481"], "another From tag is another dialog");
    script.from(CARRIER, &request("REFER", "b4", &to, 7, "Refer-To: <sip:evil@example.com>\n"));
    assert_eq!(script.said(), ["405"]);
    script.from(CARRIER, &request("PRACK", "b5", &to, 8, ""));
    assert_eq!(script.said(), ["405"]);
    script.from(CARRIER, &request("INVITE", "b6", &to, 9, "Require: timer\n"));
    assert_eq!(script.said(), ["420"]);
    assert!(script.told().is_empty());
    let _ = leg;
}

#[test]
fn refreshes_by_reinvite_and_update() {
    let mut script = Script::new();
    let (leg, to) = incoming_call(&mut script);
    // An UPDATE without SDP is answered here, and moves the target.
    let moved = |text: String| text.replace("sip:0612345678@10.0.0.2:5060", "sip:moved@10.0.0.2:5070");
    script.from(CARRIER, &moved(request("UPDATE", "u1", &to, 2, "")));
    assert!(script.response().has(HeaderId::Contact));
    assert_eq!((script.said(), script.told().len()), (vec!["200".to_owned()], 0));
    script.from(CARRIER, &moved(request("UPDATE", "u2", &to, 3, SDP_BODY)));
    assert_eq!(script.told(), ["reoffer sdp"]);
    script.from(CARRIER, &moved(request("UPDATE", "u3", &to, 4, SDP_BODY)));
    assert!(script.response().has(HeaderId::RetryAfter));
    assert_eq!(script.said(), ["500"]);
    script.act(|endpoint, now| endpoint.answer_reoffer(now, leg, answer()));
    assert_eq!(script.said(), ["200"]);
    // A re-INVITE, the answer to which waits for its ACK.
    script.from(CARRIER, &moved(request("INVITE", "i1", &to, 5, SDP_BODY)));
    assert_eq!((script.said(), script.told()), (vec!["100".to_owned()], vec!["reoffer sdp".to_owned()]));
    script.from(CARRIER, &moved(request("INVITE", "i2", &to, 6, SDP_BODY)));
    assert_eq!(script.said(), ["500"], "RFC 3261 §14.2: the first one has no answer yet");
    script.act(|endpoint, now| endpoint.answer_reoffer(now, leg, answer()));
    script.act(|endpoint, now| endpoint.reoffer(now, leg, Some(offer())));
    assert_eq!(script.said(), ["200"], "RFC 3261 §14.1: ours waits for the ACK");
    script.from(CARRIER, &moved(request("ACK", "a1", &to, 5, "")));
    assert_eq!(script.request().uri().as_bytes(), b"sip:moved@10.0.0.2:5070");
    assert_eq!(script.said(), ["INVITE"]);
    // Theirs meets ours.
    script.from(CARRIER, &moved(request("INVITE", "i3", &to, 7, SDP_BODY)));
    assert_eq!(script.said(), ["491"]);
}

#[test]
fn a_cancelled_reinvite_leaves_the_session_as_it_was() {
    let mut script = Script::new();
    let (leg, to) = incoming_call(&mut script);
    script.from(CARRIER, &request("INVITE", "i1", &to, 2, SDP_BODY));
    script.from(CARRIER, &request("CANCEL", "i1", &to, 2, ""));
    assert_eq!(script.said(), ["100", "200", "487"]);
    script.act(|endpoint, now| endpoint.answer_reoffer(now, leg, answer()));
    assert!(script.said().is_empty(), "too late is nothing");
    assert_eq!(script.endpoint.counts().dialogs, 1);
}

#[test]
fn glare_backs_off_and_gives_up() {
    let mut script = Script::new();
    let (leg, _) = incoming_call(&mut script);
    script.act(|endpoint, now| endpoint.reoffer(now, leg, Some(offer())));
    for attempt in 0..6 {
        let invite = script.request().clone();
        script.from(CARRIER, &reply(&invite, 491, "", ""));
        // The INVITE, maybe repeated meanwhile, and the ACK for its 491.
        let mut said = script.said();
        said.dedup();
        assert_eq!(said, ["INVITE", "ACK"], "attempt {attempt}");
        // RFC 3261 §14.1: not the owner of the Call-ID, so at most two seconds.
        script.pass_s(2);
    }
    assert_eq!(script.told(), ["reoffer failed 491"]);
    assert_eq!(script.endpoint.counts().dialogs, 1);
}

#[test]
fn a_dialog_that_the_other_end_forgot_is_over() {
    for status in [481, 408] {
        let mut script = Script::new();
        let (leg, _) = incoming_call(&mut script);
        script.act(|endpoint, now| endpoint.reoffer(now, leg, Some(offer())));
        let invite = script.request().clone();
        script.from(CARRIER, &reply(&invite, status, "", ""));
        assert_eq!(script.told(), [format!("ended Lost({status})")]);

        let mut script = Script::new();
        let (leg, _) = incoming_call(&mut script);
        script.act(|endpoint, now| endpoint.probe(now, leg));
        let options = script.request().clone();
        script.from(CARRIER, &reply(&options, status, "", ""));
        assert_eq!(script.told(), [format!("ended Lost({status})")]);
    }
}

#[test]
fn digits_by_info() {
    let mut script = Script::new();
    let (_, to) = incoming_call(&mut script);
    let bodies = [
        ("application/dtmf-relay", "Signal=5\nDuration=160", Some("digit 5")),
        ("application/dtmf-relay", "Signal= *\n", Some("digit *")),
        ("application/dtmf-relay", "Signal=11\n", Some("digit #")),
        ("application/dtmf", "d", Some("digit D")),
        ("application/dtmf", "nothing", None),
        ("application/dtmf-relay", "Duration=160", None),
    ];
    for (index, (kind, body, told)) in bodies.into_iter().enumerate() {
        let sequence = 2 + u32::try_from(index).unwrap();
        let more = format!("Content-Type: {kind}\n\n{body}");
        script.from(CARRIER, &request("INFO", &format!("n{index}"), &to, sequence, &more));
        assert_eq!(script.said(), ["200"]);
        assert_eq!(script.told(), told.into_iter().collect::<Vec<_>>(), "{kind} {body}");
    }
    script.from(CARRIER, &request("INFO", "x", &to, 50, "Content-Type: application/xml\n\n<a/>"));
    assert_eq!(script.said(), ["415"]);
    script.from(CARRIER, &request("INFO", "y", &to, 51, ""));
    assert_eq!(script.said(), ["200"]);
}

#[test]
fn before_the_answer() {
    let mut script = Script::new();
    script.from(CARRIER, &invite("first", 1));
    let leg = script.leg();
    script.act(|endpoint, now| endpoint.progress(now, leg, 180, None));
    let to = to_of(&script);
    script.said();
    script.told();
    script.from(CARRIER, &request("UPDATE", "u1", &to, 2, ""));
    script.from(CARRIER, &request("UPDATE", "u2", &to, 3, SDP_BODY));
    script.from(CARRIER, &request("INVITE", "i2", &to, 4, SDP_BODY));
    script.from(CARRIER, &request("OPTIONS", "o", &to, 5, ""));
    assert_eq!(script.said(), ["200", "500", "500", "200"]);
    // RFC 3261 §13.3.1.1: the ringing is said again every minute, for as long as the queue is.
    script.pass_s(185);
    assert_eq!(script.said().iter().filter(|said| *said == "180").count(), 3);
    script.from(CARRIER, &request("BYE", "b", &to, 6, "Reason: Q.850;cause=16\n"));
    assert_eq!(script.said(), ["487", "200"]);
    assert_eq!(script.told(), ["ended Bye Q.850;16"]);
    script.act(|endpoint, now| endpoint.answer(now, leg, answer()));
    assert!(script.said().is_empty(), "the leg is gone");
}

#[test]
fn refusals_wait_for_their_ack_and_repeat_until_then() {
    let mut script = Script::new();
    script.from(CARRIER, &invite("first", 1));
    let leg = script.leg();
    let reason = Reason { protocol: "Q.850".into(), cause: 17, text: None };
    script.act(|endpoint, now| endpoint.reject(now, leg, 486, Some(reason)));
    assert_eq!(script.response().first(HeaderId::Reason), Some(&b"Q.850;cause=17"[..]));
    let to = to_of(&script);
    script.said();
    script.pass_s(2);
    assert_eq!(script.said(), ["486", "486"], "after 0.5 and 1.5 s");
    assert!(!script.told().contains(&"ended Us".to_owned()));
    script.from(CARRIER, &request("ACK", "first", &to, 1, ""));
    assert_eq!(script.told(), ["ended Us"]);
    script.pass_s(6);
    assert_eq!((script.said().len(), script.endpoint.counts().transactions), (0, 0));

    script.from(CARRIER, &invite("second", 2));
    let leg = script.leg();
    script.act(|endpoint, now| endpoint.end(now, leg, None));
    script.pass_s(33);
    assert_eq!(script.told().last().unwrap(), "ended Us", "given up");
    assert_eq!(script.endpoint.counts(), Counts::default());
}

#[test]
fn strays_are_absorbed() {
    let mut script = with_desk();
    let (_, invite) = ringing_call(&mut script);
    let other = invite.via().branch().unwrap();
    let other = String::from_utf8_lossy(&other).into_owned();
    script.from(DESK, &ok(&invite, "d").replace(&other, "z9hG4bKnobodys"));
    script.from(DESK, &reply(&invite, 200, "d", "").replace("INVITE", "OPTIONS"));
    script.from(CARRIER, &request("ACK", "nobody", "<sip:3919@10.0.0.1>;tag=x", 1, ""));
    assert!(script.said().is_empty() && script.told().is_empty());
}

#[test]
fn an_early_update_of_the_called_phone_is_put_off() {
    let mut script = with_desk();
    let (_, invite) = ringing_call(&mut script);
    let from = String::from_utf8_lossy(invite.first(HeaderId::From).unwrap()).into_owned();
    let call_id = String::from_utf8_lossy(invite.call_id()).into_owned();
    let update = |branch: &str, sequence: u32, more: &str| {
        request("UPDATE", branch, &from, sequence, more)
            .replace("call-1@10.0.0.2", &call_id)
            .replace("tag=carrier1", "tag=d")
    };
    script.from(DESK, &update("u1", 1, SDP_BODY));
    script.from(DESK, &update("u2", 2, ""));
    assert_eq!(script.said(), ["491", "200"]);
}

#[test]
fn a_dialog_over_a_stream_that_broke_goes_on_over_a_new_one() {
    let mut script = Script::new();
    let over_tcp = |text: String| message(&text.replace("SIP/2.0/UDP", "SIP/2.0/TCP"));
    script.stream_opened(1, "10.0.0.2:41234");
    script.stream_data(1, over_tcp(invite("first", 1)));
    let leg = script.leg();
    script.stream_closed(1);
    script.outputs.clear();
    script.act(|endpoint, now| endpoint.answer(now, leg, answer()));
    // RFC 3261 §18.2.2: to the port of the Via.
    assert_eq!(script.outputs, ["connect 10.0.0.2:5060 even true"]);
    assert_eq!(script.endpoint.counts().streams, 1);
}
