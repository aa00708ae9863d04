//! The asking side: a blocking call, for the subcommands.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{ANSWER_BYTES_MAX, Answer, Request};

/// A program that does not answer for so long does not answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

/// Why there is no answer.
#[derive(Debug)]
pub enum Unreachable {
    /// Nobody listens there.
    NotRunning(PathBuf, io::Error),
    /// Somebody listens and does not answer as vigie would.
    NoAnswer(PathBuf, io::Error),
}

impl std::fmt::Display for Unreachable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NotRunning(path, error) => {
                let path = path.display();
                write!(
                    f,
                    "no vigie answers at {path} ({error}). Is it running, as the same user, with this configuration?"
                )
            }
            Self::NoAnswer(path, error) => {
                write!(f, "whatever listens at {} gave no usable answer ({error})", path.display())
            }
        }
    }
}

impl std::error::Error for Unreachable {}

/// Asks the program at `socket`.
pub fn ask(socket: &Path, request: &Request) -> Result<Answer, Unreachable> {
    let mut stream =
        UnixStream::connect(socket).map_err(|error| Unreachable::NotRunning(socket.to_owned(), error))?;
    exchange(&mut stream, request).map_err(|error| Unreachable::NoAnswer(socket.to_owned(), error))
}

fn exchange(stream: &mut UnixStream, request: &Request) -> io::Result<Answer> {
    stream.set_read_timeout(Some(ANSWER_TIMEOUT))?;
    stream.set_write_timeout(Some(ANSWER_TIMEOUT))?;
    let mut line = serde_json::to_vec(request)?;
    line.push(b'\n');
    stream.write_all(&line)?;
    let mut answer = Vec::new();
    BufReader::new(stream.take(ANSWER_BYTES_MAX)).read_until(b'\n', &mut answer)?;
    Ok(serde_json::from_slice(&answer)?)
}
