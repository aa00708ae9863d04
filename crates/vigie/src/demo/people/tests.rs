//! An hour with people, in no time: they come as often as told, answer most calls, and end when told.

use phone::{CallId, End};

use super::*;

fn plan(calls_per_hour: u32, operators: usize, speed: f64) -> Plan {
    let line = |number: &str, digit| DialledLine {
        number: number.into(),
        weight: 1,
        languages: vec![("fr".into(), digit), ("en".into(), digit)],
    };
    Plan {
        calls_per_hour,
        speed,
        calls_max: 128,
        lines: vec![line("3919", Some('1')), line("0199000020", None)],
        operators,
        codes: Codes { ready: "*71".into(), pauses: vec!["*721".into()], debrief: "*75".into() },
        host: "127.0.0.1:5060".into(),
        caller_host: "127.0.0.2".into(),
        domain: "demo.vigie.example".into(),
    }
}

fn people(plan: Plan, seed: u64) -> People {
    People::new(plan, Voices::shipped(), seed)
}

/// Plays until then; a telephone that dials is answered at once, and nobody else ever calls.
fn play(people: &mut People, until: Duration) -> Vec<(Duration, TelephoneId, Command)> {
    let mut done = Vec::new();
    let mut next_call = 0;
    while let Some(at) = people.poll_timeout().filter(|at| *at <= until) {
        people.handle(at, Input::Timeout);
        while let Some(action) = people.poll_action() {
            let telephone = action.telephone;
            let mut tell = |event: Event| people.handle(at, Input::Telephone(telephone, &event));
            match &action.command {
                Command::Register => tell(Event::Registered { expires_s: 300 }),
                Command::Dial(_) => {
                    next_call += 1;
                    tell(Event::Dialling { call: CallId(next_call) });
                    tell(Event::Answered { call: CallId(next_call) });
                }
                Command::HangUp { call, .. } => tell(ended(*call)),
                _ => {}
            }
            done.push((at, telephone, action.command));
        }
    }
    done
}

fn ended(call: CallId) -> Event {
    Event::Ended { call, end: End::ByMe, reason: None, media: Default::default() }
}

fn ring(people: &mut People, at: Duration, telephone: TelephoneId, call: CallId) {
    let incoming =
        Event::Incoming { call, from_display: "Écoute (en)".into(), from: "".into(), to: "".into() };
    people.handle(at, Input::Telephone(telephone, &incoming));
}

const HOUR: Duration = Duration::from_secs(3_600);

#[test]
fn callers_come_as_often_as_told() {
    for (calls_per_hour, speed, expected) in
        [(120, 1.0, 120.0), (360, 1.0, 360.0), (36, 10.0, 360.0), (0, 1.0, 0.0)]
    {
        let done = play(&mut people(plan(calls_per_hour, 0, speed), 1), HOUR);
        let calls = done.iter().filter(|(_, _, command)| matches!(command, Command::Dial(_))).count() as f64;
        // Four standard deviations of a Poisson process.
        assert!((calls - expected).abs() <= 4.0 * expected.sqrt(), "{calls_per_hour} × {speed}: {calls}");
    }
}

#[test]
fn the_same_seed_gives_the_same_people() {
    let story = |seed| format!("{:?}", play(&mut people(plan(120, 4, 1.0), seed), HOUR));
    assert_eq!(story(5), story(5));
    assert_ne!(story(5), story(6));
}

#[test]
fn a_caller_who_hears_nobody_gives_up_and_one_who_does_speaks() {
    let mut people = people(plan(120, 0, 1.0), 3);
    let mut gave_up = 0;
    for (_, _, command) in play(&mut people, HOUR) {
        assert!(!matches!(&command, Command::Speak { voice, .. } if *voice == phone::Voice::Silence));
        gave_up += usize::from(matches!(command, Command::HangUp { .. }));
    }
    assert!(gave_up > 60, "{gave_up}");
}

#[test]
fn operators_answer_most_calls_and_are_ready_again_after_the_others() {
    let (mut answered, mut refused, mut missed) = (0, 0, 0);
    for seed in 0..300 {
        let mut people = people(plan(0, 1, 1.0), seed);
        play(&mut people, Duration::from_secs(10));
        let telephone = TelephoneId(1);
        ring(&mut people, Duration::from_secs(10), telephone, CallId(900));
        let done = play(&mut people, Duration::from_secs(25));
        let is = |wanted: fn(&Command) -> bool| done.iter().any(|(_, _, command)| wanted(command));
        if is(|command| matches!(command, Command::Answer { .. })) {
            answered += 1;
        } else if is(|command| matches!(command, Command::Reject { .. })) {
            refused += 1;
        } else {
            missed += 1;
            people.handle(Duration::from_secs(25), Input::Telephone(telephone, &ended(CallId(900))));
            let after = play(&mut people, Duration::from_secs(60));
            let ready = |(_, _, command): &(_, _, Command)| matches!(command, Command::Dial(dial) if dial.request_uri.as_str().starts_with("sip:*71@"));
            assert!(after.iter().any(ready), "seed {seed}: {after:?}");
        }
    }
    assert!(answered > 250 && refused > 0 && missed > 0, "{answered} {refused} {missed}");
}

#[test]
fn an_operator_in_a_call_is_busy() {
    let mut people = people(plan(0, 1, 1.0), 1);
    play(&mut people, Duration::from_secs(10));
    ring(&mut people, Duration::from_secs(10), TelephoneId(1), CallId(900));
    while people.poll_action().is_some() {}
    ring(&mut people, Duration::from_secs(11), TelephoneId(1), CallId(901));
    let action = people.poll_action().unwrap();
    assert!(matches!(action.command, Command::Reject { call: CallId(901), status: 486, .. }));
}

#[test]
fn at_the_end_nobody_calls_and_whoever_pauses_comes_back() {
    let mut people = people(plan(600, 3, 1.0), 2);
    play(&mut people, HOUR);
    people.handle(HOUR, Input::Drain);
    let after = play(&mut people, HOUR * 2);
    let dials = |telephone: TelephoneId| {
        after
            .iter()
            .filter(|(_, at, command)| *at == telephone && matches!(command, Command::Dial(_)))
            .count()
    };
    assert_eq!(dials(TRUNK), 0);
    assert!((1..=3).all(|place| dials(TelephoneId(place)) <= 1));
}
