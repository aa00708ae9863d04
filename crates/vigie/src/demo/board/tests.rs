//! The board at several sizes: nothing sticks out, nothing that matters is lost.

use facts::event::{Caller, EventKind, QueueCause, StateCause};
use facts::kpi::Thresholds;
use facts::{Event, Level};

use super::super::text;
use super::*;

const SECOND: i64 = 1_000_000;

/// Contacts 1 to `waiting` wait, `talking` more talk; twelve operators.
fn board(waiting: u64, talking: u64) -> Board {
    let mut board = Board::new(Thresholds::default());
    let mut seq = 0;
    let mut apply = |contact: Option<u64>, kind: EventKind| {
        seq += 1;
        board.apply(&Event {
            seq,
            at: UnixMicros(SECOND * seq as i64),
            contact: contact.map(ContactId),
            kind,
        });
    };
    for place in 0..12 {
        apply(
            None,
            EventKind::OperatorState {
                operator: format!("operator-{place}").as_str().into(),
                employer: "in-house".into(),
                state: if place % 2 == 0 { OperatorState::Ready } else { OperatorState::SignedOut },
                cause: StateCause::Registered,
            },
        );
    }
    for contact in 1..=waiting + talking {
        apply(
            Some(contact),
            EventKind::Offered {
                trunk: "loopback".into(),
                line: "listening".into(),
                trunk_call_id: "c".into(),
                caller: Caller::Withheld,
                redirected: false,
            },
        );
        apply(
            Some(contact),
            EventKind::Queued {
                line: "listening".into(),
                level: Level::One,
                language: "fr".into(),
                priority: 0,
                cause: QueueCause::Arrived,
            },
        );
        if contact > waiting {
            apply(
                Some(contact),
                EventKind::AnsweredByOperator {
                    offer: None,
                    operator: "operator-0".into(),
                    employer: "in-house".into(),
                    level: Level::One,
                },
            );
        }
    }
    board
}

fn drawn(board: &Board, columns: usize, height: usize) -> Vec<String> {
    let mut names = Names::default();
    names.lines.insert("listening".into(), "Écoute".into());
    let footer = ["how to join".to_owned()];
    let view = View {
        board,
        now: UnixMicros(SECOND * 1_000),
        running_for: Duration::from_secs(90),
        names: &names,
        title: "title",
        draining: false,
        footer: &footer,
    };
    let rows = rows(&view, columns, height);
    rows.iter().map(|row| row.iter().map(|span| span.text.as_str()).collect()).collect()
}

#[test]
fn every_size_is_filled_and_not_overfilled() {
    for (columns, height) in [(200, 60), (120, 40), (80, 24), (60, 20), (40, 12), (1, 1), (0, 0)] {
        for (waiting, talking) in [(0, 0), (3, 2), (50, 50)] {
            let rows = drawn(&board(waiting, talking), columns, height);
            assert!(rows.len() <= height, "{columns}x{height}: {} rows", rows.len());
        }
    }
}

#[test]
fn who_waits_and_who_talks_stand_side_by_side() {
    let rows = drawn(&board(2, 1), 80, 24);
    let heading = rows.iter().find(|row| row.contains("WAITING")).unwrap();
    assert!(heading.contains("WAITING 2, longest 16:") && heading.contains("TALKING 1"), "{heading}");
    let first = rows.iter().position(|row| row.contains("WAITING")).unwrap() + 1;
    assert!(rows[first].contains("Écoute") && rows[first].contains("operator-0"), "{}", rows[first]);
    let bars: Vec<_> = rows[first - 1..first + 2]
        .iter()
        .map(|row| row.find('│').map(|at| text::width(&row[..at])))
        .collect();
    assert!(bars.iter().all(|bar| *bar == bars[0]), "{bars:?}");
}

#[test]
fn those_who_find_no_room_are_counted() {
    let rows = drawn(&board(50, 0), 80, 24);
    assert!(rows.iter().any(|row| row.contains("more")), "{rows:?}");
    assert!(rows.iter().any(|row| row.contains("OPERATORS 12")), "operators are still there");
}

#[test]
fn the_line_for_a_log_says_it_all() {
    let names = Names::default();
    let board = board(2, 1);
    let view = View {
        board: &board,
        now: UnixMicros(SECOND * 1_000),
        running_for: Duration::from_secs(3_700),
        names: &names,
        title: "",
        draining: false,
        footer: &[],
    };
    let line = line(&view);
    assert!(line.starts_with("1:01:40  2 waiting (longest 16:"), "{line}");
    assert!(line.contains("6 ready, 6 signed out"), "{line}");
}

#[test]
fn names_cannot_steer_the_terminal() {
    assert_eq!(text::cut("a\u{1b}[2Jb", 3), "a\u{fffd}[");
    assert_eq!(text::column("Situations complexes", 6), "Situa…");
    assert_eq!(text::column("日本", 3), "日…");
    assert_eq!(text::width(&text::column("日本語", 4)), 4);
    assert_eq!(text::percent(Some(0.9999)), "99 %");
}
