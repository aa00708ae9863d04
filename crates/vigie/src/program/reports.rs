//! What `vigie status`, `calls` and `operators` print: the live picture and the journal's records, never the engine.

use std::path::PathBuf;
use std::sync::Arc;

use chrono::{DateTime, NaiveTime, TimeZone};
use chrono_tz::Tz;
use console::{Projection, Tongue, table};
use facts::UnixMicros;
use serde::Serialize;
use store::{CdrFilter, Queries};

use super::unix_now;
use crate::config::Deployment;
use crate::control::{Form, Reports};

pub(super) struct ShellReports {
    projection: Arc<Projection>,
    journal: PathBuf,
    tongue: Tongue,
}

impl ShellReports {
    pub(super) fn new(projection: Arc<Projection>, deployment: &Deployment) -> Self {
        let tongue = match deployment.node.default_language.as_str() {
            "fr" => Tongue::French,
            _ => Tongue::English,
        };
        Self { projection, journal: deployment.node.state.journal.clone(), tongue }
    }
}

impl Reports for ShellReports {
    fn status(&self, form: Form) -> String {
        let status = self.projection.status(unix_now());
        match form {
            Form::Text => table::status(&status, self.tongue),
            Form::Json => json(&status),
        }
    }

    fn calls(&self, last: u32, form: Form) -> Result<String, String> {
        let filter = CdrFilter { limit: Some(last), ..CdrFilter::default() };
        let records = Queries::open(&self.journal)
            .and_then(|queries| queries.cdrs(&filter))
            .map_err(|error| format!("the journal can't be read: {error}"))?;
        let live = self.projection.calls(unix_now());
        Ok(match form {
            Form::Json => json(&serde_json::json!({ "live": live, "over": records })),
            Form::Text if live.is_empty() => table::records(&records, self.tongue),
            Form::Text => {
                format!("{}\n{}", table::records(&records, self.tongue), table::calls(&live, self.tongue))
            }
        })
    }

    fn operators(&self, form: Form) -> String {
        let operators = self.projection.operators(unix_now());
        match form {
            Form::Text => table::operators(&operators, self.tongue),
            Form::Json => json(&operators),
        }
    }
}

fn json(value: &impl Serialize) -> String {
    let mut text = serde_json::to_string_pretty(value).unwrap_or_default();
    text.push('\n');
    text
}

/// The last midnight in this zone. Where a clock change skips midnight, the day begins when the clock goes on.
pub(super) fn midnight_before(at: UnixMicros, zone: Tz) -> UnixMicros {
    let Some(now) = DateTime::from_timestamp_micros(at.0) else { return at };
    let local = now.with_timezone(&zone);
    let midnight = local.date_naive().and_time(NaiveTime::MIN);
    let found = (0..=3)
        .find_map(|hour| zone.from_local_datetime(&(midnight + chrono::TimeDelta::hours(hour))).earliest());
    found.map_or(at, |midnight| UnixMicros(midnight.timestamp_micros()))
}
