//! An independent, small SIP/RTP telephone without sockets or a clock.
//!
//! It plays trunk callers (UAC) and operators' softphones (registering, UAS): in virtual time for the
//! simulator, over real sockets for the demonstration. It knows SIP, SDP, RTP and G.711 by its own
//! means; it must never use `sip`, `media` or any other room, because a mistake shared by both sides of
//! a call is a mistake that no test can see.
//!
//! ```
//! use phone::{Command, Dial, Event, Input, Output, Phone, PhoneConfig};
//! use std::time::Duration;
//!
//! let config = PhoneConfig::new("trunk", "192.0.2.1:5060".parse()?, "192.0.2.9:5060".parse()?);
//! let mut phone = Phone::new(config, [7; 32]);
//! let dial = Dial::to("sip:3919@192.0.2.9").from("sip:+33100000001@192.0.2.1");
//! phone.handle(Duration::ZERO, Input::Command(Command::Dial(Box::new(dial))));
//! while let Some(output) = phone.poll_output() {
//!     match output {
//!         Output::SipDatagram { to, bytes } => println!("{} bytes to {to}", bytes.len()),
//!         Output::Event(Event::Dialling { call }) => println!("{call:?}"),
//!         other => println!("{other:?}"),
//!     }
//! }
//! assert_eq!(phone.poll_timeout(), Some(Duration::from_millis(500)), "timer A");
//! # Ok::<(), std::net::AddrParseError>(())
//! ```
//!
//! **The contract.** After every `handle`, drain `poll_output` until `None`; then call
//! `handle(now, Input::Timeout)` no later than `poll_timeout`, when it is `Some`. Outputs are in order.
//! Everything is decided by the inputs, the configuration and the seed.
//!
//! **Streams.** A phone on TCP speaks on [`StreamId::OUTBOUND`], which the runner connects to
//! `config.server` when it first sees an output for it; connections made *to* the phone get ids of the
//! runner's choice. A dialog stays on the stream that it began on.
//!
//! **RTP ports.** `config.rtp` lists the addresses that a call may use; a call takes one, and inputs and
//! outputs name it by its place in that list.

mod address;
mod arrivals;
mod call;
mod config;
mod dialog;
mod digest;
mod g711;
mod listening;
mod phone;
mod progress;
mod refresh;
mod registration;
mod requests;
mod rtp;
mod sdp;
mod text;
mod transaction;
mod uac;
mod uas;
mod voice;

pub use address::Private;
pub use config::{Answering, Behaviour, Credentials, Dial, PhoneConfig, Registering, Ringing, Transport};
pub use g711::Codec;
pub use listening::{MediaReport, TAPE_S_MAX};
pub use phone::{Counters, Phone};
pub use rtp::RtpMode;
pub use sdp::Direction;
pub use voice::{FRAME_SAMPLES, HEARD_SCORE_MIN, Signature, Voice};

use std::fmt;
use std::net::SocketAddr;

/// One call of one phone; never used twice by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallId(pub u32);

/// One byte stream to or from the phone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamId(pub u32);

impl StreamId {
    /// The phone's own connection to its server.
    pub const OUTBOUND: Self = Self(0);
}

/// What happens to a phone.
#[derive(Clone)]
pub enum Input<'a> {
    /// A SIP datagram came.
    SipDatagram {
        /// Its source.
        from: SocketAddr,
        /// Its payload.
        bytes: &'a [u8],
    },
    /// Bytes came on a SIP stream.
    SipStream {
        /// Which one; an id not seen before is a new connection.
        stream: StreamId,
        /// The peer's address.
        from: SocketAddr,
        /// The next bytes, cut anywhere.
        bytes: &'a [u8],
    },
    /// A SIP stream ended.
    StreamClosed {
        /// Which one.
        stream: StreamId,
    },
    /// A datagram came to one of the RTP addresses.
    Rtp {
        /// Its place in `config.rtp`.
        port: usize,
        /// Its source.
        from: SocketAddr,
        /// Its payload.
        bytes: &'a [u8],
    },
    /// The person, or the script, at the phone does something.
    Command(Command),
    /// The time that `poll_timeout` named has come.
    Timeout,
}

