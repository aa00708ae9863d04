//! What operators' phones may be put through: one thing at a time, seen from the phone.
//!
//! Knows: what phones say. Must never know: facts; they have a checker of their own.

use std::collections::BTreeMap;
use std::time::Duration;

use phone::{CallId, Event};

use super::Findings;
use crate::station::{Role, StationId};

/// A CANCEL or BYE that was lost is repeated for 64 × T1 (RFC 3261 §17.1.2.2): until then a call that the engine has
/// long ended may still ring.
const IN_FLIGHT_MAX: Duration = Duration::from_secs(33);

#[derive(Default)]
pub(crate) struct Conduct {
    /// Incoming calls that are not over, and when another one came beside them.
    ringing: BTreeMap<StationId, BTreeMap<CallId, Option<Duration>>>,
}

impl Conduct {
    /// A phone without power says nothing of how its calls end.
    pub(crate) fn lost_its_memory(&mut self, id: StationId) {
        self.ringing.remove(&id);
    }

    pub(crate) fn phone(
        &mut self,
        now: Duration,
        id: StationId,
        role: &Role,
        event: &Event,
        findings: &mut Findings,
    ) {
        let Role::Operator { name } = role else { return };
        let calls = self.ringing.entry(id).or_default();
        match event {
            Event::Incoming { call, .. } => {
                for other in calls.values_mut() {
                    other.get_or_insert(now);
                }
                calls.insert(*call, None);
            }
            Event::Ended { call, .. } | Event::Rejected { call, .. } => {
                let overlapped = calls.remove(call).flatten();
                if overlapped.is_some_and(|since| now.saturating_sub(since) > IN_FLIGHT_MAX) {
                    findings.add(now, "one thing at a time", format!("{name} had two calls for long"));
                }
            }
            _ => {}
        }
    }
}
