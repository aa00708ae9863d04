//! Every kind is written, read back as it was, and written with the same bytes again.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::event::*;
use crate::ids::*;

/// One event of every kind, each with its details different from their defaults.
pub(crate) fn one_of_each() -> Vec<EventKind> {
    let text = |text: &str| Arc::<str>::from(text);
    let pseudonym = CallerPseudonym::from_bytes(*b"twelve bytes");
    let stats = StreamStats { packets: 5_000, lost: 3, jitter: Duration::from_micros(1_250) };
    let address = "[2001:db8::1]:40000".parse().unwrap();
    vec![
        EventKind::Offered {
            trunk: "carrier".into(),
            line: "day".into(),
            trunk_call_id: "a84b4c76e66710@pc33".into(),
            caller: Caller::Known { pseudonym, previous: Some(CallerPseudonym::from_bytes([7; 12])) },
            redirected: true,
        },
        EventKind::Refused {
            trunk: Some("carrier".into()),
            source: "192.0.2.1".parse().unwrap(),
            trunk_call_id: "x@y".into(),
            status: 404,
            reason: RefusedReason::UnknownNumber { dialled: Some(text("+33100000000")) },
        },
        EventKind::AnsweredByMachine,
        EventKind::CallerHeard { by: CallerSignal::Speech },
        EventKind::MenuEntered { menu: Menu::Named(text("a:b")) },
        EventKind::MenuChosen { menu: Menu::Level, choice: MenuChoice::Level(Level::Two), by_default: true },
        EventKind::MenuLeft { menu: Menu::Language, exit: MenuExit::Defaulted },
        EventKind::Closed { reason: ClosedReason::Holiday },
        EventKind::Dissuaded { reason: DissuadedReason::QueueFull },
        EventKind::Queued {
            line: "day".into(),
            level: Level::Two,
            language: "fr".into(),
            priority: -3,
            cause: QueueCause::OperatorLost,
        },
        EventKind::WaitTold { estimate: Duration::from_secs(90) },
        EventKind::LeftQueue { reason: ExitReason::LastResort },
        EventKind::OfferMade {
            offer: OfferId(9),
            operator: "amina".into(),
            employer: "association".into(),
            ring: 2,
            ring_time_max: Duration::from_secs(20),
            reason: OfferReason {
                strategy: text("longest idle"),
                candidates: vec![
                    RuleCount { rule: text("level"), left: 4 },
                    RuleCount { rule: text("x"), left: 1 },
                ],
            },
        },
        EventKind::OfferRinging { offer: OfferId(9), operator: "amina".into() },
        EventKind::OfferEnded {
            offer: OfferId(9),
            operator: "amina".into(),
            outcome: OfferOutcome::Refused { status: 486 },
        },
        EventKind::AnsweredByOperator {
            offer: Some(OfferId(9)),
            operator: "amina".into(),
            employer: "association".into(),
            level: Level::One,
        },
        EventKind::OperatorLeft { operator: "amina".into(), reason: OperatorLeaveReason::MediaLost },
        EventKind::Held { by: Party::Operator("amina".into()) },
        EventKind::Resumed { by: Party::Caller },
        EventKind::TransferRequested {
            by: "amina".into(),
            target: TransferTarget::Queue { line: "a:b".into(), level: Level::Two },
            mode: TransferMode::Introduced,
        },
        EventKind::TransferCompleted { from: "amina".into(), to: "zoé".into() },
        EventKind::TransferFailed { by: "amina".into(), failure: TransferFailure::Refused { status: 603 } },
        EventKind::Escalated { from: Level::One, to: Level::Two, by: Actor::Operator("amina".into()) },
        EventKind::IneligibleAttempt {
            operator: "bob".into(),
            action: text("offer"),
            rule: text("in-house"),
        },
        EventKind::Ended {
            by: EndedBy::Network,
            cause: EndCause {
                proof: EndProof::Failure { status: 503 },
                q850: Some(41),
                sip: Some(503),
                text: Some(text("temporary \"failure\"")),
            },
        },
        EventKind::Restored(ContactSoFar {
            trunk: "carrier".into(),
            line: "day".into(),
            trunk_call_id: "x@y".into(),
            caller: Caller::Withheld,
            offered_at: UnixMicros(-5),
            queued_at: Some(UnixMicros(i64::MAX)),
            level: Some(Level::One),
            language: Some("en".into()),
            answered_at: None,
            operator: Some(("amina".into(), "association".into())),
        }),
        EventKind::WrapUpStarted { operator: "amina".into(), time_max: Duration::from_secs(60) },
        EventKind::WrapUpEnded { operator: "amina".into(), cause: WrapUpEnd::ByOperator },
        EventKind::OperatorState {
            operator: "amina".into(),
            employer: "association".into(),
            state: OperatorState::NotReady { reason: text("no answer: twice") },
            cause: StateCause::Command { by: Actor::Person(text("chef: nuit")) },
        },
        EventKind::Registration {
            account: "amina".into(),
            change: RegistrationChange::Expired,
            family: AddressFamily::V6,
            devices: 2,
        },
        EventKind::AuthFailed {
            account: "root".into(),
            source: "2001:db8::9".parse().unwrap(),
            failure: AuthFailure::Throttled,
        },
        EventKind::TrunkAlive { trunk: "carrier".into() },
        EventKind::TrunkDead { trunk: "carrier".into(), status: 408 },
        EventKind::LineOpened { line: "day".into(), by: Actor::LocalControl },
        EventKind::LineClosed { line: "day".into(), by: Actor::Policy },
        EventKind::CodecChosen { leg: Leg::Caller, codec: text("PCMA/8000") },
        EventKind::MediaLatched { leg: Leg::Operator("amina".into()), address },
        EventKind::MediaRejected { leg: Leg::Caller, address, remedy: Remedy::AddTrunkNetwork },
        EventKind::OneWayAudio { leg: Leg::Caller, missing: Direction::Received },
        EventKind::MediaSilence { leg: Leg::Caller, silent_for: Duration::from_secs(30) },
        EventKind::MediaStats { leg: Leg::Caller, received: stats, sent: StreamStats::default() },
        EventKind::Alarm {
            alarm: Alarm::NoEligibleOperator { line: "day".into(), level: Level::Two, language: "fr".into() },
            raised: true,
        },
        EventKind::CommandRefused {
            by: Actor::LocalControl,
            command: text("line close"),
            reason: text("no such line"),
        },
        EventKind::EngineStarted { version: text("0.1.0") },
        EventKind::EngineRestored { contacts: 12, lost: 1 },
        EventKind::EngineDraining,
        EventKind::EngineStopped,
        EventKind::ConfigLoaded { hash: Digest([0xab; 32]) },
        EventKind::OverflowDropped { queue: Queue::Journal, count: u64::MAX },
    ]
}

