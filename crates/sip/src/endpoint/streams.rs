//! Flows: the ways by which messages reach a peer, and the state of the streams among them.
//!
//! Knows: addresses, stream ids, unfinished bytes. Must never know: transactions' states, dialogs, or users.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;

use crate::door::{StreamId, Transport};
use crate::timer::TimerId;
use crate::transaction::Reliability;
use crate::transaction::table::TransactionId;
use crate::wire::StreamFramer;

/// What may wait for a stream to open. More than one message burst of a phone; past it the newest is lost, as a
/// datagram would be.
const QUEUED_BYTES_MAX: usize = 64 * 1024;
/// A message that began must end within this time, however slowly its bytes drip; so must a new stream's first.
pub(crate) const MESSAGE_TIME_MAX: Duration = Duration::from_secs(32);
/// A stream that says nothing, not even a keep-alive, for this long is closed. RFC 5626 §4.4.1 has phones send one
/// every two minutes at most.
pub(crate) const IDLE_TIME_MAX: Duration = Duration::from_secs(15 * 60);

/// One way to a peer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Flow {
    /// From one of our sockets to an address.
    Datagram {
        /// Our socket.
        local: SocketAddr,
        /// The peer.
        remote: SocketAddr,
    },
    /// Over a stream, or to the same address over a new one when it is gone.
    Stream {
        /// The stream.
        stream: StreamId,
        /// The peer's end.
        remote: SocketAddr,
    },
}

impl Flow {
    /// The peer's address.
    pub(crate) fn remote(&self) -> SocketAddr {
        match *self {
            Self::Datagram { remote, .. } | Self::Stream { remote, .. } => remote,
        }
    }

    /// The transport.
    pub(crate) fn transport(&self) -> Transport {
        match self {
            Self::Datagram { .. } => Transport::Udp,
            Self::Stream { .. } => Transport::Tcp,
        }
    }

    /// Whether the transport repeats for us.
    pub(crate) fn reliability(&self) -> Reliability {
        match self {
            Self::Datagram { .. } => Reliability::Unreliable,
            Self::Stream { .. } => Reliability::Reliable,
        }
    }
}

/// One stream.
pub(crate) struct Stream {
    pub(crate) remote: SocketAddr,
    /// Bytes in, cut into messages.
    pub(crate) framer: StreamFramer,
    /// What waits for it to open; none once it is open.
    queued: Option<VecDeque<Bytes>>,
    queued_bytes: usize,
    /// Client transactions whose request went this way and that have no final response.
    pub(crate) waiting: BTreeSet<TransactionId>,
    /// When the message that is coming in began; the stream's own opening, until a first one is whole.
    pub(crate) began: Option<Duration>,
    /// When anything last came.
    pub(crate) heard: Duration,
    pub(crate) timer: Option<TimerId>,
}

/// All streams.
#[derive(Default)]
pub(crate) struct Streams {
    all: BTreeMap<StreamId, Stream>,
    /// Those that we opened, by where they lead. Accepted ones are known by their id alone: the far port is a
    /// passing one.
    opened: BTreeMap<SocketAddr, StreamId>,
}

/// What becomes of bytes given to a stream.
pub(crate) enum Written {
    /// The shell is to write them.
    Now,
    /// They wait for the stream to open.
    Later,
    /// They were too many.
    Lost,
}

impl Streams {
    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.all.len()
    }

    /// One of them.
    pub(crate) fn find(&mut self, stream: StreamId) -> Option<&mut Stream> {
        self.all.get_mut(&stream)
    }

    /// Whether it lives.
    pub(crate) fn contains(&self, stream: StreamId) -> bool {
        self.all.contains_key(&stream)
    }

    /// The one that we opened to this address.
    pub(crate) fn to(&self, remote: SocketAddr) -> Option<StreamId> {
        self.opened.get(&remote).copied()
    }

    /// Notes a stream that was asked for.
    pub(crate) fn connecting(&mut self, now: Duration, stream: StreamId, remote: SocketAddr) {
        self.all.insert(stream, Stream::new(now, remote, Some(VecDeque::new())));
        self.opened.insert(remote, stream);
    }

    /// A stream is up: what waited for it, or an empty list for one that the peer opened.
    pub(crate) fn opened(&mut self, now: Duration, stream: StreamId, remote: SocketAddr) -> VecDeque<Bytes> {
        let entry = self.all.entry(stream).or_insert_with(|| Stream::new(now, remote, None));
        entry.queued_bytes = 0;
        entry.heard = now;
        match entry.queued.take() {
            Some(queued) => {
                // Ours: nothing is owed on it.
                entry.began = None;
                queued
            }
            None => VecDeque::new(),
        }
    }

    /// Bytes for a stream that lives.
    pub(crate) fn write(&mut self, stream: StreamId, bytes: &Bytes) -> Written {
        let Some(entry) = self.all.get_mut(&stream) else { return Written::Lost };
        let Some(queued) = &mut entry.queued else { return Written::Now };
        if entry.queued_bytes + bytes.len() > QUEUED_BYTES_MAX {
            return Written::Lost;
        }
        entry.queued_bytes += bytes.len();
        queued.push_back(bytes.clone());
        Written::Later
    }

    /// A stream is gone.
    pub(crate) fn remove(&mut self, stream: StreamId) -> Option<Stream> {
        let entry = self.all.remove(&stream)?;
        if self.opened.get(&entry.remote) == Some(&stream) {
            self.opened.remove(&entry.remote);
        }
        Some(entry)
    }
}

impl Stream {
    fn new(now: Duration, remote: SocketAddr, queued: Option<VecDeque<Bytes>>) -> Self {
        Self {
            remote,
            framer: StreamFramer::default(),
            queued,
            queued_bytes: 0,
            waiting: BTreeSet::new(),
            began: Some(now),
            heard: now,
            timer: None,
        }
    }

    /// When this stream will have been silent, or slow, for too long.
    pub(crate) fn deadline(&self) -> Duration {
        match self.began {
            Some(began) => began + MESSAGE_TIME_MAX,
            None => self.heard + IDLE_TIME_MAX,
        }
    }
}
