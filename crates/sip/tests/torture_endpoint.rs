//! The messages of RFC 4475, judged by what `Endpoint` replies to a stranger and to a trunk, over a datagram and over
//! a stream.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use sip::wire::{Message, read_datagram};
use sip::{
    Account, Algorithm, Credential, Endpoint, Input, Limits, Listen, Output, Settings, StreamId, Transport,
    Trunk,
};

/// Rows that are not `valid` and get another reply than the table wants, and why. There is none.
const EXCEPTIONS: &[(&str, &str)] = &[];

const LOCAL: &str = "127.0.0.1:5060";
const REMOTE: &str = "127.0.0.1:5999";

struct Row {
    file: String,
    verdict: String,
    allowed: Vec<String>,
    octets: Bytes,
}

/// What came back.
#[derive(Default)]
struct Replies {
    /// As sent: the reply to a malformed message echoes what is malformed, so it may not parse itself.
    responses: Vec<Bytes>,
    closed: bool,
    elsewhere: bool,
}

#[allow(clippy::disallowed_methods, reason = "the test's own data")]
fn rows() -> Vec<Row> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/torture");
    let table = std::fs::read_to_string(folder.join("index.tsv")).unwrap();
    let rows: Vec<Row> = table
        .lines()
        .skip(1)
        .map(|line| {
            let cells: Vec<&str> = line.split('\t').collect();
            let allowed = format!("{}|{}", cells[4], cells[5]);
            Row {
                file: cells[0].to_owned(),
                verdict: cells[3].to_owned(),
                allowed: allowed.split('|').filter(|cell| *cell != "-").map(str::to_owned).collect(),
                octets: std::fs::read(folder.join(cells[0])).unwrap().into(),
            }
        })
        .collect();
    assert_eq!(rows.len(), 49);
    rows
}

fn endpoint(source_is_trunk: bool) -> Endpoint {
    let listen = |transport| Listen { transport, address: LOCAL.parse().unwrap(), advertised: None };
    let domain = "vigie.example.org";
    let credential =
        Credential::from_password("g2", domain, "a long secret", &[Algorithm::Sha256, Algorithm::Md5]);
    let trunk = Trunk {
        name: "carrier".into(),
        networks: vec![("127.0.0.0".parse().unwrap(), 8)],
        credential: None,
        target: None,
        keep_alive: None,
        identity: sip::Identity::default(),
    };
    let settings = Settings {
        listen: vec![listen(Transport::Udp), listen(Transport::Tcp)],
        domain: domain.into(),
        aliases: vec!["example.com".into()],
        trunks: source_is_trunk.then_some(trunk).into_iter().collect(),
        accounts: vec![Account { name: "g2".into(), credential: Some(credential), fixed: None }],
        limits: Limits::default(),
        product: None,
    };
    Endpoint::new(Duration::ZERO, settings, [7; 32])
}

fn drain(endpoint: &mut Endpoint, replies: &mut Replies) {
    while let Some(output) = endpoint.poll_output() {
        match output {
            Output::Datagram { remote, bytes, .. } => {
                replies.elsewhere |= remote.ip().to_string() != "127.0.0.1";
                replies.responses.push(bytes);
            }
            Output::StreamWrite { bytes, .. } => replies.responses.push(bytes),
            Output::StreamClose { .. } => replies.closed = true,
            Output::StreamConnect { .. } => replies.elsewhere = true,
            Output::Resolve { .. } | Output::Event(_) | Output::Persist { .. } => {}
        }
    }
}

fn status(response: &Bytes) -> u16 {
    std::str::from_utf8(&response[8..11]).unwrap().parse().unwrap()
}

fn has_header(response: &Bytes, name: &str) -> bool {
    String::from_utf8_lossy(response).lines().any(|line| line.starts_with(&format!("{name}: ")))
}

fn over_datagram(row: &Row, trunk: bool) -> (Endpoint, Replies) {
    let mut endpoint = endpoint(trunk);
    let mut replies = Replies::default();
    let (local, remote) = (LOCAL.parse().unwrap(), REMOTE.parse().unwrap());
    endpoint.handle(Duration::ZERO, Input::Datagram { local, remote, bytes: row.octets.clone() });
    drain(&mut endpoint, &mut replies);
    (endpoint, replies)
}

fn over_stream(row: &Row, trunk: bool) -> (Endpoint, Replies) {
    let mut endpoint = endpoint(trunk);
    let mut replies = Replies::default();
    let (local, remote) = (LOCAL.parse().unwrap(), REMOTE.parse().unwrap());
    let stream = StreamId(1);
    endpoint.handle(Duration::ZERO, Input::StreamOpened { stream, transport: Transport::Tcp, local, remote });
    // In pieces, so that every cut is met.
    for piece in row.octets.chunks(97) {
        endpoint.handle(Duration::ZERO, Input::StreamData { stream, bytes: Bytes::copy_from_slice(piece) });
    }
    drain(&mut endpoint, &mut replies);
    (endpoint, replies)
}

