//! The messages of RFC 4475, judged by the table beside them, over a datagram and over a stream.

use std::path::PathBuf;

use bytes::Bytes;

use super::super::{Frame, Message, Refused, StreamFramer, read_datagram};

/// Invalid messages that this layer lets through, and why.
const LET_THROUGH: &[(&str, &str)] = &[(
    "rfc4475/baddate.dat",
    "nothing is decided by Date, and a call must not be lost for a clock's way of writing its zone",
)];

/// Rows that read otherwise over a stream, and why.
const STREAM_DIFFERS: &[(&str, StreamVerdict, &str)] = &[
    ("rfc4475/clerr.dat", StreamVerdict::Waits, "more octets may come"),
    (
        "rfc4475/inv2543.dat",
        StreamVerdict::Lost,
        "RFC 3261 §20.14: without Content-Length a stream has no frames",
    ),
    ("rfc4475/mcl01.dat", StreamVerdict::Lost, "two lengths, two ends"),
    ("rfc4475/ncl.dat", StreamVerdict::Lost, "no length, no end"),
    (
        "rfc4475/dblreq.dat",
        StreamVerdict::MessagesThenLost(2),
        "both are read; the last body exceeds its length",
    ),
];

#[derive(Clone, Copy, Debug, PartialEq)]
enum StreamVerdict {
    Messages(usize),
    MessagesThenLost(usize),
    Refused,
    Lost,
    Waits,
}

struct Row {
    file: String,
    is_response: bool,
    is_valid: bool,
    expect: Vec<String>,
    octets: Bytes,
}

#[allow(clippy::disallowed_methods, reason = "the test's own data")]
fn rows() -> Vec<Row> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/torture");
    let table = std::fs::read_to_string(folder.join("index.tsv")).expect("the table is in the repository");
    table
        .lines()
        .skip(1)
        .map(|line| {
            let cells: Vec<&str> = line.split('\t').collect();
            Row {
                file: cells[0].to_owned(),
                is_response: cells[2] == "response",
                is_valid: cells[3].starts_with("valid"),
                expect: cells[4].split('|').map(str::to_owned).collect(),
                octets: std::fs::read(folder.join(cells[0])).expect("every row has its file").into(),
            }
        })
        .collect()
}

fn let_through(file: &str) -> bool {
    LET_THROUGH.iter().any(|(name, _)| *name == file)
}

#[test]
fn every_row_reads_as_the_table_says() {
    let rows = rows();
    assert_eq!(rows.len(), 49);
    for row in &rows {
        let name = &row.file;
        match read_datagram(row.octets.clone()) {
            Ok(message) => {
                assert!(row.is_valid || let_through(name), "{name} was let through");
                assert_eq!(matches!(message, Message::Response(_)), row.is_response, "{name}");
            }
            Err(Refused { fault, request }) => {
                assert!(!row.is_valid && !let_through(name), "{name} was refused: {fault}");
                assert_eq!(request.is_none(), row.is_response, "{name}: whether a reply can be addressed");
                if !row.is_response {
                    let status = fault.status().code().to_string();
                    assert!(row.expect.contains(&status), "{name}: {status} {fault}, not {:?}", row.expect);
                }
            }
        }
    }
}

#[test]
fn over_a_stream_the_verdicts_are_the_same_but_for_framing() {
    for row in rows() {
        let special = STREAM_DIFFERS.iter().find(|(name, _, _)| *name == row.file);
        let expected = match special {
            Some((_, verdict, _)) => *verdict,
            None if row.is_valid || let_through(&row.file) => StreamVerdict::Messages(1),
            None => StreamVerdict::Refused,
        };
        // Whole, and octet by octet.
        for chunk_bytes in [row.octets.len(), 1, 7] {
            assert_eq!(stream_verdict(&row.octets, chunk_bytes), expected, "{} in {chunk_bytes}", row.file);
        }
    }
}

fn stream_verdict(octets: &[u8], chunk_bytes: usize) -> StreamVerdict {
    let mut framer = StreamFramer::new();
    let mut messages = 0;
    for chunk in octets.chunks(chunk_bytes) {
        framer.push(chunk);
        while let Some(frame) = framer.next_frame() {
            match frame {
                Frame::Message(_) => messages += 1,
                Frame::Refused(_) => return StreamVerdict::Refused,
                Frame::Lost(_) if messages > 0 => return StreamVerdict::MessagesThenLost(messages),
                Frame::Lost(_) => return StreamVerdict::Lost,
                // RFC 3261 §7.5: line breaks between messages, as in dblreq.
                Frame::Ping | Frame::Pong => {}
            }
        }
    }
    match messages {
        0 if framer.is_partial() => StreamVerdict::Waits,
        count => StreamVerdict::Messages(count),
    }
}

#[test]
fn what_the_notes_of_the_table_demand() {
    let rows = rows();
    let read = |name: &str| {
        let row = rows.iter().find(|row| row.file == format!("rfc4475/{name}.dat")).expect("a row");
        read_datagram(row.octets.clone()).expect("a valid row")
    };
    let request = |name: &str| match read(name) {
        Message::Request(request) => request,
        Message::Response(_) => panic!("{name} is a request"),
    };

    let wsinv = request("wsinv");
    assert_eq!(wsinv.vias().count(), 3);
    assert!(!wsinv.via().has_rfc3261_branch());
    assert_eq!(wsinv.via().branch().as_deref(), Some(&b"390skdjuw"[..]));
    assert_eq!(wsinv.max_forwards(), Some(68));
    assert_eq!(wsinv.from().display_name(), &b"J Rosenberg \\\""[..]);
    assert_eq!(wsinv.contacts().expect("well-formed").listed()[0].q_thousandths(), 330);

    let intmeth = request("intmeth");
    assert_eq!(intmeth.to().display_name(), &b"BEL:\x07 NUL:\0 DEL:\x7f"[..]);
    assert_eq!(intmeth.from().tag().as_deref(), Some(&b"_token~1'+`*%!-."[..]));

    let esc01 = request("esc01");
    assert_eq!(esc01.uri().user_unescaped().as_deref(), Some(&b"sips:user@example.com"[..]));
    assert!(esc01.contacts().expect("well-formed").listed()[0].uri().is_loose_router());

    let escnull = request("escnull");
    let contacts = escnull.contacts().expect("well-formed");
    assert_eq!(contacts.listed().len(), 2);
    assert!(!contacts.listed()[0].uri().is_equivalent(contacts.listed()[1].uri()));

    assert_eq!(request("esc02").method().as_bytes(), b"RE%47IST%45R");
    assert_eq!(request("longreq").vias().count(), 34);
    assert_eq!(request("semiuri").uri().user_unescaped().as_deref(), Some(&b"user;par=u@example.net"[..]));
    assert_eq!(request("transports").vias().count(), 5);

    // The trailing INVITE is no body of the REGISTER.
    assert!(request("dblreq").body().is_empty());

    let contact_of = |name: &str| request(name).contacts().expect("well-formed").listed()[0].clone();
    assert!(contact_of("cparam01").uri().param("unknownparam").is_none());
    assert!(contact_of("cparam02").uri().param("unknownparam").is_some());
    assert!(contact_of("regescrt").uri().has_headers());

    assert!(!request("sdp01").accepts("application/sdp"));
    let unsupported: Vec<_> =
        request("bext01").tokens(super::super::HeaderId::Require).map(<[u8]>::to_vec).collect();
    assert_eq!(unsupported, [b"nothingSupportsThis".to_vec(), b"nothingSupportsThisEither".to_vec()]);
}
