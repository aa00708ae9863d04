//! The machine's clocks: the engine's (counts through sleep, since boot) and the wall's.
//!
//! Knows: how they are read. The one place of the program that reads them for the engine.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// The engine's time: since boot, counting through sleep, so that deadlines in state records stay true over a restart
/// of the program.
pub fn engine_now() -> Duration {
    let time = clock_gettime(ClockId::Boottime);
    Duration::new(u64::try_from(time.tv_sec).unwrap_or(0), u32::try_from(time.tv_nsec).unwrap_or(0))
}

/// Unix time of the engine's epoch, in microseconds.
pub fn unix_micros_at_epoch() -> i64 {
    let wall = clock_gettime(ClockId::Realtime);
    let wall_micros = wall.tv_sec.saturating_mul(1_000_000).saturating_add(wall.tv_nsec / 1_000);
    wall_micros.saturating_sub(i64::try_from(engine_now().as_micros()).unwrap_or(i64::MAX))
}
