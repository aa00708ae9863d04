//! The answering side: a task on the shell's runtime.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use call::{Actor, Command};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{Semaphore, oneshot};
use tokio::time::{sleep, timeout};

use super::{Answer, Form, REQUEST_BYTES_MAX, Request};
use crate::engine_thread::{Control, Doors};

/// People and a few scripts; more at once wait.
const CONNECTIONS_MAX: usize = 32;
/// A client that sends nothing, or takes nothing, is let go.
const CLIENT_TIMEOUT: Duration = Duration::from_secs(10);
/// An accept that fails (no file descriptors left) is not repeated at once.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// What can be read without asking the engine: projections of the events.
pub trait Reports: Send + Sync {
    /// For `vigie status`.
    fn status(&self, form: Form) -> String;
    /// For `vigie calls`; an error is told to the person.
    fn calls(&self, last: u32, form: Form) -> Result<String, String>;
    /// For `vigie operators`.
    fn operators(&self, form: Form) -> String;
}

/// The bound socket, before anybody is answered.
pub struct Serving(UnixListener);

impl Serving {
    /// Binds the socket for this user alone. Call it within the runtime.
    pub fn bind(socket: &Path) -> io::Result<Self> {
        bind(socket).map(Self)
    }

    /// Answers for ever.
    pub async fn serve(self, doors: Doors, reports: Arc<dyn Reports>) {
        let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
        loop {
            let Ok(place) = places.clone().acquire_owned().await else { return };
            let Ok((stream, _)) = self.0.accept().await else {
                sleep(ACCEPT_PAUSE).await;
                continue;
            };
            let (doors, reports) = (doors.clone(), reports.clone());
            tokio::spawn(async move {
                // Whoever went away needs no answer.
                let _ = timeout(CLIENT_TIMEOUT, converse(stream, &doors, reports)).await;
                drop(place);
            });
        }
    }
}

/// A socket left by a program that is gone is in the way; one that still answers is not touched. (Two programs with the
/// same state directory are kept apart by its lock before this.)
fn bind(socket: &Path) -> io::Result<UnixListener> {
    if let Some(directory) = socket.parent() {
        fs::create_dir_all(directory)?;
    }
    if std::os::unix::net::UnixStream::connect(socket).is_err() {
        match fs::remove_file(socket) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    let listener = UnixListener::bind(socket)?;
    fs::set_permissions(socket, fs::Permissions::from_mode(0o600))?;
    Ok(listener)
}

async fn converse(stream: UnixStream, doors: &Doors, reports: Arc<dyn Reports>) -> io::Result<()> {
    let (reader, mut writer) = stream.into_split();
    let mut line = Vec::new();
    BufReader::new(reader.take(REQUEST_BYTES_MAX as u64)).read_until(b'\n', &mut line).await?;
    let answer = match serde_json::from_slice::<Request>(&line) {
        Ok(request) => answer(request, doors, reports).await,
        Err(error) => Answer::Refused(format!("that is not a request of this version: {error}")),
    };
    let mut line = serde_json::to_vec(&answer)?;
    line.push(b'\n');
    writer.write_all(&line).await
}

async fn answer(request: Request, doors: &Doors, reports: Arc<dyn Reports>) -> Answer {
    match request {
        Request::Status(form) => Answer::Done(reports.status(form)),
        Request::Operators(form) => Answer::Done(reports.operators(form)),
        Request::Calls { last, form } => {
            // It reads the database: not on the threads that carry packets' neighbours.
            let read = tokio::task::spawn_blocking(move || reports.calls(last, form)).await;
            match read {
                Ok(Ok(text)) => Answer::Done(text),
                Ok(Err(why)) => Answer::Refused(why),
                Err(_) => Answer::Refused("the list of calls can't be read".into()),
            }
        }
        Request::Operator { name, action } => {
            let operator = name.as_str().into();
            command(doors, &name, Command::Operator { operator, command: action.into() }).await
        }
        Request::Line { name, action } => {
            let line = name.as_str().into();
            command(doors, &name, Command::Line { line, command: action.into() }).await
        }
    }
}

/// `name` is whom it is about, for the words of a refusal.
async fn command(doors: &Doors, name: &str, command: Command) -> Answer {
    let (reply, answer) = oneshot::channel();
    let reply = Box::new(move |result| {
        // The asker may have gone meanwhile.
        let _ = reply.send(result);
    });
    doors.control(Control::Command { actor: Actor::LocalControl, command, reply });
    match answer.await {
        Ok(Ok(())) => Answer::Done(String::new()),
        Ok(Err(refused)) => Answer::Refused(format!("{name}: {refused}")),
        Err(_) => Answer::Refused("vigie is stopping".into()),
    }
}
