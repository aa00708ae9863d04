//! The index: who waits for what, and who is ready for it.
//!
//! Knows: places in queues, ready operators in the order of their strategy, and how many there are of whom. Must never
//! know: time passing, offers, outputs. Contacts that demand the same of an operator (lines of the same class, same level,
//! same language) share a queue, so a decision looks at the heads of a few queues and never at the contacts behind them.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use crate::door::{ContactId, Excluded, Level, Line, Name, Operator};
use crate::fit::{Fit, Rule, Scarcity, fit};
use crate::operator::OperatorSlot;
use crate::rings::Rings;
use crate::strategy::Rank;

/// A contact's place: whoever lost her operator first, then priority, then the wait: one clock for all lines.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Place {
    returned: Reverse<bool>,
    priority: Reverse<i32>,
    since: Duration,
    pub(crate) contact: ContactId,
}

impl Place {
    pub(crate) fn new(returned: bool, priority: i32, since: Duration, contact: ContactId) -> Self {
        Self { returned: Reverse(returned), priority: Reverse(priority), since, contact }
    }

    /// The ring in force. Who lost her operator has been through the rings: anybody who may take her is asked.
    pub(crate) fn ring(&self, rings: &Rings, now: Duration) -> usize {
        if self.returned.0 { rings.last() } else { rings.at(now.saturating_sub(self.since)) }
    }

    /// When the next ring begins.
    pub(crate) fn next_ring(&self, rings: &Rings, now: Duration) -> Option<Duration> {
        if self.returned.0 {
            return None;
        }
        let after = rings.next_after(now.saturating_sub(self.since))?;
        self.since.checked_add(after)
    }
}

/// A ready operator in the order of a demand's strategy.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct ReadyKey {
    rank: Rank,
    idle_since: Duration,
    name: Name,
    pub(crate) operator: OperatorSlot,
}

/// Names a demand within one policy epoch.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct DemandId(usize);

/// Lines that demand the same of operators, and treat their contacts alike.
#[derive(Debug)]
struct Class {
    /// Any one of them.
    line: Arc<Line>,
    rings: Rings,
    /// Operators who name these lines; those who name none work for all.
    named_by: Vec<OperatorSlot>,
}

/// What a group of contacts demands, who of them waits, and who is ready for them.
#[derive(Debug)]
pub(crate) struct Demand {
    level: Level,
    language: Name,
    priority: i32,
    pub(crate) rings: Rings,
    pub(crate) queue: BTreeSet<Place>,
    returned: usize,
    /// By the first ring that asks them; the last set holds those whom none does.
    pub(crate) ready: Vec<BTreeSet<ReadyKey>>,
    excluded: Excluded,
    fitting: u32,
    signed_in: u32,
    /// Signed in and asked by some ring.
    askable: u32,
    /// Which alarm is on: nobody signed in could ever take these contacts.
    pub(crate) alarm: Option<u64>,
    /// How far the contacts in the queue have been told of it.
    pub(crate) noticed: Option<Place>,
}

impl Demand {
    pub(crate) fn nobody(&self) -> bool {
        self.askable == 0
    }

    /// How many are ready up to this ring.
    pub(crate) fn candidates(&self, ring: usize) -> u32 {
        count(self.ready.iter().take(ring + 1).map(BTreeSet::len).sum())
    }

    /// Everybody else, by the first rule that excludes them. `backed_off` of the candidates count as busy.
    pub(crate) fn excluded(&self, ring: usize, backed_off: u32) -> Excluded {
        let ready = count(self.ready.iter().map(BTreeSet::len).sum());
        Excluded {
            signed_out: self.fitting - self.signed_in,
            busy: (self.signed_in - ready) + backed_off,
            ring: ready - self.candidates(ring),
            ..self.excluded
        }
    }
}

