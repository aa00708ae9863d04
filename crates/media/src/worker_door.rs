//! The worker door: what crosses between the engine's thread and a media thread, and between a media thread and
//! its sockets. Data only.
//!
//! Knows: legs, sockets by key, negotiated streams. Must never know: session descriptions, SIP.

use std::net::SocketAddr;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use crate::{LegId, LegStats, MediaFrom, Prompt, VoiceCodec};

/// A worker's settings; the same for all workers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WorkerSettings {
    /// A leg that received neither RTP nor RTCP for this long is reported `Silent`; none: never.
    pub silence: Option<Duration>,
}

/// One socket of a leg. `leg` is the worker's own small index, reused after `SocketOp::Close`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct SocketKey {
    /// The leg's index in its worker.
    pub leg: u32,
    /// Which of the pair.
    pub kind: SocketKind,
}

/// RTP and RTCP have a socket each.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum SocketKind {
    /// The even port (and RTCP too where `rtcp-mux` was agreed).
    Rtp,
    /// The odd port.
    Rtcp,
}

/// What the shell does with its sockets. In order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SocketOp {
    /// Open and bind. A failure comes back as [`Command::SocketFailed`].
    Open {
        /// Its name from now on.
        key: SocketKey,
        /// Where to bind.
        address: SocketAddr,
    },
    /// Let the kernel drop what others send (connected UDP socket): cheaper, and nothing foreign gets in.
    Connect {
        /// Which.
        key: SocketKey,
        /// The latched source.
        to: SocketAddr,
    },
    /// Accept every source again: the peer went quiet, and may have been given a new port by its NAT.
    Disconnect {
        /// Which.
        key: SocketKey,
    },
    /// Close; the key may be opened again later.
    Close {
        /// Which.
        key: SocketKey,
    },
}

/// What becomes of a packet.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// Send `packet[range]`, rewritten in place, from `socket` to `to`.
    Forward {
        /// From.
        socket: SocketKey,
        /// To.
        to: SocketAddr,
        /// The part of the buffer.
        range: Range<usize>,
    },
    /// Taken in (RTCP, a digit, sound that nobody listens to).
    Consume,
    /// Refused and counted.
    Drop,
}

/// An encoding by its meaning, not its payload type: two legs share a codec when these are equal.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Encoding {
    /// One that we speak.
    Voice(VoiceCodec),
    /// Telephone events (RFC 4733).
    Events,
    /// One that only passes through: name, clock rate and channels as in `rtpmap`, lower case.
    Other(Arc<str>),
}

/// One payload type's meaning on a leg.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PayloadFormat {
    /// The number.
    pub payload_type: u8,
    /// The meaning.
    pub encoding: Encoding,
    /// RTP timestamp units a second.
    pub clock_hz: u32,
}

/// What offer and answer settled about a leg's stream.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Stream {
    /// Where they said that they receive RTP; none while their address is 0.0.0.0.
    pub remote: Option<SocketAddr>,
    /// The same for RTCP.
    pub remote_rtcp: Option<SocketAddr>,
    /// RTCP on the RTP port (RFC 5761).
    pub rtcp_mux: bool,
    /// They listen: we may send.
    pub send: bool,
    /// They may send: we listen.
    pub receive: bool,
    /// What they may send, by our numbers.
    pub receive_formats: Vec<PayloadFormat>,
    /// What we may send, by their numbers; the first voice format is what prompts are played in.
    pub send_formats: Vec<PayloadFormat>,
    /// Samples of 8 kHz in each packet that we make ourselves.
    pub packet_samples: u16,
}

/// Where our stream towards a leg stands, so that after a restart it goes on from there.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct StreamPosition {
    /// Our SSRC.
    pub ssrc: u32,
    /// The next sequence number.
    pub sequence: u16,
    /// The last timestamp.
    pub timestamp: u32,
}

/// A second's state of a leg, kept so that `kill -9` costs at most a second.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Checkpoint {
    /// When it was taken.
    pub at: Duration,
    /// Our stream.
    pub position: StreamPosition,
    /// The latched source of RTP.
    pub latched: Option<SocketAddr>,
    /// The latched source of RTCP.
    pub latched_rtcp: Option<SocketAddr>,
    /// Where the playlist stands: prompt, sample.
    pub played: Option<(u32, u32)>,
}

