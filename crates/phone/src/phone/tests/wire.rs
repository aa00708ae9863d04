//! What single messages get: forks, strays, odd Vias, streams.

use super::*;
use crate::Transport;

const PEER: &str = "192.0.2.2:5060";

fn send(phone: &mut Phone, now: Duration, from: &str, text: &str) -> Vec<Output> {
    let text = text.replace('\n', "\r\n");
    phone.handle(now, Input::SipDatagram { from: from.parse().unwrap(), bytes: text.as_bytes() });
    std::iter::from_fn(|| phone.poll_output()).collect()
}

fn sip(outputs: &[Output]) -> Vec<(SocketAddr, Message)> {
    let message = |output: &Output| match output {
        Output::SipDatagram { to, bytes } => Some((*to, Message::parse(bytes).unwrap())),
        _ => None,
    };
    outputs.iter().filter_map(message).collect()
}

fn request(method: &str, via: &str, to_tag: &str, number: u32) -> String {
    format!(
        "{method} sip:ann@192.0.2.1 SIP/2.0\nVia: {via}\nMax-Forwards: 70\nFrom: <sip:x@y>;tag=f\nTo: <sip:ann@192.0.2.1>{to_tag}\nCall-ID: c\nCSeq: {number} {method}\nContact: <sip:x@192.0.2.2>\nContent-Length: 0\n\n"
    )
}

#[test]
fn responses_go_where_the_via_says() {
    let table = [
        ("SIP/2.0/UDP 192.0.2.2:5070;branch=z9hG4bKa", "192.0.2.2:40000", "192.0.2.2:5070", ""),
        (
            "SIP/2.0/UDP 192.0.2.2:5070;rport;branch=z9hG4bKb",
            "192.0.2.2:40000",
            "192.0.2.2:40000",
            "rport=40000",
        ),
        (
            "SIP/2.0/UDP 10.0.0.1:5070;branch=z9hG4bKc",
            "192.0.2.2:40000",
            "192.0.2.2:5070",
            "received=192.0.2.2",
        ),
        (
            "SIP/2.0/UDP host.example;branch=z9hG4bKd",
            "192.0.2.2:40000",
            "192.0.2.2:5060",
            "received=192.0.2.2",
        ),
    ];
    for (via, from, to, noted) in table {
        let mut phone = Phone::new(config(0), [1; 32]);
        let answers = sip(&send(&mut phone, Duration::ZERO, from, &request("OPTIONS", via, "", 1)));
        assert_eq!(answers[0].0, to.parse().unwrap(), "{via}");
        assert_eq!(answers[0].1.status(), Some(200));
        assert!(answers[0].1.header("Via").unwrap().contains(noted), "{via}");
    }
}

#[test]
fn strays_get_the_right_refusal_and_the_same_one_again() {
    let table = [
        ("BYE", ";tag=nobody", 481),
        ("BYE", "", 481),
        ("INVITE", ";tag=nobody", 481),
        ("CANCEL", "", 481),
        ("REFER", "", 405),
        ("MESSAGE", "", 405),
        ("OPTIONS", "", 200),
    ];
    for (method, tag, status) in table {
        let mut phone = Phone::new(config(0), [2; 32]);
        let text = request(method, "SIP/2.0/UDP 192.0.2.2;branch=z9hG4bKa", tag, 1);
        let first = send(&mut phone, Duration::ZERO, PEER, &text);
        assert_eq!(sip(&first)[0].1.status(), Some(status), "{method}{tag}");
        assert_eq!(send(&mut phone, 100 * MS, PEER, &text), first, "{method}{tag}");
        assert_eq!(phone.counters().repeated_requests, 1);
    }
}

#[test]
fn a_required_extension_is_refused() {
    let mut phone = Phone::new(config(0), [3; 32]);
    let text = request("INVITE", "SIP/2.0/UDP 192.0.2.2;branch=z9hG4bKa", "", 1)
        .replace("Content-Length", "Require: 100rel, x\nContent-Length");
    let answers = sip(&send(&mut phone, Duration::ZERO, PEER, &text));
    assert_eq!(answers[0].1.status(), Some(420));
    assert_eq!(answers[0].1.header("Unsupported"), Some("100rel, x"));
}

