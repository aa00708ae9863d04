//! Requests that belong to no dialog: each rule by a message that meets it.

use super::script::*;
use crate::wire::HeaderId;
use crate::*;

#[test]
fn inspection() {
    let options = |more: &str| request("OPTIONS", "o", TO, 1, more);
    type Row = (&'static str, String, &'static str, Option<(HeaderId, &'static str)>);
    let table: &[Row] = &[
        ("options", options(""), "200", Some((HeaderId::Allow, "INVITE"))),
        ("an unknown method", request("DANCE", "a", TO, 1, ""), "501", Some((HeaderId::Allow, "INVITE"))),
        (
            "a known one that is not served",
            request("SUBSCRIBE", "a", TO, 1, ""),
            "405",
            Some((HeaderId::Allow, "BYE")),
        ),
        (
            "a foreign scheme",
            invite("a", 1).replace("sip:3919@10.0.0.1 SIP", "isbn:2983792873 SIP"),
            "416",
            None,
        ),
        (
            "an extension",
            request("INVITE", "a", TO, 1, "Require: 100rel, x\n"),
            "420",
            Some((HeaderId::Unsupported, "100rel, x")),
        ),
        (
            "a body type",
            request("INVITE", "a", TO, 1, "Content-Type: text/plain\n\nhello"),
            "415",
            Some((HeaderId::Accept, "application/sdp")),
        ),
        (
            "an encoded body",
            request("INVITE", "a", TO, 1, &SDP_BODY.replace("\n\n", "\nContent-Encoding: gzip\n\n")),
            "415",
            Some((HeaderId::AcceptEncoding, "identity")),
        ),
        ("no taste for sdp", request("INVITE", "a", TO, 1, "Accept: text/plain\n"), "406", None),
        ("bye to nothing", request("BYE", "a", TO, 1, ""), "481", None),
        (
            "bye to a dialog that is gone",
            request("BYE", "a", "<sip:3919@10.0.0.1>;tag=gone", 1, ""),
            "481",
            None,
        ),
        (
            "info to a dialog that is gone",
            request("INFO", "a", "<sip:3919@10.0.0.1>;tag=gone", 1, ""),
            "481",
            None,
        ),
        (
            "re-INVITE to a dialog that is gone",
            request("INVITE", "a", "<sip:3919@10.0.0.1>;tag=gone", 1, ""),
            "481",
            None,
        ),
        ("cancel of nothing", request("CANCEL", "a", TO, 1, ""), "481", None),
        ("another version", invite("a", 1).replace("SIP/2.0\n", "SIP/3.0\n"), "505", None),
        ("too many hops to count", options("").replace("Max-Forwards: 70", "Max-Forwards: 300"), "400", None),
        (
            "no hops left: we are the end",
            options("").replace("Max-Forwards: 70", "Max-Forwards: 0"),
            "200",
            None,
        ),
    ];
    for (name, text, expected, header) in table {
        let mut script = Script::new();
        script.from(CARRIER, text);
        assert_eq!(script.sent.len(), 1, "{name}");
        if let Some((id, value)) = header {
            let found: Vec<u8> = script.response().all(*id).collect::<Vec<_>>().join(&b", "[..]);
            assert!(
                String::from_utf8_lossy(&found).contains(value),
                "{name}: {}",
                String::from_utf8_lossy(&found)
            );
        }
        assert!(script.response().to().tag().is_some(), "{name}: a tag");
        assert_eq!(script.said(), [*expected], "{name}");
        assert_eq!(script.endpoint.counts().dialogs, 0, "{name}");
    }
}

#[test]
fn who_may_call() {
    let mut script = Script::new();
    script.from(CARRIER, &invite("a", 1));
    assert_eq!((script.said(), script.told()), (vec!["100".to_owned()], vec!["incoming".to_owned()]));
    script.from(STRANGER, &invite("b", 1).replace("call-1", "call-2"));
    assert_eq!(
        (script.said(), script.told()),
        (vec!["401".to_owned()], vec!["notice unknown source".to_owned()])
    );

    let mut script = Script::with(|settings| settings.accounts.clear());
    script.from(STRANGER, &invite("a", 1));
    assert_eq!(
        (script.said(), script.told()),
        (vec!["403".to_owned()], vec!["notice unknown source".to_owned()])
    );
}

#[test]
fn repeated_and_merged_requests() {
    let mut script = Script::new();
    script.from(CARRIER, &invite("a", 1));
    script.from(CARRIER, &invite("a", 1));
    assert_eq!(script.said(), ["100", "100"]);
    script.from(CARRIER, &invite("b", 1));
    assert_eq!(script.said(), ["482"]);
    assert_eq!(script.told(), ["incoming"]);
    // RFC 2543: no magic cookie, so the fields decide.
    let old = |sequence| invite("", sequence).replace("z9hG4bK", "1").replace("call-1", "call-2");
    script.from(CARRIER, &old(1));
    script.from(CARRIER, &old(1));
    assert_eq!(script.said(), ["100", "100"]);
    assert_eq!(script.told(), ["incoming"]);
}

#[test]
fn replies_go_where_the_via_says() {
    let to = |via: &str, from: &str| {
        let mut script = Script::new();
        let text =
            request("OPTIONS", "o", TO, 1, "").replace("10.0.0.2:5060;branch", &format!("{via};branch"));
        script.from(from, &text);
        let via = String::from_utf8_lossy(script.response().first(HeaderId::Via).unwrap()).into_owned();
        (script.sent[0].0.to_string(), via)
    };
    let (to_plain, via) = to("192.168.1.5:5070", "10.0.0.2:41000");
    assert_eq!(to_plain, "10.0.0.2:5070");
    assert!(via.ends_with(";received=10.0.0.2"), "{via}");
    let (to_rport, via) = to("192.168.1.5:5070;rport", "10.0.0.2:41000");
    assert_eq!(to_rport, "10.0.0.2:41000");
    assert!(via.contains(";rport=41000") && via.ends_with(";received=10.0.0.2"), "{via}");
    let (to_maddr, _) = to("192.168.1.5:5070;maddr=203.0.113.77", "10.0.0.2:41000");
    assert_eq!(to_maddr, "10.0.0.2:5070");
}

#[test]
fn who_calls() {
    let number = |more: &str, identity: Identity| {
        let mut script = Script::with(|settings| settings.trunks[0].identity = identity);
        script.from(CARRIER, &request("INVITE", "a", TO, 1, more));
        let Some(Event::Incoming(incoming)) = script.events.pop() else { panic!("no call") };
        let caller = incoming.caller;
        (caller.number.map(|number| number.reveal().to_owned()), caller.withheld, incoming.diverted)
    };
    let some = |text: &str| Some(text.to_owned());
    use Identity::{Asserted, AssertedOrFrom, From};
    let pai = "P-Asserted-Identity: \"A\" <sip:+33699@carrier.example>, <tel:+33699>\n";
    assert_eq!(number("", AssertedOrFrom), (some("0612345678"), false, false));
    assert_eq!(number(pai, AssertedOrFrom), (some("+33699"), false, false));
    assert_eq!(number(pai, From), (some("0612345678"), false, false));
    assert_eq!(number("", Asserted), (None, false, false));
    assert_eq!(number(&format!("Privacy: id\n{pai}"), AssertedOrFrom), (some("+33699"), true, false));
    assert_eq!(number("Privacy: id\n", AssertedOrFrom), (None, true, false));
    assert!(number("Diversion: <sip:1@x>\n", AssertedOrFrom).2);
    assert!(number("History-Info: <sip:1@x>;index=1, <sip:2@x>;index=1.1\n", AssertedOrFrom).2);

    let mut script = Script::new();
    let anonymous = invite("a", 1)
        .replace("<sip:0612345678@10.0.0.2>;tag", "\"Anonymous\" <sip:anonymous@anonymous.invalid>;tag");
    script.from(CARRIER, &anonymous);
    let Some(Event::Incoming(incoming)) = script.events.pop() else { panic!("no call") };
    assert!(incoming.caller.number.is_none() && incoming.caller.withheld);
    assert!(!format!("{incoming:?}").contains("0612345678"));
}

#[test]
fn caps_speak_to_each_as_it_understands() {
    let full = |settings: &mut Settings| settings.limits.dialogs_max = 0;
    let mut script = Script::with(full);
    script.from(CARRIER, &invite("a", 1));
    assert_eq!(script.said(), ["486"]);
    assert_eq!(script.told(), ["notice dialogs_max"]);

    let mut script = Script::with(|settings| settings.limits.transactions_max = 0);
    script.from(CARRIER, &invite("a", 1));
    script.from(STRANGER, &invite("b", 1));
    assert!(script.response().has(HeaderId::RetryAfter));
    assert_eq!(script.said(), ["486", "503"]);

    let mut script = Script::with(|settings| settings.limits.unknown_rate_per_s = 3);
    for n in 0..5 {
        script.from(STRANGER, &request("OPTIONS", &format!("o{n}"), TO, 1, ""));
        script.from(CARRIER, &request("OPTIONS", &format!("t{n}"), TO, 1, ""));
    }
    let said = script.said();
    assert_eq!(said.iter().filter(|said| *said == "503").count(), 2, "the trunk needs no token: {said:?}");
    script.pass_s(1);
    script.from(STRANGER, &request("OPTIONS", "later", TO, 1, ""));
    assert_eq!(script.said(), ["200"]);
}

#[test]
fn streams_answer_keep_alives_and_are_bounded_in_time() {
    let mut script = Script::new();
    script.stream_opened(1, "203.0.113.9:40000");
    script.stream_data(1, "\r\n\r\n".into());
    assert_eq!(script.outputs, ["write 1"]);
    script.stream_data(1, "OPTIONS sip:a@b SIP/2.0\r\nVia: ".into());
    // A byte a second is still one message that began long ago.
    for _ in 0..31 {
        script.pass_s(1);
        script.stream_data(1, "x".into());
    }
    assert_eq!(script.endpoint.counts().streams, 1);
    script.pass_s(2);
    assert_eq!(script.outputs.last().unwrap(), "close 1");
    assert_eq!(script.endpoint.counts().streams, 0);

    // Silence from the first moment, and silence after a message.
    script.stream_opened(3, "203.0.113.9:40001");
    script.stream_opened(5, "203.0.113.9:40002");
    script.stream_data(5, message(&request("OPTIONS", "o", TO, 1, "")));
    script.pass_s(33);
    assert_eq!(script.outputs.last().unwrap(), "close 3");
    script.pass_s(15 * 60);
    assert_eq!(script.outputs.last().unwrap(), "close 5");
}

#[test]
fn streams_past_the_cap_are_closed() {
    let mut script = Script::with(|settings| settings.limits.streams_max = 1);
    script.stream_opened(1, "203.0.113.9:40000");
    script.stream_opened(3, "203.0.113.9:40001");
    assert_eq!(script.outputs, ["close 3"]);
}

#[test]
fn many_requests_in_one_piece_are_all_answered() {
    let mut script = Script::new();
    script.stream_opened(1, "10.0.0.2:40000");
    let all: Vec<u8> =
        (0..1_000).flat_map(|n| message(&request("OPTIONS", &n.to_string(), TO, 1, "")).to_vec()).collect();
    script.stream_data(1, all.into());
    assert_eq!(script.said().len(), 1_000);
}
