//! Whose packets a leg accepts: no bleed of other calls' sound, no injection.
//!
//! Knows: signalled addresses, sources, consistency of a stream. Must never know: sockets, what packets carry.
//!
//! *Permitted* is an address that `MediaFrom` allows, whatever its port. *Consistent* packets share source and
//! SSRC and go forward in sequence and timestamp.
//!
//! ```text
//!   state    packet from                                       next                  verdict
//!   Open     exactly the signalled address and port            Locked                Accept
//!   Open     a permitted address, fewer than 5 consistent      Open, candidate       Learn
//!   Open     a permitted address, the 5th consistent           Locked                Accept
//!   Open     anywhere else                                     Open                  Refuse
//!   Locked   the source                                        Locked, no candidate  Accept
//!   Locked   may move (below), fewer than 5, or source alive   Locked, candidate     Learn
//!   Locked   may move, 5 consistent and the source quiet       Locked to it          Accept
//!   Locked   anywhere else                                     Locked                Refuse
//!   any      renegotiated, another address                     Open                  -
//!   any      renegotiated, the same address                    same, may move once   -
//! ```
//! A locked leg may move: to exactly the signalled address if `Networks`, at once; inside its `Networks`; to another
//! port of the same address with the same SSRC and the sequence going on (a NAT's new binding); and once after a
//! renegotiation to any permitted address. The chance to learn never expires: muted phones send late.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use crate::MediaFrom;

/// So many consistent packets make a source: an off-path attacker who sprays guesses doesn't get there.
const CONSISTENT_PACKETS: u8 = 5;
/// A consistent stream's next packet is at most so far ahead.
const SEQUENCE_STEP_MAX: u16 = 20;
/// ... and its timestamp, in units (two seconds at 48 kHz).
const TIMESTAMP_STEP_MAX: u32 = 96_000;
/// After a NAT's rebinding the sequence goes on within this (ten seconds of 20 ms packets).
const REBIND_STEP_MAX: u16 = 500;
/// A locked source that was heard this recently is alive, and nobody replaces it.
const QUIET: Duration = Duration::from_millis(200);
/// A candidate that was not heard for this long gives way to another.
const CANDIDATE_STALE: Duration = Duration::from_millis(500);

/// One leg's latch; RTP and RTCP have one each.
#[derive(Clone, Debug)]
pub(crate) struct Latch {
    signalled: Option<SocketAddr>,
    media_from: MediaFrom,
    state: State,
}

#[derive(Clone, Debug)]
enum State {
    Open,
    Learning(Candidate),
    Locked(Lock),
}

#[derive(Clone, Debug)]
struct Candidate {
    source: SocketAddr,
    last: Progress,
    consistent: u8,
}

#[derive(Clone, Debug)]
struct Lock {
    source: SocketAddr,
    /// None after a restart, until the source is heard.
    last: Option<Progress>,
    may_move_once: bool,
    candidate: Option<Candidate>,
}

#[derive(Clone, Copy, Debug)]
struct Progress {
    ssrc: u32,
    position: Option<(u16, u32)>,
    at: Duration,
}

/// What the latch looks at in a packet.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sight {
    pub(crate) from: SocketAddr,
    pub(crate) ssrc: u32,
    /// Sequence and timestamp; none for RTCP.
    pub(crate) position: Option<(u16, u32)>,
    /// RTCP that names the SSRC of the RTP source and comes from its address needs no further proof.
    pub(crate) vouched: bool,
}

/// What becomes of the packet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Judgement {
    /// It may speak; `locked`: from now on, this is news.
    Accept { locked: bool },
    /// Not yet: heard by nobody.
    Learn,
    /// It may not; what the administrator can do.
    Refuse(&'static str),
}

impl Latch {
    pub(crate) fn new(media_from: MediaFrom, latched: Option<SocketAddr>) -> Self {
        let state = match latched {
            Some(source) => State::Locked(Lock { source, last: None, may_move_once: false, candidate: None }),
            None => State::Open,
        };
        Self { signalled: None, media_from, state }
    }

