//! Offer and answer of one leg (RFC 3264): what is proposed, chosen, settled.
//!
//! Knows: both descriptions. Must never know: ports' owners, workers, bridges.
//!
//! ```text
//!   state     event         next      what
//!   New       our offer     Offered   our codecs, the partner's first
//!   New       their offer   Settled   one voice codec and telephone events
//!   Offered   their answer  Settled   what of ours they took
//!   Offered   their offer   Settled   theirs stands; glare is the signalling's to prevent
//!   Settled   their answer  Settled   the final one after early media; only if the last offer was ours
//!   Settled   our offer     Offered   what is agreed stays in force until the answer
//!   Settled   their offer   Settled   the codec stays if they still offer it
//! ```
//! An answer names a single voice codec. With several, a peer may change between them at will (RFC 3264 §7.1),
//! and many choose badly.

use std::net::SocketAddr;
use std::sync::Arc;

use crate::description::{self, Connection, Description, Format, Media};
use crate::{Direction, Encoding, MediaError, Negotiated, PayloadFormat, Stream, VoiceCodec};

/// Our payload type for telephone events, where they didn't choose one.
const EVENTS_PAYLOAD_TYPE: u8 = 101;
/// Samples of 20 ms, and of 10 ms for those who can't take more.
const PACKET_SAMPLES: u16 = 160;
const SHORT_PACKET_SAMPLES: u16 = 80;

/// One leg's offer and answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Session {
    /// The `m=` lines of the description in force; ours is `audio`, the others are refused.
    pub(crate) lines: Vec<Line>,
    pub(crate) audio: usize,
    /// What we offered, while the last offer is ours.
    pub(crate) offered: Option<Vec<Format>>,
    pub(crate) agreed: Option<Agreed>,
    /// What we want; their side may narrow it.
    pub(crate) our_direction: Direction,
}

/// An `m=` line without its attributes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Line {
    pub(crate) kind: String,
    pub(crate) transport: String,
    pub(crate) format_list: String,
}

/// What is settled.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Agreed {
    /// As they state it.
    pub(crate) direction: Direction,
    /// None while on hold by 0.0.0.0.
    pub(crate) rtp: Option<SocketAddr>,
    pub(crate) rtcp: Option<SocketAddr>,
    pub(crate) rtcp_mux: bool,
    /// What they may send, by the numbers that we expect.
    pub(crate) receive: Vec<Format>,
    /// What we may send, by their numbers; voice first.
    pub(crate) send: Vec<Format>,
    pub(crate) maxptime_ms: Option<u16>,
}

/// Our side of a description: what the printer needs beside the address.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Proposal {
    pub(crate) lines: Vec<Line>,
    pub(crate) audio: usize,
    pub(crate) formats: Vec<Format>,
    pub(crate) direction: Direction,
    pub(crate) rtcp_mux: bool,
}

/// What guides the choice of a codec.
pub(crate) struct Preferences<'a> {
    /// Those that we speak, best first.
    pub(crate) codecs: &'a [VoiceCodec],
    /// The partner's voice codec.
    pub(crate) partner: Option<&'a Format>,
    /// Which family we have an address of.
    pub(crate) ipv4: bool,
    pub(crate) ipv6: bool,
}

impl Session {
    pub(crate) fn new() -> Self {
        let line = Line { kind: "audio".into(), transport: "RTP/AVP".into(), format_list: String::new() };
        Self { lines: vec![line], audio: 0, offered: None, agreed: None, our_direction: Direction::SendRecv }
    }

    /// We offer.
    pub(crate) fn offer(&mut self, preferences: &Preferences<'_>, direction: Direction) -> Proposal {
        let formats = self.formats_to_offer(preferences);
        self.our_direction = direction;
        self.offered = Some(formats.clone());
        self.proposal(formats, direction, false)
    }

