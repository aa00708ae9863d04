//! The log: one line an event, on standard error.
//!
//! Knows: which events are worth whose attention. Must never write: anything that is not an event or the shell's own
//! trouble; events hold no caller's number.

use std::io::{self, IsTerminal};

use facts::event::EventKind;
use facts::{Event, record};
use tracing::Level;
use tracing_subscriber::EnvFilter;

use crate::config::LogLevel;

/// Starts logging at this level; the environment's `RUST_LOG` overrules it.
pub fn init(level: LogLevel) {
    let level = match level {
        LogLevel::Error => "error",
        LogLevel::Warn => "warn",
        LogLevel::Info => "info",
        LogLevel::Debug => "debug",
        LogLevel::Trace => "trace",
    };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(level));
    // A second start in the same process (tests) goes on with the first one's log.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .with_target(false)
        .try_init();
}

/// Writes an event's line.
pub(super) fn log(event: &Event) {
    let name = record::kind_name(&event.kind);
    let contact = event.contact.map_or(0, |contact| contact.0);
    match level(&event.kind) {
        Level::WARN => tracing::warn!(contact, "{name} {}", record::encode(event)),
        Level::INFO => tracing::info!(contact, "{name}"),
        _ => tracing::debug!(contact, "{name} {}", record::encode(event)),
    }
}

fn level(kind: &EventKind) -> Level {
    match kind {
        EventKind::Alarm { raised: true, .. }
        | EventKind::AuthFailed { .. }
        | EventKind::TrunkDead { .. }
        | EventKind::MediaRejected { .. }
        | EventKind::OneWayAudio { .. }
        | EventKind::IneligibleAttempt { .. }
        | EventKind::OverflowDropped { .. }
        | EventKind::Refused { .. } => Level::WARN,
        EventKind::Offered { .. }
        | EventKind::AnsweredByOperator { .. }
        | EventKind::Ended { .. }
        | EventKind::TrunkAlive { .. }
        | EventKind::LineOpened { .. }
        | EventKind::LineClosed { .. }
        | EventKind::EngineStarted { .. }
        | EventKind::EngineRestored { .. }
        | EventKind::EngineDraining
        | EventKind::EngineStopped
        | EventKind::ConfigLoaded { .. } => Level::INFO,
        _ => Level::DEBUG,
    }
}