    /// Offer and answer settled where they receive.
    pub(crate) fn negotiated(&mut self, signalled: Option<SocketAddr>, media_from: MediaFrom) {
        let same = self.signalled.is_none() || signalled.is_none() || self.signalled == signalled;
        // On hold (no address) the last one stays: the resumption mostly names it again.
        self.signalled = signalled.or(self.signalled);
        self.media_from = media_from;
        match &mut self.state {
            State::Locked(lock) if same && permitted(&self.media_from, self.signalled, lock.source.ip()) => {
                lock.may_move_once = true;
            }
            State::Learning(candidate)
                if same && permitted(&self.media_from, self.signalled, candidate.source.ip()) => {}
            state => *state = State::Open,
        }
    }

    /// The source, once it is known.
    pub(crate) fn source(&self) -> Option<SocketAddr> {
        match &self.state {
            State::Locked(lock) => Some(lock.source),
            State::Open | State::Learning(_) => None,
        }
    }

    /// Whether the source is exactly the signalled one.
    pub(crate) fn as_signalled(&self) -> bool {
        self.source().is_some() && self.source() == self.signalled
    }

    /// The SSRC of the locked source.
    pub(crate) fn ssrc(&self) -> Option<u32> {
        match &self.state {
            State::Locked(lock) => lock.last.map(|last| last.ssrc),
            State::Open | State::Learning(_) => None,
        }
    }

    /// Whether the source may change without notice, so that the kernel must not filter.
    pub(crate) fn may_roam(&self) -> bool {
        matches!(self.media_from, MediaFrom::Networks(_))
    }

    /// Where to send: the signalled address until locked, then the source.
    pub(crate) fn send_to(&self) -> Option<SocketAddr> {
        let signalled = self.signalled?;
        match (self.source(), &self.media_from) {
            // A media farm may send from another machine than it receives on: its signalled address is believed
            // where it lies in the networks. One outside them (a VPN's inner address) can't be reached.
            (Some(source), MediaFrom::Networks(networks))
                if source.ip() != signalled.ip() && in_networks(networks, signalled.ip()) =>
            {
                Some(signalled)
            }
            (Some(source), _) => Some(source),
            (None, _) => Some(signalled),
        }
    }

    /// A packet came.
    pub(crate) fn judge(&mut self, now: Duration, sight: &Sight) -> Judgement {
        let progress = Progress { ssrc: sight.ssrc, position: sight.position, at: now };
        let exact = Some(sight.from) == self.signalled;
        let permitted = permitted(&self.media_from, self.signalled, sight.from.ip());
        let roams = self.may_roam();
        match &mut self.state {
            State::Locked(lock) if lock.source == sight.from => {
                lock.last = Some(progress);
                lock.candidate = None;
                return Judgement::Accept { locked: false };
            }
            State::Locked(lock) => {
                if exact && (roams || lock.may_move_once) {
                    return self.lock(sight.from, progress);
                }
                let may_move = permitted && (roams || lock.may_move_once || lock.goes_on(sight));
                // A NAT's new binding proved itself when it began; it needs only go on.
                let candidate_goes_on = lock.candidate.as_ref().is_some_and(|candidate| {
                    candidate.source == sight.from && candidate.last.is_followed_by(&progress)
                });
                if !may_move && !candidate_goes_on {
                    lock.candidate = None;
                    return Judgement::Refuse(remedy(&self.media_from, permitted));
                }
                let consistent = lock.candidate.get_or_insert_with(|| Candidate::new(sight, progress));
                if !consistent.count(sight, progress) && !sight.vouched {
                    return Judgement::Learn;
                }
                let quiet = lock.last.is_none_or(|last| now.saturating_sub(last.at) >= QUIET);
                if !quiet {
                    return Judgement::Learn;
                }
            }
            State::Open | State::Learning(_) if !exact => {
                if !permitted {
                    return Judgement::Refuse(remedy(&self.media_from, permitted));
                }
                if !matches!(self.state, State::Learning(_)) {
                    self.state = State::Learning(Candidate::new(sight, progress));
                }
                if let State::Learning(candidate) = &mut self.state
                    && !candidate.count(sight, progress)
                    && !sight.vouched
                {
                    return Judgement::Learn;
                }
            }
            State::Open | State::Learning(_) => {}
        }
        self.lock(sight.from, progress)
    }

