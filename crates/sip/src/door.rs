//! The one public door of the room: what goes in, what comes out, and the names used for it.
//!
//! Knows: the vocabulary between [`Endpoint`](crate::Endpoint) and its user. Must never know: how any of it is
//! done, nor queues, operators' skills or media. Session descriptions pass through as opaque bytes.
//!
//! Time is a [`Duration`] since the engine's epoch, on a clock that counts through sleep.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

/// The name of a trunk or an account, as in the configuration.
pub type Name = Arc<str>;

/// One call leg as the user sees it: an INVITE and all that follows from it. An outgoing leg may fork below
/// (several contacts of one account); the user sees one leg, and one winner. Never reused, also not after a restore.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct DialogId(pub u64);

/// A stream connection (TCP, later TLS and WebSocket), named by whoever opened it: the shell for accepted ones (odd
/// numbers), the endpoint for those it asks for (even numbers).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct StreamId(pub u64);

/// One address look-up that was asked for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ResolveId(pub u64);

/// The transports of this round.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Transport {
    /// RFC 3261 §18, datagrams.
    Udp,
    /// RFC 3261 §18, framed by Content-Length.
    Tcp,
}

/// Text that must never be printed: a caller's number or URI. `Debug` shows nothing of it; it is erased on drop.
#[derive(Clone, PartialEq, Eq)]
pub struct Private(String);

impl Private {
    /// Wraps a private text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself, for the one use that needs it. Whoever calls this answers for where it goes.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl Drop for Private {
    fn drop(&mut self) {
        zeroize::Zeroize::zeroize(&mut self.0);
    }
}

impl fmt::Debug for Private {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Private(…)")
    }
}

// ------------------------------------------------------------------------------------------------ settings

/// Everything that configuration decides for this room. Replaced as a whole by `Endpoint::reconfigure`.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where the shell listens, and what peers are told instead behind NAT.
    pub listen: Vec<Listen>,
    /// The host part written into From, and the digest realm, for example `vigie.example.org`.
    pub domain: Name,
    /// Domains (host parts) besides `domain` and the listen addresses that are ours.
    pub aliases: Vec<Name>,
    /// Carriers.
    pub trunks: Vec<Trunk>,
    /// Operators' accounts.
    pub accounts: Vec<Account>,
    /// Caps and rates.
    pub limits: Limits,
    /// The `Server` and `User-Agent` header, or none.
    pub product: Option<Name>,
}

/// One listening socket.
#[derive(Clone, Debug)]
pub struct Listen {
    /// UDP or TCP.
    pub transport: Transport,
    /// The bound address; the port is the real one (the shell binds before it makes the endpoint).
    pub address: SocketAddr,
    /// What Via and Contact say instead, where a NAT stands between.
    pub advertised: Option<SocketAddr>,
}

/// One carrier.
#[derive(Clone, Debug)]
pub struct Trunk {
    /// Its name in the configuration.
    pub name: Name,
    /// Source networks (address, prefix length) by which its requests are recognised.
    pub networks: Vec<(IpAddr, u8)>,
    /// Its own digest account for requests it sends to us, where configured: then the address alone is not enough
    /// if `networks` is not empty, and is not needed if it is.
    pub credential: Option<Credential>,
    /// Where to send requests to it (keep-alive OPTIONS; later outbound calls): host or address, port.
    pub target: Option<Target>,
    /// Time between keep-alive OPTIONS; none: not asked.
    pub keep_alive: Option<Duration>,
    /// Where it writes who calls.
    pub identity: Identity,
}

/// Where a trunk writes who calls.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum Identity {
    /// P-Asserted-Identity alone (RFC 3325); without it the caller is unknown.
    Asserted,
    /// P-Asserted-Identity, and From where there is none.
    #[default]
    AssertedOrFrom,
    /// From alone.
    From,
}

/// One operator's account.
#[derive(Clone, Debug)]
pub struct Account {
    /// The user part of its address of record, and its digest user name.
    pub name: Name,
    /// How it proves itself; an account with `fixed` only may have none.
    pub credential: Option<Credential>,
    /// A phone at a fixed address that does not register; its requests are recognised by that address.
    pub fixed: Option<Target>,
}

/// A digest credential (RFC 7616, RFC 8760): HA1 = H(user:realm:password), as hexadecimal digits, for each algorithm
/// that is offered. The password itself is not needed.
#[derive(Clone)]
pub struct Credential {
    /// User name.
    pub user: Name,
    /// For SHA-256, offered first.
    pub sha256: Option<Name>,
    /// For MD5.
    pub md5: Option<Name>,
}

