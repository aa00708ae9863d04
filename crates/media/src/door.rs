//! The control door of the room: what the engine asks of the media plane and what it is told.
//!
//! Knows: legs, session descriptions, prompts by name, sources of packets. Must never know: SIP, operators, queues,
//! callers' numbers. Runs on the engine's thread and touches no packet; packets are the worker door's
//! ([`Worker`](crate::Worker)). Between the two, [`Command`](crate::Command) and [`WorkerEvent`](crate::WorkerEvent)
//! travel as data.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use crate::prompts::PromptBook;

/// The name of a prompt, `greeting.fr`.
pub type Name = Arc<str>;

/// One side of a call. Named by this room; never reused, also not after a restore.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct LegId(pub u64);

/// Everything that configuration decides for this room.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Media threads; each owns a block of `ports` for life.
    pub workers: usize,
    /// The port range, even first; RTP on even, RTCP on the next odd port.
    pub ports: RangeInclusive<u16>,
    /// Bound addresses.
    pub local_v4: Option<Ipv4Addr>,
    /// Bound addresses.
    pub local_v6: Option<Ipv6Addr>,
    /// What session descriptions say instead, where a NAT stands between.
    pub advertised_v4: Option<Ipv4Addr>,
    /// As above.
    pub advertised_v6: Option<Ipv6Addr>,
    /// Voice codecs that we speak ourselves, in order of preference.
    pub codecs: Vec<VoiceCodec>,
    /// A released port pair rests this long.
    pub quarantine: Duration,
    /// A leg that received neither RTP nor RTCP for this long is reported `Silent`; none: never.
    pub silence: Option<Duration>,
    /// Prompts, decoded once and shared.
    pub prompts: Arc<PromptBook>,
}

/// Voice codecs that Vigie itself encodes and decodes. Others pass through where both legs share them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum VoiceCodec {
    /// G.711 A-law, payload type 8.
    Pcma,
    /// G.711 µ-law, payload type 0.
    Pcmu,
}

/// Whose packets a leg accepts (DESIGN: latching).
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum MediaFrom {
    /// The signalled address only; the port may differ once.
    Signalled,
    /// The signalled address, or this one (the source of the phone's registration).
    Registration(IpAddr),
    /// Any source inside these networks (address, prefix length); it may change while the call lives.
    Networks(Vec<(IpAddr, u8)>),
}

/// What a new leg needs.
#[derive(Clone, Debug)]
pub struct Allocate {
    /// Whose packets it accepts.
    pub media_from: MediaFrom,
    /// Their offer; none: we offer.
    pub offer: Option<Bytes>,
    /// The leg that this one will be bridged with: same worker, and its codecs first, so that nothing is transcoded.
    pub partner: Option<LegId>,
    /// Our address family when we offer.
    pub ipv6: bool,
    /// Voice codecs for this leg, in order of preference; empty: `Settings::codecs`.
    pub codecs: Vec<VoiceCodec>,
}

/// A new leg, and our description of it.
#[derive(Clone, Debug)]
pub struct Allocated {
    /// Its name.
    pub leg: LegId,
    /// Our answer to their offer, or our offer.
    pub sdp: Bytes,
}

/// What a completed offer/answer says of a leg.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Negotiated {
    /// What we may send them and they send us, from their side.
    pub direction: Direction,
    /// The voice codec's static or mapped payload type on this leg.
    pub payload_type: u8,
    /// The codec if it is one of ours.
    pub codec: Option<VoiceCodec>,
}

/// Directions as the *peer* states them (RFC 3264 §5.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Direction {
    /// Talks and listens.
    SendRecv,
    /// Holds us: it sends (music, or nothing) and does not listen.
    SendOnly,
    /// It listens only.
    RecvOnly,
    /// Holds us, in silence. Also for `c=0.0.0.0`.
    Inactive,
}

impl Direction {
    /// Whether the peer put us on hold.
    pub fn is_hold(self) -> bool {
        matches!(self, Self::SendOnly | Self::Inactive)
    }
}

