//! An operator's working state: one machine.
//!
//! Knows: her state, her phone, what she asked for after the contact. Must never know: other operators, lines, queues.
//!
//! | state \ event | phone reachable | phone lost | `SignIn` | `Ready` | `NotReady` | `Debrief` | `SignOut` |
//! |---|---|---|---|---|---|---|---|
//! | signed out | signs in | – | signs in ¹ | ready ¹ | not ready ¹ | debrief ¹ | – |
//! | ready | – | signed out | – | – | not ready | debrief | signed out |
//! | offered | – | signed out ² | – | – | not ready ² | debrief ² | signed out ² |
//! | in contact | – | signs out after | – | ready after | not ready after | debrief after | signs out after |
//! | wrap-up | – | signs out after | – | ready ¹ | not ready after | debrief | signed out |
//! | not ready | – | signed out | – | ready ¹ | new reason | debrief | signed out |
//! | debrief ³ | – | – | – | ready ¹ | not ready | – | signed out |
//!
//! ¹ refused without a phone. ² her offer is withdrawn. ³ only by a feature code of her own phone; no other way, no lost
//! phone and no policy ends it.
//!
//! | state \ event | offer made | offer over | connected | contact over | contact lost | wrap-up over |
//! |---|---|---|---|---|---|---|
//! | ready | offered | – | – | – | – | – |
//! | offered | – | ready, or not ready by blame | in contact | – | – | – |
//! | in contact | – | – | – | wrap-up, then as asked | not ready | – |
//! | wrap-up | – | – | – | – | – | as asked, else ready |
//! | others | – | – | – | – | – | – |
//!
//! A contact's end goes past wrap-up straight to debrief or signed out when she asked for that: both are a pause already.

use std::sync::Arc;
use std::time::Duration;

use crate::door::{
    CommandRefused, CommandSource, ContactId, Name, OfferFailure, Operator, OperatorCommand, OperatorState,
    StateCause, Withdrawal,
};

/// Names an operator within this room; never reused.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct OperatorSlot(pub(crate) u64);

impl OperatorSlot {
    pub(crate) const FIRST: Self = Self(0);
    pub(crate) const LAST: Self = Self(u64::MAX);
}

pub(crate) const REASON_SIGNED_IN: &str = "signed-in";
pub(crate) const REASON_MISSED: &str = "missed";
pub(crate) const REASON_REFUSED: &str = "refused";
pub(crate) const REASON_DEVICE_GONE: &str = "device-gone";

/// What she asked for while she could not have it yet.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(crate) enum After {
    #[default]
    Ready,
    NotReady(Name),
    Debrief,
    SignOut,
}

/// How an offer to her ended without a contact.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum OfferEnd {
    Blameless,
    Missed,
    Refused,
    DeviceGone,
}

impl From<OfferFailure> for OfferEnd {
    fn from(failure: OfferFailure) -> Self {
        match failure {
            OfferFailure::Refused(_) => Self::Refused,
            OfferFailure::NoAnswer => Self::Missed,
            OfferFailure::DeviceGone => Self::DeviceGone,
            OfferFailure::Internal => Self::Blameless,
        }
    }
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Event {
    PhoneReachable,
    PhoneLost,
    Command(OperatorCommand, CommandSource),
    OfferMade(ContactId),
    OfferOver(OfferEnd),
    Connected,
    ContactOver { wrap_up: Duration, cause: StateCause },
    ContactLost,
    WrapUpOver,
}

/// What an event changed beside the state itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Change {
    pub(crate) cause: StateCause,
    /// Her open offer is to be withdrawn, for this reason.
    pub(crate) withdraw: Option<Withdrawal>,
}

/// An operator's working state.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Duty {
    pub(crate) state: OperatorState,
    pub(crate) reachable: bool,
    pub(crate) after: After,
    /// The pause in which her phone was lost; she comes back to it, else a phone that restarts would end her break.
    pub(crate) resume: Option<Name>,
    pub(crate) missed_in_row: u8,
    pub(crate) idle_since: Duration,
}

impl Duty {
    pub(crate) fn new() -> Self {
        Self {
            state: OperatorState::SignedOut,
            reachable: false,
            after: After::Ready,
            resume: None,
            missed_in_row: 0,
            idle_since: Duration::ZERO,
        }
    }