impl Credential {
    /// From a password, for these algorithms, in this realm (`Settings::domain`).
    pub fn from_password(user: &str, realm: &str, password: &str, algorithms: &[Algorithm]) -> Self {
        let ha1 = |algorithm| {
            algorithms
                .contains(&algorithm)
                .then(|| crate::guard::digest::ha1(algorithm, user, realm, password).into())
        };
        Self { user: user.into(), sha256: ha1(Algorithm::Sha256), md5: ha1(Algorithm::Md5) }
    }

    /// HA1, if this algorithm is offered.
    pub fn ha1(&self, algorithm: Algorithm) -> Option<&str> {
        match algorithm {
            Algorithm::Sha256 => self.sha256.as_deref(),
            Algorithm::Md5 => self.md5.as_deref(),
        }
    }

    /// Those that are offered, the preferred first.
    pub fn algorithms(&self) -> impl Iterator<Item = Algorithm> + '_ {
        [Algorithm::Sha256, Algorithm::Md5].into_iter().filter(|algorithm| self.ha1(*algorithm).is_some())
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credential").field("user", &self.user).finish_non_exhaustive()
    }
}

/// Digest algorithms.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Algorithm {
    /// RFC 8760.
    Sha256,
    /// RFC 2617, for phones that know nothing better.
    Md5,
}

/// A next hop.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Target {
    /// Host name or address.
    pub host: Name,
    /// Port; none: 5060 (SRV look-ups come with a later round).
    pub port: Option<u16>,
    /// Transport.
    pub transport: Transport,
    /// User part of the Request-URI, where the peer wants one.
    pub user: Option<Name>,
}

/// Bounds; each has a default that suits a node of two cores.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Live call legs; past it a known trunk's INVITE gets 486, anyone else's 503 with Retry-After.
    pub dialogs_max: usize,
    /// Live server and client transactions.
    pub transactions_max: usize,
    /// Contacts a single account may register.
    pub contacts_per_account_max: usize,
    /// Open streams.
    pub streams_max: usize,
    /// Requests a second, and burst, from one unknown source address.
    pub unknown_rate_per_s: u32,
    /// Shortest accepted registration (423 below), and the longest granted.
    pub expires_s_min: u32,
    /// Longest granted registration.
    pub expires_s_max: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            dialogs_max: 20_000,
            transactions_max: 100_000,
            contacts_per_account_max: 8,
            streams_max: 10_000,
            unknown_rate_per_s: 50,
            expires_s_min: 60,
            expires_s_max: 3_600,
        }
    }
}

// ------------------------------------------------------------------------------------------------ inputs

/// What the shell hands in.
#[derive(Debug)]
pub enum Input {
    /// A UDP datagram.
    Datagram {
        /// The listening socket's bound address.
        local: SocketAddr,
        /// Its sender.
        remote: SocketAddr,
        /// Its content.
        bytes: Bytes,
    },
    /// A stream was accepted, or one that was asked for is up.
    StreamOpened {
        /// Which.
        stream: StreamId,
        /// TCP for now.
        transport: Transport,
        /// Our end.
        local: SocketAddr,
        /// The other end.
        remote: SocketAddr,
    },
    /// Bytes from a stream, in order, in any pieces.
    StreamData {
        /// Which.
        stream: StreamId,
        /// The bytes.
        bytes: Bytes,
    },
    /// A stream closed, failed, or could not be opened. Said once; the id is dead after it.
    StreamClosed {
        /// Which.
        stream: StreamId,
    },
    /// A look-up's answer; empty when the name does not resolve.
    Resolved {
        /// Which look-up.
        job: ResolveId,
        /// The addresses, best first.
        addresses: Vec<IpAddr>,
    },
    /// A deadline of `poll_timeout` has come.
    Timeout,
}

/// What the user says when it starts a leg.
#[derive(Clone, Debug)]
pub struct Invite {
    /// Whom to call.
    pub to: Callee,
    /// The display name in From: for an operator, the line and the language; never a caller's number.
    pub from_display: Name,
    /// The user part in From: for an operator, the line's public number or name.
    pub from_user: Name,
    /// The offer; none: a delayed offer (answer with `Endpoint::acknowledge`).
    pub offer: Option<Bytes>,
    /// Extra headers (name, value), for example `Alert-Info`; refused if they would break the message.
    pub headers: Vec<(Name, Name)>,
}

