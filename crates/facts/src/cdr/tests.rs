//! Contacts told as events, and the records they become.

use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::event::*;
use crate::kpi::{Tally, Thresholds};

/// `(second, contact or 0, what)`; numbered from 1 in the order given.
pub(crate) fn journal(told: Vec<(i64, u64, EventKind)>) -> Vec<Event> {
    told.into_iter()
        .zip(1..)
        .map(|((second, contact, kind), seq)| Event {
            seq,
            at: UnixMicros(second * 1_000_000),
            contact: (contact > 0).then_some(ContactId(contact)),
            kind,
        })
        .collect()
}

pub(crate) fn offered() -> EventKind {
    EventKind::Offered {
        trunk: "carrier".into(),
        line: "day".into(),
        trunk_call_id: "x@y".into(),
        caller: Caller::Withheld,
        redirected: false,
    }
}

pub(crate) fn queued(level: Level, cause: QueueCause) -> EventKind {
    EventKind::Queued { line: "day".into(), level, language: "fr".into(), priority: 0, cause }
}

pub(crate) fn offer(offer: u64, operator: &str) -> EventKind {
    EventKind::OfferMade {
        offer: OfferId(offer),
        operator: operator.into(),
        employer: "association".into(),
        ring: 0,
        ring_time_max: Duration::from_secs(20),
        reason: OfferReason { strategy: "longest idle".into(), candidates: Vec::new() },
    }
}

pub(crate) fn ringing(offer: u64, operator: &str) -> EventKind {
    EventKind::OfferRinging { offer: OfferId(offer), operator: operator.into() }
}

pub(crate) fn offer_ended(offer: u64, operator: &str, outcome: OfferOutcome) -> EventKind {
    EventKind::OfferEnded { offer: OfferId(offer), operator: operator.into(), outcome }
}

pub(crate) fn answered(operator: &str, level: Level) -> EventKind {
    EventKind::AnsweredByOperator {
        offer: None,
        operator: operator.into(),
        employer: "association".into(),
        level,
    }
}

pub(crate) fn ended(by: EndedBy, proof: EndProof) -> EventKind {
    EventKind::Ended { by, cause: EndCause::bare(proof) }
}

pub(crate) fn state(operator: &str, state: OperatorState) -> EventKind {
    EventKind::OperatorState {
        operator: operator.into(),
        employer: "association".into(),
        state,
        cause: StateCause::ContactOver,
    }
}

fn wrap_up(operator: &str) -> EventKind {
    EventKind::WrapUpStarted { operator: operator.into(), time_max: Duration::from_secs(60) }
}

fn wrapped_up(operator: &str) -> EventKind {
    EventKind::WrapUpEnded { operator: operator.into(), cause: WrapUpEnd::ByOperator }
}

fn left(operator: &str, reason: OperatorLeaveReason) -> EventKind {
    EventKind::OperatorLeft { operator: operator.into(), reason }
}

fn fold(events: &[Event]) -> Vec<CdrStep> {
    let mut fold = CdrFold::new();
    events.iter().flat_map(|event| fold.apply(event)).collect()
}

/// The only settled record of these events.
fn settled(told: Vec<(i64, u64, EventKind)>) -> Cdr {
    let steps = fold(&journal(told));
    let mut settled = steps.into_iter().filter_map(|step| match step {
        CdrStep::Settled(cdr) => Some(*cdr),
        CdrStep::Ended(_) => None,
    });
    let cdr = settled.next().expect("one settled record");
    assert_eq!(settled.next(), None);
    cdr
}

fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

