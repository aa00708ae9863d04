//! TCP: two tasks a connection, one that reads and one that writes from a bounded queue.

use std::io;
use std::net::{SocketAddr, TcpListener as StdTcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use dashmap::DashMap;
use sip::StreamId;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use tokio::time::{sleep, timeout};

use super::Counters;
use crate::clock;
use crate::engine_thread::Doors;

/// Messages that may wait for a peer to read; a few megabytes at the very most.
const WRITES_MAX: usize = 256;
/// How long a connection may take to come up.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(8);
/// How long one write may take: a peer that has not read for so long is gone.
const WRITE_TIMEOUT: Duration = Duration::from_secs(20);
const READ_BYTES: usize = 16 << 10;
/// While the engine's lane is full, reading stops for so long and is tried again.
const LANE_FULL_PAUSE: Duration = Duration::from_millis(2);
/// An accept that fails (no file descriptors left) is not repeated at once.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

pub(super) struct Accepting(TcpListener);

impl Accepting {
    pub(super) fn new(listener: StdTcpListener) -> io::Result<Self> {
        TcpListener::from_std(listener).map(Self)
    }
}

/// A connection as seen from the engine's thread.
struct Stream {
    writes: mpsc::Sender<Bytes>,
    reading: AbortHandle,
}

#[derive(Clone)]
pub(super) struct Streams(Arc<Shared>);

struct Shared {
    runtime: Handle,
    doors: Doors,
    counters: Arc<Counters>,
    streams_max: usize,
    open: DashMap<StreamId, Stream>,
    /// Accepted connections have odd names. They begin at the clock's reading, so that none of a program before this one
    /// is used again: restored dialogs still name theirs.
    next_accepted: AtomicU64,
}

impl Streams {
    pub(super) fn new(runtime: Handle, doors: Doors, counters: Arc<Counters>, streams_max: usize) -> Self {
        let start = u64::try_from(clock::engine_now().as_micros()).unwrap_or(0) << 1 | 1;
        Self(Arc::new(Shared {
            runtime,
            doors,
            counters,
            streams_max,
            open: DashMap::new(),
            next_accepted: AtomicU64::new(start),
        }))
    }

    pub(super) fn accept(&self, listener: Accepting) {
        let shared = self.0.clone();
        self.0.runtime.spawn(async move {
            loop {
                match listener.0.accept().await {
                    Ok((stream, _)) if shared.open.len() >= shared.streams_max => {
                        Counters::count(&shared.counters.streams_refused);
                        drop(stream);
                    }
                    Ok((stream, _)) => {
                        let id = StreamId(shared.next_accepted.fetch_add(2, Ordering::Relaxed));
                        shared.clone().run(id, stream).await;
                    }
                    Err(_) => sleep(ACCEPT_PAUSE).await,
                }
            }
        });
    }

    pub(super) fn connect(&self, id: StreamId, remote: SocketAddr) {
        let shared = self.0.clone();
        self.0.runtime.spawn(async move {
            match timeout(CONNECT_TIMEOUT, TcpStream::connect(remote)).await {
                Ok(Ok(stream)) => shared.run(id, stream).await,
                Ok(Err(_)) | Err(_) => shared.tell(sip::Input::StreamClosed { stream: id }).await,
            }
        });
    }

    /// How many there are.
    #[cfg(test)]
    pub(super) fn open_now(&self) -> usize {
        self.0.open.len()
    }

    /// Queues a message. A peer that does not read fills its queue and is closed.
    pub(super) fn write(&self, id: StreamId, bytes: Bytes) {
        let full = self.0.open.get(&id).is_some_and(|stream| stream.writes.try_send(bytes).is_err());
        if full {
            Counters::count(&self.0.counters.streams_too_slow);
            self.close(id);
        }
    }

    /// Closes after what is queued. The engine is told by `StreamClosed`.
    pub(super) fn close(&self, id: StreamId) {
        // Without a sender the writer drains its queue and shuts the connection; the reader need not wait for the peer.
        if let Some((_, stream)) = self.0.open.remove(&id) {
            stream.reading.abort();
        }
    }
}

impl Shared {
    async fn run(self: Arc<Self>, id: StreamId, stream: TcpStream) {
        let (Ok(local), Ok(remote)) = (stream.local_addr(), stream.peer_addr()) else {
            return self.tell(sip::Input::StreamClosed { stream: id }).await;
        };
        // A SIP message is written whole; waiting for more would only delay it.
        let _ = stream.set_nodelay(true);
        let (reader, writer) = stream.into_split();
        let (writes, queue) = mpsc::channel(WRITES_MAX);
        let opened = sip::Input::StreamOpened { stream: id, transport: sip::Transport::Tcp, local, remote };
        {
            // The place is held until the stream is in it: the engine may write as soon as it is told of the stream, and
            // a peer that hangs up at once must find something to remove.
            let place = self.open.entry(id);
            let reading = self.runtime.spawn(self.clone().read(id, opened, reader)).abort_handle();
            place.insert(Stream { writes, reading });
        }
        self.runtime.spawn(self.clone().write(id, writer, queue));
    }

    async fn read(self: Arc<Self>, id: StreamId, opened: sip::Input, mut reader: OwnedReadHalf) {
        self.tell(opened).await;
        let mut buffer = BytesMut::with_capacity(READ_BYTES);
        loop {
            buffer.reserve(READ_BYTES);
            match reader.read_buf(&mut buffer).await {
                Ok(0) | Err(_) => break,
                Ok(_) => {
                    let bytes = buffer.split().freeze();
                    self.tell(sip::Input::StreamData { stream: id, bytes }).await;
                }
            }
        }
        // The writer sees its queue end and tells that the stream is closed.
        self.open.remove(&id);
    }

    async fn write(
        self: Arc<Self>,
        id: StreamId,
        mut writer: OwnedWriteHalf,
        mut queue: mpsc::Receiver<Bytes>,
    ) {
        while let Some(bytes) = queue.recv().await {
            let written = timeout(WRITE_TIMEOUT, writer.write_all(&bytes)).await;
            if !matches!(written, Ok(Ok(()))) {
                break;
            }
        }
        let _ = timeout(WRITE_TIMEOUT, writer.shutdown()).await;
        if let Some((_, stream)) = self.open.remove(&id) {
            stream.reading.abort();
        }
        self.tell(sip::Input::StreamClosed { stream: id }).await;
    }

    /// Into the engine's lane; while that is full, this connection is not read.
    async fn tell(&self, input: sip::Input) {
        let mut input = input;
        while let Err(back) = self.doors.try_network(input) {
            input = back;
            sleep(LANE_FULL_PAUSE).await;
        }
    }
}