/// What a leg's worker plays.
#[derive(Clone, Debug)]
pub struct Play {
    /// One after the other.
    pub prompts: Vec<Arc<Prompt>>,
    /// From the start again at the end.
    pub repeat: bool,
    /// Silence between repeats.
    pub gap: Duration,
    /// Comes back in `PlayDone`.
    pub tag: u32,
    /// Where to start: prompt, sample.
    pub start: (u32, u32),
}

/// From the engine's thread to a worker.
#[derive(Clone, Debug)]
pub enum Command {
    /// A leg begins: open its sockets.
    Open {
        /// Its name.
        leg: LegId,
        /// The address of the RTP socket; RTCP's port is the next.
        address: SocketAddr,
        /// Whose packets it accepts.
        media_from: MediaFrom,
        /// Where our stream starts, or goes on after a restart.
        position: StreamPosition,
        /// The latched sources of RTP and RTCP, where they are known from before a restart.
        latched: (Option<SocketAddr>, Option<SocketAddr>),
    },
    /// Offer and answer settled, or settled anew.
    Configure {
        /// Which.
        leg: LegId,
        /// How.
        stream: Arc<Stream>,
        /// Whose packets it accepts from now on.
        media_from: MediaFrom,
    },
    /// Each hears the other.
    Bridge {
        /// One.
        a: LegId,
        /// The other.
        b: LegId,
    },
    /// Ends the leg's bridge.
    Unbridge {
        /// Which.
        leg: LegId,
    },
    /// Plays, instead of what it played.
    Play {
        /// To whom.
        leg: LegId,
        /// What.
        play: Play,
    },
    /// Stops playing.
    Stop {
        /// Which.
        leg: LegId,
    },
    /// The leg ends: close its sockets, answer with `Released`.
    Release {
        /// Which.
        leg: LegId,
    },
    /// New settings.
    Reconfigure {
        /// All of them.
        settings: WorkerSettings,
    },
    /// From the shell: a socket could not be opened.
    SocketFailed {
        /// Which.
        key: SocketKey,
    },
}

/// From a worker to the engine's thread.
#[derive(Clone, PartialEq, Debug)]
pub enum WorkerEvent {
    /// See [`Event::Digit`](crate::Event::Digit).
    Digit {
        /// Where.
        leg: LegId,
        /// Which.
        digit: char,
    },
    /// See [`Event::PlayDone`](crate::Event::PlayDone). Must not be lost on the way.
    PlayDone {
        /// Where.
        leg: LegId,
        /// Its tag.
        tag: u32,
    },
    /// See [`Event::Latched`](crate::Event::Latched).
    Latched {
        /// Where.
        leg: LegId,
        /// The source.
        source: SocketAddr,
        /// Whether it is exactly the signalled address and port.
        as_signalled: bool,
    },
    /// See [`Event::SourceRejected`](crate::Event::SourceRejected).
    SourceRejected {
        /// Where.
        leg: LegId,
        /// From where.
        source: SocketAddr,
        /// What the administrator can do.
        remedy: &'static str,
    },
    /// See [`Event::Silent`](crate::Event::Silent).
    Silent {
        /// Where.
        leg: LegId,
        /// For how long.
        since: Duration,
        /// Whether anything was ever received.
        ever: bool,
    },
    /// Once a second for each leg.
    Checkpoint {
        /// Where.
        leg: LegId,
        /// The state.
        checkpoint: Checkpoint,
    },
    /// See [`Event::Released`](crate::Event::Released). Must not be lost on the way.
    Released {
        /// Where.
        leg: LegId,
        /// The figures.
        stats: LegStats,
    },
    /// See [`Event::Trouble`](crate::Event::Trouble).
    Trouble {
        /// Where.
        leg: LegId,
        /// What.
        what: &'static str,
    },
}

impl WorkerEvent {
    /// Whether the engine's state depends on it: never dropped, whatever is full.
    pub fn must_arrive(&self) -> bool {
        matches!(self, Self::PlayDone { .. } | Self::Released { .. })
    }
}