    fn lock(&mut self, source: SocketAddr, last: Progress) -> Judgement {
        self.state = State::Locked(Lock { source, last: Some(last), may_move_once: false, candidate: None });
        Judgement::Accept { locked: true }
    }
}

impl Lock {
    /// A NAT gave the same stream a new port.
    fn goes_on(&self, sight: &Sight) -> bool {
        let Some(last) = self.last else { return false };
        sight.from.ip() == self.source.ip()
            && sight.ssrc == last.ssrc
            && match (last.position, sight.position) {
                (Some((before, _)), Some((sequence, _))) => {
                    (1..=REBIND_STEP_MAX).contains(&sequence.wrapping_sub(before))
                }
                (before, after) => before.is_none() && after.is_none(),
            }
    }
}

impl Candidate {
    fn new(sight: &Sight, progress: Progress) -> Self {
        Self { source: sight.from, last: progress, consistent: 0 }
    }

    /// Counts a packet; true once there are enough.
    fn count(&mut self, sight: &Sight, progress: Progress) -> bool {
        if self.source != sight.from {
            if progress.at.saturating_sub(self.last.at) < CANDIDATE_STALE {
                return false;
            }
            *self = Self::new(sight, progress);
        }
        let follows = self.consistent == 0 || self.last.is_followed_by(&progress);
        self.consistent = if follows { self.consistent.saturating_add(1) } else { 1 };
        self.last = progress;
        self.consistent >= CONSISTENT_PACKETS
    }
}

impl Progress {
    fn is_followed_by(&self, next: &Self) -> bool {
        self.ssrc == next.ssrc
            && match (self.position, next.position) {
                (Some((sequence, timestamp)), Some((next_sequence, next_timestamp))) => {
                    (1..=SEQUENCE_STEP_MAX).contains(&next_sequence.wrapping_sub(sequence))
                        && next_timestamp.wrapping_sub(timestamp) <= TIMESTAMP_STEP_MAX
                }
                (before, after) => before.is_none() && after.is_none(),
            }
    }
}

fn permitted(media_from: &MediaFrom, signalled: Option<SocketAddr>, address: IpAddr) -> bool {
    let is_signalled = signalled.is_some_and(|signalled| signalled.ip() == address);
    match media_from {
        MediaFrom::Signalled => is_signalled,
        MediaFrom::Registration(registration) => is_signalled || registration.to_canonical() == address,
        MediaFrom::Networks(networks) => is_signalled || in_networks(networks, address),
    }
}

fn in_networks(networks: &[(IpAddr, u8)], address: IpAddr) -> bool {
    networks.iter().any(|&(network, prefix)| match (network.to_canonical(), address.to_canonical()) {
        (IpAddr::V4(network), IpAddr::V4(address)) => {
            let host_bits = 32 - u32::from(prefix.min(32));
            (u32::from(network) ^ u32::from(address)).checked_shr(host_bits).unwrap_or(0) == 0
        }
        (IpAddr::V6(network), IpAddr::V6(address)) => {
            let host_bits = 128 - u32::from(prefix.min(128));
            (u128::from(network) ^ u128::from(address)).checked_shr(host_bits).unwrap_or(0) == 0
        }
        _ => false,
    })
}

/// What the administrator can do about a refused source.
fn remedy(media_from: &MediaFrom, permitted: bool) -> &'static str {
    if permitted {
        return "A second stream from the peer's own address, on another port than the one locked. If the peer \
                changed its port by itself, it must say so in a re-INVITE; otherwise look for a second call's \
                media or an attacker on that address.";
    }
    match media_from {
        MediaFrom::Signalled => {
            "Sound comes from an address that the peer did not announce, so nobody hears it. If the address is \
             the peer's media server, list its network under the peer's media_from; if not, somebody tries to \
             inject sound."
        }
        MediaFrom::Registration(_) => {
            "Sound comes neither from the address that the phone announced nor from the one it registered from, \
             so nobody hears it. If the phone is behind a VPN or has two networks, list them under its \
             media_from."
        }
        MediaFrom::Networks(_) => {
            "Sound comes from outside the networks of the peer's media_from, so nobody hears it. If the address \
             belongs to the peer, add its network."
        }
    }
}

#[cfg(test)]
mod tests;
