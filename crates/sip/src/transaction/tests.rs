//! The transition tables of the four machines, every (state, event) pair.

use std::time::Duration;

use super::client_invite::{ClientInvite, TIMER_C};
use super::client_non_invite::ClientNonInvite;
use super::server_invite::ServerInvite;
use super::server_non_invite::ServerNonInvite;
use super::*;

/// A step in few letters: `S`end, `A`ck, `U`p, `T`imeout, `X` transport failure, `†` terminated; then what happens to
/// the repeating deadline (`r`) and to the leaving one (`l`): `-` off, or milliseconds.
fn brief(step: Step) -> String {
    let arm = |name: char, arm: Arm| match arm {
        Arm::Keep => String::new(),
        Arm::Off => format!(" {name}-"),
        Arm::In(time) => format!(" {name}{}", time.as_millis()),
    };
    let mut text = String::new();
    text.push_str(if step.send { "S" } else { "" });
    text.push_str(if step.acknowledge { "A" } else { "" });
    text.push_str(if step.pass_up { "U" } else { "" });
    text.push_str(match step.failed {
        Some(Failure::Timeout) => "T",
        Some(Failure::Transport) => "X",
        None => "",
    });
    if step.terminated {
        text.push('†');
        return text;
    }
    text + &arm('r', step.repeat) + &arm('l', step.leave)
}

const U: Reliability = Reliability::Unreliable;
const R: Reliability = Reliability::Reliable;

/// Events on a client machine: a status, `r` or `l` for a deadline, `x` for a transport error.
#[derive(Clone, Copy)]
enum On {
    Status(u16),
    Repeat,
    Leave,
    Error,
    Ack,
    Again,
}
use On::{Ack, Again, Error, Leave, Repeat, Status};

fn client_invite(reliability: Reliability, before: &[On]) -> ClientInvite {
    let (mut machine, _) = ClientInvite::start(reliability);
    for event in before {
        step_client_invite(&mut machine, *event);
    }
    machine
}

fn step_client_invite(machine: &mut ClientInvite, event: On) -> Step {
    match event {
        Status(status) => machine.on_response(status),
        Repeat => machine.on_deadline(Deadline::Repeat),
        Leave => machine.on_deadline(Deadline::Leave),
        Error => machine.on_transport_error(),
        Ack | Again => Step::NOTHING,
    }
}

#[test]
fn client_invite_table() {
    assert_eq!(brief(ClientInvite::start(U).1), "S r500 l32000");
    assert_eq!(brief(ClientInvite::start(R).1), "S r- l32000");
    let c = format!("U r- l{}", TIMER_C.as_millis());
    let events = [Status(180), Status(200), Status(486), Repeat, Leave, Error, Status(99), Status(700)];
    for (name, reliability, before, expected) in [
        ("calling", U, &[][..], [c.as_str(), "U r- l32000", "AU r- l32000", "S r1000", "T†", "X†", "", ""]),
        ("calling", R, &[], [&c, "U r- l32000", "AU r- l0", "S r1000", "T†", "X†", "", ""]),
        ("proceeding", U, &[Status(100)], [&c, "U r- l32000", "AU r- l32000", "", "T†", "", "", ""]),
        ("completed", U, &[Status(486)], ["", "", "A", "", "†", "†", "", ""]),
        ("accepted", U, &[Status(200)], ["", "U", "", "", "†", "", "", ""]),
    ] {
        for (event, expected) in events.into_iter().zip(expected) {
            let mut machine = client_invite(reliability, before);
            assert_eq!(brief(step_client_invite(&mut machine, event)), expected, "{name}");
        }
    }
}

#[test]
fn timer_a_doubles_without_bound() {
    let mut machine = client_invite(U, &[]);
    let waits: Vec<String> = (0..6).map(|_| brief(step_client_invite(&mut machine, Repeat))).collect();
    assert_eq!(waits, ["S r1000", "S r2000", "S r4000", "S r8000", "S r16000", "S r32000"]);
}

#[test]
fn a_resumed_client_invite_repeats_nothing() {
    let (mut machine, step) = ClientInvite::resume(U);
    assert_eq!(brief(step), " l32000");
    assert_eq!(brief(machine.on_deadline(Deadline::Repeat)), "");
    assert_eq!(brief(machine.on_deadline(Deadline::Leave)), "T†");
}

fn step_client_non_invite(machine: &mut ClientNonInvite, event: On) -> Step {
    match event {
        Status(status) => machine.on_response(status),
        Repeat => machine.on_deadline(Deadline::Repeat),
        Leave => machine.on_deadline(Deadline::Leave),
        Error => machine.on_transport_error(),
        Ack | Again => Step::NOTHING,
    }
}