fn is_allowed(row: &Row, status: u16) -> bool {
    const LEGITIMATE: [u16; 8] = [401, 403, 404, 407, 480, 486, 488, 603];
    row.allowed.iter().any(|cell| match cell.as_str() {
        "OK*" => status < 300 || LEGITIMATE.contains(&status),
        cell => cell.parse() == Ok(status),
    })
}

/// RFC 3261 §12.2.2: a proven peer learns that the dialog its To tag names does not exist. A stranger is challenged.
const IN_NO_DIALOG: [&str; 2] = ["rfc4475/wsinv.dat", "rfc4475/longreq.dat"];

fn judge(row: &Row, replies: &Replies, how: &str, trunk: bool) {
    let in_no_dialog = trunk && IN_NO_DIALOG.contains(&row.file.as_str());
    let excused = row.verdict != "valid" && EXCEPTIONS.iter().any(|(file, _)| *file == row.file);
    let statuses: Vec<u16> = replies.responses.iter().map(status).collect();
    let silent = row.allowed.iter().any(|cell| cell == "none");
    assert!(!replies.elsewhere, "{} {how}: something was sent elsewhere", row.file);
    assert!(
        excused
            || (statuses.is_empty() && silent)
            || (!statuses.is_empty()
                && statuses
                    .iter()
                    .all(|status| is_allowed(row, *status) || (in_no_dialog && *status == 481))),
        "{} {how}: {statuses:?}, allowed {:?}",
        row.file,
        row.allowed
    );
    for response in &replies.responses {
        let needed = match status(response) {
            405 | 501 => Some("Allow"),
            415 => Some("Accept"),
            420 => Some("Unsupported"),
            401 => Some("WWW-Authenticate"),
            _ => None,
        };
        assert!(
            needed.is_none_or(|name| has_header(response, name)),
            "{} {how}: {needed:?} is missing",
            row.file
        );
    }
}

#[test]
fn strangers_and_trunks_get_the_replies_of_the_table_over_datagrams() {
    for row in rows() {
        for trunk in [false, true] {
            let (_, replies) = over_datagram(&row, trunk);
            judge(&row, &replies, "over UDP", trunk);
        }
    }
}

#[test]
fn strangers_and_trunks_get_the_replies_of_the_table_over_streams() {
    for mut row in rows() {
        for trunk in [false, true] {
            let (mut endpoint, replies) = over_stream(&row, trunk);
            if row.file == "rfc4475/clerr.dat" {
                // The rest of its body may still come: it is waited for, within bounds.
                assert!(replies.responses.is_empty() && !replies.closed);
                let mut replies = Replies::default();
                let deadline = endpoint.poll_timeout().unwrap();
                assert!(deadline <= Duration::from_secs(32));
                endpoint.handle(deadline, Input::Timeout);
                drain(&mut endpoint, &mut replies);
                assert!(replies.closed, "a stream that stalls is closed");
                continue;
            }
            if row.file == "rfc4475/dblreq.dat" {
                // RFC 4475 §3.1.1.8: two requests over a stream. The body of the second is longer than it says.
                assert!(replies.responses.len() >= 2);
                row.allowed.push("400".to_owned());
            }
            judge(&row, &replies, "over TCP", trunk);
            let framing_lost =
                ["rfc4475/ncl.dat", "rfc4475/mcl01.dat", "rfc4475/inv2543.dat"].contains(&row.file.as_str());
            assert!(!framing_lost || replies.closed, "{}: a stream without frames is closed", row.file);
        }
    }
}

#[test]
fn octets_after_a_datagrams_message_are_no_message() {
    let row = rows().into_iter().find(|row| row.file == "rfc4475/dblreq.dat").unwrap();
    let (_, replies) = over_datagram(&row, false);
    assert_eq!(replies.responses.len(), 1);
    assert!(has_header(&replies.responses[0], "Call-ID"));
    assert!(
        String::from_utf8_lossy(&replies.responses[0]).contains("dblreq.0ha0isndaksdj99sdfafnl3lk233412")
    );
}

#[test]
fn every_via_comes_back_in_its_order() {
    for row in rows().iter().filter(|row| {
        ["rfc4475/longreq.dat", "rfc4475/transports.dat", "rfc4475/wsinv.dat"].contains(&row.file.as_str())
    }) {
        let Ok(Message::Request(request)) = read_datagram(row.octets.clone()) else { panic!("{}", row.file) };
        let (_, replies) = over_datagram(row, true);
        let Ok(Message::Response(response)) = read_datagram(replies.responses[0].clone()) else {
            panic!("{}", row.file)
        };
        let theirs: Vec<Bytes> = request.vias().map(|via| via.unwrap().host_text().clone()).collect();
        let ours: Vec<Bytes> = response.vias().map(|via| via.unwrap().host_text().clone()).collect();
        assert_eq!(theirs, ours, "{}", row.file);
    }
}

#[test]
fn a_registration_that_is_not_proven_binds_nothing() {
    for row in rows() {
        let (endpoint, _) = over_datagram(&row, false);
        assert_eq!(endpoint.counts().bindings, 0, "{}", row.file);
        assert_eq!(endpoint.counts().dialogs, 0, "{}", row.file);
    }
}