/// Whom an outgoing leg calls.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Callee {
    /// All reachable contacts of an account at once; one wins, the others are cancelled.
    Account(Name),
    /// A number over a trunk.
    Trunk {
        /// Which trunk.
        trunk: Name,
        /// The user part of the Request-URI.
        user: Name,
    },
}

/// A `Reason` header (RFC 3326).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reason {
    /// `Q.850` or `SIP`.
    pub protocol: Name,
    /// The cause value.
    pub cause: u16,
    /// The text, printable characters only, cut at 64.
    pub text: Option<Name>,
}

// ------------------------------------------------------------------------------------------------ outputs

/// What the endpoint asks of the shell or tells its user. Drain `poll_output` after every call into the endpoint.
#[derive(Debug)]
pub enum Output {
    /// Send a datagram from the listening socket bound at `local`.
    Datagram {
        /// Our socket.
        local: SocketAddr,
        /// Where to.
        remote: SocketAddr,
        /// What.
        bytes: Bytes,
    },
    /// Open a stream; answered by `StreamOpened` or `StreamClosed`.
    StreamConnect {
        /// The name it will have.
        stream: StreamId,
        /// TCP for now.
        transport: Transport,
        /// Where to.
        remote: SocketAddr,
    },
    /// Write to a stream. The shell's buffer a stream is bounded; when full it closes the stream.
    StreamWrite {
        /// Which.
        stream: StreamId,
        /// What.
        bytes: Bytes,
    },
    /// Close a stream after what was written before.
    StreamClose {
        /// Which.
        stream: StreamId,
    },
    /// Look a host name up (A and AAAA).
    Resolve {
        /// The job's name.
        job: ResolveId,
        /// The host.
        host: Name,
    },
    /// For the user.
    Event(Event),
    /// Keep this record (or erase it: `None`) before sending anything else of this step.
    Persist {
        /// The record's key within this room.
        key: u64,
        /// Versioned bytes; numbers inside are sealed by the shell.
        record: Option<Bytes>,
    },
}

/// Who sent a request, as far as it was proven.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Peer {
    /// A configured trunk.
    Trunk(Name),
    /// An operator's account, authenticated (or at its fixed address).
    Account(Name),
}

/// What the user is told.
#[derive(Debug)]
pub enum Event {
    /// A new call from a trunk or an account. 100 is out; answer with `progress`, `answer`, `reject`.
    Incoming(Incoming),
    /// A provisional answer to our INVITE.
    Progress {
        /// Our leg.
        dialog: DialogId,
        /// 101 to 199.
        status: u16,
        /// Early media, if any.
        sdp: Option<Bytes>,
    },
    /// Our INVITE was answered. ACK is out, unless the answer holds the offer (delayed offer).
    Answered {
        /// Our leg.
        dialog: DialogId,
        /// The body.
        sdp: Option<Bytes>,
        /// The signalling source address of the phone that answered, for `media_from = registration`.
        source: SocketAddr,
    },
    /// Our INVITE failed: the best final answer of all forks (RFC 3261 §16.7), 408 for none at all, 480 with no
    /// contact. The leg is over.
    Failed {
        /// Our leg.
        dialog: DialogId,
        /// 300 to 699. A 3xx is never followed: a phone may not route a contact elsewhere.
        status: u16,
        /// Its Reason header, if any.
        reason: Option<Reason>,
        /// Whether every contact was gone (no answer at all, transport error): the device, not the person.
        device_gone: bool,
    },
    /// The ACK for our 2xx arrived.
    Acknowledged {
        /// Their leg.
        dialog: DialogId,
        /// The answer, where our 2xx held the offer.
        sdp: Option<Bytes>,
    },
    /// A re-INVITE or UPDATE. With an offer: call `answer_reoffer` or `reject_reoffer`. Without (`None`) from a
    /// re-INVITE: call `answer_reoffer` with an offer of ours; `Acknowledged` brings the answer. An UPDATE without
    /// offer is answered by the endpoint itself and not reported.
    Reoffer {
        /// The leg.
        dialog: DialogId,
        /// The new offer.
        sdp: Option<Bytes>,
    },
    /// Our re-INVITE was answered.
    ReofferAnswered {
        /// The leg.
        dialog: DialogId,
        /// Their answer.
        sdp: Option<Bytes>,
    },
    /// Our re-INVITE was refused; the session stays as it was. (481 and 408 end the leg: `Ended` follows. 491 is
    /// retried by the endpoint.)
    ReofferFailed {
        /// The leg.
        dialog: DialogId,
        /// Its status.
        status: u16,
    },
    /// An answer to `probe`.
    Alive {
        /// The leg.
        dialog: DialogId,
    },
    /// The leg is over; said exactly once for each leg that reached `Incoming` or was answered.
    Ended {
        /// The leg.
        dialog: DialogId,
        /// By whom.
        by: EndedBy,
        /// Its Reason header, if any.
        reason: Option<Reason>,
    },
    /// A digit by INFO (application/dtmf-relay, application/dtmf).
    Digit {
        /// The leg.
        dialog: DialogId,
        /// `0-9*#A-D`.
        digit: char,
    },
    /// An account's set of reachable contacts changed.
    Bindings {
        /// Whose.
        account: Name,
        /// How many contacts are reachable now.
        contacts: usize,
        /// Why.
        change: BindingChange,
    },
    /// A trunk's keep-alive changed its verdict.
    TrunkAlive {
        /// Which.
        trunk: Name,
        /// Any final answer but 503 and 408 means alive.
        alive: bool,
    },
    /// Something an administrator should know of; becomes a fact.
    Notice(Notice),
}

