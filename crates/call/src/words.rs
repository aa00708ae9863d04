//! Translation: the rooms' words into facts' words. Pure functions, no state.
//!
//! Knows: both vocabularies. Must never decide anything.

use std::sync::Arc;
use std::time::Duration;

use facts::event::{
    Actor as FactActor, AuthFailure, EndCause, EndProof, EndedBy, EventKind, Leg, OfferOutcome,
    OperatorLeaveReason, OperatorState, RefusedReason, RegistrationChange, Remedy, RuleCount, StateCause,
    StreamStats,
};
use facts::{Account, OfferId, TrunkCallId, sanitise};
use media::{LegStats, MediaError, Negotiated};
use sip::{BindingChange, Notice, Reason};

use crate::door::{Actor, Command};

/// The employer's name of those whom the association itself employs.
pub(crate) const IN_HOUSE: &str = "in-house";

/// Q.850 causes that a network gives and a person does not: no route (1–3), exchange and resource troubles (25–47),
/// services not available (49–70), protocol and timer troubles (95–127).
fn is_network_cause(cause: u16) -> bool {
    matches!(cause, 1..=3 | 25..=30 | 34..=47 | 49..=70 | 79 | 95..=127)
}

pub(crate) fn level(level: acd::Level) -> facts::Level {
    match level {
        acd::Level::One => facts::Level::One,
        acd::Level::Two => facts::Level::Two,
    }
}

pub(crate) fn offer(offer: acd::OfferId) -> OfferId {
    OfferId(offer.0)
}

/// How many candidates each rule left, in the rules' order.
pub(crate) fn offer_reason(reason: &acd::OfferReason) -> facts::event::OfferReason {
    let acd::Excluded { level, line, language, skill, signed_out, busy, ring } = reason.excluded;
    let rules = [
        ("level and employer", level),
        ("line", line),
        ("language", language),
        ("skill", skill),
        ("signed in", signed_out),
        ("free", busy),
        ("ring", ring),
    ];
    let mut left = reason.candidates + rules.iter().map(|(_, excluded)| excluded).sum::<u32>();
    let candidates = rules
        .iter()
        .map(|(rule, excluded)| {
            left -= excluded;
            RuleCount { rule: (*rule).into(), left }
        })
        .collect();
    let strategy = match reason.strategy {
        acd::Strategy::BestThenLongestIdle => "best-then-longest-idle",
        acd::Strategy::LongestIdle => "longest-idle",
    };
    facts::event::OfferReason { strategy: strategy.into(), candidates }
}

pub(crate) fn withdrawal(why: acd::Withdrawal) -> OfferOutcome {
    match why {
        acd::Withdrawal::TimedOut => OfferOutcome::TimedOut,
        acd::Withdrawal::ContactGone => OfferOutcome::CallerGone,
        acd::Withdrawal::OperatorGone => OfferOutcome::DeviceGone,
        acd::Withdrawal::NoLongerEligible => OfferOutcome::IneligibleNow,
        acd::Withdrawal::TooLate => OfferOutcome::Withdrawn,
    }
}

pub(crate) fn leave_reason(why: acd::Withdrawal) -> OperatorLeaveReason {
    match why {
        acd::Withdrawal::NoLongerEligible => OperatorLeaveReason::IneligibleNow,
        acd::Withdrawal::OperatorGone => OperatorLeaveReason::DeviceLost,
        acd::Withdrawal::TimedOut | acd::Withdrawal::ContactGone | acd::Withdrawal::TooLate => {
            OperatorLeaveReason::ByCommand
        }
    }
}

/// How an operator's leg was lost.
pub(crate) fn lost(by: sip::EndedBy) -> OperatorLeaveReason {
    match by {
        sip::EndedBy::Lost(481) => OperatorLeaveReason::MediaLost,
        _ => OperatorLeaveReason::DeviceLost,
    }
}

