//! What a phone is told before and while it runs: its place, its account, its manners, and whom to call.
//!
//! Plain data. It must never hold state.

use crate::address::Private;
use crate::g711::Codec;
use crate::rtp::RtpMode;
use crate::voice::{Signature, Voice};
use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

/// How a phone's own requests travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Transport {
    /// Datagrams.
    #[default]
    Udp,
    /// The stream [`crate::StreamId::OUTBOUND`].
    Tcp,
}

/// An account at the server.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The digest user name.
    pub user: String,
    /// The password.
    pub password: String,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials")
    }
}

/// How to register.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Registering {
    /// The lifetime to ask for, in seconds.
    pub expires_s: u32,
    /// How long to wait after a refusal or silence.
    pub retry_after: Duration,
}

impl Default for Registering {
    fn default() -> Self {
        Self { expires_s: 300, retry_after: Duration::from_secs(30) }
    }
}

/// What a phone does before it answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Ringing {
    /// Nothing but the 100.
    Silent,
    /// 180.
    #[default]
    Ring,
    /// 183 with an answer to the offer: the caller hears this phone's voice before the call is up.
    EarlyMedia,
}

/// What a phone does with an incoming call. Delays run from the INVITE.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Answering {
    /// Waits for a command; without one it rings for ever.
    #[default]
    OnCommand,
    /// Answers by itself.
    Accept {
        /// The delay.
        after: Duration,
    },
    /// Refuses by itself.
    Reject {
        /// The delay.
        after: Duration,
        /// 3xx to 6xx.
        status: u16,
        /// The `Contact` of a redirection.
        contact: Option<Private>,
    },
    /// Is dead to the network: no request gets any answer. Its own requests go on, as with a phone that
    /// has registered through a router that then lost the way back.
    Dead,
}

/// A phone's manners.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Behaviour {
    /// Before the answer.
    pub ringing: Ringing,
    /// The answer.
    pub answering: Answering,
}

/// A phone's place, account and defaults.
#[derive(Debug, Clone)]
pub struct PhoneConfig {
    /// The user part of its own addresses.
    pub user: Private,
    /// Its display name; empty for none.
    pub display: Private,
    /// The domain of its own address and of its registrar.
    pub domain: String,
    /// Where it receives SIP: goes into `Via` and `Contact`.
    pub address: SocketAddr,
    /// Where its requests go, unless a dialog says otherwise.
    pub server: SocketAddr,
    /// How its requests travel.
    pub transport: Transport,
    /// Its account, when the server wants one.
    pub credentials: Option<Credentials>,
    /// How it registers, when told to.
    pub registering: Registering,
    /// The addresses it may receive RTP on, one a call: as many calls as it can have at once.
    pub rtp: Vec<SocketAddr>,
    /// Codecs in order of preference.
    pub codecs: Vec<Codec>,
    /// Whether it offers and takes RFC 4733 digits.
    pub telephone_events: bool,
    /// What it says in calls, unless the call says otherwise.
    pub voice: Voice,
    /// How much RTP it sends, unless the call says otherwise.
    pub rtp_mode: RtpMode,
    /// Seconds of received audio kept for each call; at most [`crate::TAPE_S_MAX`].
    pub tape_s: u16,
    /// Its manners at first.
    pub behaviour: Behaviour,
    /// The `User-Agent`.
    pub user_agent: String,
}

impl PhoneConfig {
    /// A phone with one RTP address, four above its SIP port, that answers on command.
    #[must_use]
    pub fn new(user: &str, address: SocketAddr, server: SocketAddr) -> Self {
        let rtp = SocketAddr::new(address.ip(), address.port().wrapping_add(4));
        Self {
            user: user.into(),
            display: Private::default(),
            domain: bare_host(server),
            address,
            server,
            transport: Transport::Udp,
            credentials: None,
            registering: Registering::default(),
            rtp: vec![rtp],
            codecs: vec![Codec::ALaw, Codec::MuLaw],
            telephone_events: true,
            voice: Voice::Signature(Signature::of(0)),
            rtp_mode: RtpMode::Full,
            tape_s: 0,
            behaviour: Behaviour::default(),
            user_agent: "vigie-phone".to_owned(),
        }
    }
}

/// One outgoing call.
#[derive(Debug, Clone)]
pub struct Dial {
    /// The Request-URI.
    pub request_uri: Private,
    /// The `To` URI; the Request-URI when `None`.
    pub to: Option<Private>,
    /// The `From` URI, a trunk's caller for instance; the phone's own address when `None`.
    pub from: Option<Private>,
    /// The `From` display name; the phone's own when `None`.
    pub from_display: Option<Private>,
    /// A whole `P-Asserted-Identity` value.
    pub asserted_identity: Option<Private>,
    /// A whole `Privacy` value.
    pub privacy: Option<String>,
    /// More headers, name and value, in order.
    pub headers: Vec<(String, Private)>,
    /// Whether the INVITE carries the offer, or leaves it to the 200.
    pub offer: bool,
    /// The caller gives up when nobody has answered by then.
    pub give_up_after: Option<Duration>,
    /// What to say; the phone's default when `None`.
    pub voice: Option<Voice>,
    /// How much RTP to send; the phone's default when `None`.
    pub rtp_mode: Option<RtpMode>,
}

impl Dial {
    /// A plain call.
    #[must_use]
    pub fn to(request_uri: &str) -> Self {
        Self {
            request_uri: request_uri.into(),
            to: None,
            from: None,
            from_display: None,
            asserted_identity: None,
            privacy: None,
            headers: Vec::new(),
            offer: true,
            give_up_after: None,
            voice: None,
            rtp_mode: None,
        }
    }

    /// The same call from that URI.
    #[must_use]
    pub fn from(mut self, uri: &str) -> Self {
        self.from = Some(uri.into());
        self
    }
}

/// A host as URIs want it.
pub(crate) fn bare_host(address: SocketAddr) -> String {
    match address {
        SocketAddr::V4(v4) => v4.ip().to_string(),
        SocketAddr::V6(v6) => format!("[{}]", v6.ip()),
    }
}