#[test]
fn client_non_invite_table() {
    assert_eq!(brief(ClientNonInvite::start(U).1), "S r500 l32000");
    assert_eq!(brief(ClientNonInvite::start(R).1), "S r- l32000");
    let events = [Status(100), Status(200), Status(404), Repeat, Leave, Error, Status(99), Status(700)];
    for (name, reliability, before, expected) in [
        ("trying", U, &[][..], ["U", "U r- l5000", "U r- l5000", "S r1000", "T†", "X†", "", ""]),
        ("trying", R, &[], ["U", "U r- l0", "U r- l0", "S r1000", "T†", "X†", "", ""]),
        ("proceeding", U, &[Status(100)], ["U", "U r- l5000", "U r- l5000", "S r4000", "T†", "X†", "", ""]),
        ("completed", U, &[Status(200)], ["", "", "", "", "†", "", "", ""]),
    ] {
        for (event, expected) in events.into_iter().zip(expected) {
            let (mut machine, _) = ClientNonInvite::start(reliability);
            for event in before {
                step_client_non_invite(&mut machine, *event);
            }
            assert_eq!(brief(step_client_non_invite(&mut machine, event)), expected, "{name}");
        }
    }
    let (mut machine, _) = ClientNonInvite::start(U);
    let waits: Vec<String> = (0..5).map(|_| brief(machine.on_deadline(Deadline::Repeat))).collect();
    assert_eq!(waits, ["S r1000", "S r2000", "S r4000", "S r4000", "S r4000"], "timer E doubles up to T2");
}

fn step_server_invite(machine: &mut ServerInvite, event: On) -> Step {
    match event {
        Status(status) => machine.respond(status),
        Repeat => machine.on_deadline(Deadline::Repeat),
        Leave => machine.on_deadline(Deadline::Leave),
        Ack => machine.on_acknowledgement(),
        Again => machine.on_repeated_request(),
        Error => Step::NOTHING,
    }
}

#[test]
fn server_invite_table() {
    let events = [Status(180), Status(200), Status(486), Again, Ack, Repeat, Leave];
    for (name, reliability, before, expected) in [
        ("proceeding", U, &[][..], ["S", "S l32000", "S r500 l32000", "S", "", "", ""]),
        ("proceeding", R, &[], ["S", "S l32000", "S r- l32000", "S", "", "", ""]),
        ("completed", U, &[Status(486)], ["", "", "", "S", "U r- l5000", "S r1000", "T†"]),
        ("completed", R, &[Status(486)], ["", "", "", "S", "U r- l0", "S r1000", "T†"]),
        ("confirmed", U, &[Status(486), Ack], ["", "", "", "", "", "", "†"]),
        ("accepted", U, &[Status(200)], ["", "S", "", "", "U", "", "†"]),
    ] {
        for (event, expected) in events.into_iter().zip(expected) {
            let mut machine = ServerInvite::start(reliability);
            for event in before {
                step_server_invite(&mut machine, *event);
            }
            assert_eq!(brief(step_server_invite(&mut machine, event)), expected, "{name}");
        }
    }
    let mut machine = ServerInvite::start(U);
    machine.respond(486);
    let waits: Vec<String> = (0..5).map(|_| brief(machine.on_deadline(Deadline::Repeat))).collect();
    assert_eq!(waits, ["S r1000", "S r2000", "S r4000", "S r4000", "S r4000"], "timer G doubles up to T2");
}

fn step_server_non_invite(machine: &mut ServerNonInvite, event: On) -> Step {
    match event {
        Status(status) => machine.respond(status),
        Repeat => machine.on_deadline(Deadline::Repeat),
        Leave => machine.on_deadline(Deadline::Leave),
        Again => machine.on_repeated_request(),
        Ack | Error => Step::NOTHING,
    }
}

#[test]
fn server_non_invite_table() {
    let events = [Status(100), Status(200), Again, Repeat, Leave];
    for (name, reliability, before, expected) in [
        ("trying", U, &[][..], ["S", "S l32000", "", "", ""]),
        ("trying", R, &[], ["S", "S l0", "", "", ""]),
        ("proceeding", U, &[Status(100)], ["S", "S l32000", "S", "", ""]),
        ("completed", U, &[Status(200)], ["", "", "S", "", "†"]),
    ] {
        for (event, expected) in events.into_iter().zip(expected) {
            let mut machine = ServerNonInvite::start(reliability);
            for event in before {
                step_server_non_invite(&mut machine, *event);
            }
            assert_eq!(brief(step_server_non_invite(&mut machine, event)), expected, "{name}");
        }
    }
}

#[test]
fn the_constants_are_the_rfcs() {
    assert_eq!((T1, T2, T4, GIVE_UP), (Duration::from_millis(500), T1 * 8, T1 * 10, T1 * 64));
}