    /// Whether a command would be done; else why not.
    pub(crate) fn permits(&self, command: &OperatorCommand, by: CommandSource) -> Result<(), CommandRefused> {
        use OperatorState as S;
        match (&self.state, command) {
            (S::Debrief, _) if by != CommandSource::FeatureCode => Err(CommandRefused::Debrief),
            (S::SignedOut, OperatorCommand::SignOut) => Ok(()),
            (S::SignedOut, _)
            | (S::NotReady { .. } | S::WrapUp { .. } | S::Debrief, OperatorCommand::Ready)
                if !self.reachable =>
            {
                Err(CommandRefused::NoDevice)
            }
            _ => Ok(()),
        }
    }

    /// Whether she counts as there: signed in, with a phone.
    pub(crate) fn signed_in(&self) -> bool {
        self.reachable && self.state != OperatorState::SignedOut
    }

    /// Takes an event; `None` when it changes nothing.
    pub(crate) fn on(&mut self, now: Duration, operator: &Operator, event: Event) -> Option<Change> {
        let before = self.clone();
        let change = match event {
            Event::PhoneReachable => self.phone_reachable(now, operator),
            Event::PhoneLost => self.phone_lost(),
            Event::Command(command, by) => self.command(now, operator, command, by),
            Event::OfferMade(contact) => self.offer_made(contact),
            Event::OfferOver(end) => self.offer_over(now, operator, end),
            Event::Connected => self.connected(),
            Event::ContactOver { wrap_up, cause } => self.contact_over(now, wrap_up, cause),
            Event::ContactLost => self.contact_lost(now),
            Event::WrapUpOver => self.wrap_up_over(now),
        };
        (*self != before).then_some(change)
    }

    fn phone_reachable(&mut self, now: Duration, operator: &Operator) -> Change {
        use OperatorState as S;
        // A phone that is reachable still (another one, a refreshed registration) says nothing about her.
        if !self.reachable {
            self.reachable = true;
            match &self.state {
                S::SignedOut => self.sign_in(now, operator),
                S::Ready
                | S::Offered(_)
                | S::InContact(_)
                | S::WrapUp { .. }
                | S::NotReady { .. }
                | S::Debrief => {}
            }
        }
        Change { cause: StateCause::Devices, withdraw: None }
    }

    fn phone_lost(&mut self) -> Change {
        use OperatorState as S;
        self.reachable = false;
        let mut withdraw = None;
        match &self.state {
            S::Offered(_) => {
                withdraw = Some(Withdrawal::OperatorGone);
                self.state = S::SignedOut;
            }
            S::Ready => self.state = S::SignedOut,
            S::NotReady { reason } => {
                let chosen = ![REASON_SIGNED_IN, REASON_DEVICE_GONE].contains(&reason.as_ref());
                self.resume = chosen.then(|| reason.clone());
                self.state = S::SignedOut;
            }
            // What becomes of the contact is told apart; wrap-up and debrief are hers, with or without a phone.
            S::SignedOut | S::InContact(_) | S::WrapUp { .. } | S::Debrief => {}
        }
        Change { cause: StateCause::Devices, withdraw }
    }

    fn command(
        &mut self,
        now: Duration,
        operator: &Operator,
        command: OperatorCommand,
        by: CommandSource,
    ) -> Change {
        use OperatorCommand as C;
        use OperatorState as S;
        let mut withdraw = None;
        if self.permits(&command, by).is_ok() {
            if matches!(self.state, S::Offered(_)) {
                withdraw = match command {
                    C::SignIn | C::Ready => None,
                    C::NotReady(_) | C::Debrief => Some(Withdrawal::NoLongerEligible),
                    C::SignOut => Some(Withdrawal::OperatorGone),
                };
            }
            match (&self.state, command) {
                (S::SignedOut, C::SignIn) => self.sign_in(now, operator),
                (_, C::SignIn) => {}

                (S::Ready | S::Offered(_), C::Ready) => {}
                (S::InContact(_), C::Ready) => self.after = After::Ready,
                (S::SignedOut | S::NotReady { .. } | S::WrapUp { .. } | S::Debrief, C::Ready) => {
                    self.become_after(now, After::Ready);
                }

                (S::InContact(_) | S::WrapUp { .. }, C::NotReady(reason)) => {
                    self.after = After::NotReady(reason);
                }
                (
                    S::SignedOut | S::Ready | S::Offered(_) | S::NotReady { .. } | S::Debrief,
                    C::NotReady(reason),
                ) => self.become_not_ready(reason),

                (S::InContact(_), C::Debrief) => self.after = After::Debrief,
                (_, C::Debrief) => self.become_after(now, After::Debrief),

                (S::InContact(_), C::SignOut) => self.after = After::SignOut,
                (_, C::SignOut) => self.become_after(now, After::SignOut),
            }
        }
        Change { cause: StateCause::Command(by), withdraw }
    }