#[test]
fn a_plain_call_from_the_invite_to_the_writing_up() {
    let stats = StreamStats { packets: 3_000, lost: 2, jitter: Duration::from_millis(4) };
    let told = vec![
        (0, 7, offered()),
        (1, 7, EventKind::AnsweredByMachine),
        (1, 7, EventKind::CodecChosen { leg: Leg::Caller, codec: "PCMA/8000".into() }),
        (2, 7, EventKind::CallerHeard { by: CallerSignal::Digit }),
        (4, 7, queued(Level::One, QueueCause::Arrived)),
        (5, 7, offer(1, "bob")),
        (6, 7, ringing(1, "bob")),
        (16, 7, offer_ended(1, "bob", OfferOutcome::TimedOut)),
        (16, 7, offer(2, "amina")),
        (17, 7, ringing(2, "amina")),
        (20, 7, offer_ended(2, "amina", OfferOutcome::Accepted)),
        (20, 7, answered("amina", Level::One)),
        (50, 7, EventKind::Held { by: Party::Operator("amina".into()) }),
        (60, 7, EventKind::Resumed { by: Party::Operator("amina".into()) }),
        (80, 7, ended(EndedBy::Caller, EndProof::Bye)),
        (80, 0, state("amina", OperatorState::WrapUp)),
        (80, 7, wrap_up("amina")),
        (81, 7, EventKind::MediaStats { leg: Leg::Caller, received: stats, sent: stats }),
        (110, 7, wrapped_up("amina")),
        (110, 0, state("amina", OperatorState::Ready)),
    ];
    let steps = fold(&journal(told.clone()));
    assert!(matches!(&steps[..], [CdrStep::Ended(_), CdrStep::Settled(_)]), "{steps:#?}");
    assert_eq!(steps[0].cdr().wrap_up, Duration::ZERO);

    let cdr = settled(told);
    assert_eq!(cdr.outcome, Outcome::Answered);
    assert_eq!((cdr.wait, cdr.ring), (seconds(16), seconds(13)));
    assert_eq!((cdr.talk, cdr.hold, cdr.wrap_up), (seconds(50), seconds(10), seconds(30)));
    assert_eq!(cdr.answer_delay(), Some(seconds(20)));
    assert_eq!(cdr.first_offer_at, Some(UnixMicros(5_000_000)));
    assert_eq!(
        cdr.answered_by().map(|(name, employer)| (name.as_str(), employer.as_str())),
        Some(("amina", "association"))
    );
    assert_eq!(
        cdr.offers.iter().map(|o| (o.rang, o.outcome)).collect::<Vec<_>>(),
        [(seconds(10), Some(OfferOutcome::TimedOut)), (seconds(3), Some(OfferOutcome::Accepted)),]
    );
    assert_eq!((cdr.ended_by, cdr.cause.proof), (EndedBy::Caller, EndProof::Bye));
    assert_eq!(cdr.codec().map(|codec| &**codec), Some("PCMA/8000"));
    assert_eq!(cdr.legs[0].received, Some(stats));
    assert!(!cdr.silent);
}

#[test]
fn each_end_has_its_row() {
    use EndedBy::{Caller, Network, Operator, Unknown, Vigie};
    let closed = || EventKind::Closed { reason: ClosedReason::OutOfHours };
    let dissuaded = || EventKind::Dissuaded { reason: DissuadedReason::QueueFull };
    let waits = || queued(Level::One, QueueCause::Arrived);
    let exit = || EventKind::LeftQueue { reason: ExitReason::MaximumWait };
    let cases: Vec<(&str, Vec<EventKind>, EndedBy, Outcome)> = vec![
        ("hung up in the menu", vec![], Caller, Outcome::LeftInMenu),
        ("network lost in the menu", vec![], Network, Outcome::LeftInMenu),
        ("nobody knows, in the menu", vec![], Unknown, Outcome::LeftInMenu),
        ("we gave up before the queue", vec![], Vigie, Outcome::OtherExit(None)),
        ("closed, we end", vec![closed()], Vigie, Outcome::Closed(ClosedReason::OutOfHours)),
        ("closed, she hangs up", vec![closed()], Caller, Outcome::Closed(ClosedReason::OutOfHours)),
        ("dissuaded", vec![dissuaded()], Vigie, Outcome::Dissuaded(DissuadedReason::QueueFull)),
        ("abandoned", vec![waits()], Caller, Outcome::Abandoned),
        ("network lost in the queue", vec![waits()], Network, Outcome::Abandoned),
        ("unproven in the queue", vec![waits()], Unknown, Outcome::Abandoned),
        ("we gave up in the queue", vec![waits()], Vigie, Outcome::OtherExit(None)),
        ("maximum wait", vec![waits(), exit()], Vigie, Outcome::OtherExit(Some(ExitReason::MaximumWait))),
        (
            "hung up after it",
            vec![waits(), exit()],
            Caller,
            Outcome::OtherExit(Some(ExitReason::MaximumWait)),
        ),
        ("overflowed, then abandoned", vec![waits(), exit(), waits()], Caller, Outcome::Abandoned),
        ("answered", vec![waits(), answered("amina", Level::One)], Operator, Outcome::Answered),
        (
            "answered by the last resort",
            vec![exit(), answered("amina", Level::One)],
            Caller,
            Outcome::Answered,
        ),
    ];
    for (name, middle, by, expected) in cases {
        let mut told = vec![(0, 1, offered())];
        told.extend(middle.into_iter().zip(1..).map(|(kind, second)| (second, 1, kind)));
        told.push((9, 1, ended(by, EndProof::Bye)));
        told.push((9, 0, state("amina", OperatorState::Ready)));
        assert_eq!(settled(told).outcome, expected, "{name}");
    }
}

