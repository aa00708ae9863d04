//! Our session descriptions as bytes.
//!
//! Knows: RFC 8866's form, by `sdp-types`. Must never know: how a description came to be.

use std::net::IpAddr;

use bytes::Bytes;
use sdp_types::{Attribute, Connection, Media, Origin, Session, Time};

use crate::Direction;
use crate::offer_answer::{Line, Proposal};

/// The `o=` line's numbers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Version {
    pub(crate) session: u32,
    pub(crate) version: u64,
}

/// Prints a description whose audio is at `address` and `port`.
pub(crate) fn print(proposal: &Proposal, version: Version, address: IpAddr, port: u16) -> Bytes {
    let media = proposal.lines.iter().enumerate().map(|(index, line)| {
        if index == proposal.audio { audio(proposal, line, port) } else { refused(line) }
    });
    let session = Session {
        origin: Origin::with_ip_addr(version.session, version.version, address),
        session_name: "-".into(),
        connection: Some(Connection::from_ip_addr(address)),
        times: vec![Time { start_time: 0, stop_time: 0, repeats: Vec::new() }],
        medias: media.collect(),
        ..Session::new(Origin::with_ip_addr(version.session, version.version, address), "-")
    };
    let mut bytes = Vec::with_capacity(512);
    // Writing to memory has no way to fail.
    let _ = session.write(&mut bytes);
    bytes.into()
}

fn audio(proposal: &Proposal, line: &Line, port: u16) -> Media {
    let mut attributes = Vec::new();
    let mut list = Vec::new();
    for format in &proposal.formats {
        list.push(format.payload_type.to_string());
        let channels = if format.channels > 1 { format!("/{}", format.channels) } else { String::new() };
        let map = format!("{} {}/{}{channels}", format.payload_type, format.name, format.clock_hz);
        attributes.push(attribute("rtpmap", Some(map)));
        if let Some(parameters) = &format.parameters {
            attributes.push(attribute("fmtp", Some(format!("{} {parameters}", format.payload_type))));
        }
    }
    attributes.push(attribute("ptime", Some("20".into())));
    let direction = match proposal.direction {
        Direction::SendRecv => "sendrecv",
        Direction::SendOnly => "sendonly",
        Direction::RecvOnly => "recvonly",
        Direction::Inactive => "inactive",
    };
    attributes.push(attribute(direction, None));
    if proposal.rtcp_mux {
        attributes.push(attribute("rtcp-mux", None));
    }
    medium(line, port, list.join(" "), attributes)
}

/// RFC 3264 §6: a refused medium keeps its line, with port 0.
fn refused(line: &Line) -> Media {
    let format_list = if line.format_list.is_empty() { "0".into() } else { line.format_list.clone() };
    medium(line, 0, format_list, Vec::new())
}

fn medium(line: &Line, port: u16, fmt: String, attributes: Vec<Attribute>) -> Media {
    Media {
        media: line.kind.clone(),
        port,
        num_ports: None,
        proto: line.transport.clone(),
        fmt,
        media_title: None,
        connections: Vec::new(),
        bandwidths: Vec::new(),
        key: None,
        attributes,
    }
}

fn attribute(name: &str, value: Option<String>) -> Attribute {
    Attribute { attribute: name.into(), value }
}
