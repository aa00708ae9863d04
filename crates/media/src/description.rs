//! Reading the peer's session description, as tolerantly as the real world needs.
//!
//! Knows: RFC 8866, and how it is broken in the field. Must never know: legs, what we would answer.
//!
//! Only the lines that decide anything are read (`c=`, `m=` and some `a=`); whatever else a description holds or
//! lacks (`s=`, `t=`, a numeric `o=`, UTF-8) can't make it unreadable. Printing uses `sdp-types`; its parser is
//! the stricter, and refuses offers that carriers send.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use crate::{Direction, MediaError};

/// Descriptions longer than this are nobody's phone call.
const DESCRIPTION_BYTES_MAX: usize = 16 * 1024;
/// `m=` lines.
const MEDIA_MAX: usize = 16;
/// Payload types of one medium; there are 128.
const FORMATS_MAX: usize = 128;

/// A session description, as far as we look.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Description {
    pub(crate) media: Vec<Media>,
}

/// One `m=` line and what follows it; session-level lines already applied.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Media {
    /// `audio`, `image`, ...
    pub(crate) kind: String,
    pub(crate) port: u16,
    /// `RTP/AVP`, ...
    pub(crate) transport: String,
    /// The format list as it stands there.
    pub(crate) format_list: String,
    pub(crate) formats: Vec<Format>,
    pub(crate) connection: Connection,
    pub(crate) direction: Direction,
    pub(crate) rtcp: Option<(u16, Option<IpAddr>)>,
    pub(crate) rtcp_mux: bool,
    pub(crate) maxptime_ms: Option<u16>,
}

/// One payload type of an RTP medium.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Format {
    pub(crate) payload_type: u8,
    /// Upper and lower case as they wrote it.
    pub(crate) name: String,
    pub(crate) clock_hz: u32,
    pub(crate) channels: u8,
    pub(crate) parameters: Option<String>,
}

/// A `c=` line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Connection {
    /// There is none.
    Missing,
    /// An address.
    Address(IpAddr),
    /// A name: we don't resolve names for media.
    Name,
}

impl Format {
    /// RFC 8866 §6.6: encoding names are case-insensitive.
    pub(crate) fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }
}

impl Media {
    /// Where they receive RTP; none for 0.0.0.0 and `::`, which mean hold (RFC 3264 §8.4).
    pub(crate) fn rtp_address(&self) -> Option<SocketAddr> {
        match self.connection {
            Connection::Address(address) if !address.is_unspecified() => {
                Some(SocketAddr::new(address, self.port))
            }
            _ => None,
        }
    }

    /// Where they receive RTCP: RFC 3605, else the next port.
    pub(crate) fn rtcp_address(&self) -> Option<SocketAddr> {
        let rtp = self.rtp_address()?;
        if self.rtcp_mux {
            return Some(rtp);
        }
        match self.rtcp {
            Some((0, _)) => None,
            Some((port, address)) => Some(SocketAddr::new(address.unwrap_or(rtp.ip()), port)),
            None => Some(SocketAddr::new(rtp.ip(), rtp.port().checked_add(1)?)),
        }
    }
}

/// Reads a description. Errors name what is wrong, for the log.
pub(crate) fn read(bytes: &[u8]) -> Result<Description, MediaError> {
    if bytes.len() > DESCRIPTION_BYTES_MAX {
        return Err(MediaError::Malformed("the session description is longer than 16 KB"));
    }
    let text = String::from_utf8_lossy(bytes);
    let mut session = Level::default();
    let mut media: Vec<(Media, Level)> = Vec::new();
    for line in text.split(['\n', '\r']) {
        let line = line.trim_matches([' ', '\t', '\0']);
        let Some((key, value)) = line.split_once('=') else { continue };
        let value = value.trim();
        match key.trim_end() {
            "m" => {
                if media.len() == MEDIA_MAX {
                    return Err(MediaError::Malformed("more than 16 m= lines"));
                }
                media.push((media_line(value)?, Level::default()));
            }
            "c" => {
                let level = media.last_mut().map_or(&mut session, |(_, level)| level);
                // The first of several decides: the others are multicast layers or repetitions.
                level.connection.get_or_insert(connection(value));
            }
            "a" => match media.last_mut() {
                Some((medium, level)) => attribute(value, level, Some(medium))?,
                None => attribute(value, &mut session, None)?,
            },
            _ => {}
        }
    }
    if media.is_empty() {
        return Err(MediaError::Malformed("the session description has no m= line"));
    }
    Ok(Description {
        media: media.into_iter().map(|(medium, level)| level.apply(medium, &session)).collect(),
    })
}

/// What may stand at session level and is overridden at media level.
#[derive(Default)]
struct Level {
    connection: Option<Connection>,
    direction: Option<Direction>,
    /// RFC 5761 mandates media level; some write it above.
    rtcp_mux: bool,
}

impl Level {
    fn apply(self, mut medium: Media, session: &Self) -> Media {
        medium.connection = self.connection.or(session.connection).unwrap_or(Connection::Missing);
        medium.direction = self.direction.or(session.direction).unwrap_or(Direction::SendRecv);
        medium.rtcp_mux = self.rtcp_mux || session.rtcp_mux;
        // RFC 3264 §8.4: the old way to hold.
        if matches!(medium.connection, Connection::Address(address) if address.is_unspecified()) {
            medium.direction = Direction::Inactive;
        }
        medium
    }
}