pub(crate) fn cause(proof: EndProof, reason: Option<&Reason>) -> EndCause {
    let mut cause = EndCause::bare(proof);
    if let Some(reason) = reason {
        if reason.protocol.eq_ignore_ascii_case("Q.850") {
            cause.q850 = u8::try_from(reason.cause).ok();
        } else if reason.protocol.eq_ignore_ascii_case("SIP") {
            cause.sip = Some(reason.cause);
        }
        cause.text = reason.text.as_deref().and_then(sanitise::reason_text);
    }
    cause
}

/// Who ended the trunk's side. Without a word to the contrary a BYE or CANCEL of the trunk is the caller's.
pub(crate) fn trunk_end(by: sip::EndedBy, reason: Option<&Reason>) -> (EndedBy, EndCause) {
    let cause = |proof| cause(proof, reason);
    let by_network = reason.is_some_and(|reason| match &*reason.protocol {
        "Q.850" => is_network_cause(reason.cause),
        "SIP" => reason.cause >= 400 && reason.cause != 487,
        _ => false,
    });
    let who = if by_network { EndedBy::Network } else { EndedBy::Caller };
    match by {
        sip::EndedBy::Bye => (who, cause(EndProof::Bye)),
        sip::EndedBy::Cancel => (who, cause(EndProof::Cancel)),
        sip::EndedBy::NoAck => (EndedBy::Network, cause(EndProof::Failure { status: 408 })),
        sip::EndedBy::Lost(status) => (EndedBy::Network, cause(EndProof::Failure { status })),
        sip::EndedBy::Us => (EndedBy::Vigie, cause(EndProof::Policy)),
    }
}

pub(crate) fn media_refusal(error: &MediaError) -> (u16, RefusedReason) {
    match error {
        MediaError::Malformed(_) => (400, RefusedReason::Malformed),
        MediaError::NotAcceptable(_) => (488, RefusedReason::MediaNotAcceptable),
        // A carrier that gets 503 suspends the whole trunk: 486 to everybody.
        MediaError::NoPorts | MediaError::NoSuchLeg => (486, RefusedReason::EngineFull),
    }
}

pub(crate) fn registration(change: BindingChange) -> RegistrationChange {
    match change {
        BindingChange::Registered | BindingChange::Configured => RegistrationChange::Added,
        BindingChange::Unregistered => RegistrationChange::Removed,
        BindingChange::Expired => RegistrationChange::Expired,
        BindingChange::Unreachable => RegistrationChange::Unreachable,
    }
}

pub(crate) fn operator_state(state: &acd::OperatorState) -> OperatorState {
    match state {
        acd::OperatorState::SignedOut => OperatorState::SignedOut,
        acd::OperatorState::Ready => OperatorState::Ready,
        acd::OperatorState::Offered(_) => OperatorState::Offered,
        acd::OperatorState::InContact(_) => OperatorState::InContact,
        acd::OperatorState::WrapUp { .. } => OperatorState::WrapUp,
        acd::OperatorState::NotReady { reason } => OperatorState::NotReady { reason: reason.clone() },
        acd::OperatorState::Debrief => OperatorState::Debrief,
    }
}

pub(crate) fn state_cause(cause: acd::StateCause, state: &acd::OperatorState, operator: &str) -> StateCause {
    match (cause, state) {
        (acd::StateCause::Devices, acd::OperatorState::SignedOut) => StateCause::RegistrationLost,
        (acd::StateCause::Devices, acd::OperatorState::NotReady { reason }) if &**reason == "device-gone" => {
            StateCause::DeviceGone
        }
        (acd::StateCause::Devices, _) => StateCause::Registered,
        (acd::StateCause::Command(acd::CommandSource::FeatureCode), _) => StateCause::FeatureCode,
        (acd::StateCause::Command(acd::CommandSource::Control), _) => {
            StateCause::Command { by: FactActor::LocalControl }
        }
        (acd::StateCause::Command(acd::CommandSource::Console), _) => {
            StateCause::Command { by: FactActor::Operator(operator.into()) }
        }
        (acd::StateCause::Offer, acd::OperatorState::Offered(_)) => StateCause::Offer,
        (acd::StateCause::Offer, acd::OperatorState::InContact(_)) => StateCause::ContactStarted,
        (acd::StateCause::Offer, _) => StateCause::OfferOver,
        (acd::StateCause::Refused, _) => StateCause::RefusedOffer,
        (acd::StateCause::Missed, _) => StateCause::MissedOffer,
        (acd::StateCause::ContactEnded, _) => StateCause::ContactOver,
        (acd::StateCause::WrapUpOver, _) => StateCause::TimeOver,
        (acd::StateCause::Configuration, _) => StateCause::Configuration,
    }
}

