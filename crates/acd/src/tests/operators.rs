//! Operator states: every row of the table, as told through the door.

use super::world::*;
use crate::door::Level::One;
use crate::door::OperatorCommand::{Debrief, NotReady, Ready, SignIn, SignOut};
use crate::door::*;

/// A world with one operator in a state of her table.
fn in_state(state: &str) -> World {
    let mut w = World::new(vec![line("help", One)], vec![operator("ada", &[One])]);
    if state != "signed-out" {
        w.devices("ada", true);
    }
    match state {
        "offered 1" => drop(w.call(1, "help")),
        "talks 1" | "wrap-up until 30" => {
            w.call(1, "help");
            w.accept(0);
            if state != "talks 1" {
                w.gone(1);
            }
        }
        "not-ready lunch" => drop(w.command("ada", NotReady("lunch".into()))),
        "debrief" => drop(w.command("ada", Debrief)),
        _ => {}
    }
    assert_eq!(w.state("ada"), state);
    w
}

#[test]
fn commands_by_state() {
    let lunch = || NotReady("break".into());
    // State, command, state at once, state when contact and wrap-up are over.
    let table: [(&str, OperatorCommand, &str, &str); 30] = [
        ("signed-out", SignIn, "signed-out", "signed-out"),
        ("signed-out", Ready, "signed-out", "signed-out"),
        ("signed-out", lunch(), "signed-out", "signed-out"),
        ("signed-out", Debrief, "signed-out", "signed-out"),
        ("signed-out", SignOut, "signed-out", "signed-out"),
        ("ready", SignIn, "ready", "ready"),
        ("ready", Ready, "ready", "ready"),
        ("ready", lunch(), "not-ready break", "not-ready break"),
        ("ready", Debrief, "debrief", "debrief"),
        ("ready", SignOut, "signed-out", "signed-out"),
        ("offered 1", SignIn, "offered 1", "ready"),
        ("offered 1", Ready, "offered 1", "ready"),
        ("offered 1", lunch(), "not-ready break", "not-ready break"),
        ("offered 1", Debrief, "debrief", "debrief"),
        ("offered 1", SignOut, "signed-out", "signed-out"),
        ("talks 1", SignIn, "talks 1", "ready"),
        ("talks 1", Ready, "talks 1", "ready"),
        ("talks 1", lunch(), "talks 1", "not-ready break"),
        ("talks 1", Debrief, "talks 1", "debrief"),
        ("talks 1", SignOut, "talks 1", "signed-out"),
        ("wrap-up until 30", SignIn, "wrap-up until 30", "ready"),
        ("wrap-up until 30", Ready, "ready", "ready"),
        ("wrap-up until 30", lunch(), "wrap-up until 30", "not-ready break"),
        ("wrap-up until 30", Debrief, "debrief", "debrief"),
        ("wrap-up until 30", SignOut, "signed-out", "signed-out"),
        ("not-ready lunch", SignIn, "not-ready lunch", "not-ready lunch"),
        ("not-ready lunch", Ready, "ready", "ready"),
        ("not-ready lunch", lunch(), "not-ready break", "not-ready break"),
        ("not-ready lunch", Debrief, "debrief", "debrief"),
        ("not-ready lunch", SignOut, "signed-out", "signed-out"),
    ];
    for (state, command, at_once, after) in table {
        let mut w = in_state(state);
        w.command("ada", command.clone());
        assert_eq!(w.state("ada"), at_once, "{command:?} while {state}");
        w.gone(1);
        w.until(s(30));
        assert_eq!(w.state("ada"), after, "after {command:?} while {state}");
    }
}

#[test]
fn a_debrief_is_ended_by_her_own_phone_only() {
    let mut w = in_state("debrief");
    for by in [CommandSource::Control, CommandSource::Console] {
        for command in [SignIn, Ready, NotReady("x".into()), Debrief, SignOut] {
            let input = Input::Operator { operator: "ada".into(), command: command.clone(), by };
            assert_eq!(w.acd.check(&input), Err(CommandRefused::Debrief));
            assert_eq!(w.command_by("ada", command, by), Vec::<String>::new());
        }
    }
    // A phone that restarts does not end it either.
    assert_eq!(w.devices("ada", false), Vec::<String>::new());
    assert_eq!(w.devices("ada", true), Vec::<String>::new());
    assert_eq!(w.command("ada", Ready), ["ada ready by Command(FeatureCode)"]);
}

#[test]
fn commands_that_are_refused() {
    let w = in_state("signed-out");
    let check = |operator: &str, command| {
        let by = CommandSource::Control;
        w.acd.check(&Input::Operator { operator: operator.into(), command, by })
    };
    assert_eq!(check("zoe", Ready), Err(CommandRefused::UnknownOperator));
    assert_eq!(check("ada", Ready), Err(CommandRefused::NoDevice));
    assert_eq!(check("ada", SignOut), Ok(()));
    let line = |line: &str| w.acd.check(&Input::Line { line: line.into(), command: LineCommand::Open });
    assert_eq!(line("nowhere"), Err(CommandRefused::UnknownLine));
    assert_eq!(line("help"), Ok(()));
}

#[test]
fn phones_sign_in_and_out() {
    let mut shy = operator("bea", &[One]);
    shy.ready_on_sign_in = false;
    let mut w = World::new(vec![line("help", One)], vec![operator("ada", &[One]), shy]);
    assert_eq!(w.devices("ada", true), ["ada ready by Devices"]);
    assert_eq!(w.devices("ada", true), Vec::<String>::new());
    assert_eq!(w.devices("bea", true), ["bea not-ready signed-in by Devices"]);
    assert_eq!(w.devices("ada", false), ["ada signed-out by Devices"]);
    // Signed out by hand with a phone: the phone's next registration does not sign her in, she does.
    w.devices("ada", true);
    w.command("ada", SignOut);
    assert_eq!(w.devices("ada", true), Vec::<String>::new());
    assert_eq!(w.command("ada", SignIn), ["ada ready by Command(FeatureCode)"]);
}

#[test]
fn a_break_outlives_a_restart_of_the_phone_and_a_gone_device_does_not() {
    let mut w = in_state("not-ready lunch");
    w.devices("ada", false);
    assert_eq!(w.devices("ada", true), ["ada not-ready lunch by Devices"]);
    w.command("ada", Ready);
    w.call(1, "help");
    w.fail(0, OfferFailure::DeviceGone);
    w.gone(1);
    w.devices("ada", false);
    assert_eq!(w.devices("ada", true), ["ada ready by Devices"]);
}

#[test]
fn a_phone_lost_in_contact_or_wrap_up_signs_out_after_it_unless_it_comes_back() {
    for back in [false, true] {
        let mut w = in_state("talks 1");
        assert_eq!(w.devices("ada", false), Vec::<String>::new());
        w.gone(1);
        assert_eq!(w.state("ada"), "wrap-up until 30");
        if back {
            w.devices("ada", true);
        }
        w.until(s(30));
        assert_eq!(w.state("ada"), if back { "ready" } else { "signed-out" });
    }
    let mut w = in_state("talks 1");
    w.devices("ada", false);
    assert_eq!(w.lost(1)[0], "ada signed-out by Devices");
}

#[test]
fn wrap_up_is_hers_whichever_line_the_contact_came_by() {
    let mut quick = operator("ada", &[One]);
    quick.wrap_up = Some(s(0));
    let mut w = World::staffed(vec![line("help", One)], vec![quick]);
    w.call(1, "help");
    w.accept(0);
    assert_eq!(w.gone(1), ["ada ready by ContactEnded"]);
}
