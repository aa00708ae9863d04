//! The state file: live state of all rooms, appended with plain write(2) before a step's outputs are sent.
//!
//! Knows: framing, sealing, compaction, and that the file lies on tmpfs: it outlives the program, not the machine. Must
//! never know: what is in a record. Dialogs hold callers' numbers, so the SIP room's records are sealed under a key
//! that lies beside the file on the same tmpfs and nowhere else.
//!
//! The file: a header (magic, version, the boot's id), then frames of `length u32, CRC-32 u32, payload`, one a step. A
//! payload is entries of `room u8, key u64, length u32 (all ones: erased), bytes`. A torn last frame is cut off.
//! Another version's file, or another boot's, is emptied: nothing in it can be understood any more.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use chacha20poly1305::aead::AeadInOut;
use chacha20poly1305::{Key, KeyInit, XChaCha20Poly1305, XNonce};
use zeroize::Zeroizing;

/// Changes when the framing does.
const MAGIC: &[u8; 8] = b"VIGIEST1";
const STATE_FILE: &str = "state";
const KEY_FILE: &str = "state.key";
const BOOT_ID_BYTES: usize = 36;
const ERASED: u32 = u32::MAX;
/// Compacted when it is this much larger than what lives in it, and not below [`COMPACT_BYTES_MIN`].
const COMPACT_FACTOR: u64 = 4;
/// A small file is never worth compacting.
const COMPACT_BYTES_MIN: u64 = 4 << 20;
/// A frame longer than this was never written by us.
const FRAME_BYTES_MAX: usize = 256 << 20;
const NONCE_BYTES: usize = 24;
const NONCE_START_BYTES: usize = 16;

/// Entries' room numbers 1 to 4 are the engine's; this one holds events that the journal may not have yet, by their
/// number.
pub const EVENT_ROOM: u8 = 0;
/// The SIP room's records are sealed.
const SEALED_ROOM: u8 = 1;

/// One entry of a step.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Which room.
    pub room: u8,
    /// The record's key in it.
    pub key: u64,
    /// The record; `None` erases.
    pub record: Option<Bytes>,
}

/// What was left by the program before.
#[derive(Debug, Default)]
pub struct Left {
    /// Live records by room and key.
    pub records: BTreeMap<(u8, u64), Bytes>,
    /// Records that could not be unsealed.
    pub unreadable: u32,
}

/// The open state file. Whoever holds it is the only one (file lock).
#[derive(Debug)]
pub struct StateFile {
    directory: PathBuf,
    file: File,
    cipher: Sealer,
    frame: Vec<u8>,
    written_bytes: u64,
    compacted_bytes: u64,
    /// A step could not be written: the file lacks it until it is written anew.
    lacks_a_step: bool,
}

/// Why the state file can't be had.
#[derive(Debug)]
pub enum StateError {
    /// Another vigie runs with the same directory.
    InUse(PathBuf),
    /// The file system says no.
    Io(PathBuf, io::Error),
}

impl std::fmt::Display for StateError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::InUse(path) => write!(
                f,
                "{} is in use by another vigie; stop that one, or give this one its own `live_directory`",
                path.display()
            ),
            Self::Io(path, error) => write!(f, "{}: {error}", path.display()),
        }
    }
}

impl std::error::Error for StateError {}

impl StateFile {
    /// Opens the directory's state file, alone, and reads what was left there since this boot.
    pub fn open(directory: &Path) -> Result<(Self, Left), StateError> {
        let at = |path: &Path| {
            let path = path.to_owned();
            move |error| StateError::Io(path, error)
        };
        fs::create_dir_all(directory).map_err(at(directory))?;
        let path = directory.join(STATE_FILE);
        let mut file = open_private(&path).map_err(at(&path))?;
        lock(&file, &path)?;
        let cipher = Sealer::open(&directory.join(KEY_FILE)).map_err(at(directory))?;
        let mut content = Vec::new();
        file.read_to_end(&mut content).map_err(at(&path))?;
        let boot = boot_id();
        let mut left = Left::default();
        let whole_bytes = match content.strip_prefix(header(&boot).as_slice()) {
            Some(frames) => header(&boot).len() + read_frames(frames, &cipher, &mut left),
            None => 0,
        };
        file.set_len(whole_bytes as u64).map_err(at(&path))?;
        let mut state = Self {
            directory: directory.to_owned(),
            file,
            cipher,
            frame: Vec::new(),
            written_bytes: whole_bytes as u64,
            compacted_bytes: 0,
            lacks_a_step: false,
        };
        if whole_bytes == 0 {
            state.file.write_all(&header(&boot)).map_err(at(&path))?;
            state.written_bytes = header(&boot).len() as u64;
        }
        Ok((state, left))
    }