impl Demand {
    fn add(&mut self, slot: OperatorSlot, name: &Name, fit: &Fit, standing: Standing) {
        if let (Some(idle_since), Some(ready)) = (standing.ready_since, self.ready.get_mut(fit.ring)) {
            ready.insert(ReadyKey { rank: fit.rank, idle_since, name: name.clone(), operator: slot });
        }
        self.signed_in += u32::from(standing.signed_in);
        self.askable += u32::from(standing.signed_in && fit.ring < self.rings.len());
    }

    fn remove(&mut self, slot: OperatorSlot, name: &Name, fit: &Fit, standing: Standing) {
        if let (Some(idle_since), Some(ready)) = (standing.ready_since, self.ready.get_mut(fit.ring)) {
            ready.remove(&ReadyKey { rank: fit.rank, idle_since, name: name.clone(), operator: slot });
        }
        self.signed_in -= u32::from(standing.signed_in);
        self.askable -= u32::from(standing.signed_in && fit.ring < self.rings.len());
    }
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

#[derive(Default, Debug)]
pub(crate) struct Index {
    classes: Vec<Class>,
    class_of_line: BTreeMap<Name, usize>,
    demand_ids: BTreeMap<(usize, Level, Name), DemandId>,
    demands: Vec<Demand>,
    fits: BTreeMap<OperatorSlot, BTreeMap<DemandId, Fit>>,
    scarcity: Scarcity,
    waiting: usize,
}

impl Index {
    /// An empty index for these lines and operators.
    pub(crate) fn new<'a>(
        lines: impl Iterator<Item = &'a Arc<Line>>,
        operators: impl Iterator<Item = (OperatorSlot, &'a Operator)> + Clone,
    ) -> Self {
        let mut named_by: BTreeMap<&Name, BTreeSet<OperatorSlot>> = BTreeMap::new();
        for (slot, operator) in operators.clone() {
            for line in &operator.lines {
                named_by.entry(line).or_default().insert(slot);
            }
        }
        let mut index =
            Self { scarcity: Scarcity::new(operators.map(|(_, operator)| operator)), ..Self::default() };
        for line in lines {
            let named_by: Vec<_> =
                named_by.get(&line.name).into_iter().flat_map(|slots| slots.iter().copied()).collect();
            let rings = Rings::new(&line.rings);
            let known = index.classes.iter().position(|class| {
                class.line.priority == line.priority
                    && class.line.strategy == line.strategy
                    && class.line.skills == line.skills
                    && class.rings == rings
                    && class.named_by == named_by
            });
            let class = known.unwrap_or_else(|| {
                index.classes.push(Class { line: line.clone(), rings, named_by });
                index.classes.len() - 1
            });
            index.class_of_line.insert(line.name.clone(), class);
        }
        index
    }

    /// The demand of such a contact, if it is known already.
    pub(crate) fn find(&self, line: &Name, level: Level, language: &Name) -> Option<DemandId> {
        let class = *self.class_of_line.get(line)?;
        self.demand_ids.get(&(class, level, language.clone())).copied()
    }

    /// Makes a demand that no contact had before under this plan: the only time that all operators are looked at.
    pub(crate) fn create<'a>(
        &mut self,
        line: &Name,
        level: Level,
        language: &Name,
        operators: impl Iterator<Item = (OperatorSlot, &'a Operator)>,
    ) -> Option<DemandId> {
        let class_index = *self.class_of_line.get(line)?;
        let class = self.classes.get(class_index)?;
        let id = DemandId(self.demands.len());
        let rings = class.rings.clone();
        let mut demand = Demand {
            level,
            language: language.clone(),
            priority: class.line.priority,
            queue: BTreeSet::new(),
            returned: 0,
            ready: vec![BTreeSet::new(); rings.len() + 1],
            excluded: Excluded::default(),
            fitting: 0,
            signed_in: 0,
            askable: 0,
            alarm: None,
            noticed: None,
            rings,
        };
        for (slot, operator) in operators {
            match fit(operator, &class.line, level, language, &demand.rings, &self.scarcity) {
                Ok(fit) => {
                    demand.fitting += 1;
                    self.fits.entry(slot).or_default().insert(id, fit);
                }
                Err(Rule::Level) => demand.excluded.level += 1,
                Err(Rule::Line) => demand.excluded.line += 1,
                Err(Rule::Language) => demand.excluded.language += 1,
                Err(Rule::Skill) => demand.excluded.skill += 1,
            }
        }
        self.demands.push(demand);
        self.demand_ids.insert((class_index, level, language.clone()), id);
        Some(id)
    }

