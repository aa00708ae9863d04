//! The four transaction machines (RFC 3261 §17, RFC 6026), as data with their timers.
//!
//! ```text
//! client INVITE      Calling ─1xx→ Proceeding ─3xx-6xx→ Completed ─D→ gone
//!                       └───────────────┴──────2xx────→ Accepted ──M→ gone     B: 408 from Calling
//! client, others     Calling ─1xx→ Proceeding ─final──→ Completed ─K→ gone     F: 408 from either
//! server INVITE      Proceeding ─3xx-6xx→ Completed ─ACK→ Confirmed ─I→ gone   H: gone from Completed
//!                       └───────2xx─────→ Accepted ─L→ gone
//! server, others     Proceeding ─final──→ Completed ─J→ gone
//! ```
//!
//! It knows timers and states. It must never know calls, nor send: the phone does.

use crate::StreamId;
use crate::text::Message;
use crate::{CallId, address::Via};
use std::net::SocketAddr;
use std::time::Duration;

#[cfg(test)]
mod tests;

/// RFC 3261 §17.1.1.1: the round trip that all other timers come from.
pub(crate) const T1: Duration = Duration::from_millis(500);
/// RFC 3261 §17.1.2.2: the longest interval between retransmissions.
pub(crate) const T2: Duration = Duration::from_secs(4);
/// RFC 3261 §17.1.2.2: how long a message stays in the network.
pub(crate) const T4: Duration = Duration::from_secs(5);
/// Timers B, F, H, J, L, M.
pub(crate) const T1_64: Duration = Duration::from_secs(32);
/// Forks whose 2xx one INVITE acknowledges; more would be an attack.
pub(crate) const FORKS_MAX: usize = 8;

/// Where a message goes, or an answer back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hop {
    Udp(SocketAddr),
    Stream(StreamId),
}

impl Hop {
    pub(crate) fn is_reliable(self) -> bool {
        matches!(self, Self::Stream(_))
    }
}

/// What a request of ours was for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    Invite(CallId),
    /// A re-INVITE or UPDATE.
    Refresh(CallId),
    /// A BYE or CANCEL: nobody waits for the answer.
    Farewell,
    Register,
    Options,
}

/// A message that is sent again at growing intervals.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Resend {
    pub(crate) at: Duration,
    interval: Duration,
}

impl Resend {
    pub(crate) fn from(now: Duration) -> Self {
        Self { at: now + T1, interval: T1 }
    }

    /// RFC 3261 §17.1.2.2: E, G and the 2xx double up to T2; A (`capped` false) doubles on.
    pub(crate) fn advance(&mut self, now: Duration, capped: bool) {
        self.interval *= 2;
        if capped {
            self.interval = self.interval.min(T2);
        }
        self.at = now + self.interval;
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ClientState {
    Calling,
    Proceeding,
    Completed,
    Accepted,
}

/// What a client transaction makes of a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Seen before, or out of place.
    Absorb,
    /// Seen before: the ACK got lost.
    AcknowledgeAgain,
    /// New: the call has to know.
    Tell,
}

pub(crate) struct Client {
    pub(crate) branch: String,
    pub(crate) invite: bool,
    pub(crate) purpose: Purpose,
    pub(crate) request: Message,
    pub(crate) hop: Hop,
    pub(crate) state: ClientState,
    pub(crate) resend: Option<Resend>,
    pub(crate) ends_at: Option<Duration>,
    /// The ACKs of the 2xx, by To tag, and where they went.
    pub(crate) acks: Vec<(String, Vec<u8>, Hop)>,
    pub(crate) challenges: u8,
}

impl Client {
    pub(crate) fn new(now: Duration, branch: String, request: Message, hop: Hop, purpose: Purpose) -> Self {
        let invite = request.method() == Some("INVITE");
        Self {
            branch,
            invite,
            purpose,
            request,
            hop,
            state: ClientState::Calling,
            // RFC 3261 §17.1.1.2: a reliable transport needs no timer A or E, but B and F all the same.
            resend: (!hop.is_reliable()).then(|| Resend::from(now)),
            ends_at: Some(now + T1_64),
            acks: Vec::new(),
            challenges: 0,
        }
    }

    pub(crate) fn method(&self) -> &str {
        self.request.method().unwrap_or_default()
    }

    pub(crate) fn due_at(&self) -> Option<Duration> {
        earlier(self.resend.map(|resend| resend.at), self.ends_at)
    }

