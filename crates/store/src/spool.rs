//! The spool file: events wait here when the database is away and memory is full.
//!
//! Knows: lines of written events, and how far they were taken back. Must never do: grow past its bound.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use facts::Event;

use crate::journal::beside;

/// A day of the largest helpline's events. A database that is away for longer needs a person, and the
/// disk must keep room for her.
pub(crate) const SPOOL_BYTES_MAX: u64 = 512 * 1024 * 1024;

pub(crate) struct Spool {
    path: PathBuf,
    bytes_max: u64,
    bytes: u64,
    /// Up to here its events are in memory again (or committed).
    taken: u64,
}

impl Spool {
    /// Finds what a process before this one left.
    pub(crate) fn open(path: &Path, bytes_max: u64) -> Self {
        let bytes = std::fs::metadata(path).map_or(0, |metadata| metadata.len());
        Self { path: path.to_owned(), bytes_max, bytes, taken: 0 }
    }

    /// Nothing waits in it.
    pub(crate) fn is_empty(&self) -> bool {
        self.taken >= self.bytes
    }

    /// Adds events at the end; returns how many found no room, or no disk.
    pub(crate) fn put(&mut self, events: impl Iterator<Item = Event>) -> u64 {
        let mut lines = Vec::new();
        let (mut put, mut refused) = (0, 0);
        for event in events {
            let line = facts::record::encode(&event);
            if self.bytes + (lines.len() + line.len()) as u64 >= self.bytes_max {
                refused += 1;
                continue;
            }
            lines.extend_from_slice(line.as_bytes());
            lines.push(b'\n');
            put += 1;
        }
        if lines.is_empty() {
            return refused;
        }
        match self.append(&lines) {
            Ok(()) => {
                self.bytes += lines.len() as u64;
                refused
            }
            Err(error) => {
                tracing::error!(path = %self.path.display(), %error, "the spool file cannot be written");
                refused + put
            }
        }
    }

    /// Puts events before those that still wait here, which are younger. Returns how many were lost.
    pub(crate) fn put_before(&mut self, events: &[Event]) -> u64 {
        match self.rewrite(events) {
            Ok(()) => 0,
            Err(error) => {
                tracing::error!(path = %self.path.display(), %error, "the spool file cannot be written");
                events.len() as u64
            }
        }
    }

    /// Takes back up to `count` events, in order. A line that cannot be read was cut by a crash.
    pub(crate) fn take(&mut self, count: usize) -> Vec<Event> {
        let mut events = Vec::new();
        if let Err(error) = self.read(count, &mut events) {
            tracing::error!(path = %self.path.display(), %error, "the spool file cannot be read");
            // Asking again would fail again, for ever; what is in it stays on disk for a person.
            self.taken = self.bytes;
        }
        events
    }

    /// What was taken is committed; once that is all, the file goes.
    pub(crate) fn committed(&mut self) {
        if self.bytes > 0 && self.is_empty() {
            match std::fs::remove_file(&self.path) {
                Ok(()) => (self.bytes, self.taken) = (0, 0),
                Err(error) => {
                    tracing::error!(path = %self.path.display(), %error, "the spool file cannot be removed");
                }
            }
        }
    }

    fn append(&mut self, lines: &[u8]) -> std::io::Result<()> {
        let mut file = OpenOptions::new().create(true).append(true).open(&self.path)?;
        let length = file.metadata()?.len();
        if length > self.bytes {
            // A full disk cut a line when this was last tried; what follows must not be glued to it.
            file.set_len(self.bytes)?;
        }
        self.bytes = self.bytes.min(length);
        file.write_all(lines)
    }

    /// A new file in the place of the old one, at once: a crash leaves the one or the other.
    fn rewrite(&mut self, events: &[Event]) -> std::io::Result<()> {
        let fresh_path = beside(&self.path, "new");
        let mut fresh = BufWriter::new(File::create(&fresh_path)?);
        for event in events {
            writeln!(fresh, "{}", facts::record::encode(event))?;
        }
        if !self.is_empty() {
            let mut old = File::open(&self.path)?;
            old.seek(SeekFrom::Start(self.taken))?;
            std::io::copy(&mut old, &mut fresh)?;
        }
        let fresh = fresh.into_inner().map_err(std::io::IntoInnerError::into_error)?;
        fresh.sync_all()?;
        std::fs::rename(&fresh_path, &self.path)?;
        (self.bytes, self.taken) = (fresh.metadata()?.len(), 0);
        Ok(())
    }

    fn read(&mut self, count: usize, events: &mut Vec<Event>) -> std::io::Result<()> {
        let mut file = File::open(&self.path)?;
        file.seek(SeekFrom::Start(self.taken))?;
        let mut lines = BufReader::new(file);
        let mut line = String::new();
        while events.len() < count {
            line.clear();
            let bytes = lines.read_line(&mut line)? as u64;
            if bytes == 0 {
                self.taken = self.bytes;
                break;
            }
            self.taken += bytes;
            match facts::record::decode(line.trim_end()) {
                Ok(event) => events.push(event),
                Err(error) => tracing::warn!(%error, "a line of the spool file was left out"),
            }
        }
        Ok(())
    }
}
