//! Every call has one outcome and one record, the record agrees with what the caller experienced, and figures add up.
//!
//! Knows: facts, their folds, and phones' memories. Must never know: why the engine thinks so.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use facts::cdr::{Cdr, CdrStep, Outcome};
use facts::event::{EndedBy, EventKind};
use facts::kpi::{Tally, Thresholds};
use facts::{Board, CdrFold, ContactId, Event, UnixMicros};
use phone::End;

use super::Findings;
use crate::station::{Role, Station, StationId};
use crate::world::{UNIX_MICROS_AT_EPOCH, World};

const RULE: &str = "one outcome, one record";
const AGREES: &str = "records agree with callers";
/// On a network that loses nothing two ends cross within a round trip.
const CROSSING: Duration = Duration::from_millis(100);
/// On one that does, a BYE may be on its way for 64 × T1.
const CROSSING_WITH_LOSS: Duration = Duration::from_secs(33);

/// Records and figures of a world.
pub struct Outcomes {
    fold: CdrFold,
    board: Board,
    offered: BTreeMap<ContactId, String>,
    refused: BTreeMap<String, u16>,
    ended: BTreeMap<ContactId, u32>,
    cdrs: BTreeMap<ContactId, Cdr>,
    settled: BTreeSet<ContactId>,
    bridges: BTreeMap<StationId, Vec<String>>,
    crashes: Vec<Duration>,
}

impl Default for Outcomes {
    fn default() -> Self {
        Self {
            fold: CdrFold::new(),
            board: Board::new(Thresholds::default()),
            offered: BTreeMap::new(),
            refused: BTreeMap::new(),
            ended: BTreeMap::new(),
            cdrs: BTreeMap::new(),
            settled: BTreeSet::new(),
            bridges: BTreeMap::new(),
            crashes: Vec::new(),
        }
    }
}

impl Outcomes {
    /// The record of each contact that is over.
    pub fn cdrs(&self) -> impl Iterator<Item = &Cdr> {
        self.cdrs.values()
    }

    /// Key figures.
    pub fn tally(&self) -> Tally {
        let mut tally = Tally::default();
        for cdr in self.cdrs.values() {
            tally.add(cdr, &Thresholds::default());
        }
        tally
    }

    /// Contacts that arrived.
    pub fn offered(&self) -> usize {
        self.offered.len()
    }

    /// The record of a caller's call.
    pub fn cdr_of(&self, station: &Station) -> Option<&Cdr> {
        let call_id = station.call_id.as_deref()?;
        let (contact, _) = self.offered.iter().find(|(_, of)| of.as_str() == call_id)?;
        self.cdrs.get(contact)
    }

    pub(crate) fn crashed(&mut self, now: Duration) {
        self.crashes.push(now);
    }

    pub(crate) fn event(&mut self, now: Duration, event: &Event, findings: &mut Findings) {
        self.board.apply(event);
        match (&event.kind, event.contact) {
            (EventKind::Offered { trunk_call_id, .. }, Some(contact)) => {
                let call_id = trunk_call_id.to_string();
                if self.offered.values().any(|known| *known == call_id) {
                    findings.add(now, RULE, format!("a call became two contacts, one of them {contact}"));
                }
                if self.offered.insert(contact, call_id).is_some() {
                    findings.add(now, RULE, format!("contact {contact} was offered twice"));
                }
            }
            (EventKind::Refused { trunk_call_id, status, .. }, _) => {
                self.refused.insert(trunk_call_id.to_string(), *status);
            }
            (EventKind::Ended { .. }, Some(contact)) => {
                let times = self.ended.entry(contact).or_default();
                *times += 1;
                if *times > 1 {
                    findings.add(now, RULE, format!("contact {contact} ended twice"));
                }
            }
            _ => {}
        }
        for step in self.fold.apply(event) {
            let settles = matches!(step, CdrStep::Settled(_));
            let cdr = step.cdr().clone();
            let contact = cdr.contact;
            let too_many = match self.cdrs.insert(contact, cdr) {
                Some(_) => !settles || self.settled.contains(&contact),
                None => false,
            };
            if too_many {
                findings.add(now, RULE, format!("contact {contact} has a record too many"));
            }
            if settles {
                self.settled.insert(contact);
            }
        }
    }

    pub(crate) fn bridged(&mut self, now: Duration, pair: [(StationId, &Role); 2], findings: &mut Findings) {
        match pair {
            [(caller, Role::Caller { .. }), (_, Role::Operator { name })]
            | [(_, Role::Operator { name }), (caller, Role::Caller { .. })] => {
                self.bridges.entry(caller).or_default().push(name.clone());
            }
            _ => findings.add(now, AGREES, "a bridge joins other than a caller and an operator"),
        }
    }

