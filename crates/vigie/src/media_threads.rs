//! The media threads: one a worker, with its sockets.
//!
//! Knows: threads, sockets, epoll, the clock. Must never know: what a packet means; that is the worker's, and a thread
//! only carries between it, its sockets and the engine.
//!
//! Commands come in over a bounded ring and an eventfd; events go out over the engine's media lane. A media thread
//! never waits for the engine, so the engine may wait for it.

mod sockets;
mod thread;

use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;

use crossbeam_channel::{Sender, TrySendError, bounded};
use media::{Command, Settings, Worker, WorkerEvent, WorkerSettings};
use rustix::event::{EventfdFlags, eventfd};

use crate::clock;
use crate::state_file::entropy;

/// Commands that may wait for a media thread: a full worker's restore in a few rings.
const COMMANDS_MAX: usize = 8_192;

/// All media threads. Dropping it stops them.
pub struct MediaThreads {
    threads: Vec<Handle>,
    counters: Arc<Counters>,
}

/// One thread, from outside.
struct Handle {
    commands: Sender<Command>,
    wake: Arc<Wake>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

/// What a media thread is woken by. The commands of one step share a system call.
struct Wake {
    event: OwnedFd,
    /// Written to, and not yet seen by the thread.
    pending: AtomicBool,
}

/// What the threads counted together.
#[derive(Default)]
struct Counters {
    received: AtomicU64,
    sent: AtomicU64,
    send_failed: AtomicU64,
    events_lost: AtomicU64,
}

/// What the media threads counted together since the start.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct MediaCounts {
    /// Packets read from sockets.
    pub received: u64,
    /// Packets written to sockets.
    pub sent: u64,
    /// Packets that the kernel did not take.
    pub send_failed: u64,
    /// Events that the engine had no room for; never one that it depends on.
    pub events_lost: u64,
}

impl MediaThreads {
    /// Starts `settings.workers` threads, each on a processor of its own where there are enough.
    pub fn start(settings: &Settings, events: Sender<(usize, WorkerEvent)>) -> io::Result<Self> {
        let counters = Arc::new(Counters::default());
        let mut threads = Self { threads: Vec::new(), counters };
        for number in 0..settings.workers.max(1) {
            let mut seed = [0; 32];
            entropy(&mut seed)?;
            let worker_settings = WorkerSettings { silence: settings.silence };
            let worker = Worker::new(clock::engine_now(), worker_settings, seed);
            threads.spawn(number, worker, events.clone())?;
        }
        Ok(threads)
    }

    /// For a worker; unknown ones get nothing. If its ring is full this waits: a lost command would leave a call
    /// silent for ever, and a media thread never waits for anybody.
    pub fn command(&self, worker: usize, command: Command) {
        let Some(handle) = self.threads.get(worker) else { return };
        match handle.commands.try_send(command) {
            Ok(()) => handle.wake(),
            Err(TrySendError::Full(command)) => {
                handle.wake();
                // Fails only when the thread has been stopped, and then nothing matters any more.
                let _ = handle.commands.send(command);
                handle.wake();
            }
            Err(TrySendError::Disconnected(_)) => {}
        }
    }

    /// What was counted.
    pub fn counts(&self) -> MediaCounts {
        let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        MediaCounts {
            received: load(&self.counters.received),
            sent: load(&self.counters.sent),
            send_failed: load(&self.counters.send_failed),
            events_lost: load(&self.counters.events_lost),
        }
    }

    /// Stops the threads and waits for them. Calls are not ended: they go on with the program's next start.
    pub fn stop(&mut self) {
        for handle in &self.threads {
            handle.stop.store(true, Ordering::Relaxed);
            handle.wake();
        }
        for handle in &mut self.threads {
            if let Some(thread) = handle.thread.take() {
                // A thread that panicked has ended the program already.
                let _ = thread.join();
            }
        }
    }

    fn spawn(
        &mut self,
        number: usize,
        worker: Worker,
        events: Sender<(usize, WorkerEvent)>,
    ) -> io::Result<()> {
        let (commands, ring) = bounded(COMMANDS_MAX);
        let wake = Arc::new(Wake::new()?);
        let stop = Arc::new(AtomicBool::new(false));
        let parts = thread::Parts {
            number,
            worker,
            commands: ring,
            wake: wake.clone(),
            stop: stop.clone(),
            events,
            counters: self.counters.clone(),
        };
        let media_thread = thread::MediaThread::new(parts)?;
        let thread =
            std::thread::Builder::new().name(format!("media-{number}")).spawn(move || media_thread.run())?;
        self.threads.push(Handle { commands, wake, stop, thread: Some(thread) });
        Ok(())
    }
}

impl Drop for MediaThreads {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Handle {
    fn wake(&self) {
        self.wake.call();
    }
}

impl Wake {
    fn new() -> io::Result<Self> {
        let event = eventfd(0, EventfdFlags::NONBLOCK | EventfdFlags::CLOEXEC)?;
        Ok(Self { event, pending: AtomicBool::new(false) })
    }

    fn call(&self) {
        if !self.pending.swap(true, Ordering::AcqRel) {
            // Fails only when the counter is full, and then the thread is awake.
            let _ = rustix::io::write(&self.event, &1_u64.to_ne_bytes());
        }
    }

    /// To be said before commands are looked for: whoever gives one after that writes anew.
    fn answer(&self) {
        let mut count = [0; 8];
        let _ = rustix::io::read(&self.event, &mut count);
        self.pending.swap(false, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests;
