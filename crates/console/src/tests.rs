//! An hour on the board, as a program and as a person see it.

use facts::event::{Alarm, Caller, EndCause, EndProof, EndedBy, OperatorState, QueueCause, StateCause};
use facts::kpi::Thresholds;
use facts::{ContactId, Event, EventKind, Level, OfferId, UnixMicros};

use super::*;
use crate::text::{clock, percent};

const NOW: UnixMicros = UnixMicros(3_725_000_000);

fn projection() -> Projection {
    let projection = Projection::new(Thresholds::default());
    projection.expect_line(&"listening".into(), "Écoute");
    projection.expect_trunk(&"carrier".into());
    projection.expect_trunk(&"spare".into());
    projection.expect_operator(&"zoé".into(), &"association".into());
    let offered = || EventKind::Offered {
        trunk: "carrier".into(),
        line: "listening".into(),
        trunk_call_id: "x".into(),
        caller: Caller::Withheld,
        redirected: false,
    };
    let queued = || EventKind::Queued {
        line: "listening".into(),
        level: Level::One,
        language: "fr".into(),
        priority: 0,
        cause: QueueCause::Arrived,
    };
    let state = |operator: &str, state, cause| EventKind::OperatorState {
        operator: operator.into(),
        employer: "association".into(),
        state,
        cause,
    };
    let answered = || EventKind::AnsweredByOperator {
        offer: Some(OfferId(1)),
        operator: "amina".into(),
        employer: "association".into(),
        level: Level::One,
    };
    let told = [
        (0, 0, EventKind::EngineStarted { version: "0.1.0".into() }),
        (0, 0, EventKind::EngineRestored { contacts: 0, lost: 0 }),
        (1, 0, EventKind::TrunkAlive { trunk: "carrier".into() }),
        (5, 0, state("amina", OperatorState::Ready, StateCause::Registered)),
        (
            5,
            0,
            state(
                "bob\u{1b}[2J",
                OperatorState::NotReady { reason: "break".into() },
                StateCause::FeatureCode,
            ),
        ),
        (10, 1, offered()),
        (12, 1, queued()),
        (20, 1, answered()),
        (80, 1, EventKind::Ended { by: EndedBy::Caller, cause: EndCause::bare(EndProof::Bye) }),
        (3_600, 2, offered()),
        (3_601, 2, queued()),
        (3_610, 2, answered()),
        (3_610, 0, state("amina", OperatorState::InContact, StateCause::ContactStarted)),
        (3_650, 3, offered()),
        (3_655, 3, queued()),
        (3_660, 4, offered()),
        (
            3_700,
            0,
            EventKind::Alarm {
                alarm: Alarm::LongWait { line: "listening".into(), waited: Default::default() },
                raised: true,
            },
        ),
    ];
    let events: Vec<_> = told
        .into_iter()
        .zip(1..)
        .map(|((second, contact, kind), seq)| Event {
            seq,
            at: UnixMicros(second * 1_000_000),
            contact: (contact > 0).then_some(ContactId(contact)),
            kind,
        })
        .collect();
    projection.apply(&events);
    projection
}

#[test]
fn status_for_a_program() {
    let json = serde_json::to_value(projection().status(NOW)).unwrap();
    for (pointer, expected) in [
        ("/waiting", "1"),
        ("/longest_wait_ms", "70000"),
        ("/talking", "1"),
        ("/elsewhere", "1"),
        ("/operators/in_contact", "1"),
        ("/operators/not_ready", "1"),
        ("/operators/signed_out", "1"),
        ("/engine/version", "\"0.1.0\""),
        ("/engine/up_ms", "3725000"),
        ("/alarms/0/kind", "\"long_wait\""),
        ("/alarms/0/for_ms", "25000"),
        ("/today/offered", "1"),
        ("/today/sl_5", "1.0"),
        ("/today/definitions", "1"),
        ("/lines/0/display", "\"Écoute\""),
        ("/lines/0/waiting", "1"),
        ("/trunks/0/alive", "true"),
        ("/trunks/0/calls", "3"),
        ("/trunks/1/alive", "null"),
    ] {
        assert_eq!(json.pointer(pointer).map(ToString::to_string).as_deref(), Some(expected), "{pointer}");
    }
}

#[test]
fn calls_and_operators_for_a_program() {
    let projection = projection();
    let calls: Vec<_> = projection
        .calls(NOW)
        .into_iter()
        .map(|call| (call.contact, call.stage, call.for_ms, call.operators))
        .collect();
    assert_eq!(
        calls,
        [
            (2, "talking", 115_000, vec!["amina".to_owned()]),
            (3, "waiting", 70_000, vec![]),
            (4, "menu", 65_000, vec![]),
        ]
    );
    let operators: Vec<_> = projection
        .operators(NOW)
        .into_iter()
        .map(|operator| (operator.state, operator.reason, operator.contact, operator.answered_today))
        .collect();
    assert_eq!(
        operators,
        [
            ("in_contact".to_owned(), None, Some(2), 2),
            ("not_ready".to_owned(), Some("break".to_owned()), None, 0),
            ("signed_out".to_owned(), None, None, 0),
        ]
    );
}