    pub(crate) fn on_response(&mut self, now: Duration, status: u16, tag: Option<&str>) -> Verdict {
        use ClientState::{Accepted, Calling, Completed, Proceeding};
        match (self.state, status) {
            (Calling | Proceeding, 100..200) => {
                self.state = Proceeding;
                if self.invite {
                    // RFC 3261 §17.1.1.2: once proceeding, only a final response or CANCEL ends it.
                    (self.resend, self.ends_at) = (None, None);
                } else if let Some(resend) = &mut self.resend {
                    // RFC 3261 §17.1.2.2: timer E is T2 from here on.
                    *resend = Resend { at: now + T2, interval: T2 };
                }
                Verdict::Tell
            }
            (Calling | Proceeding, 200..300) if self.invite => {
                self.state = Accepted;
                (self.resend, self.ends_at) = (None, Some(now + T1_64));
                Verdict::Tell
            }
            (Calling | Proceeding, _) => {
                self.state = Completed;
                let linger = match (self.hop.is_reliable(), self.invite) {
                    (true, _) => Duration::ZERO,
                    (false, true) => T1_64,
                    (false, false) => T4,
                };
                (self.resend, self.ends_at) = (None, Some(now + linger));
                Verdict::Tell
            }
            (Accepted, 200..300) if self.acks.iter().any(|(have, ..)| Some(have.as_str()) == tag) => {
                Verdict::AcknowledgeAgain
            }
            // RFC 3261 §13.2.2.4: another fork answered as well.
            (Accepted, 200..300) if self.acks.len() < FORKS_MAX => Verdict::Tell,
            (Completed, 300..700) if self.invite => Verdict::AcknowledgeAgain,
            (Completed | Accepted, _) => Verdict::Absorb,
        }
    }

    /// The ACK of a non-2xx final response.
    pub(crate) fn failure_ack(&self, response: &Message) -> Message {
        let uri = match &self.request.start {
            crate::text::Start::Request { uri, .. } => uri.as_str(),
            crate::text::Start::Response { .. } => "",
        };
        let mut ack = Message::request("ACK", uri);
        // RFC 3261 §17.1.1.3: the INVITE's single Via and Route, the response's To.
        for name in ["Via", "Max-Forwards", "Route", "From"] {
            for (have, value) in self.request.headers.iter().filter(|(have, _)| have == name) {
                ack.push(have, value.clone());
            }
        }
        ack.push("To", response.header("To").unwrap_or_default());
        ack.push("Call-ID", self.request.call_id().unwrap_or_default());
        ack.push("CSeq", format!("{} ACK", self.request.cseq().map_or(0, |(number, _)| number)));
        ack
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ServerState {
    Proceeding,
    Completed,
    Confirmed,
    Accepted,
}

/// RFC 3261 §17.2.3: what makes two requests the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ServerKey {
    branch: String,
    sent_by: String,
    method: String,
}

impl ServerKey {
    pub(crate) fn of(request: &Message, via: &Via) -> Self {
        let method = request.method().unwrap_or_default().to_owned();
        // RFC 2543 peers have no branch of their own: the call and its number stand for it.
        let branch = if via.branch.starts_with("z9hG4bK") {
            via.branch.clone()
        } else {
            let number = request.cseq().map_or(0, |(number, _)| number);
            format!("{}/{number}", request.call_id().unwrap_or_default())
        };
        Self { branch, sent_by: via.sent_by.clone(), method }
    }

    /// The INVITE that an ACK or a CANCEL belongs to.
    pub(crate) fn of_invite(&self) -> Self {
        Self { method: "INVITE".to_owned(), ..self.clone() }
    }
}

pub(crate) struct Server {
    pub(crate) key: ServerKey,
    pub(crate) hop: Hop,
    pub(crate) state: ServerState,
    /// The last response; empty until there is one.
    pub(crate) response: Vec<u8>,
    pub(crate) resend: Option<Resend>,
    pub(crate) ends_at: Option<Duration>,
}

impl Server {
    pub(crate) fn new(key: ServerKey, hop: Hop) -> Self {
        let state = ServerState::Proceeding;
        Self { key, hop, state, response: Vec::new(), resend: None, ends_at: None }
    }

    pub(crate) fn due_at(&self) -> Option<Duration> {
        earlier(self.resend.map(|resend| resend.at), self.ends_at)
    }

    pub(crate) fn on_sent(&mut self, now: Duration, status: u16, response: Vec<u8>) {
        if self.state != ServerState::Proceeding {
            return;
        }
        self.response = response;
        let (invite, reliable) = (self.key.method == "INVITE", self.hop.is_reliable());
        match status {
            ..200 => {}
            200..300 if invite => {
                // RFC 6026 §7.1: the 2xx itself is sent again by the call, until its ACK comes.
                self.state = ServerState::Accepted;
                self.ends_at = Some(now + T1_64);
            }
            _ => {
                self.state = ServerState::Completed;
                self.resend = (invite && !reliable).then(|| Resend::from(now));
                self.ends_at = Some(now + if invite || !reliable { T1_64 } else { Duration::ZERO });
            }
        }
    }

    /// RFC 3261 §17.2.1: the ACK of a non-2xx.
    pub(crate) fn on_ack(&mut self, now: Duration) {
        if self.state == ServerState::Completed {
            self.state = ServerState::Confirmed;
            self.resend = None;
            self.ends_at = Some(now + if self.hop.is_reliable() { Duration::ZERO } else { T4 });
        }
    }

    /// What a retransmitted request gets.
    pub(crate) fn repeated(&self) -> Option<&[u8]> {
        let again = matches!(self.state, ServerState::Proceeding | ServerState::Completed);
        (again && !self.response.is_empty()).then_some(self.response.as_slice())
    }
}

pub(crate) fn earlier(a: Option<Duration>, b: Option<Duration>) -> Option<Duration> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}
