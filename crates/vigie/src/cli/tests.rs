//! What is typed is what is meant.

use clap::CommandFactory;

use super::*;

#[derive(Parser, Debug)]
struct Alone<T: Args> {
    #[command(flatten)]
    arguments: T,
}

fn parse<T: Args>(line: &str) -> Result<T, String> {
    let words = std::iter::once("vigie").chain(line.split_whitespace());
    Alone::<T>::try_parse_from(words).map(|alone| alone.arguments).map_err(|error| error.to_string())
}

#[test]
fn the_definitions_hold_together() {
    Cli::command().debug_assert();
    Alone::<RunArguments>::command().debug_assert();
    Alone::<DemoArguments>::command().debug_assert();
    Alone::<StatusArguments>::command().debug_assert();
    Alone::<CallsArguments>::command().debug_assert();
    Alone::<OperatorsArguments>::command().debug_assert();
    Alone::<OperatorArguments>::command().debug_assert();
    Alone::<LineArguments>::command().debug_assert();
}

#[test]
fn operators_are_commanded() {
    let cases = [
        ("amina ready", Some(OperatorAction::Ready)),
        ("amina not-ready break", Some(OperatorAction::NotReady { reason: "break".into() })),
        ("amina sign-out", Some(OperatorAction::SignOut)),
        ("--socket /run/c amina ready", Some(OperatorAction::Ready)),
        ("amina ready --config /etc/other", Some(OperatorAction::Ready)),
        ("amina not-ready break --socket /run/c", Some(OperatorAction::NotReady { reason: "break".into() })),
        ("amina not-ready", None),
        ("amina", None),
        ("amina dance", None),
        ("--socket /run/c --config /etc/vigie amina ready", None),
    ];
    for (line, expected) in cases {
        assert_eq!(
            parse::<OperatorArguments>(line).ok().map(|arguments| arguments.action),
            expected,
            "{line}"
        );
    }
}

#[test]
fn lines_are_commanded() {
    let action = |line: &str| parse::<LineArguments>(line).ok().map(|arguments| arguments.action);
    assert_eq!(action("listening open"), Some(LineAction::Open));
    assert_eq!(action("listening close"), Some(LineAction::Close));
    assert_eq!(action("listening by-hours"), Some(LineAction::ByHours));
    assert_eq!(action("listening shut"), None);
}

#[test]
fn the_demonstrations_numbers_have_bounds() {
    let good = "--speed 2.5 --operators 6 --calls-per-hour 600 --port 0 --duration 2m --seed 7";
    let arguments = parse::<DemoArguments>(good).unwrap();
    assert_eq!(arguments.duration, Some(Duration::from_secs(120)));
    for wrong in
        ["--speed 0", "--speed NaN", "--speed 1000", "--operators 13", "--port 65536", "--duration 0s"]
    {
        assert!(parse::<DemoArguments>(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn times_are_typed_with_their_unit() {
    let cases = [
        ("90", Some(90)),
        ("90s", Some(90)),
        ("10m", Some(600)),
        ("2h", Some(7_200)),
        ("0", None),
        ("m", None),
        ("", None),
        ("-1s", None),
        ("1 h", None),
        ("1é", None),
    ];
    for (text, seconds) in cases {
        assert_eq!(parse_duration(text).ok().map(|duration| duration.as_secs()), seconds, "{text:?}");
    }
}