#[test]
fn nonsense_is_counted_and_dropped() {
    let mut phone = Phone::new(config(0), [4; 32]);
    for text in [
        "",
        "\n\n",
        "hello world, this is not SIP\n\n",
        "SIP/2.0 200 OK\nVia: SIP/2.0/UDP x;branch=z9hG4bKz\nFrom: a:b\nTo: a:b\nCall-ID: c\nCSeq: 1 INVITE\n\n",
    ] {
        assert!(send(&mut phone, Duration::ZERO, PEER, text).is_empty());
    }
    let mismatched =
        request("OPTIONS", "SIP/2.0/UDP 192.0.2.2;branch=z9hG4bKa", "", 1).replace("1 OPTIONS", "1 BYE");
    assert!(send(&mut phone, Duration::ZERO, PEER, &mismatched).is_empty());
    assert_eq!((phone.counters().malformed, phone.counters().unmatched_responses), (2, 1));
    phone.handle(Duration::ZERO, Input::Rtp { port: 0, from: PEER.parse().unwrap(), bytes: &[0x80; 20] });
    assert_eq!(phone.counters().stray_rtp, 1);
    assert!(phone.is_idle());
}

#[test]
fn a_second_fork_is_acknowledged_and_ended() {
    let mut phone = Phone::new(config(0), [5; 32]);
    phone.handle(Duration::ZERO, Input::Command(Command::Dial(Box::new(Dial::to("sip:3919@192.0.2.2")))));
    let outputs: Vec<Output> = std::iter::from_fn(|| phone.poll_output()).collect();
    let invite = sip(&outputs)[0].1.clone();
    let ok = |tag: &str, port: u16| {
        let mut response = Message::response(200, "OK");
        for name in ["Via", "From", "Call-ID", "CSeq"] {
            response.push(name, invite.header(name).unwrap());
        }
        response.push("To", format!("{};tag={tag}", invite.header("To").unwrap()));
        response.push("Contact", format!("<sip:x@192.0.2.8:{port}>"));
        response.push("Record-Route", format!("<sip:192.0.2.7:{port};lr>, <sip:192.0.2.6;lr>"));
        let sdp = "v=0\r\nc=IN IP4 192.0.2.8\r\nm=audio 4000 RTP/AVP 8\r\n";
        response.set_body("application/sdp", sdp.to_owned());
        String::from_utf8(response.print()).unwrap().replace("\r\n", "\n")
    };
    let first = sip(&send(&mut phone, 100 * MS, PEER, &ok("one", 5071)));
    assert_eq!(first.len(), 1);
    assert_eq!(first[0].0, "192.0.2.6:5060".parse().unwrap(), "the route set is reversed");
    assert_eq!(first[0].1.values("Route"), ["<sip:192.0.2.6;lr>", "<sip:192.0.2.7:5071;lr>"]);
    let second = sip(&send(&mut phone, 200 * MS, PEER, &ok("two", 5072)));
    let methods: Vec<_> = second.iter().map(|(_, message)| message.method().unwrap_or_default()).collect();
    assert_eq!(methods, ["ACK", "BYE"]);
    assert!(second[1].1.header("To").unwrap().ends_with("tag=two"));
    let again = sip(&send(&mut phone, 300 * MS, PEER, &ok("one", 5071)));
    assert_eq!(again, first, "the same ACK for the same 200");
    assert_eq!(phone.calls().count(), 1);
}

impl std::fmt::Debug for Message {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?} {:?}", self.start, self.cseq())
    }
}

/// Carries all bytes between two phones on streams, in pieces, and returns their events.
fn carry(phones: &mut [Phone; 2], now: Duration) -> [Vec<Event>; 2] {
    let mut events = [Vec::new(), Vec::new()];
    let mut moved = true;
    while std::mem::take(&mut moved) {
        for from in 0..2 {
            while let Some(output) = phones[from].poll_output() {
                moved = true;
                match output {
                    // The one connection is outbound for phone 0 and number 7 for phone 1.
                    Output::SipStream { bytes, stream } => {
                        assert_eq!(stream, if from == 0 { StreamId::OUTBOUND } else { StreamId(7) });
                        let (to, stream) = if from == 0 { (1, StreamId(7)) } else { (0, StreamId::OUTBOUND) };
                        for bytes in bytes.chunks(37) {
                            phones[to].handle(now, Input::SipStream { stream, from: address(from), bytes });
                        }
                    }
                    Output::Event(event) => events[from].push(event),
                    Output::Rtp { .. } => {}
                    other => panic!("{other:?}"),
                }
            }
        }
    }
    events
}

