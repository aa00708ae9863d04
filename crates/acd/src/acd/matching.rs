//! Matching: who is offered what, the instant that something changes.
//!
//! Knows: the order (returned contacts, priority, wait; then the ring that asks first, strategy, idle time, name). Must
//! never know: why something changed. Between steps no contact waits beside a ready operator who may have it now; so only
//! what a step touched can make a new pair, and only that is looked at.

use std::collections::BTreeSet;

use crate::acd::Acd;
use crate::contact::Stage;
use crate::door::{ContactId, OfferReason, Proficiency, Strategy};
use crate::operator::OperatorSlot;
use crate::queue::Place;

/// An operator chosen for a contact, and why.
struct Choice {
    operator: OperatorSlot,
    reason: OfferReason,
}

impl Acd {
    /// Makes every offer that this step has made possible: always the first contact in order, then its best operator.
    pub(super) fn settle(&mut self) {
        let mut next: BTreeSet<(Place, Option<OperatorSlot>)> = BTreeSet::new();
        for contact in std::mem::take(&mut self.touched.contacts) {
            next.extend(self.place(contact).map(|place| (place, None)));
        }
        for operator in std::mem::take(&mut self.touched.operators) {
            next.extend(self.first_contact(operator).map(|place| (place, Some(operator))));
        }
        while let Some((place, for_operator)) = next.pop_first() {
            if self.place(place.contact) == Some(place)
                && let Some(Choice { operator, reason }) = self.best_operator(place.contact)
            {
                #[cfg(test)]
                crate::tests::reference::assert_choice(self, place.contact, operator);
                self.make_offer(place.contact, operator, reason);
            }
            // Her contact went to somebody better: she is still free for the next one. Should it wait still, though, looking
            // again would find it again.
            if let Some(operator) = for_operator
                && self.place(place.contact).is_none()
            {
                next.extend(self.first_contact(operator).map(|place| (place, Some(operator))));
            }
        }
    }

    fn place(&self, contact: ContactId) -> Option<Place> {
        match self.contacts.get(&contact)?.stage {
            Stage::Waiting { place, .. } => Some(place),
            Stage::Choosing | Stage::Offered(_) | Stage::Connected { .. } => None,
        }
    }

    /// The first contact in order that this operator may have now.
    fn first_contact(&mut self, operator: OperatorSlot) -> Option<Place> {
        self.operators.get(&operator)?.standing.ready_since?;
        let mut first: Option<Place> = None;
        for (id, fit) in self.index.fits(operator) {
            let Some(demand) = self.index.demand(id) else { continue };
            for place in &demand.queue {
                #[cfg(test)]
                {
                    self.examined += 1;
                }
                // Whoever is behind has waited less, and is in no later ring.
                if fit.ring >= demand.rings.len() || place.ring(&demand.rings, self.now) < fit.ring {
                    break;
                }
                // As many at most as she has failed within the last moment.
                if self.back_offs.holds(place.contact, operator) {
                    continue;
                }
                first = Some(first.map_or(*place, |first| first.min(*place)));
                break;
            }
        }
        first
    }

    /// The best operator who may have this contact now: of those whom the earliest ring asks the strategy's first.
    fn best_operator(&mut self, id: ContactId) -> Option<Choice> {
        let contact = self.contacts.get(&id)?;
        let Stage::Waiting { demand: demand_id, place } = &contact.stage else { return None };
        let demand = self.index.demand(*demand_id)?;
        let ring_now = place.ring(&demand.rings, self.now);
        let mut ready = demand.ready.iter().take(ring_now + 1).flatten();
        let operator = loop {
            let key = ready.next()?;
            #[cfg(test)]
            {
                self.examined += 1;
            }
            if !self.back_offs.holds(id, key.operator) {
                break key.operator;
            }
        };
        let fit = self.index.fit_for(operator, *demand_id);
        let backed_off = self
            .back_offs
            .of_contact(id)
            .filter(|(slot, _)| {
                let ready = self.operators.get(slot).is_some_and(|e| e.standing.ready_since.is_some());
                ready && self.index.fit_for(*slot, *demand_id).is_some_and(|fit| fit.ring <= ring_now)
            })
            .count();
        let backed_off = u32::try_from(backed_off).unwrap_or(u32::MAX);
        let idle_since = self.operators.get(&operator)?.duty.idle_since;
        let line = self.lines.get(&contact.line);
        let reason = OfferReason {
            ring: fit.and_then(|fit| u8::try_from(fit.ring).ok()).unwrap_or(u8::MAX),
            strategy: line.map_or(Strategy::BestThenLongestIdle, |line| line.policy.strategy),
            candidates: demand.candidates(ring_now).saturating_sub(backed_off),
            excluded: demand.excluded(ring_now, backed_off),
            proficiency: fit.map_or(Proficiency(0), |fit| fit.proficiency),
            idle: self.now.saturating_sub(idle_since),
            waited: self.now.saturating_sub(contact.since),
        };
        Some(Choice { operator, reason })
    }
}
