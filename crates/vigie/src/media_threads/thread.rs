//! The loop of one media thread: commands, time, packets, events, sleep.
//!
//! Knows: the worker's doors. Must never know: what passes through them.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, TrySendError};
use media::{Command, SocketOp, Verdict, Worker, WorkerEvent};
use rustix::event::{Timespec, epoll};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

use super::sockets::{Read, Sockets, key_of};
use super::{Counters, Wake};
use crate::clock;
use crate::vital::VitalThread;

/// Sockets that are served before time is looked at again.
const BATCH_MAX: usize = 256;
/// Commands that are taken before packets are looked at again.
const COMMANDS_BATCH_MAX: usize = 256;
/// A packet of sound fits a common MTU; what is longer is not one.
const PACKET_BYTES_MAX: usize = 2048;
/// A busy thread looks at its sockets once in this time: waking costs more than relaying a packet does, and nobody hears
/// so small a delay.
const ROUND: Duration = Duration::from_millis(2);
/// How soon an event that the engine had no room for is offered again.
const RETRY_AFTER: Duration = Duration::from_millis(5);
/// The eventfd among the sockets.
const WAKE: u64 = u64::MAX;

/// What a thread is made of.
pub(super) struct Parts {
    pub(super) number: usize,
    pub(super) worker: Worker,
    pub(super) commands: Receiver<Command>,
    pub(super) wake: Arc<Wake>,
    pub(super) stop: Arc<AtomicBool>,
    pub(super) events: Sender<(usize, WorkerEvent)>,
    pub(super) counters: Arc<Counters>,
}

/// One media thread.
pub(super) struct MediaThread {
    parts: Parts,
    sockets: Sockets,
    /// An event that must arrive and for which there was no room.
    unsent: Option<WorkerEvent>,
    /// Losses of the worker that are counted already.
    lost_counted: u64,
}

impl MediaThread {
    pub(super) fn new(parts: Parts) -> io::Result<Self> {
        let sockets = Sockets::new()?;
        let wake = epoll::EventData::new_u64(WAKE);
        epoll::add(sockets.epoll(), &parts.wake.event, wake, epoll::EventFlags::IN)?;
        Ok(Self { parts, sockets, unsent: None, lost_counted: 0 })
    }

    pub(super) fn run(mut self) {
        let _vital = VitalThread::begin();
        pin(self.parts.number);
        let mut ready = Vec::with_capacity(BATCH_MAX);
        let mut buffer = [0; PACKET_BYTES_MAX];
        while !self.parts.stop.load(Ordering::Relaxed) {
            let now = clock::engine_now();
            self.take_commands(now);
            self.keep_time(now);
            self.hand_over_events();
            let wait = self.wait(now);
            ready.clear();
            let timeout = wait.map(|wait| Timespec {
                // A worker's deadlines are seconds away, not centuries.
                tv_sec: i64::try_from(wait.as_secs()).unwrap_or(1),
                tv_nsec: i64::from(wait.subsec_nanos()),
            });
            // Interrupted or not, the next round looks at everything.
            let _ = epoll::wait(
                self.sockets.epoll(),
                rustix::buffer::spare_capacity(&mut ready),
                timeout.as_ref(),
            );
            let woken = clock::engine_now();
            self.read_packets(woken, &ready, &mut buffer);
            // A thread that hardly anybody speaks to relays at once.
            if ready.len() > 1 || woken < now + ROUND {
                std::thread::sleep((woken + ROUND).saturating_sub(clock::engine_now()));
            }
        }
    }

    fn take_commands(&mut self, now: Duration) {
        for _ in 0..COMMANDS_BATCH_MAX {
            let Ok(command) = self.parts.commands.try_recv() else { break };
            self.parts.worker.on_command(now, command);
            self.serve_sockets(now);
        }
    }

    fn keep_time(&mut self, now: Duration) {
        if self.parts.worker.poll_timeout().is_some_and(|due| due <= now) {
            let (sockets, counters) = (&self.sockets, &self.parts.counters);
            self.parts.worker.poll(now, &mut |key, to, packet: &[u8]| {
                count_sent(counters, sockets.send(key, to, packet));
            });
        }
        self.serve_sockets(now);
    }

    fn serve_sockets(&mut self, now: Duration) {
        while let Some(op) = self.parts.worker.poll_socket() {
            if let Err(error) = self.sockets.apply(op)
                && let SocketOp::Open { key, address } = op
            {
                tracing::error!(port = address.port(), %error, "a media port could not be opened");
                self.parts.worker.on_command(now, Command::SocketFailed { key });
            }
        }
    }

    fn read_packets(&mut self, now: Duration, ready: &[epoll::Event], buffer: &mut [u8]) {
        for event in ready {
            let data = event.data.u64();
            if data == WAKE {
                self.parts.wake.answer();
                continue;
            }
            let Some(key) = key_of(data) else { continue };
            // One packet a wake: a call's socket seldom has two, and epoll says so again if it has.
            let Read::Packet(from, length) = self.sockets.read(key, buffer) else { continue };
            self.parts.counters.received.fetch_add(1, Ordering::Relaxed);
            let verdict = self.parts.worker.on_packet(now, key, from, &mut buffer[..length]);
            if let Verdict::Forward { socket, to, range } = verdict {
                count_sent(&self.parts.counters, self.sockets.send(socket, to, &buffer[range]));
            }
        }
        self.serve_sockets(now);
    }

    /// What must arrive waits here until there is room; the worker keeps what is behind it, within its own bound.
    fn hand_over_events(&mut self) {
        while let Some(event) = self.unsent.take().or_else(|| self.parts.worker.poll_event()) {
            match self.parts.events.try_send((self.parts.number, event)) {
                Ok(()) => {}
                Err(TrySendError::Full((_, event))) if event.must_arrive() => {
                    self.unsent = Some(event);
                    break;
                }
                Err(TrySendError::Full(_)) => {
                    self.parts.counters.events_lost.fetch_add(1, Ordering::Relaxed);
                }
                Err(TrySendError::Disconnected(_)) => {}
            }
        }
        let lost = self.parts.worker.events_lost();
        self.parts.counters.events_lost.fetch_add(lost - self.lost_counted, Ordering::Relaxed);
        self.lost_counted = lost;
    }

    /// How long there is nothing to do; none: until something comes.
    fn wait(&self, now: Duration) -> Option<Duration> {
        if !self.parts.commands.is_empty() {
            return Some(Duration::ZERO);
        }
        let due = self.parts.worker.poll_timeout().map(|due| due.saturating_sub(now));
        let retry = self.unsent.as_ref().map(|_| RETRY_AFTER);
        due.into_iter().chain(retry).min()
    }
}

fn count_sent(counters: &Counters, taken: bool) {
    let counter = if taken { &counters.sent } else { &counters.send_failed };
    counter.fetch_add(1, Ordering::Relaxed);
}

/// Gives the thread a processor of its own, the last first, since the engine and the network use the others.
fn pin(number: usize) {
    let Ok(allowed) = sched_getaffinity(None) else { return };
    let processors: Vec<usize> =
        (0..CpuSet::MAX_CPU).filter(|&processor| allowed.is_set(processor)).collect();
    let Some(&processor) = processors.iter().rev().cycle().nth(number) else { return };
    let mut own = CpuSet::new();
    own.set(processor);
    // Where the machine forbids it, the scheduler does well enough.
    let _ = sched_setaffinity(None, &own);
}
