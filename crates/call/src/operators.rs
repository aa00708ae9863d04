//! Operators' phones and states, lines' and trunks' states: from the rooms' words to facts.
//!
//! Knows: what changed. Must never know: what ought to change; that is the distributor's.

use std::time::Duration;

use facts::event::{Actor, Alarm, EventKind, WrapUpEnd};
use facts::{ContactId, EmployerName, TrunkName};
use sip::{BindingChange, Notice};

use crate::engine::Engine;
use crate::settings::{LinePolicy, Name};
use crate::words;

impl Engine {
    pub(crate) fn bindings(&mut self, now: Duration, account: Name, contacts: usize, change: BindingChange) {
        self.fact(
            now,
            None,
            EventKind::Registration {
                account: account.clone().into(),
                change: words::registration(change),
                family: if self.sip.contacts_use_ipv6(&account) {
                    facts::event::AddressFamily::V6
                } else {
                    facts::event::AddressFamily::V4
                },
                devices: u16::try_from(contacts).unwrap_or(u16::MAX),
            },
        );
        self.acd.handle(now, acd::Input::Devices { operator: account, reachable: contacts > 0 });
    }

    /// At the start, after a restore and after a reload: phones with a fixed address never register, and those that
    /// did are known already.
    pub(crate) fn announce_devices(&mut self, now: Duration) {
        let names: Vec<Name> =
            self.settings.plan.operators.iter().map(|operator| operator.name.clone()).collect();
        for operator in names {
            let reachable = self.sip.contacts(&operator) > 0;
            self.acd.handle(now, acd::Input::Devices { operator, reachable });
        }
    }

    pub(crate) fn operator_changed(
        &mut self,
        now: Duration,
        operator: Name,
        state: acd::OperatorState,
        cause: acd::StateCause,
    ) {
        let before = self.operator_states.insert(operator.clone(), state.clone());
        let employer = self.employer_of(&operator);
        if let Some(acd::OperatorState::WrapUp { .. }) = before {
            let cause = match (&state, cause) {
                (acd::OperatorState::SignedOut, _) => WrapUpEnd::SignedOut,
                (_, acd::StateCause::WrapUpOver) => WrapUpEnd::TimeOver,
                (_, acd::StateCause::Command(acd::CommandSource::FeatureCode)) => WrapUpEnd::ByOperator,
                _ => WrapUpEnd::ByCommand,
            };
            self.fact(now, None, EventKind::WrapUpEnded { operator: operator.clone().into(), cause });
        }
        if let acd::OperatorState::WrapUp { until } = state {
            let time_max = until.saturating_sub(now);
            self.fact(now, None, EventKind::WrapUpStarted { operator: operator.clone().into(), time_max });
        }
        let cause = words::state_cause(cause, &state, &operator);
        let state = words::operator_state(&state);
        self.fact(now, None, EventKind::OperatorState { operator: operator.into(), employer, state, cause });
    }

    pub(crate) fn line_changed(&mut self, now: Duration, line: Name, open: bool, by_hand: bool) {
        let by = if by_hand { Actor::LocalControl } else { Actor::Policy };
        let line = line.into();
        self.fact(
            now,
            None,
            if open { EventKind::LineOpened { line, by } } else { EventKind::LineClosed { line, by } },
        );
    }

    pub(crate) fn trunk_alive(&mut self, now: Duration, trunk: &Name, alive: bool) {
        /// RFC 3261 §21.4.9: what a keep-alive without any answer amounts to.
        const REQUEST_TIMEOUT: u16 = 408;
        let name = TrunkName::from(trunk.clone());
        let kind = if alive {
            EventKind::TrunkAlive { trunk: name.clone() }
        } else {
            EventKind::TrunkDead { trunk: name.clone(), status: REQUEST_TIMEOUT }
        };
        self.fact(now, None, kind);
        self.fact(now, None, EventKind::Alarm { alarm: Alarm::TrunkDown { trunk: name }, raised: !alive });
    }

    pub(crate) fn notice(&mut self, now: Duration, notice: Notice) {
        if let Some(kind) = words::notice(notice) {
            self.fact(now, None, kind);
        }
    }

    pub(crate) fn employer_of(&self, operator: &str) -> EmployerName {
        match self.lookup.plan_operator(&self.settings, operator).map(|operator| &operator.employer) {
            Some(acd::Employer::Subcontractor(name)) => name.clone().into(),
            Some(acd::Employer::InHouse) | None => EmployerName::from(words::IN_HOUSE),
        }
    }

    pub(crate) fn line_of(&self, contact: ContactId) -> Option<&LinePolicy> {
        let call = self.calls.get(&contact)?;
        self.lookup.line(&self.settings, &call.line)
    }

    pub(crate) fn fact_offer_ended(
        &mut self,
        now: Duration,
        contact: ContactId,
        offer: acd::OfferId,
        operator: &Name,
        outcome: facts::event::OfferOutcome,
    ) {
        let (offer, operator) = (words::offer(offer), operator.clone().into());
        self.fact(now, Some(contact), EventKind::OfferEnded { offer, operator, outcome });
    }

    pub(crate) fn fact_codec(
        &mut self,
        now: Duration,
        contact: ContactId,
        side: facts::event::Leg,
        leg: media::LegId,
    ) {
        if let Some(negotiated) = self.media.negotiated(leg) {
            let due = self.calls.get_mut(&contact).and_then(|call| call.accounts_due.get_mut(&leg));
            if let Some(due) = due {
                due.codec_said = true;
            }
            let codec = words::codec(negotiated);
            self.fact(now, Some(contact), EventKind::CodecChosen { leg: side, codec });
        }
    }

    pub(crate) fn fact_alarm(&mut self, now: Duration, contact: ContactId, raised: bool) {
        let Some(call) = self.calls.get(&contact) else { return };
        let alarm = Alarm::NoEligibleOperator {
            line: call.line.clone().into(),
            level: words::level(call.level),
            language: call.language.clone().unwrap_or_else(|| "".into()).into(),
        };
        self.fact(now, Some(contact), EventKind::Alarm { alarm, raised });
    }

    pub(crate) fn clear_alarm(&mut self, now: Duration, contact: ContactId) {
        let Some(call) = self.calls.get_mut(&contact) else { return };
        if std::mem::replace(&mut call.alarmed, false) {
            self.fact_alarm(now, contact, false);
        }
    }
}