/// What a phone wants done.
#[derive(Clone, PartialEq, Eq)]
pub enum Output {
    /// Send a SIP datagram from `config.address`.
    SipDatagram {
        /// Destination.
        to: SocketAddr,
        /// Payload.
        bytes: Vec<u8>,
    },
    /// Write to a SIP stream.
    SipStream {
        /// Which one.
        stream: StreamId,
        /// One whole message.
        bytes: Vec<u8>,
    },
    /// Close a SIP stream that can't be understood any more.
    CloseStream {
        /// Which one.
        stream: StreamId,
    },
    /// Send an RTP datagram.
    Rtp {
        /// The call it belongs to.
        call: CallId,
        /// The place in `config.rtp` of the address to send from.
        port: usize,
        /// Destination.
        to: SocketAddr,
        /// Payload.
        bytes: Vec<u8>,
    },
    /// Something happened that the person, or the script, at the phone would notice.
    Event(Event),
}

/// What a person or a script can do. A command that makes no sense now gives [`Event::Refused`].
#[derive(Debug, Clone)]
pub enum Command {
    /// Register now and keep registered.
    Register,
    /// End the registration.
    Unregister,
    /// Call someone.
    Dial(Box<Dial>),
    /// Ring (again): 180, or 183 with early media.
    Ring {
        /// The incoming call.
        call: CallId,
        /// What to say.
        ringing: Ringing,
    },
    /// Accept an incoming call.
    Answer {
        /// The incoming call.
        call: CallId,
    },
    /// Refuse an incoming call.
    Reject {
        /// The incoming call.
        call: CallId,
        /// 3xx to 6xx.
        status: u16,
        /// The `Contact` of a redirection.
        contact: Option<Private>,
    },
    /// End a call, whatever its state: CANCEL, BYE, or 603.
    HangUp {
        /// Which one.
        call: CallId,
        /// A whole `Reason` value (RFC 3326).
        reason: Option<String>,
    },
    /// Offer another direction: `SendOnly` and `Inactive` hold, `SendRecv` resumes.
    Redirect {
        /// The call.
        call: CallId,
        /// What this phone wants from now on.
        direction: Direction,
    },
    /// Refresh the session without changing it.
    Refresh {
        /// The call.
        call: CallId,
        /// By UPDATE (RFC 3311) instead of re-INVITE.
        update: bool,
        /// With an offer, or without a body.
        offer: bool,
    },
    /// Press digits (RFC 4733), one after the other.
    Digits {
        /// The call.
        call: CallId,
        /// Of `0123456789*#ABCD`.
        digits: String,
    },
    /// Mute or unmute the microphone; packets of silence go on.
    Mute {
        /// The call.
        call: CallId,
        /// Whether to mute.
        muted: bool,
    },
    /// Say something else.
    Speak {
        /// The call.
        call: CallId,
        /// The new voice.
        voice: Voice,
    },
    /// Change how much RTP one call sends.
    RtpMode {
        /// The call.
        call: CallId,
        /// The new mode.
        mode: RtpMode,
    },
    /// Change what happens to incoming calls.
    Behave(Behaviour),
    /// Ask the server for its options.
    Options,
    /// Cut the power: everything is forgotten at once and nothing is sent or heard; or restore it: the
    /// phone is as new, and has to register again.
    Power(bool),
}

/// Whose doing an end was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// This phone sent BYE.
    ByMe,
    /// The other side sent BYE.
    ByPeer,
    /// The caller gave up before the answer, this phone or the other.
    Cancelled,
    /// This phone refused the incoming call with that status.
    Refused(u16),
    /// The other side no longer knows or answers the dialog (481, 408, or a 200 never acknowledged).
    Lost,
}