    pub(crate) fn demand(&self, id: DemandId) -> Option<&Demand> {
        self.demands.get(id.0)
    }

    pub(crate) fn demand_mut(&mut self, id: DemandId) -> Option<&mut Demand> {
        self.demands.get_mut(id.0)
    }

    pub(crate) fn fits(&self, operator: OperatorSlot) -> impl Iterator<Item = (DemandId, &Fit)> + '_ {
        self.fits.get(&operator).into_iter().flatten().map(|(id, fit)| (*id, fit))
    }

    pub(crate) fn fit_for(&self, operator: OperatorSlot, demand: DemandId) -> Option<&Fit> {
        self.fits.get(&operator)?.get(&demand)
    }

    pub(crate) fn enqueue(&mut self, demand: DemandId, place: Place) {
        if let Some(demand) = self.demands.get_mut(demand.0)
            && demand.queue.insert(place)
        {
            demand.returned += usize::from(place.returned.0);
            self.waiting += 1;
        }
    }

    pub(crate) fn dequeue(&mut self, demand: DemandId, place: &Place) {
        if let Some(demand) = self.demands.get_mut(demand.0)
            && demand.queue.remove(place)
        {
            demand.returned -= usize::from(place.returned.0);
            self.waiting -= 1;
        }
    }

    /// Contacts of the same level and language that would be served before this one, which came last or is a returned one.
    pub(crate) fn ahead(&self, demand: DemandId, place: &Place) -> usize {
        let Some(mine) = self.demand(demand) else { return 0 };
        self.demands
            .iter()
            .filter(|other| other.level == mine.level && other.language == mine.language)
            .map(|other| {
                if place.returned.0 {
                    // Only other returned ones can be before it, and each of those lost an operator: they are few.
                    other.queue.range(..*place).count()
                } else if other.priority >= mine.priority {
                    other.queue.len() - usize::from(other.queue.contains(place))
                } else {
                    other.returned
                }
            })
            .sum()
    }

    pub(crate) fn waiting(&self) -> usize {
        self.waiting
    }

    /// Keeps an operator's part of the index; returns the demands of which it turned whether nobody could take them.
    pub(crate) fn place_operator(
        &mut self,
        slot: OperatorSlot,
        name: &Name,
        was: Standing,
        is: Standing,
    ) -> Vec<DemandId> {
        let mut turned = Vec::new();
        for (id, fit) in self.fits.get(&slot).into_iter().flatten() {
            let Some(demand) = self.demands.get_mut(id.0) else { continue };
            let nobody_before = demand.nobody();
            demand.remove(slot, name, fit, was);
            demand.add(slot, name, fit, is);
            if demand.nobody() != nobody_before {
                turned.push(*id);
            }
        }
        turned
    }

    /// The same for one demand that is new.
    pub(crate) fn place_operator_in(&mut self, id: DemandId, slot: OperatorSlot, name: &Name, is: Standing) {
        if let Some(fit) = self.fits.get(&slot).and_then(|fits| fits.get(&id))
            && let Some(demand) = self.demands.get_mut(id.0)
        {
            demand.add(slot, name, fit, is);
        }
    }

    pub(crate) fn demand_ids(&self) -> impl Iterator<Item = DemandId> + use<> {
        (0..self.demands.len()).map(DemandId)
    }
}

/// What of an operator's state the index holds.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(crate) struct Standing {
    pub(crate) signed_in: bool,
    /// Ready, and idle since.
    pub(crate) ready_since: Option<Duration>,
}