fn event(kind: EventKind) -> Event {
    Event { seq: 42, at: UnixMicros(1_795_482_796_000_000), contact: Some(ContactId(u64::MAX)), kind }
}

#[test]
fn every_kind_comes_back_as_it_was() {
    let mut names = BTreeSet::new();
    for kind in one_of_each() {
        let event = event(kind);
        let written = encode(&event);
        let read = decode(&written).unwrap_or_else(|error| panic!("{written}: {error}"));
        assert_eq!(read, event);
        assert_eq!(encode(&read), written);
        let name = kind_name(&event.kind);
        assert!(written.contains(&format!("\"what\":{{\"{name}\":{{")), "{name} in {written}");
        assert!(names.insert(name), "{name} twice");
    }
    assert_eq!(names.len(), 49, "a new kind needs its example above");
}

#[test]
fn every_alarm_comes_back_as_it_was() {
    for alarm in [
        Alarm::LongWait { line: "day".into(), waited: Duration::from_secs(600) },
        Alarm::TrunkDown { trunk: "carrier".into() },
        Alarm::JournalAway,
        Alarm::StateNotPersisted,
        Alarm::Other("the roof leaks".into()),
    ] {
        let event = event(EventKind::Alarm { alarm, raised: false });
        assert_eq!(decode(&encode(&event)), Ok(event));
    }
}

#[test]
fn the_written_form_is_frozen() {
    let queued = EventKind::Queued {
        line: "day".into(),
        level: Level::One,
        language: "fr".into(),
        priority: 0,
        cause: QueueCause::Arrived,
    };
    let event =
        Event { seq: 42, at: UnixMicros(1_795_482_796_000_000), contact: Some(ContactId(7)), kind: queued };
    assert_eq!(
        encode(&event),
        r#"{"v":1,"seq":42,"at":1795482796000000,"contact":7,"what":{"queued":{"line":"day","level":1,"language":"fr","priority":0,"cause":"arrived"}}}"#
    );
}

#[test]
fn what_cannot_be_read_says_why() {
    let unknown = Unreadable::UnknownWord { field: "cause" };
    let malformed = |text: &str| matches!(decode(text), Err(Unreadable::Malformed { .. }));
    assert!(malformed(""));
    assert!(malformed("{\"v\":1}"));
    assert!(malformed(r#"{"v":1,"seq":1,"at":0,"contact":null,"what":{"never_heard_of":{}}}"#));
    assert_eq!(decode(r#"{"v":2,"anything":"else"}"#), Err(Unreadable::Version { found: 2 }));
    let word =
        r#"{"v":1,"seq":1,"at":0,"contact":null,"what":{"wrap_up_ended":{"operator":"a","cause":"bored"}}}"#;
    assert_eq!(decode(word), Err(unknown));
}