    /// Appends a step, or several: all of it or, after a crash or an error, nothing. No fsync: the file is on tmpfs.
    /// After an error [`StateFile::compact`] is due.
    pub fn append(&mut self, entries: &[Entry]) -> io::Result<()> {
        if entries.is_empty() {
            return Ok(());
        }
        build_frame(&mut self.frame, entries.iter().cloned(), &mut self.cipher);
        if let Err(error) = self.file.write_all(&self.frame) {
            self.lacks_a_step = true;
            // Half a frame would hide from the next start all that is written after it. Where not even this can be
            // done, the file is written anew all the same.
            let _ = self.file.set_len(self.written_bytes);
            return Err(error);
        }
        self.written_bytes += self.frame.len() as u64;
        Ok(())
    }

    /// Whether a step is missing in the file, which then has to be written anew.
    pub fn lacks_a_step(&self) -> bool {
        self.lacks_a_step
    }

    /// Whether the file holds so much that is dead that it is worth [`StateFile::compact`].
    pub fn is_worth_compacting(&self) -> bool {
        self.written_bytes > COMPACT_BYTES_MIN.max(self.compacted_bytes.saturating_mul(COMPACT_FACTOR))
    }

    /// Writes what lives into a new file and puts it in the place of the old one.
    pub fn compact(&mut self, entries: impl Iterator<Item = Entry>) -> io::Result<()> {
        let next = self.directory.join("state.next");
        let written = self.write_anew(&next, entries);
        if written.is_err() {
            // Where room is short it must not take any.
            let _ = fs::remove_file(&next);
        }
        written
    }

    fn write_anew(&mut self, next: &Path, entries: impl Iterator<Item = Entry>) -> io::Result<()> {
        let mut file = open_private(next)?;
        file.set_len(0)?;
        let mut content = header(&boot_id());
        build_frame(&mut self.frame, entries, &mut self.cipher);
        content.extend_from_slice(&self.frame);
        file.write_all(&content)?;
        lock(&file, next).map_err(|error| io::Error::other(error.to_string()))?;
        fs::rename(next, self.directory.join(STATE_FILE))?;
        self.file = file;
        self.written_bytes = content.len() as u64;
        self.compacted_bytes = self.written_bytes;
        self.lacks_a_step = false;
        Ok(())
    }
}

/// For this user only, and written at its end only.
fn open_private(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(path)
}

fn lock(file: &File, path: &Path) -> Result<(), StateError> {
    use rustix::fs::{FlockOperation, flock};
    flock(file, FlockOperation::NonBlockingLockExclusive).map_err(|_| StateError::InUse(path.to_owned()))
}

/// Deadlines count since boot: another boot's records mean nothing.
fn boot_id() -> [u8; BOOT_ID_BYTES] {
    let mut id = [b'-'; BOOT_ID_BYTES];
    if let Ok(text) = fs::read("/proc/sys/kernel/random/boot_id") {
        let length = text.len().min(BOOT_ID_BYTES);
        id[..length].copy_from_slice(&text[..length]);
    }
    id
}

fn header(boot: &[u8; BOOT_ID_BYTES]) -> Vec<u8> {
    [MAGIC.as_slice(), boot].concat()
}

fn build_frame(frame: &mut Vec<u8>, entries: impl Iterator<Item = Entry>, cipher: &mut Sealer) {
    frame.clear();
    frame.extend_from_slice(&[0; 8]);
    for entry in entries {
        frame.push(entry.room);
        frame.extend_from_slice(&entry.key.to_le_bytes());
        let Some(record) = entry.record else {
            frame.extend_from_slice(&ERASED.to_le_bytes());
            continue;
        };
        let length_at = frame.len();
        frame.extend_from_slice(&[0; 4]);
        if entry.room == SEALED_ROOM {
            cipher.seal(&record, frame);
        } else {
            frame.extend_from_slice(&record);
        }
        let length = (frame.len() - length_at - 4) as u32;
        frame[length_at..length_at + 4].copy_from_slice(&length.to_le_bytes());
    }
    let length = (frame.len() - 8) as u32;
    let crc = crc32fast::hash(&frame[8..]);
    frame[..4].copy_from_slice(&length.to_le_bytes());
    frame[4..8].copy_from_slice(&crc.to_le_bytes());
}

