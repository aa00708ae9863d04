//! `vigie demo`: a helpline on this machine, with callers and operators that are simulated, and room for real ones.
//!
//! Knows: who is wired to whom. The engine under it is the one that `vigie run` starts; the people are telephones of
//! their own on loopback sockets, and nothing goes between the two but SIP and RTP. One exception: callers learn from
//! the live picture when they hear a person, because they do not understand speech.

mod board;
mod cast;
mod joining;
mod people;
mod place;
mod screen;
mod show;
mod summary;
mod telephones;
mod text;
mod voices;

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Mutex;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::cli::DemoArguments;
use crate::program::{Program, StartError};
use crate::settings;
use cast::{Cast, Pseudonyms};
use place::PlaceError;
use show::Show;

/// Why there is no demonstration.
#[derive(Debug)]
enum DemoError {
    Place(PlaceError),
    Start(StartError),
    Machine(&'static str, io::Error),
}

impl fmt::Display for DemoError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Place(error) => error.fmt(f),
            Self::Start(error) => error.fmt(f),
            Self::Machine(what, error) => write!(f, "{what}: {error}"),
        }
    }
}

/// Runs it.
pub fn run(arguments: &DemoArguments) -> ExitCode {
    match demonstrate(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("vigie demo: {error}");
            ExitCode::FAILURE
        }
    }
}

fn demonstrate(arguments: &DemoArguments) -> Result<(), DemoError> {
    let port = place::free_port(arguments.port).map_err(DemoError::Place)?;
    let directory = place::directory(port).map_err(DemoError::Place)?;
    let deployment = place::deployment(&directory, port).map_err(DemoError::Place)?;
    log_to(&directory.join("log")).map_err(|error| DemoError::Machine("the log", error))?;
    let seed = arguments.seed.unwrap_or_else(seed_of_the_moment);
    let cast = Cast::new(&deployment, usize::from(arguments.operators));
    let control_socket = deployment.node.state.control_socket.display().to_string();
    let pseudonymiser = settings::pseudonymiser(&deployment);
    let pseudonyms =
        pseudonymiser.map(|pseudonymiser| Pseudonyms::new(&pseudonymiser, &deployment.node.numbering));

    let program = Program::start(deployment).map_err(DemoError::Start)?;
    let server = SocketAddr::new(place::ADDRESS, port);
    say(&format!("vigie {}, demonstration {seed}\n", env!("CARGO_PKG_VERSION")));
    if port != arguments.port && arguments.port != 0 {
        say(&format!("Port {} is taken; this is on {port}.\n", arguments.port));
    }
    say(&joining::instructions(&cast, &server.to_string(), &control_socket));

    let projection = program.projection().clone();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| DemoError::Machine("the telephones' thread", error))?;
    let played = runtime.block_on(async {
        let mut show =
            Show::set_up(arguments, &program, &cast, pseudonyms.unwrap_or_default(), seed, server).await?;
        show.play().await
    });
    program.stop();
    let ran_for = played.map_err(|error| DemoError::Machine("the telephones", error))?;
    say(&projection.look(|board| summary::summary(board, &cast.names, show::unix_now(), ran_for, &directory)));
    // What lives only while it runs; the journal and the log stay for a look.
    let _ = fs::remove_dir_all(directory.join("live"));
    Ok(())
}

/// Standard error is under the board: what is to be looked at goes into a file.
fn log_to(path: &Path) -> io::Result<()> {
    let file = Mutex::new(File::create(path)?);
    let level = tracing_subscriber::filter::LevelFilter::WARN;
    let log = tracing_subscriber::fmt().with_max_level(level).with_writer(file).with_ansi(false);
    // A second start in the same process (tests) goes on with the first one's log.
    let _ = log.with_target(false).try_init();
    Ok(())
}

/// Another one each time; short enough to be typed again.
fn seed_of_the_moment() -> u64 {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    since_1970.as_micros() as u64 % 1_000_000
}

fn say(text: &str) {
    // Whoever started it may have closed the pipe; it goes on until its time is over.
    let mut out = io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}
