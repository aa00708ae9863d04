//! One leg as its worker keeps it: latch, incoming account, outgoing stream, what plays.
//!
//! Knows: the machines of this room. Must never know: other legs; what joins two of them is the worker's.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::dtmf::Digits;
use crate::latch::Latch;
use crate::outgoing::Outgoing;
use crate::playout::Playout;
use crate::rtcp::RtcpSession;
use crate::stats::Reception;
use crate::tokens::Tokens;
use crate::{
    Checkpoint, Encoding, LegId, LegStats, MediaFrom, PayloadFormat, Stream, StreamPosition, VoiceCodec,
};

/// Payload types are seven bits.
pub(crate) const PAYLOAD_TYPES: usize = 128;
/// Rejected sources that are told of a leg.
const REJECTED_TOLD_MAX: usize = 4;

/// What a payload type means when it comes in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Meaning {
    Unknown,
    Sound { clock_hz: u32 },
    Events { clock_hz: u32 },
}

/// What becomes of a payload type in the bridge.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Action {
    /// The other leg can't take it.
    Absorb,
    /// As it is, under the other leg's number.
    Pass(u8),
    /// Converted; the other leg's number.
    ToAlaw(u8),
    /// Converted; the other leg's number.
    ToUlaw(u8),
}

pub(crate) struct Leg {
    pub(crate) id: LegId,
    pub(crate) rtp: Latch,
    pub(crate) rtcp_latch: Latch,
    pub(crate) stream: Option<Arc<Stream>>,
    pub(crate) meanings: [Meaning; PAYLOAD_TYPES],
    pub(crate) actions: [Action; PAYLOAD_TYPES],
    pub(crate) partner: Option<u32>,
    pub(crate) playout: Option<Playout>,
    pub(crate) outgoing: Outgoing,
    pub(crate) reception: Reception,
    pub(crate) digits: Digits,
    pub(crate) rtcp: RtcpSession,
    pub(crate) tokens: Tokens,
    /// The kernel drops what comes from elsewhere.
    pub(crate) connected: bool,
    pub(crate) heard_at: Option<Duration>,
    pub(crate) silence: Silence,
    pub(crate) checkpoint_due: Duration,
    rejected: [Option<SocketAddr>; REJECTED_TOLD_MAX],
    dropped: u64,
}

/// When silence was last counted from, and how long it lasts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Silence {
    /// None before the first negotiation: nobody is expected to speak.
    pub(crate) since: Option<Duration>,
    pub(crate) told: u32,
}

impl Leg {
    pub(crate) fn new(
        now: Duration,
        id: LegId,
        media_from: MediaFrom,
        position: StreamPosition,
        latched: (Option<SocketAddr>, Option<SocketAddr>),
        random: u32,
    ) -> Self {
        Self {
            id,
            rtp: Latch::new(media_from.clone(), latched.0),
            rtcp_latch: Latch::new(media_from, latched.1),
            stream: None,
            meanings: [Meaning::Unknown; PAYLOAD_TYPES],
            actions: [Action::Absorb; PAYLOAD_TYPES],
            partner: None,
            playout: None,
            outgoing: Outgoing::new(position),
            reception: Reception::default(),
            digits: Digits::default(),
            rtcp: RtcpSession::new(now, position.ssrc, random),
            tokens: Tokens::full(now),
            connected: false,
            heard_at: None,
            silence: Silence { since: None, told: 0 },
            checkpoint_due: next_checkpoint(now),
            rejected: [None; REJECTED_TOLD_MAX],
            dropped: 0,
        }
    }

    /// Offer and answer settled.
    pub(crate) fn configure(&mut self, now: Duration, stream: Arc<Stream>, media_from: MediaFrom) {
        self.rtp.negotiated(stream.remote, media_from.clone());
        self.rtcp_latch.negotiated(stream.remote_rtcp, media_from);
        self.meanings = [Meaning::Unknown; PAYLOAD_TYPES];
        for format in &stream.receive_formats {
            if let Some(meaning) = self.meanings.get_mut(usize::from(format.payload_type)) {
                *meaning = match format.encoding {
                    Encoding::Events => Meaning::Events { clock_hz: format.clock_hz },
                    Encoding::Voice(_) | Encoding::Other(_) => Meaning::Sound { clock_hz: format.clock_hz },
                };
            }
        }
        self.silence.since.get_or_insert(now);
        self.stream = Some(stream);
    }