/// What happened, as far as a person at the phone would notice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The registrar accepted; refreshes give this event again.
    Registered {
        /// Granted, in seconds.
        expires_s: u32,
    },
    /// The registrar confirmed that the registration is gone.
    Unregistered,
    /// The registrar refused, or did not answer (408).
    RegisterFailed {
        /// Its status.
        status: u16,
    },
    /// A call was begun by `Command::Dial`.
    Dialling {
        /// Its id from now on.
        call: CallId,
    },
    /// Someone calls.
    Incoming {
        /// Its id from now on.
        call: CallId,
        /// The `From` display name.
        from_display: Private,
        /// The `From` URI.
        from: Private,
        /// The Request-URI.
        to: Private,
    },
    /// The other side said 101 to 199.
    Ringing {
        /// The call.
        call: CallId,
        /// The status.
        status: u16,
        /// Whether early media was agreed on with it.
        early_media: bool,
    },
    /// A call, either way, is up: 200 received, or ACK received.
    Answered {
        /// The call.
        call: CallId,
    },
    /// The other side refused the outgoing call, which is over.
    Rejected {
        /// The call.
        call: CallId,
        /// Its status; 408 when nobody answered the INVITE.
        status: u16,
        /// Its `Reason` header.
        reason: Option<String>,
        /// What was heard until then.
        media: MediaReport,
    },
    /// A call is over.
    Ended {
        /// The call.
        call: CallId,
        /// Whose doing it was.
        end: End,
        /// The `Reason` header of what ended it.
        reason: Option<String>,
        /// What was heard.
        media: MediaReport,
    },
    /// The other side changed the session's direction: it holds, or resumes.
    Redirected {
        /// The call.
        call: CallId,
        /// As the other side said it.
        direction: Direction,
    },
    /// A re-INVITE or UPDATE of this phone got its final answer.
    Refreshed {
        /// The call.
        call: CallId,
        /// 200, or why not; 491 is retried and not told.
        status: u16,
    },
    /// A digit came to its end.
    Digit {
        /// The call.
        call: CallId,
        /// Of `0123456789*#ABCD`.
        digit: char,
        /// As the sender said.
        duration_ms: u16,
    },
    /// The first RTP packet came.
    MediaStarted {
        /// The call.
        call: CallId,
    },
    /// A voice is heard that was not before.
    MediaHeard {
        /// The call.
        call: CallId,
        /// Whose.
        signature: Signature,
    },
    /// The answer to `Command::Options`.
    OptionsAnswered {
        /// Its status; 408 when none came.
        status: u16,
    },
    /// A command made no sense in the state the phone or the call is in.
    Refused {
        /// Why.
        why: Refusal,
    },
}

/// Why a command was refused: the fault of whoever gave it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// No such call, or it is over.
    NoSuchCall,
    /// The call is not in a state that allows it.
    WrongState,
    /// All RTP addresses are in use, or too much is under way.
    NoCapacity,
    /// Not digits, or the other side takes none.
    NoDigits,
    /// The power is off.
    PoweredOff,
}

// RFC 3261 says nothing of logs, but a message holds people's numbers: only its kind and size are printed.
fn first_word(bytes: &[u8]) -> String {
    let line = bytes.split(|byte| matches!(byte, b'\r' | b'\n')).next().unwrap_or_default();
    let mut words = line.split(|byte| *byte == b' ').map(String::from_utf8_lossy);
    let first = words.next().unwrap_or_default();
    if first == "SIP/2.0" { words.next().unwrap_or_default().into_owned() } else { first.into_owned() }
}

impl fmt::Debug for Input<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SipDatagram { from, bytes } => {
                write!(f, "SipDatagram({} from {from}, {} bytes)", first_word(bytes), bytes.len())
            }
            Self::SipStream { stream, bytes, .. } => {
                write!(f, "SipStream({stream:?}, {} bytes)", bytes.len())
            }
            Self::StreamClosed { stream } => write!(f, "StreamClosed({stream:?})"),
            Self::Rtp { port, from, bytes } => write!(f, "Rtp({port} from {from}, {} bytes)", bytes.len()),
            Self::Command(command) => write!(f, "Command({command:?})"),
            Self::Timeout => f.write_str("Timeout"),
        }
    }
}

impl fmt::Debug for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SipDatagram { to, bytes } => {
                write!(f, "SipDatagram({} to {to}, {} bytes)", first_word(bytes), bytes.len())
            }
            Self::SipStream { stream, bytes } => {
                write!(f, "SipStream({stream:?}, {}, {} bytes)", first_word(bytes), bytes.len())
            }
            Self::CloseStream { stream } => write!(f, "CloseStream({stream:?})"),
            Self::Rtp { call, port, to, bytes } => {
                write!(f, "Rtp({call:?}, {port} to {to}, {} bytes)", bytes.len())
            }
            Self::Event(event) => write!(f, "Event({event:?})"),
        }
    }
}