    /// They answer our offer.
    pub(crate) fn answered(
        &mut self,
        description: &Description,
        preferences: &Preferences<'_>,
    ) -> Result<(), MediaError> {
        let offered = self.offered.as_ref().ok_or(MediaError::Malformed("an answer without an offer"))?;
        // RFC 3264 §6: an answer has the offer's m= lines, in order. Some answer only the audio.
        let media = description
            .media
            .get(self.audio)
            .filter(|media| media.kind == "audio")
            .or_else(|| description.media.iter().find(|media| media.kind == "audio"))
            .ok_or(MediaError::NotAcceptable("the answer has no audio"))?;
        let agreed = usable(media, preferences)?;
        let mut receive = Vec::new();
        let mut send = Vec::new();
        for theirs in &media.formats {
            let ours = offered.iter().find(|ours| {
                same_encoding(ours, theirs)
                    || theirs.name.is_empty() && ours.payload_type == theirs.payload_type
            });
            if let Some(ours) = ours {
                receive.push(ours.clone());
                // RFC 3264 §6.1: their number is what they want to receive.
                send.push(Format { payload_type: theirs.payload_type, ..ours.clone() });
            }
        }
        if !send.iter().any(is_voice) {
            return Err(MediaError::NotAcceptable("the answer takes none of the offered codecs"));
        }
        // Some send by their own numbers and not by ours.
        let theirs: Vec<Format> = send
            .iter()
            .filter(|theirs| receive.iter().all(|ours| ours.payload_type != theirs.payload_type))
            .cloned()
            .collect();
        receive.extend(theirs);
        send.sort_by_key(|format| !is_voice(format));
        self.agreed = Some(Agreed { receive, send, ..agreed });
        Ok(())
    }

    /// They offer; our answer.
    pub(crate) fn offered(
        &mut self,
        description: &Description,
        preferences: &Preferences<'_>,
    ) -> Result<Proposal, MediaError> {
        let mut refusal = MediaError::NotAcceptable("no audio is offered");
        for (index, media) in description.media.iter().enumerate() {
            if media.kind != "audio" {
                continue;
            }
            match self.agree(media, preferences) {
                Ok(agreed) => {
                    let formats = agreed.send.clone();
                    let direction = restrict(self.our_direction, agreed.direction);
                    let rtcp_mux = agreed.rtcp_mux;
                    self.lines = description
                        .media
                        .iter()
                        .map(|media| Line {
                            kind: media.kind.clone(),
                            transport: media.transport.clone(),
                            format_list: media.format_list.clone(),
                        })
                        .collect();
                    self.audio = index;
                    self.offered = None;
                    self.agreed = Some(agreed);
                    return Ok(self.proposal(formats, direction, rtcp_mux));
                }
                Err(error) => refusal = error,
            }
        }
        Err(refusal)
    }

    /// What is settled, for the engine.
    pub(crate) fn negotiated(&self) -> Option<Negotiated> {
        let agreed = self.agreed.as_ref()?;
        let voice = agreed.send.first()?;
        Some(Negotiated {
            direction: agreed.direction,
            payload_type: voice.payload_type,
            codec: voice_codec(voice),
        })
    }

    /// The voice codec that is spoken.
    pub(crate) fn voice(&self) -> Option<&Format> {
        self.agreed.as_ref()?.send.iter().find(|format| is_voice(format))
    }

    /// What is settled, for the worker.
    pub(crate) fn stream(&self) -> Option<Stream> {
        let agreed = self.agreed.as_ref()?;
        let ours = restrict(self.our_direction, agreed.direction);
        let short = agreed.maxptime_ms.is_some_and(|maxptime_ms| (1..20).contains(&maxptime_ms));
        Some(Stream {
            remote: agreed.rtp,
            remote_rtcp: agreed.rtcp,
            rtcp_mux: agreed.rtcp_mux,
            send: matches!(ours, Direction::SendRecv | Direction::SendOnly),
            receive: matches!(ours, Direction::SendRecv | Direction::RecvOnly),
            receive_formats: agreed.receive.iter().map(payload_format).collect(),
            send_formats: agreed.send.iter().map(payload_format).collect(),
            packet_samples: if short { SHORT_PACKET_SAMPLES } else { PACKET_SAMPLES },
        })
    }

