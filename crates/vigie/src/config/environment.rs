//! What the machine must offer for the configuration to work: directories, addresses, a clock.
//!
//! Looks only; must never create or change anything.

use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::fs::{Access, access, statfs};

use super::node::Node;
use super::problem::{Problem, Severity};

/// 1 January 2026: before this the program did not exist.
const CLOCK_EARLIEST: Duration = Duration::from_secs(1_767_225_600);

/// `f_type` of tmpfs, statfs(2).
const TMPFS_MAGIC: u64 = 0x0102_1994;

/// Problems of this machine with this node. They stand in no file, so they name the setting they belong to.
pub(super) fn check(node: &Node, now: SystemTime) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut tell = |severity, field: &str, found: String, expected: String| {
        let field = field.to_owned();
        problems.push(Problem {
            severity,
            file: super::NODE_FILE.into(),
            line: None,
            field,
            found,
            expected,
        });
    };
    let state = &node.state;
    let control_directory = state.control_socket.parent().unwrap_or(Path::new("."));
    let journal_directory = state.journal.parent().unwrap_or(Path::new("."));
    for (field, directory) in [
        ("state.directory", state.directory.as_path()),
        ("state.journal", journal_directory),
        ("state.live_directory", state.live_directory.as_path()),
        ("state.control_socket", control_directory),
    ] {
        if let Err(found) = writable(directory) {
            tell(
                Severity::Error,
                field,
                found,
                "a directory that this user may write to, or may create".into(),
            );
        }
    }
    if !is_on_tmpfs(&state.live_directory) {
        let found = format!("{}, which is on a disk", state.live_directory.display());
        let expected =
            "a directory on tmpfs, such as below /dev/shm or /run: every call writes there before it answers";
        tell(Severity::Warning, "state.live_directory", found, expected.into());
    }
    let addresses = node.sip.listen.iter().map(|listen| ("sip", listen.address.ip()));
    let mut seen = Vec::new();
    for (field, address) in addresses.chain(node.rtp.addresses.iter().map(|rtp| ("rtp.addresses", rtp.bind)))
    {
        if !seen.contains(&address) && !is_here(address) {
            let found = format!("{address}, which this machine does not have");
            tell(Severity::Warning, field, found, "an address of the machine that runs it".into());
        }
        seen.push(address);
    }
    if now.duration_since(UNIX_EPOCH).unwrap_or_default() < CLOCK_EARLIEST {
        let expected = "the right time, by NTP: opening hours and records depend on it";
        tell(Severity::Error, "", "a clock that stands before 2026".into(), expected.into());
    }
    problems
}

/// The directory, or the nearest one above it that exists, is one that this user may write to.
fn writable(directory: &Path) -> Result<(), String> {
    // `a/b` ends in the empty path, which stands for here.
    let here =
        |path: &Path| if path.as_os_str().is_empty() { Path::new(".").to_owned() } else { path.to_owned() };
    let existing = directory.ancestors().map(here).find(|path| path.exists());
    let Some(existing) = existing else {
        return Err(format!("{}, which does not exist", directory.display()));
    };
    if !existing.is_dir() {
        return Err(format!("{}, which is no directory", existing.display()));
    }
    access(&existing, Access::WRITE_OK | Access::EXEC_OK)
        .map_err(|error| format!("{}, where this user may not write ({error})", existing.display()))
}

fn is_on_tmpfs(directory: &Path) -> bool {
    let existing = directory.ancestors().find(|path| path.exists());
    let kind = existing.and_then(|path| statfs(path).ok()).map(|statistics| statistics.f_type);
    kind.is_none_or(|kind| u64::try_from(kind).is_ok_and(|kind| kind == TMPFS_MAGIC))
}

/// Whether a socket can be bound to the address: any port, and gone again at once.
fn is_here(address: IpAddr) -> bool {
    match UdpSocket::bind(SocketAddr::new(address, 0)) {
        Ok(_) => true,
        Err(error) => error.kind() != std::io::ErrorKind::AddrNotAvailable,
    }
}
