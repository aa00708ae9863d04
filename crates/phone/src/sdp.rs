//! Session descriptions: the little of SDP that one audio stream of G.711 needs (RFC 4566, 3264).
//!
//! It knows offers and answers of one phone. It must never know SIP, nor resolve a host name.

use crate::address::host_ip;
use crate::g711::Codec;
use std::fmt::Write as _;
use std::net::{IpAddr, SocketAddr};

#[cfg(test)]
mod tests;

/// The payload type this phone offers digits under; telephones have agreed on it by custom.
const EVENT_TYPE: u8 = 101;
/// Media lines read of one description: the rest is refused with the description.
const MEDIA_MAX: usize = 16;

/// Who may send (RFC 3264 §5.1), as the one who says it sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Direction {
    /// Both ways.
    #[default]
    SendRecv,
    /// The speaker sends only: the other side is on hold, with music.
    SendOnly,
    /// The speaker listens only.
    RecvOnly,
    /// Neither way.
    Inactive,
}

impl Direction {
    pub(crate) fn new(send: bool, receive: bool) -> Self {
        match (send, receive) {
            (true, true) => Self::SendRecv,
            (true, false) => Self::SendOnly,
            (false, true) => Self::RecvOnly,
            (false, false) => Self::Inactive,
        }
    }

    /// Whether the speaker sends.
    #[must_use]
    pub fn sends(self) -> bool {
        matches!(self, Self::SendRecv | Self::SendOnly)
    }

    /// Whether the speaker listens.
    #[must_use]
    pub fn receives(self) -> bool {
        matches!(self, Self::SendRecv | Self::RecvOnly)
    }

    fn name(self) -> &'static str {
        match self {
            Self::SendRecv => "sendrecv",
            Self::SendOnly => "sendonly",
            Self::RecvOnly => "recvonly",
            Self::Inactive => "inactive",
        }
    }

    fn parse(name: &str) -> Option<Self> {
        [Self::SendRecv, Self::SendOnly, Self::RecvOnly, Self::Inactive]
            .into_iter()
            .find(|d| d.name() == name)
    }
}

/// What the other side said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Description {
    /// Where it wants RTP; `None` for a host name or a refused stream.
    pub(crate) remote: Option<SocketAddr>,
    /// Its usable codecs with their payload types, in its order.
    pub(crate) codecs: Vec<(u8, Codec)>,
    pub(crate) event_type: Option<u8>,
    pub(crate) direction: Direction,
    /// Its media lines without `m=`, and which of them is the audio.
    media: Vec<String>,
    audio: Option<usize>,
}

impl Description {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut parsed = Self {
            remote: None,
            codecs: Vec::new(),
            event_type: None,
            direction: Direction::SendRecv,
            media: Vec::new(),
            audio: None,
        };
        let (mut address, mut port, mut types): (Option<IpAddr>, u16, Vec<u8>) = (None, 0, Vec::new());
        let mut mapped: Vec<(u8, Option<Codec>)> = Vec::new();
        for line in text.lines() {
            let Some((kind, value)) = line.trim_end().split_once('=') else { continue };
            let in_audio = parsed.audio.is_some_and(|audio| audio + 1 == parsed.media.len());
            match kind {
                "m" => {
                    if parsed.media.len() == MEDIA_MAX {
                        return None;
                    }
                    parsed.media.push(value.to_owned());
                    let mut words = value.split_whitespace();
                    let plain_audio = words.next() == Some("audio");
                    let media_port = words.next().and_then(|word| word.split('/').next()?.parse().ok());
                    let profile = words.next();
                    if plain_audio && parsed.audio.is_none() && profile == Some("RTP/AVP") {
                        parsed.audio = Some(parsed.media.len() - 1);
                        port = media_port?;
                        types = words.filter_map(|word| word.parse().ok()).collect();
                    }
                }
                "c" if in_audio || parsed.media.is_empty() => {
                    address =
                        value.split_whitespace().nth(2).and_then(|host| host_ip(host.split('/').next()?));
                }
                "a" if in_audio || parsed.media.is_empty() => {
                    if let Some(direction) = Direction::parse(value) {
                        parsed.direction = direction;
                    } else if let Some((number, name)) =
                        value.strip_prefix("rtpmap:").and_then(|map| map.split_once(' '))
                    {
                        let number = number.trim().parse().ok()?;
                        let name = name.trim().to_ascii_uppercase();
                        if name.starts_with("TELEPHONE-EVENT/8000") {
                            parsed.event_type = Some(number);
                        }
                        mapped.push((number, codec_of(&name)));
                    }
                }
                _ => {}
            }
        }
        parsed.codecs = types
            .into_iter()
            .filter_map(|number| {
                let codec = match mapped.iter().find(|(have, _)| *have == number) {
                    Some((_, codec)) => *codec,
                    // RFC 3551 §6: the static types need no rtpmap.
                    None => {
                        [Codec::ALaw, Codec::MuLaw].into_iter().find(|codec| codec.payload_type() == number)
                    }
                };
                codec.map(|codec| (number, codec))
            })
            .collect();
        parsed.remote = address.filter(|_| port != 0).map(|ip| SocketAddr::new(ip, port));
        Some(parsed)
    }
}

/// What both sides agreed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Agreement {
    pub(crate) remote: Option<SocketAddr>,
    pub(crate) codec: Codec,
    /// The payload type to send sound under.
    pub(crate) payload_type: u8,
    /// The payload type to send digits under.
    pub(crate) event_type: Option<u8>,
    /// The payload type that digits come under.
    pub(crate) event_type_received: Option<u8>,
    /// The direction as this phone sees it.
    pub(crate) direction: Direction,
    /// The direction as the other side said it.
    pub(crate) peer_direction: Direction,
}