    fn proposal(&self, formats: Vec<Format>, direction: Direction, rtcp_mux: bool) -> Proposal {
        Proposal { lines: self.lines.clone(), audio: self.audio, formats, direction, rtcp_mux }
    }

    /// The agreed codec first, then the partner's, then ours; one that only passes through stands alone.
    fn formats_to_offer(&self, preferences: &Preferences<'_>) -> Vec<Format> {
        let agreed = self.agreed.as_ref();
        let first = self.voice().or(preferences.partner);
        let mut formats: Vec<Format> = Vec::new();
        if let Some(first) = first.filter(|first| voice_codec(first).is_none()) {
            formats.push(first.clone());
        } else {
            let first = first.and_then(voice_codec);
            let others = preferences.codecs.iter().copied().filter(|&codec| Some(codec) != first);
            formats.extend(first.into_iter().chain(others).map(static_voice));
        }
        let clock_hz = formats.first().map_or(8000, |format| format.clock_hz);
        // RFC 3264 §8.3.2: a number keeps its meaning for the whole session.
        let events =
            agreed.and_then(|agreed| agreed.receive.iter().find(|format| is_events(format)).cloned());
        formats.push(events.filter(|events| events.clock_hz == clock_hz).unwrap_or_else(|| Format {
            payload_type: free_payload_type(&formats),
            name: "telephone-event".into(),
            clock_hz,
            channels: 1,
            parameters: Some("0-15".into()),
        }));
        formats
    }

    /// Chooses from an offered medium.
    fn agree(&self, media: &Media, preferences: &Preferences<'_>) -> Result<Agreed, MediaError> {
        let agreed = usable(media, preferences)?;
        let ours =
            |format: &&Format| voice_codec(format).is_some_and(|codec| preferences.codecs.contains(&codec));
        let offers = |wanted: &Format| media.formats.iter().find(|format| same_encoding(format, wanted));
        let by_preference = || {
            preferences
                .codecs
                .iter()
                .find_map(|&codec| media.formats.iter().find(|format| voice_codec(format) == Some(codec)))
        };
        let voice = match preferences.partner {
            Some(partner) => {
                let convertible = voice_codec(partner).is_some();
                self.voice()
                    .and_then(offers)
                    .filter(|current| same_encoding(current, partner))
                    .or_else(|| offers(partner).or_else(|| if convertible { by_preference() } else { None }))
            }
            None => self
                .voice()
                .and_then(offers)
                .or_else(by_preference)
                .or_else(|| media.formats.iter().find(|format| is_voice(format))),
        };
        let voice = voice.ok_or(MediaError::NotAcceptable("no codec in common"))?;
        let events =
            media.formats.iter().find(|format| is_events(format) && format.clock_hz == voice.clock_hz);
        let send: Vec<Format> = std::iter::once(voice).chain(events).cloned().collect();
        // What they offered beside the chosen codec some send all the same; it costs nothing to understand it.
        let others = media.formats.iter().filter(ours).filter(|format| *format != voice).cloned();
        let receive = send.iter().cloned().chain(others).collect();
        Ok(Agreed { receive, send, ..agreed })
    }
}