#[test]
fn a_call_over_streams_stays_on_its_stream() {
    let mut configs = [quiet(config(0)), quiet(config(1))];
    configs[0].transport = Transport::Tcp;
    configs[1].behaviour.answering = Answering::Accept { after: Duration::ZERO };
    let mut phones = configs.map(|config| Phone::new(config, [6; 32]));
    phones[0].handle(Duration::ZERO, Input::Command(Command::Dial(Box::new(Dial::to("sip:bea@192.0.2.2")))));
    let events = carry(&mut phones, Duration::ZERO);
    for (phone, events) in events.iter().enumerate() {
        assert!(events.contains(&Event::Answered { call: CallId(0) }), "{phone}: {events:?}");
    }
    phones[1].handle(SECOND, Input::Command(Command::HangUp { call: CallId(0), reason: None }));
    let events = carry(&mut phones, SECOND);
    assert!(matches!(events[0][..], [Event::Ended { end: End::ByPeer, .. }]));
    while let Some(at) = phones[1].poll_timeout() {
        phones[1].handle(at, Input::Timeout);
    }
    assert!(phones[1].is_idle());
}

#[test]
fn a_stream_that_makes_no_sense_is_closed() {
    let mut phone = Phone::new(config(0), [7; 32]);
    let from = address(1);
    phone.handle(
        Duration::ZERO,
        Input::SipStream { stream: StreamId(3), from, bytes: b"GET / HTTP/1.1\r\n\r\n" },
    );
    assert_eq!(phone.poll_output(), Some(Output::CloseStream { stream: StreamId(3) }));
    for stream in 0..STREAMS_MAX as u32 + 1 {
        phone.handle(Duration::ZERO, Input::SipStream { stream: StreamId(stream), from, bytes: b"\r\n" });
    }
    assert_eq!(phone.poll_output(), Some(Output::CloseStream { stream: StreamId(STREAMS_MAX as u32) }));
}

#[test]
fn a_flood_of_requests_is_bounded() {
    let mut phone = Phone::new(config(0), [8; 32]);
    for at in 0..SERVERS_MAX + 50 {
        let via = format!("SIP/2.0/UDP 192.0.2.2;branch=z9hG4bK{at}");
        send(&mut phone, Duration::ZERO, PEER, &request("OPTIONS", &via, "", 1));
    }
    assert_eq!(phone.servers.len(), SERVERS_MAX);
    assert_eq!(phone.counters().dropped_requests, 50);
}

mod proptests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

        /// No bytes from anywhere may bring a phone down, whether on their own or grafted onto a request.
        #[test]
        fn no_input_panics(bytes in prop::collection::vec(any::<u8>(), 0..300), cut in 0usize..300, at in 0usize..300) {
            let mut phone = Phone::new(config(0), [9; 32]);
            let from = address(1);
            let call = request("INVITE", "SIP/2.0/UDP 192.0.2.2;branch=z9hG4bKa", "", 1).replace('\n', "\r\n");
            let mut grafted = call.clone().into_bytes();
            let (at, end) = (at.min(grafted.len()), (at + cut).min(grafted.len()));
            grafted.splice(at..end, bytes.iter().copied());
            for bytes in [call.as_bytes(), &bytes, &grafted] {
                phone.handle(SECOND, Input::SipDatagram { from, bytes });
                phone.handle(SECOND, Input::SipStream { stream: StreamId(1), from, bytes });
                phone.handle(SECOND, Input::Rtp { port: 0, from, bytes });
            }
            phone.handle(SECOND, Input::Command(Command::Answer { call: CallId(0) }));
            phone.handle(SECOND * 2, Input::Timeout);
            while phone.poll_output().is_some() {}
        }
    }
}