#[test]
fn talk_does_not_run_on_after_a_transfer() {
    let queue = TransferTarget::Queue { line: "day".into(), level: Level::Two };
    let cdr = settled(vec![
        (0, 1, offered()),
        (0, 1, queued(Level::One, QueueCause::Arrived)),
        (10, 1, answered("amina", Level::One)),
        (
            40,
            1,
            EventKind::TransferRequested {
                by: "amina".into(),
                target: queue,
                mode: TransferMode::Introduced,
            },
        ),
        (40, 1, queued(Level::Two, QueueCause::Escalated)),
        (40, 1, left("amina", OperatorLeaveReason::Transferred)),
        (41, 1, wrap_up("amina")),
        (46, 1, wrapped_up("amina")),
        (70, 1, answered("zoé", Level::Two)),
        (70, 1, EventKind::TransferCompleted { from: "amina".into(), to: "zoé".into() }),
        (100, 1, ended(EndedBy::Caller, EndProof::Bye)),
        (100, 1, wrap_up("zoé")),
        (120, 1, wrapped_up("zoé")),
    ]);
    assert_eq!((cdr.wait, cdr.wait_again), (seconds(10), seconds(30)));
    assert_eq!((cdr.talk, cdr.hold, cdr.wrap_up), (seconds(60), Duration::ZERO, seconds(25)));
    assert_eq!(
        cdr.parts.iter().map(|part| (part.talk, part.wrap_up)).collect::<Vec<_>>(),
        [(seconds(30), seconds(5)), (seconds(30), seconds(20)),]
    );
    assert_eq!(cdr.level, Some(Level::Two));
    let expected = LevelTwo { requested_at: UnixMicros(40_000_000), wait: seconds(30), answered: true };
    assert_eq!(cdr.to_level_two, Some(expected));
    assert_eq!(cdr.transfers[0].outcome, TransferOutcome::Completed { to: "zoé".into() });
    assert_eq!(cdr.transfers[0].wait, seconds(30));
}

#[test]
fn an_end_told_late_and_writing_up_that_names_no_contact() {
    let stats = StreamStats::default();
    let cdr = settled(vec![
        (0, 1, offered()),
        (0, 1, EventKind::CodecChosen { leg: Leg::Caller, codec: "PCMA/8000".into() }),
        (10, 1, answered("amina", Level::One)),
        (40, 0, wrap_up("amina")),
        (40, 0, state("amina", OperatorState::WrapUp)),
        (42, 1, EventKind::MediaStats { leg: Leg::Caller, received: stats, sent: stats }),
        (40, 1, ended(EndedBy::Caller, EndProof::Bye)),
        (60, 0, wrapped_up("amina")),
        (60, 0, state("amina", OperatorState::Ready)),
    ]);
    assert_eq!((cdr.talk, cdr.wrap_up), (seconds(30), seconds(20)));
    assert_eq!(cdr.ended_at, UnixMicros(40_000_000));
}