/// How a leg ended, from the wire.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum EndedBy {
    /// Their BYE.
    Bye,
    /// Their CANCEL.
    Cancel,
    /// Our own doing (`end`, `reject`), once its transaction is done or given up.
    Us,
    /// Our 2xx was never acknowledged.
    NoAck,
    /// An in-dialog request of ours got this (408 and 481), or the probe did.
    Lost(u16),
}

/// Why bindings changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BindingChange {
    /// REGISTER.
    Registered,
    /// REGISTER with expiry 0.
    Unregistered,
    /// Not refreshed.
    Expired,
    /// Two OPTIONS unanswered, or its stream closed.
    Unreachable,
    /// Configuration gave or took a fixed address, or removed the account.
    Configured,
}

/// A call that came in.
#[derive(Debug)]
pub struct Incoming {
    /// The leg.
    pub dialog: DialogId,
    /// Who.
    pub peer: Peer,
    /// The Request-URI's user part, unescaped (`tel:` numbers too), or empty.
    pub request_user: String,
    /// To's user part, unescaped, or empty.
    pub to_user: String,
    /// Who calls.
    pub caller: Caller,
    /// The peer's Call-ID, cut at 128 printable characters.
    pub call_id: String,
    /// The offer; none: delayed offer (our 2xx must hold one).
    pub offer: Option<Bytes>,
    /// The signalling source.
    pub source: SocketAddr,
    /// Whether the number was diverted to us (Diversion or History-Info).
    pub diverted: bool,
}

/// Who calls, from P-Asserted-Identity (of trunks), else From; RFC 3323, RFC 3325.
#[derive(Debug)]
pub struct Caller {
    /// The number or user part; none when withheld or anonymous without an asserted identity.
    pub number: Option<Private>,
    /// `Privacy: id`, or an anonymous From: the number, if known, may be used for SIP alone.
    pub withheld: bool,
}

/// Facts for an administrator. None holds a caller's number.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Notice {
    /// A request from an address that is no trunk and no account was refused.
    UnknownSource {
        /// From where.
        source: IpAddr,
        /// With what.
        status: u16,
    },
    /// A wrong password, or an unknown user (`known` tells; the peer cannot).
    AuthenticationFailed {
        /// From where.
        source: IpAddr,
        /// The account, if it exists.
        account: Option<Name>,
    },
    /// Over a rate or a cap.
    Limited {
        /// From where.
        source: IpAddr,
        /// Which bound.
        bound: &'static str,
    },
    /// A record could not be read at a restore; what it held is lost.
    RecordUnreadable {
        /// Its key.
        key: u64,
    },
    /// A message that could not be understood.
    Malformed {
        /// From where.
        source: IpAddr,
        /// What was wrong.
        why: &'static str,
    },
}

/// What is live; returns to zero when calls are gone.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Counts {
    /// Legs.
    pub dialogs: usize,
    /// Client and server transactions of all kinds, those waiting out their last timer too.
    pub transactions: usize,
    /// Registered contacts.
    pub bindings: usize,
    /// Streams.
    pub streams: usize,
}