/// Notices that are facts; the others are the SIP room's own counters.
pub(crate) fn notice(notice: Notice) -> Option<EventKind> {
    Some(match notice {
        Notice::AuthenticationFailed { source, account } => {
            let failure =
                if account.is_some() { AuthFailure::WrongPassword } else { AuthFailure::UnknownAccount };
            let account = account.map_or_else(|| sanitise::claimed_account("?"), Account::from);
            EventKind::AuthFailed { account, source, failure }
        }
        Notice::UnknownSource { source, status } => refused(source, status, RefusedReason::UnknownSource),
        Notice::Limited { source, .. } => refused(source, 503, RefusedReason::EngineFull),
        Notice::Malformed { source, .. } => refused(source, 400, RefusedReason::Malformed),
        // What it held shows in this room: a call without its dialog is ended, and said to be.
        Notice::RecordUnreadable { .. } => return None,
    })
}

fn refused(source: std::net::IpAddr, status: u16, reason: RefusedReason) -> EventKind {
    EventKind::Refused { trunk: None, source, trunk_call_id: TrunkCallId::from(""), status, reason }
}

pub(crate) fn media_fact(event: &media::Event, leg: Leg) -> Option<EventKind> {
    match event {
        media::Event::Latched { source, .. } => Some(EventKind::MediaLatched { leg, address: *source }),
        media::Event::SourceRejected { source, .. } => {
            let remedy = match leg {
                Leg::Caller => Remedy::AddTrunkNetwork,
                Leg::Operator(_) => Remedy::AddPhoneNetwork,
            };
            Some(EventKind::MediaRejected { leg, address: *source, remedy })
        }
        _ => None,
    }
}

pub(crate) fn stream_stats(stats: &LegStats) -> (StreamStats, StreamStats) {
    let jitter = Duration::from_secs_f32((stats.jitter_ms / 1000.0).clamp(0.0, 60.0));
    let received = StreamStats { packets: stats.received, lost: stats.lost, jitter };
    let lost =
        stats.remote_loss.map_or(0, |loss| (f64::from(loss.clamp(0.0, 1.0)) * stats.sent as f64) as u64);
    (received, StreamStats { packets: stats.sent, lost, jitter: Duration::ZERO })
}

pub(crate) fn codec(negotiated: Negotiated) -> Arc<str> {
    match negotiated.codec {
        Some(media::VoiceCodec::Pcma) => "PCMA/8000".into(),
        Some(media::VoiceCodec::Pcmu) => "PCMU/8000".into(),
        None => format!("payload type {}", negotiated.payload_type).into(),
    }
}

pub(crate) fn actor(actor: &Actor) -> FactActor {
    match actor {
        Actor::LocalControl => FactActor::LocalControl,
        Actor::Phone(account) => FactActor::Operator(account.clone().into()),
    }
}

pub(crate) fn command_name(command: &Command) -> &'static str {
    match command {
        Command::Operator { command, .. } => match command {
            acd::OperatorCommand::SignIn => "operator sign-in",
            acd::OperatorCommand::Ready => "operator ready",
            acd::OperatorCommand::NotReady(_) => "operator not-ready",
            acd::OperatorCommand::Debrief => "operator debrief",
            acd::OperatorCommand::SignOut => "operator sign-out",
        },
        Command::Line { command, .. } => match command {
            acd::LineCommand::Open => "line open",
            acd::LineCommand::Close => "line close",
            acd::LineCommand::ByHours => "line by-hours",
        },
    }
}