/// RFC 8866 §5.14.
fn media_line(value: &str) -> Result<Media, MediaError> {
    let mut fields = value.split_ascii_whitespace();
    let (Some(kind), Some(port), Some(transport)) = (fields.next(), fields.next(), fields.next()) else {
        return Err(MediaError::Malformed("an m= line is incomplete"));
    };
    let port = port.split('/').next().unwrap_or_default();
    let port = port.parse().map_err(|_| MediaError::Malformed("the port of an m= line is not a port"))?;
    let format_list: Vec<&str> = fields.take(FORMATS_MAX).collect();
    let mut formats: Vec<Format> = Vec::new();
    if transport.to_ascii_uppercase().contains("RTP/") {
        for payload_type in format_list.iter().filter_map(|format| format.parse::<u8>().ok()) {
            if payload_type < 128 && formats.iter().all(|format| format.payload_type != payload_type) {
                formats.push(static_format(payload_type));
            }
        }
    }
    Ok(Media {
        kind: kind.to_ascii_lowercase(),
        port,
        transport: transport.to_owned(),
        format_list: format_list.join(" "),
        formats,
        connection: Connection::Missing,
        direction: Direction::SendRecv,
        rtcp: None,
        rtcp_mux: false,
        maxptime_ms: None,
    })
}

/// RFC 8866 §5.7.
fn connection(value: &str) -> Connection {
    let address = value.split_ascii_whitespace().nth(2).unwrap_or_default();
    // A TTL or a count may follow a multicast address.
    let address = address.split('/').next().unwrap_or_default();
    match address.parse::<IpAddr>() {
        Ok(address) => Connection::Address(address.to_canonical()),
        Err(_) if address.is_empty() => Connection::Missing,
        Err(_) => Connection::Name,
    }
}

fn attribute(value: &str, level: &mut Level, medium: Option<&mut Media>) -> Result<(), MediaError> {
    let (name, value) = value.split_once(':').unwrap_or((value, ""));
    let value = value.trim();
    match name.trim().to_ascii_lowercase().as_str() {
        "sendrecv" => level.direction = Some(Direction::SendRecv),
        "sendonly" => level.direction = Some(Direction::SendOnly),
        "recvonly" => level.direction = Some(Direction::RecvOnly),
        "inactive" => level.direction = Some(Direction::Inactive),
        "rtcp-mux" => level.rtcp_mux = true,
        name => {
            if let Some(medium) = medium {
                media_attribute(name, value, medium);
            }
        }
    }
    Ok(())
}

fn media_attribute(name: &str, value: &str, medium: &mut Media) {
    match name {
        "rtpmap" => {
            if let Some((format, rest)) = format_of(value, medium) {
                let mut parts = rest.split('/');
                let name = parts.next().unwrap_or_default().trim();
                let clock_hz = parts.next().and_then(|clock| clock.trim().parse().ok());
                let channels = parts.next().and_then(|channels| channels.trim().parse().ok());
                if !name.is_empty() {
                    name.clone_into(&mut format.name);
                    format.clock_hz = clock_hz.filter(|&clock| clock > 0).unwrap_or(8000);
                    format.channels = channels.unwrap_or(1);
                }
            }
        }
        "fmtp" => {
            if let Some((format, rest)) = format_of(value, medium) {
                format.parameters = Some(rest.to_owned());
            }
        }
        "rtcp" => {
            let mut fields = value.split_ascii_whitespace();
            if let Some(port) = fields.next().and_then(|port| port.parse().ok()) {
                let address = fields.nth(2).and_then(|address| address.parse::<IpAddr>().ok());
                medium.rtcp = Some((port, address.map(|address| address.to_canonical())));
            }
        }
        "maxptime" => medium.maxptime_ms = value.parse().ok(),
        _ => {}
    }
}

/// Splits `96 rest` and finds the format; attributes of payload types that the `m=` line doesn't list are nothing.
fn format_of<'m, 'v>(value: &'v str, medium: &'m mut Media) -> Option<(&'m mut Format, &'v str)> {
    let (payload_type, rest) = value.split_once([' ', '\t'])?;
    let payload_type: u8 = payload_type.parse().ok()?;
    let format = medium.formats.iter_mut().find(|format| format.payload_type == payload_type)?;
    Some((format, rest.trim()))
}

/// RFC 3551 §6: what a payload type means without an `rtpmap`. Unassigned ones get no name, and match nothing.
fn static_format(payload_type: u8) -> Format {
    let (name, clock_hz) = match payload_type {
        0 => ("PCMU", 8000),
        3 => ("GSM", 8000),
        4 => ("G723", 8000),
        8 => ("PCMA", 8000),
        // RFC 3551 §4.5.2: 8000 by an old mistake that stays.
        9 => ("G722", 8000),
        13 => ("CN", 8000),
        15 => ("G728", 8000),
        18 => ("G729", 8000),
        _ => ("", 8000),
    };
    Format { payload_type, name: name.to_owned(), clock_hz, channels: 1, parameters: None }
}

/// Addresses that no peer receives on: sending there would make us a tool.
pub(crate) fn is_unicast(address: IpAddr) -> bool {
    !address.is_multicast() && address != IpAddr::V4(Ipv4Addr::BROADCAST)
}

#[cfg(test)]
mod tests;