/// Checks what is needed of a medium whatever its codecs; formats are still empty.
fn usable(media: &Media, preferences: &Preferences<'_>) -> Result<Agreed, MediaError> {
    let transport = media.transport.to_ascii_uppercase();
    if media.port == 0 {
        return Err(MediaError::NotAcceptable("the audio is refused with port 0"));
    }
    if transport.contains("SAVP") {
        return Err(MediaError::NotAcceptable("only encrypted media (SRTP), which is not spoken yet"));
    }
    if transport != "RTP/AVP" {
        return Err(MediaError::NotAcceptable("the audio's transport is not RTP/AVP"));
    }
    let address = match media.connection {
        Connection::Address(address) => address,
        Connection::Name => {
            return Err(MediaError::NotAcceptable("the media address is a host name, not an IP address"));
        }
        Connection::Missing => return Err(MediaError::Malformed("there is no c= line for the audio")),
    };
    if !description::is_unicast(address) {
        return Err(MediaError::NotAcceptable("the media address is not a unicast address"));
    }
    // On hold by 0.0.0.0 the family says nothing.
    if !address.is_unspecified() && !(if address.is_ipv4() { preferences.ipv4 } else { preferences.ipv6 }) {
        return Err(MediaError::NotAcceptable(
            "the media address is of another family (IPv4, IPv6) than ours",
        ));
    }
    let rtcp = media.rtcp_address().filter(|rtcp| description::is_unicast(rtcp.ip()));
    Ok(Agreed {
        direction: media.direction,
        rtp: media.rtp_address(),
        rtcp,
        rtcp_mux: media.rtcp_mux,
        receive: Vec::new(),
        send: Vec::new(),
        maxptime_ms: media.maxptime_ms,
    })
}

/// What we may state, given what we want and what they state (RFC 3264 §6.1).
pub(crate) fn restrict(ours: Direction, theirs: Direction) -> Direction {
    use Direction::{Inactive, RecvOnly, SendOnly, SendRecv};
    let sends = matches!(ours, SendRecv | SendOnly) && matches!(theirs, SendRecv | RecvOnly);
    let receives = matches!(ours, SendRecv | RecvOnly) && matches!(theirs, SendRecv | SendOnly);
    match (sends, receives) {
        (true, true) => SendRecv,
        (true, false) => SendOnly,
        (false, true) => RecvOnly,
        (false, false) => Inactive,
    }
}

/// The codec if it is one that we speak.
pub(crate) fn voice_codec(format: &Format) -> Option<VoiceCodec> {
    [VoiceCodec::Pcma, VoiceCodec::Pcmu]
        .into_iter()
        .find(|codec| format.is(codec.name()) && format.clock_hz == 8000 && format.channels == 1)
}

fn static_voice(codec: VoiceCodec) -> Format {
    Format {
        payload_type: codec.payload_type(),
        name: codec.name().into(),
        clock_hz: 8000,
        channels: 1,
        parameters: None,
    }
}

fn is_events(format: &Format) -> bool {
    format.is("telephone-event")
}

/// Sound that a call can be made of; comfort noise and redundancy only accompany it.
fn is_voice(format: &Format) -> bool {
    !format.name.is_empty() && !["telephone-event", "CN", "RED", "tone"].iter().any(|name| format.is(name))
}

fn same_encoding(a: &Format, b: &Format) -> bool {
    a.is(&b.name) && a.clock_hz == b.clock_hz && a.channels == b.channels && !a.name.is_empty()
}

fn free_payload_type(formats: &[Format]) -> u8 {
    let taken = |number: u8| formats.iter().any(|format| format.payload_type == number);
    (EVENTS_PAYLOAD_TYPE..128).find(|&number| !taken(number)).unwrap_or(96)
}

fn payload_format(format: &Format) -> PayloadFormat {
    let encoding = match voice_codec(format) {
        Some(codec) => Encoding::Voice(codec),
        None if is_events(format) => Encoding::Events,
        None => {
            let name = format.name.to_ascii_lowercase();
            Encoding::Other(Arc::from(format!("{name}/{}/{}", format.clock_hz, format.channels)))
        }
    };
    PayloadFormat { payload_type: format.payload_type, encoding, clock_hz: format.clock_hz }
}

#[cfg(test)]
mod tests;