#[test]
fn a_caller_lost_on_the_way_to_level_two() {
    let cdr = settled(vec![
        (0, 1, offered()),
        (0, 1, queued(Level::One, QueueCause::Arrived)),
        (10, 1, answered("amina", Level::One)),
        (40, 1, queued(Level::Two, QueueCause::Escalated)),
        (40, 1, left("amina", OperatorLeaveReason::Transferred)),
        (40, 0, state("amina", OperatorState::Ready)),
        (55, 1, ended(EndedBy::Caller, EndProof::Bye)),
    ]);
    assert_eq!(cdr.outcome, Outcome::Answered);
    let expected = LevelTwo { requested_at: UnixMicros(40_000_000), wait: seconds(15), answered: false };
    assert_eq!(cdr.to_level_two, Some(expected));
}

#[test]
fn after_a_restart_what_is_not_restored_ended_when_the_program_did() {
    let so_far = ContactSoFar {
        trunk: "carrier".into(),
        line: "day".into(),
        trunk_call_id: "x@y".into(),
        caller: Caller::Withheld,
        offered_at: UnixMicros(0),
        queued_at: Some(UnixMicros(0)),
        level: Some(Level::One),
        language: Some("fr".into()),
        answered_at: Some(UnixMicros(10_000_000)),
        operator: Some(("amina".into(), "association".into())),
    };
    let restored = |at| (at, 1, EventKind::Restored(so_far.clone()));
    let steps = fold(&journal(vec![
        (0, 1, offered()),
        (0, 1, queued(Level::One, QueueCause::Arrived)),
        (5, 2, offered()),
        (5, 2, queued(Level::One, QueueCause::Arrived)),
        (30, 0, EventKind::TrunkAlive { trunk: "carrier".into() }),
        // Killed here; that contact 1 was answered at 10 is lost with the last moments.
        (35, 0, EventKind::EngineStarted { version: "2".into() }),
        restored(35),
        (35, 0, EventKind::EngineRestored { contacts: 1, lost: 1 }),
        (60, 1, ended(EndedBy::Caller, EndProof::Bye)),
        (60, 0, state("amina", OperatorState::Ready)),
    ]));
    let cdrs: Vec<_> =
        steps.iter().filter(|step| matches!(step, CdrStep::Settled(_))).map(CdrStep::cdr).collect();
    assert_eq!(cdrs.len(), 2);
    let lost = cdrs[0];
    assert_eq!(
        (lost.contact, lost.ended_by, lost.cause.proof),
        (ContactId(2), EndedBy::Vigie, EndProof::Restart)
    );
    assert_eq!((lost.ended_at, lost.wait), (UnixMicros(30_000_000), seconds(25)));
    let kept = cdrs[1];
    assert_eq!(
        (kept.contact, kept.outcome, kept.ended_by),
        (ContactId(1), Outcome::Answered, EndedBy::Caller)
    );
    assert_eq!(kept.talk, seconds(50));
}

#[test]
fn a_contact_known_only_from_its_restoration_has_a_record() {
    let so_far = ContactSoFar {
        trunk: "carrier".into(),
        line: "day".into(),
        trunk_call_id: "x@y".into(),
        caller: Caller::Withheld,
        offered_at: UnixMicros(1_000_000),
        queued_at: Some(UnixMicros(2_000_000)),
        level: Some(Level::One),
        language: Some("fr".into()),
        answered_at: None,
        operator: None,
    };
    let cdr = settled(vec![
        (20, 0, EventKind::EngineStarted { version: "2".into() }),
        (20, 1, EventKind::Restored(so_far)),
        (20, 0, EventKind::EngineRestored { contacts: 1, lost: 0 }),
        (32, 1, ended(EndedBy::Caller, EndProof::Bye)),
    ]);
    assert_eq!((cdr.outcome, cdr.wait), (Outcome::Abandoned, seconds(30)));
}

