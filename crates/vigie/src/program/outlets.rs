//! Where the engine's outputs go: sockets, media threads, journal, live picture, log.
//!
//! Knows: each outlet's door. Must never block.

use std::sync::Arc;

use call::Output;
use console::Projection;
use facts::Event;
use facts::event::Queue;
use store::{Appended, Journal};

use super::logging;
use crate::engine_thread::{Doors, Outlets, overflow};
use crate::media_threads::MediaThreads;
use crate::net::Net;

pub(super) struct ShellOutlets {
    net: Net,
    media: MediaThreads,
    journal: Journal,
    projection: Arc<Projection>,
    doors: Doors,
    /// Events that the journal had no room for, and has not been told of.
    lost: u64,
}

impl ShellOutlets {
    pub(super) fn new(
        net: Net,
        media: MediaThreads,
        journal: Journal,
        projection: Arc<Projection>,
        doors: Doors,
    ) -> Self {
        Self { net, media, journal, projection, doors, lost: 0 }
    }
}

impl Outlets for ShellOutlets {
    fn network(&mut self, output: Output) {
        self.net.send(output);
    }

    fn media(&mut self, worker: usize, command: media::Command) {
        self.media.command(worker, command);
    }

    fn event(&mut self, event: Event) {
        logging::log(&event);
        self.projection.apply([&event]);
        match self.journal.append(event) {
            Appended::Dropped { .. } => self.lost += 1,
            Appended::Accepted | Appended::Spooled if self.lost > 0 => {
                // There is room again: the journal itself says what it lacks.
                self.doors.try_fact(overflow(Queue::Journal, self.lost));
                self.lost = 0;
            }
            Appended::Accepted | Appended::Spooled => {}
        }
    }

    fn committed(&self) -> u64 {
        self.journal.committed_seq()
    }
}