/// Something to play: prompts one after the other.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Playlist {
    /// Names in the prompt book; unknown ones are skipped and reported once.
    pub prompts: Vec<Name>,
    /// From the start again at the end (music), with `gap` of silence between.
    pub repeat: bool,
    /// Silence between repeats.
    pub gap: Duration,
    /// Comes back in `PlayDone`.
    pub tag: u32,
}

/// Why the media plane cannot do it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum MediaError {
    /// The peer's description can't be read; what, for the log. SIP 400.
    Malformed(&'static str),
    /// No codec or no medium in common. SIP 488.
    NotAcceptable(&'static str),
    /// All port pairs are taken or resting. SIP 503 to phones, a prompt or 486 to trunks.
    NoPorts,
    /// No such leg (any more).
    NoSuchLeg,
}

/// What comes in.
#[derive(Debug)]
pub enum Input {
    /// From a worker.
    Worker {
        /// Which.
        worker: usize,
        /// What.
        event: crate::WorkerEvent,
    },
    /// A deadline of `poll_timeout` has come.
    Timeout,
}

/// What goes out.
#[derive(Debug)]
pub enum Output {
    /// For a worker.
    Command {
        /// Which.
        worker: usize,
        /// What.
        command: crate::Command,
    },
    /// For the engine.
    Event(Event),
    /// Keep this record (or erase it: `None`) before anything else of this step.
    Persist {
        /// The record's key within this room.
        key: u64,
        /// Versioned bytes.
        record: Option<Bytes>,
    },
}

/// What the engine is told.
#[derive(Clone, PartialEq, Debug)]
pub enum Event {
    /// A digit was pressed (RFC 4733), said once, at its end or after 100 ms.
    Digit {
        /// Where.
        leg: LegId,
        /// `0-9*#A-D`.
        digit: char,
    },
    /// A playlist came to its end (never for a repeating or stopped one).
    PlayDone {
        /// Where.
        leg: LegId,
        /// Its tag.
        tag: u32,
    },
    /// The leg's source of packets is known.
    Latched {
        /// Where.
        leg: LegId,
        /// The source.
        source: SocketAddr,
        /// Whether it is exactly the signalled address and port.
        as_signalled: bool,
    },
    /// Packets from a source that may not speak; said once a leg and source, at most 4 a leg.
    SourceRejected {
        /// Where.
        leg: LegId,
        /// From where.
        source: SocketAddr,
        /// What the administrator can do.
        remedy: &'static str,
    },
    /// Neither RTP nor RTCP for `Settings::silence`; again after each further such time.
    Silent {
        /// Where.
        leg: LegId,
        /// For how long.
        since: Duration,
        /// Whether anything was ever received.
        ever: bool,
    },
    /// A leg was released; its account.
    Released {
        /// Where.
        leg: LegId,
        /// The figures.
        stats: LegStats,
    },
    /// A prompt is not in the book, or the worker could not open a port.
    Trouble {
        /// Where.
        leg: LegId,
        /// What.
        what: &'static str,
    },
}

/// A leg's account.
#[derive(Clone, Copy, PartialEq, Default, Debug)]
pub struct LegStats {
    /// RTP packets received and accepted.
    pub received: u64,
    /// RTP packets sent.
    pub sent: u64,
    /// Lost towards us (RFC 3550 A.3).
    pub lost: u64,
    /// Interarrival jitter, ms (RFC 3550 A.8).
    pub jitter_ms: f32,
    /// Dropped: wrong source, wrong type, over the rate.
    pub dropped: u64,
    /// Loss that the peer reported of what we sent (RTCP), 0 to 1; none if it never did.
    pub remote_loss: Option<f32>,
    /// Round trip by RTCP, ms.
    pub round_trip_ms: Option<f32>,
}

/// What is live; returns to zero when legs are gone.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Counts {
    /// Legs.
    pub legs: usize,
    /// Port pairs in use.
    pub ports: usize,
    /// Port pairs resting.
    pub quarantined: usize,
}