#[test]
fn calls_for_a_person() {
    let calls = projection().calls(NOW);
    assert_eq!(
        table::calls(&calls, Tongue::English),
        "CALL  LINE    LANG  LEVEL  WHAT       FOR    AGE  OPERATORS\n\
         \u{20}  2  Écoute  fr        1  talking  01:55  02:05  amina\n\
         \u{20}  3  Écoute  fr        1  waiting  01:10  01:15\n\
         \u{20}  4  Écoute  –         –  menu     01:05  01:05\n"
    );
    let french = table::calls(&calls, Tongue::French);
    assert!(
        french.starts_with("APPEL  LIGNE   LANGUE  NIVEAU  ÉTAT        DEPUIS    ÂGE  ÉCOUTANTES\n"),
        "{french}"
    );
    assert!(french.contains("en attente"), "{french}");
}

#[test]
fn a_name_cannot_steer_the_terminal() {
    let text = table::operators(&projection().operators(NOW), Tongue::English);
    assert!(!text.contains('\u{1b}'));
    assert!(text.contains("not ready: break"), "{text}");
}

#[test]
fn status_for_a_person() {
    let status = projection().status(NOW);
    let english = table::status(&status, Tongue::English);
    for part in [
        "vigie        0.1.0 up 1:02:05\n",
        "calls        1 waiting (longest 01:10), 1 talking, 1 elsewhere\n",
        "1 offered = 1 answered + 0 abandoned + 0 closed + 0 left in menu + 0 dissuaded + 0 other exit\n",
        "answer rate 100 %, SL-5 100 % in 20 s, ASA 00:08, p90 00:08, AHT 01:00\n",
        "ALARM        long wait: listening (00:25)\n",
        "spare    not known yet",
    ] {
        assert!(english.contains(part), "{part:?} in\n{english}");
    }
    let french = table::status(&status, Tongue::French);
    assert!(french.contains("taux de décroché 100 %, QS-5 100 % en 20 s"), "{french}");
}

#[test]
fn times_and_shares() {
    for (ms, expected) in [(0, "00:00"), (999, "00:00"), (61_000, "01:01"), (3_600_000, "1:00:00")] {
        assert_eq!(clock(ms), expected);
    }
    for (share, expected) in [(None, "–"), (Some(0.999), "99 %"), (Some(1.0), "100 %"), (Some(0.29), "29 %")]
    {
        assert_eq!(percent(share), expected);
    }
    for (locale, tongue) in
        [("fr_FR.UTF-8", Tongue::French), ("en_GB", Tongue::English), ("", Tongue::English)]
    {
        assert_eq!(Tongue::of_locale(locale), tongue);
    }
}

#[test]
fn records_for_a_person() {
    let record: store::CdrRecord = serde_json::from_str(r#"{
        "contact": 7, "settled": true, "trunk": "carrier", "trunk_call_id": "x", "line": "listening",
        "language": "fr", "level": 1, "caller": null, "caller_previous": null, "redirected": false,
        "outcome": "closed", "outcome_reason": "out_of_hours", "ended_by": "network", "end_proof": "failure",
        "sip_status": 503, "q850_cause": null, "reason_text": null,
        "offered_at": "2026-11-24T01:13:16.000Z", "offered_at_us": 0, "machine_answered_at": null,
        "queued_at": null, "first_offer_at": null, "answered_at": null,
        "ended_at": "2026-11-24T01:14:16.000Z", "ended_at_us": 0,
        "wait_ms": 61000, "wait_again_ms": 0, "ring_ms": 0, "talk_ms": 30000, "hold_ms": 5000, "wrap_up_ms": 0,
        "operator": null, "employer": null, "offers": [], "offers_left_out": 0, "parts": [], "transfers": [],
        "to_level_two": null, "codec": null, "legs": [], "one_way_audio": false, "silent": false,
        "fold_version": 1, "kpi_version": 1
    }"#)
    .unwrap();
    let text = table::records(&[record], Tongue::English);
    let row = text.lines().nth(1).unwrap();
    assert_eq!(
        row.split_whitespace().collect::<Vec<_>>().join(" "),
        "7 2026-11-24 01:13:16 listening fr 1 closed: out of hours 01:01 00:35 – network failure 503"
    );
}