/// Reads whole frames; returns how many bytes they are. What follows is torn.
fn read_frames(mut content: &[u8], cipher: &Sealer, left: &mut Left) -> usize {
    let mut whole = 0;
    while let Some((head, rest)) = content.split_first_chunk::<8>() {
        let [a, b, c, d, e, f, g, h] = *head;
        let length = u32::from_le_bytes([a, b, c, d]) as usize;
        let crc = u32::from_le_bytes([e, f, g, h]);
        if length > FRAME_BYTES_MAX || rest.len() < length || crc32fast::hash(&rest[..length]) != crc {
            break;
        }
        read_entries(&rest[..length], cipher, left);
        whole += 8 + length;
        content = &rest[length..];
    }
    whole
}

fn read_entries(mut payload: &[u8], cipher: &Sealer, left: &mut Left) {
    while let Some((head, rest)) = payload.split_first_chunk::<13>() {
        let room = head[0];
        let key = u64::from_le_bytes(head[1..9].try_into().expect("eight bytes of thirteen"));
        let length = u32::from_le_bytes(head[9..13].try_into().expect("four bytes of thirteen"));
        if length == ERASED {
            left.records.remove(&(room, key));
            payload = rest;
            continue;
        }
        let Some((record, rest)) = rest.split_at_checked(length as usize) else { return };
        let record = if room == SEALED_ROOM { cipher.unseal(record) } else { Some(record.to_vec()) };
        match record {
            Some(record) => {
                left.records.insert((room, key), record.into());
            }
            None => left.unreadable += 1,
        }
        payload = rest;
    }
}

/// XChaCha20-Poly1305 under a key that exists on tmpfs only. Nonces: 16 random bytes a start, then a counter.
struct Sealer {
    cipher: XChaCha20Poly1305,
    start: [u8; NONCE_START_BYTES],
    sealed: u64,
}

impl std::fmt::Debug for Sealer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sealer(…)")
    }
}

impl Sealer {
    fn open(path: &Path) -> io::Result<Self> {
        let mut key = Zeroizing::new([0u8; 32]);
        let mut file = open_private(path)?;
        let mut present = Zeroizing::new(Vec::new());
        file.read_to_end(&mut present)?;
        if present.len() == key.len() {
            key.copy_from_slice(&present);
        } else {
            entropy(key.as_mut_slice())?;
            file.set_len(0)?;
            file.write_all(key.as_slice())?;
        }
        let mut start = [0; NONCE_START_BYTES];
        entropy(&mut start)?;
        Ok(Self { cipher: XChaCha20Poly1305::new(&Key::from(*key)), start, sealed: 0 })
    }

    fn seal(&mut self, record: &[u8], out: &mut Vec<u8>) {
        let mut nonce = [0; NONCE_BYTES];
        nonce[..NONCE_START_BYTES].copy_from_slice(&self.start);
        nonce[NONCE_START_BYTES..].copy_from_slice(&self.sealed.to_le_bytes());
        self.sealed += 1;
        out.extend_from_slice(&nonce);
        let mut text = record.to_vec();
        self.cipher
            .encrypt_in_place(&XNonce::from(nonce), &[], &mut text)
            .expect("records are far shorter than the cipher's limit");
        out.extend_from_slice(&text);
    }

    fn unseal(&self, sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, text) = sealed.split_first_chunk::<NONCE_BYTES>()?;
        let mut text = text.to_vec();
        self.cipher.decrypt_in_place(&XNonce::from(*nonce), &[], &mut text).ok()?;
        Some(text)
    }
}

/// Fills from the kernel's random source.
pub fn entropy(bytes: &mut [u8]) -> io::Result<()> {
    File::open("/dev/urandom")?.read_exact(bytes)
}

#[cfg(test)]
mod tests;