/// One call's offers and answers.
#[derive(Debug, Clone)]
pub(crate) struct Session {
    local: SocketAddr,
    id: u64,
    version: u64,
    /// The last body sent, without its origin line: RFC 3264 §8: the version moves only with the content.
    said: String,
    codecs: Vec<Codec>,
    events: bool,
    /// What this phone wants: anything but `SendRecv` is its own hold.
    pub(crate) wish: Direction,
    pub(crate) agreement: Option<Agreement>,
    /// An offer of ours is out.
    pub(crate) offered: bool,
}

impl Session {
    pub(crate) fn new(local: SocketAddr, id: u64, codecs: &[Codec], events: bool) -> Self {
        Self {
            local,
            // RFC 8866 §5.2 suggests an NTP timestamp; readers differ on numbers past 63 bits.
            id: id >> 16,
            version: 0,
            said: String::new(),
            codecs: codecs.to_vec(),
            events,
            wish: Direction::SendRecv,
            agreement: None,
            offered: false,
        }
    }

    /// An offer of everything this phone can.
    pub(crate) fn offer(&mut self) -> String {
        self.offered = true;
        let codecs: Vec<(u8, Codec)> =
            self.codecs.iter().map(|codec| (codec.payload_type(), *codec)).collect();
        let media = self.audio_lines(&codecs, self.events.then_some(EVENT_TYPE), self.wish);
        self.describe(media)
    }

    /// Answers an offer; `None` when nothing of it can be used (488).
    pub(crate) fn answer(&mut self, offer: &Description) -> Option<String> {
        let audio = offer.audio?;
        let (payload_type, codec) = *offer.codecs.iter().find(|(_, codec)| self.codecs.contains(codec))?;
        let event_type = offer.event_type.filter(|_| self.events);
        let direction = Direction::new(
            self.wish.sends() && offer.direction.receives(),
            self.wish.receives() && offer.direction.sends(),
        );
        self.agreement = Some(Agreement {
            remote: offer.remote,
            codec,
            payload_type,
            event_type,
            event_type_received: event_type,
            direction,
            peer_direction: offer.direction,
        });
        self.offered = false;
        let mut media = String::new();
        for (at, line) in offer.media.iter().enumerate() {
            if at == audio && offer.remote.is_some() {
                media.push_str(&self.audio_lines(&[(payload_type, codec)], event_type, direction));
            } else {
                media.push_str(&refused_line(line));
            }
        }
        Some(self.describe(media))
    }

    /// Takes the answer to our offer; false when it is of no use.
    pub(crate) fn accept(&mut self, answer: &Description) -> bool {
        self.offered = false;
        let Some((payload_type, codec)) =
            answer.codecs.iter().find(|(_, codec)| self.codecs.contains(codec)).copied()
        else {
            return false;
        };
        let direction = Direction::new(
            self.wish.sends() && answer.direction.receives(),
            self.wish.receives() && answer.direction.sends(),
        );
        // An answer to our own hold says what the hold leaves, not what the other side wants.
        let kept = self.agreement.filter(|_| self.wish != Direction::SendRecv);
        self.agreement = Some(Agreement {
            remote: answer.remote,
            codec,
            payload_type,
            event_type: answer.event_type.filter(|_| self.events),
            event_type_received: self.events.then_some(EVENT_TYPE),
            direction,
            peer_direction: kept.map_or(answer.direction, |kept| kept.peer_direction),
        });
        true
    }

    fn describe(&mut self, media: String) -> String {
        let family = if self.local.is_ipv6() { "IP6" } else { "IP4" };
        let said = format!("s=-\r\nc=IN {family} {}\r\nt=0 0\r\n{media}", self.local.ip());
        if said != self.said {
            self.version += 1;
        }
        let body =
            format!("v=0\r\no=- {} {} IN {family} {}\r\n{said}", self.id, self.version, self.local.ip());
        self.said = said;
        body
    }

    fn audio_lines(&self, codecs: &[(u8, Codec)], events: Option<u8>, direction: Direction) -> String {
        let mut text = format!("m=audio {} RTP/AVP", self.local.port());
        // Writing into a String cannot fail, so the results carry nothing.
        for number in codecs.iter().map(|(number, _)| *number).chain(events) {
            let _ = write!(text, " {number}");
        }
        text.push_str("\r\n");
        for (number, codec) in codecs {
            let _ = write!(text, "a=rtpmap:{number} {}/8000\r\n", codec.name());
        }
        if let Some(number) = events {
            let _ = write!(text, "a=rtpmap:{number} telephone-event/8000\r\na=fmtp:{number} 0-15\r\n");
        }
        let _ = write!(text, "a=ptime:20\r\na={}\r\n", direction.name());
        text
    }
}

/// RFC 3264 §6: a stream is refused by its own line with port 0.
fn refused_line(line: &str) -> String {
    let mut words = line.split_whitespace();
    let kind = words.next().unwrap_or("audio");
    let rest: Vec<&str> = words.skip(1).collect();
    format!("m={kind} 0 {}\r\n", rest.join(" "))
}

fn codec_of(encoding: &str) -> Option<Codec> {
    let encoding = encoding.strip_suffix("/1").unwrap_or(encoding);
    match encoding {
        "PCMA/8000" => Some(Codec::ALaw),
        "PCMU/8000" => Some(Codec::MuLaw),
        _ => None,
    }
}