    /// What becomes of each payload type towards a leg that takes `to`.
    pub(crate) fn set_actions(&mut self, to: Option<&Stream>) {
        self.actions = [Action::Absorb; PAYLOAD_TYPES];
        let (Some(from), Some(to)) = (&self.stream, to) else { return };
        for format in &from.receive_formats {
            if let Some(action) = self.actions.get_mut(usize::from(format.payload_type)) {
                *action = action_for(format, &to.send_formats);
            }
        }
    }

    /// Where RTP goes; none while they don't listen.
    pub(crate) fn rtp_destination(&self) -> Option<SocketAddr> {
        let stream = self.stream.as_ref()?;
        stream.remote.filter(|_| stream.send)?;
        self.rtp.send_to()
    }

    /// Where RTCP goes, and whether over the RTP socket. RFC 3264 §5.1: it goes on while on hold.
    pub(crate) fn rtcp_destination(&self) -> Option<(SocketAddr, bool)> {
        let stream = self.stream.as_ref()?;
        if stream.rtcp_mux {
            stream.remote.and_then(|_| self.rtp.send_to()).map(|to| (to, true))
        } else {
            stream.remote_rtcp.and_then(|_| self.rtcp_latch.send_to()).map(|to| (to, false))
        }
    }

    /// The codec and payload type in which we play to it.
    pub(crate) fn voice(&self) -> Option<(VoiceCodec, u8)> {
        self.stream.as_ref()?.send_formats.iter().find_map(|format| match format.encoding {
            Encoding::Voice(codec) => Some((codec, format.payload_type)),
            Encoding::Events | Encoding::Other(_) => None,
        })
    }

    /// Something acceptable came.
    pub(crate) fn heard(&mut self, now: Duration) {
        self.heard_at = Some(now);
        self.silence = Silence { since: self.silence.since.map(|_| now), told: 0 };
    }

    /// For how long nothing came, if that is news.
    pub(crate) fn silent(&mut self, now: Duration, limit: Duration) -> Option<Duration> {
        let lasts = now.saturating_sub(self.silence.since?);
        if limit.is_zero() || lasts < limit.saturating_mul(self.silence.told.saturating_add(1)) {
            return None;
        }
        // After a pause of the whole machine, one report and not one for each period missed.
        let periods = lasts.as_micros() / limit.as_micros().max(1);
        self.silence.told = u32::try_from(periods).unwrap_or(u32::MAX);
        Some(lasts)
    }

    /// Counts a refused packet; true if its source is worth telling.
    pub(crate) fn reject(&mut self, from: SocketAddr) -> bool {
        self.dropped += 1;
        for slot in &mut self.rejected {
            match slot {
                Some(told) if *told == from => return false,
                Some(_) => {}
                None => {
                    *slot = Some(from);
                    return true;
                }
            }
        }
        false
    }

    pub(crate) fn count_dropped(&mut self) {
        self.dropped += 1;
    }

    pub(crate) fn stats(&self) -> LegStats {
        LegStats {
            received: self.reception.received(),
            sent: self.outgoing.packets(),
            lost: self.reception.lost(),
            jitter_ms: self.reception.jitter_ms(),
            dropped: self.dropped,
            remote_loss: self.rtcp.remote_loss(),
            round_trip_ms: self.rtcp.round_trip().map(|trip| trip.as_secs_f32() * 1000.0),
        }
    }

    pub(crate) fn checkpoint(&self, now: Duration) -> Checkpoint {
        Checkpoint {
            at: now,
            position: self.outgoing.position(),
            latched: self.rtp.source(),
            latched_rtcp: self.rtcp_latch.source(),
            played: self.playout.as_ref().map(Playout::position),
        }
    }
}

/// Checkpoints are taken at whole seconds, those of many legs together: the engine is woken for all of them once.
pub(crate) fn next_checkpoint(now: Duration) -> Duration {
    Duration::from_secs(now.as_secs() + 1)
}

fn action_for(format: &PayloadFormat, to: &[PayloadFormat]) -> Action {
    let shared = to.iter().find(|theirs| {
        theirs.encoding == format.encoding
            // Events count in the clock of the sound that they interrupt.
            && (format.encoding != Encoding::Events || theirs.clock_hz == format.clock_hz)
    });
    if let Some(theirs) = shared {
        return Action::Pass(theirs.payload_type);
    }
    let Encoding::Voice(from) = format.encoding else { return Action::Absorb };
    for theirs in to {
        match (from, &theirs.encoding) {
            (VoiceCodec::Pcma, Encoding::Voice(VoiceCodec::Pcmu)) => {
                return Action::ToUlaw(theirs.payload_type);
            }
            (VoiceCodec::Pcmu, Encoding::Voice(VoiceCodec::Pcma)) => {
                return Action::ToAlaw(theirs.payload_type);
            }
            _ => {}
        }
    }
    Action::Absorb
}