    pub(crate) fn finish(&self, world: &World, findings: &mut Findings) {
        let now = world.now();
        for contact in self.offered.keys() {
            if !self.cdrs.contains_key(contact) {
                findings.add(now, RULE, format!("contact {contact} has no record"));
            }
            if !self.ended.contains_key(contact) {
                findings.add(now, RULE, format!("contact {contact} never ended"));
            }
        }
        for (contact, live) in self.board.contacts() {
            findings.add(now, RULE, format!("contact {contact} is still on the board: {live:?}"));
        }
        self.figures_add_up(now, findings);
        for (id, station) in world.stations() {
            if let Role::Caller { .. } = station.role {
                self.caller_agrees(world, id, station, findings);
            }
        }
    }

    fn figures_add_up(&self, now: Duration, findings: &mut Findings) {
        let tally = self.tally();
        let rows = tally.closed
            + tally.left_in_menu
            + tally.dissuaded
            + tally.other_exit
            + tally.abandoned
            + tally.answered;
        if tally.offered != rows || tally.offered != self.offered.len() as u64 {
            findings.add(
                now,
                "the cascade adds up",
                format!("{} offered, {rows} in rows", self.offered.len()),
            );
        }
    }

    fn caller_agrees(&self, world: &World, id: StationId, station: &Station, findings: &mut Findings) {
        let now = world.now();
        let Some(call_id) = &station.call_id else { return };
        let answered = station.saw(|event| matches!(event, phone::Event::Answered { .. }));
        let Some(cdr) = self.cdr_of(station) else {
            if answered {
                findings.add(now, AGREES, format!("{id:?} was answered and has no record"));
            }
            return;
        };
        if self.refused.contains_key(call_id) {
            findings.add(now, AGREES, format!("{id:?} was refused and has a record"));
        }
        let contact = cdr.contact;
        let heard_by: Vec<&str> = cdr.parts.iter().map(|part| part.operator.as_str()).collect();
        let bridged = self.bridges.get(&id).map_or(&[][..], Vec::as_slice);
        // What was to be bridged when the program died may never have been.
        if self.crashes.is_empty() && heard_by != bridged {
            findings.add(
                now,
                AGREES,
                format!("contact {contact} was with {heard_by:?} by its record, and heard {bridged:?}"),
            );
        }
        if (cdr.outcome == Outcome::Answered) != cdr.answered_at.is_some() {
            findings.add(now, AGREES, format!("contact {contact}: {:?} without an answer", cdr.outcome));
        }
        self.ends_agree(world, station, cdr, findings);
    }

    fn ends_agree(&self, world: &World, station: &Station, cdr: &Cdr, findings: &mut Findings) {
        let (now, contact) = (world.now(), cdr.contact);
        let lossy = world.setup().links.loss > 0.0 || !self.crashes.is_empty();
        let crossing = if lossy { CROSSING_WITH_LOSS } else { CROSSING };
        let ended_at = wall(cdr.ended_at);
        let near = |at: Duration| at.abs_diff(ended_at) <= crossing;
        let ends = station.events.iter().rev().find_map(|(at, event)| match event {
            phone::Event::Ended { end, .. } => Some((*at, *end)),
            phone::Event::Rejected { .. } => Some((*at, End::ByPeer)),
            _ => None,
        });
        let Some((at, end)) = ends else {
            if !station.vanished {
                findings.add(now, AGREES, format!("contact {contact} ended, and its caller never knew"));
            }
            return;
        };
        let by_caller = cdr.ended_by == EndedBy::Caller;
        let agrees = match end {
            End::ByMe | End::Cancelled => by_caller || near(at),
            End::ByPeer => !by_caller || (lossy && near(at)),
            End::Refused(_) | End::Lost => true,
        };
        if !agrees {
            findings.add(
                now,
                AGREES,
                format!(
                    "contact {contact} was ended by {:?} ({:?}) at {ended_at:?}, its caller says {end:?} at {at:?}",
                    cdr.ended_by, cdr.cause.proof
                ),
            );
        }
        if !near(at) && !station.vanished && end != End::Lost {
            findings.add(
                now,
                AGREES,
                format!("contact {contact} ended at {ended_at:?}, for its caller at {at:?}"),
            );
        }
    }
}

fn wall(at: UnixMicros) -> Duration {
    at.since(UnixMicros(UNIX_MICROS_AT_EPOCH))
}
