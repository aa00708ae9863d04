//! What is on the board after what happened.

use super::*;
use crate::cdr::tests::{answered, ended, journal, offer, offer_ended, offered, queued, ringing, state};
use crate::event::{EndProof, EndedBy, EventKind, OfferOutcome, OperatorState, QueueCause};

fn board(told: Vec<(i64, u64, EventKind)>) -> Board {
    let mut board = Board::new(Thresholds::default());
    journal(told).iter().for_each(|event| board.apply(event));
    board
}

fn a_call(until: usize) -> Board {
    let told = vec![
        (0, 0, EventKind::EngineStarted { version: "1".into() }),
        (0, 0, EventKind::EngineRestored { contacts: 0, lost: 0 }),
        (1, 0, state("amina", OperatorState::Ready)),
        (2, 7, offered()),
        (3, 7, queued(Level::One, QueueCause::Arrived)),
        (4, 7, offer(1, "amina")),
        (4, 7, ringing(1, "amina")),
        (9, 7, offer_ended(1, "amina", OfferOutcome::Accepted)),
        (9, 7, answered("amina", Level::One)),
        (9, 0, state("amina", OperatorState::InContact)),
        (60, 7, ended(EndedBy::Caller, EndProof::Bye)),
        (60, 0, state("amina", OperatorState::Ready)),
    ];
    board(told.into_iter().take(until).collect())
}

#[test]
fn a_call_is_followed() {
    let stage = |until| a_call(until).contacts.get(&ContactId(7)).map(|live| live.stage.clone());
    assert_eq!(stage(3), None);
    assert_eq!(stage(4), Some(Stage::Menu));
    assert_eq!(stage(5), Some(Stage::Waiting));
    assert_eq!(stage(6), Some(Stage::Ringing { operators: vec!["amina".into()] }));
    assert_eq!(stage(8), Some(Stage::Waiting));
    assert_eq!(stage(9), Some(Stage::Talking));
    assert_eq!(stage(11), None);
    assert_eq!(a_call(6).waiting().len(), 1);
    assert_eq!(a_call(10).operators[&OperatorName::from("amina")].contact, Some(ContactId(7)));

    let after = a_call(12);
    assert_eq!((after.today().offered, after.today().answered), (1, 1));
    assert_eq!(after.lines()[&LineName::from("day")].today.answered, 1);
    let amina = &after.operators()[&OperatorName::from("amina")];
    assert_eq!((amina.contact, amina.answered_today), (None, 1));
    assert!(after.counted.is_empty(), "nothing is remembered once it is settled");
}

#[test]
fn writing_up_is_counted_once() {
    let board = board(vec![
        (0, 1, offered()),
        (1, 1, answered("amina", Level::One)),
        (11, 1, ended(EndedBy::Caller, EndProof::Bye)),
        (
            11,
            1,
            EventKind::WrapUpStarted {
                operator: "amina".into(),
                time_max: std::time::Duration::from_secs(60),
            },
        ),
        (
            31,
            1,
            EventKind::WrapUpEnded { operator: "amina".into(), cause: crate::event::WrapUpEnd::TimeOver },
        ),
    ]);
    assert_eq!(board.today().offered, 1);
    assert_eq!(board.today().average_handling_time(), Some(std::time::Duration::from_secs(30)));
}

#[test]
fn a_new_day_forgets_figures_and_nothing_else() {
    let mut board = a_call(10);
    board.new_day(UnixMicros(20_000_000));
    assert_eq!(board.today(), &Tally::default());
    assert_eq!(board.contacts().len(), 1);
    assert_eq!(board.operators().len(), 1);
}

#[test]
fn alarms_come_once_and_go() {
    let waits =
        |waited| Alarm::LongWait { line: "day".into(), waited: std::time::Duration::from_secs(waited) };
    let alarm = |alarm, raised| EventKind::Alarm { alarm, raised };
    let raised = vec![(1, 0, alarm(waits(60), true)), (2, 0, alarm(waits(120), true))];
    assert_eq!(board(raised.clone()).alarms(), [(UnixMicros(1_000_000), waits(120))]);
    let over = raised.into_iter().chain([(3, 0, alarm(waits(150), false))]).collect();
    assert_eq!(board(over).alarms(), []);
}

#[test]
fn a_restart_clears_what_is_not_said_again() {
    let mut told = vec![(0, 1, offered()), (1, 1, answered("amina", Level::One))];
    told.push((1, 0, state("amina", OperatorState::InContact)));
    told.push((5, 0, EventKind::EngineStarted { version: "2".into() }));
    told.push((5, 0, EventKind::EngineRestored { contacts: 0, lost: 1 }));
    let board = board(told);
    assert!(board.contacts().is_empty());
    assert_eq!(board.operators()[&OperatorName::from("amina")].state, OperatorState::SignedOut);
    assert_eq!(board.today().answered, 1);
}

#[test]
fn trunks_and_what_is_expected() {
    let mut board = board(vec![
        (1, 0, EventKind::TrunkDead { trunk: "carrier".into(), status: 408 }),
        (2, 0, EventKind::TrunkDead { trunk: "carrier".into(), status: 503 }),
    ]);
    board.expect_trunk(&"other".into());
    board.expect_trunk(&"carrier".into());
    board.expect_line(&"night".into());
    board.expect_operator(&"zoé".into(), &"association".into());
    let carrier = &board.trunks()[&TrunkName::from("carrier")];
    assert_eq!(
        (carrier.alive, carrier.since, carrier.status),
        (Some(false), UnixMicros(1_000_000), Some(503))
    );
    assert_eq!(board.trunks()[&TrunkName::from("other")].alive, None);
    assert_eq!((board.lines().len(), board.operators().len()), (1, 1));
}