#[test]
fn who_forgets_to_finish_writing_up_holds_no_record_back_for_ever() {
    let cdr = settled(vec![
        (0, 1, offered()),
        (1, 1, answered("amina", Level::One)),
        (9, 1, ended(EndedBy::Operator, EndProof::Bye)),
        (9, 1, wrap_up("amina")),
        (9 + SETTLE_MAX.as_secs() as i64, 0, EventKind::EngineDraining),
    ]);
    assert_eq!((cdr.outcome, cdr.talk), (Outcome::Answered, seconds(8)));
}

/// Anything that may happen to a contact, in any order, sense or not.
fn anything() -> impl Strategy<Value = EventKind> {
    let examples: Vec<EventKind> = crate::record::tests::one_of_each()
        .into_iter()
        .filter(|kind| !matches!(kind, EventKind::EngineStarted { .. } | EventKind::EngineRestored { .. }))
        .collect();
    let plain = vec![
        ended(EndedBy::Caller, EndProof::Bye),
        offered(),
        queued(Level::One, QueueCause::Arrived),
        answered("amina", Level::One),
        state("amina", OperatorState::Ready),
    ];
    prop_oneof![proptest::sample::select(examples), proptest::sample::select(plain)]
}

proptest! {
    #[test]
    fn the_cascade_sums_to_offered_and_no_contact_has_two_records(
        told in proptest::collection::vec((0i64..50, 1u64..6, anything()), 0..200)
    ) {
        let mut at = 0;
        let told: Vec<_> = told.into_iter().map(|(step, contact, kind)| { at += step; (at, contact, kind) }).collect();
        // A contact's id is never used again, so what comes after its end cannot begin it.
        let mut over = std::collections::BTreeSet::new();
        let told: Vec<_> = told
            .into_iter()
            .filter(|(_, contact, kind)| {
                let begins = matches!(kind, EventKind::Offered { .. } | EventKind::Restored(_));
                let keep = !(begins && over.contains(contact));
                if matches!(kind, EventKind::Ended { .. }) { over.insert(*contact); }
                keep
            })
            .collect();
        let events = journal(told);
        let steps = fold(&events);
        let mut tally = Tally::default();
        let (mut ends, mut settles) = (std::collections::BTreeSet::new(), std::collections::BTreeSet::new());
        for step in &steps {
            let cdr = step.cdr();
            match step {
                CdrStep::Ended(_) => {
                    prop_assert!(!settles.contains(&cdr.contact));
                    prop_assert!(ends.insert(cdr.contact));
                }
                CdrStep::Settled(_) => {
                    prop_assert!(settles.insert(cdr.contact));
                    tally.add(cdr, &Thresholds::default());
                }
            }
        }
        prop_assert_eq!(
            tally.offered,
            tally.closed + tally.left_in_menu + tally.dissuaded + tally.other_exit + tally.abandoned + tally.answered
        );
        prop_assert_eq!(fold(&events), steps);
    }

    #[test]
    fn folding_from_the_horizon_settles_the_rest_the_same(
        told in proptest::collection::vec((0i64..50, 1u64..6, anything()), 0..120),
        cut in 0usize..120,
    ) {
        let mut at = 0;
        let events = journal(told.into_iter().map(|(step, contact, kind)| { at += step; (at, contact, kind) }).collect());
        let cut = cut.min(events.len());
        let mut whole = CdrFold::new();
        for event in &events[..cut] {
            whole.apply(event);
        }
        let Some(horizon) = whole.horizon() else { return Ok(()) };
        let unsettled_at_cut = whole.contacts_known();
        let mut again = CdrFold::new();
        for event in events[..cut].iter().filter(|event| event.seq >= horizon) {
            again.apply(event);
        }
        let ends = |fold: &mut CdrFold| {
            let mut steps: Vec<_> = events[cut..].iter().flat_map(|event| fold.apply(event)).collect();
            steps.retain(|step| unsettled_at_cut.contains(&step.cdr().contact));
            steps
                .iter()
                .map(CdrStep::cdr)
                .map(|cdr| (cdr.contact, cdr.outcome, cdr.ended_at, cdr.wait, cdr.talk, cdr.ring))
                .collect::<std::collections::BTreeSet<_>>()
        };
        prop_assert_eq!(ends(&mut whole), ends(&mut again));
    }
}
