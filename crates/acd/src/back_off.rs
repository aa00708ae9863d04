//! Which operator is not asked again for which contact for a moment, because she just failed it.
//!
//! Knows: pairs and until when. Must never know: why she failed, or who else there is. Without it an operator who may miss
//! several offers would be rung again at once, without end, by the same contact; with it others come first, and she comes
//! again when the moment is over or when she says herself that she is ready.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::door::ContactId;
use crate::operator::OperatorSlot;

/// How long a contact is not offered again to an operator who failed it: others have their turn, and a phone that
/// answers busy at once cannot spin the distributor.
pub(crate) const BACK_OFF: Duration = Duration::from_secs(10);

/// How long an operator is offered nothing after we ourselves failed to ring her: a lack on our side (no port) would meet
/// every contact in the queue within the same instant.
pub(crate) const REST: Duration = Duration::from_secs(2);

#[derive(Default, Debug)]
pub(crate) struct BackOffs {
    until: BTreeMap<(ContactId, OperatorSlot), Duration>,
    by_operator: BTreeSet<(OperatorSlot, ContactId)>,
}

impl BackOffs {
    pub(crate) fn begin(&mut self, contact: ContactId, operator: OperatorSlot, until: Duration) {
        self.until.insert((contact, operator), until);
        self.by_operator.insert((operator, contact));
    }

    pub(crate) fn end(&mut self, contact: ContactId, operator: OperatorSlot) {
        self.until.remove(&(contact, operator));
        self.by_operator.remove(&(operator, contact));
    }

    pub(crate) fn holds(&self, contact: ContactId, operator: OperatorSlot) -> bool {
        self.until.contains_key(&(contact, operator))
    }

    /// Who is backed off from this contact, and until when.
    pub(crate) fn of_contact(
        &self,
        contact: ContactId,
    ) -> impl Iterator<Item = (OperatorSlot, Duration)> + '_ {
        self.until
            .range((contact, OperatorSlot::FIRST)..=(contact, OperatorSlot::LAST))
            .map(|((_, operator), until)| (*operator, *until))
    }

    /// From which contacts this operator is backed off.
    pub(crate) fn of_operator(&self, operator: OperatorSlot) -> impl Iterator<Item = ContactId> + '_ {
        self.by_operator
            .range((operator, ContactId(0))..=(operator, ContactId(u64::MAX)))
            .map(|(_, contact)| *contact)
    }
}