    fn offer_made(&mut self, contact: ContactId) -> Change {
        if self.state == OperatorState::Ready {
            self.state = OperatorState::Offered(contact);
        }
        Change { cause: StateCause::Offer, withdraw: None }
    }

    fn offer_over(&mut self, now: Duration, operator: &Operator, end: OfferEnd) -> Change {
        let cause = match end {
            OfferEnd::Blameless => StateCause::Offer,
            OfferEnd::Missed => StateCause::Missed,
            OfferEnd::Refused => StateCause::Refused,
            OfferEnd::DeviceGone => StateCause::Devices,
        };
        if matches!(self.state, OperatorState::Offered(_)) {
            match end {
                // Her turn is kept: she has been idle all along.
                OfferEnd::Blameless => self.state = OperatorState::Ready,
                OfferEnd::Refused => self.become_not_ready(Arc::from(REASON_REFUSED)),
                OfferEnd::DeviceGone => self.become_not_ready(Arc::from(REASON_DEVICE_GONE)),
                OfferEnd::Missed => {
                    self.missed_in_row = self.missed_in_row.saturating_add(1);
                    if self.missed_in_row >= operator.missed_max.max(1) {
                        self.become_not_ready(Arc::from(REASON_MISSED));
                    } else {
                        // To the end of the row, or the next caller would try the same silent phone first.
                        self.idle_since = now;
                        self.state = OperatorState::Ready;
                    }
                }
            }
        }
        Change { cause, withdraw: None }
    }

    fn connected(&mut self) -> Change {
        if let OperatorState::Offered(contact) = self.state {
            self.state = OperatorState::InContact(contact);
            self.after = After::Ready;
            self.missed_in_row = 0;
        }
        Change { cause: StateCause::Offer, withdraw: None }
    }

    fn contact_over(&mut self, now: Duration, wrap_up: Duration, cause: StateCause) -> Change {
        if matches!(self.state, OperatorState::InContact(_)) {
            match &self.after {
                After::Debrief | After::SignOut => self.become_asked(now),
                After::Ready | After::NotReady(_) if wrap_up.is_zero() => self.become_asked(now),
                After::Ready | After::NotReady(_) => {
                    self.state = OperatorState::WrapUp { until: now.saturating_add(wrap_up) };
                }
            }
        }
        Change { cause, withdraw: None }
    }

    fn contact_lost(&mut self, now: Duration) -> Change {
        if matches!(self.state, OperatorState::InContact(_)) {
            if self.reachable && matches!(self.after, After::Ready | After::NotReady(_)) {
                self.become_not_ready(Arc::from(REASON_DEVICE_GONE));
            } else {
                self.become_asked(now);
            }
        }
        Change { cause: StateCause::Devices, withdraw: None }
    }

    fn wrap_up_over(&mut self, now: Duration) -> Change {
        if matches!(self.state, OperatorState::WrapUp { .. }) {
            self.become_asked(now);
        }
        Change { cause: StateCause::WrapUpOver, withdraw: None }
    }

    fn sign_in(&mut self, now: Duration, operator: &Operator) {
        match self.resume.take() {
            Some(reason) => self.become_not_ready(reason),
            None if operator.ready_on_sign_in => self.become_after(now, After::Ready),
            None => self.become_not_ready(Arc::from(REASON_SIGNED_IN)),
        }
    }

    /// What she asked for comes true.
    pub(crate) fn become_asked(&mut self, now: Duration) {
        let after = std::mem::take(&mut self.after);
        self.become_after(now, after);
    }

    fn become_after(&mut self, now: Duration, after: After) {
        self.after = After::Ready;
        match after {
            After::Debrief => self.state = OperatorState::Debrief,
            After::SignOut => {
                self.resume = None;
                self.state = OperatorState::SignedOut;
            }
            After::NotReady(reason) if self.reachable => self.become_not_ready(reason),
            After::Ready if self.reachable => {
                self.resume = None;
                self.missed_in_row = 0;
                self.idle_since = now;
                self.state = OperatorState::Ready;
            }
            After::NotReady(reason) => {
                self.resume = Some(reason);
                self.state = OperatorState::SignedOut;
            }
            After::Ready => self.state = OperatorState::SignedOut,
        }
    }

    fn become_not_ready(&mut self, reason: Name) {
        self.after = After::Ready;
        self.resume = None;
        self.missed_in_row = 0;
        self.state = OperatorState::NotReady { reason };
    }
}
