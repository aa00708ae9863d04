//! `vigie check` as it is typed: what it prints, and its exit code.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

fn vigie(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_vigie")).args(arguments).output().expect("vigie runs")
}

fn copy_of_the_example() -> tempfile::TempDir {
    let copy = tempfile::tempdir().expect("a directory");
    for file in vigie::config::FILES {
        let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config").join(file);
        fs::copy(example, copy.path().join(file)).expect("a copy");
    }
    copy
}

#[test]
fn the_example_passes() {
    let directory = copy_of_the_example();
    let output = vigie(&["check", "--config", directory.path().to_str().unwrap()]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert!(text.contains("0 errors") && text.contains("vigie can start"), "{text}");
}

#[test]
fn an_error_is_told_with_its_line_and_ends_with_1() {
    let directory = copy_of_the_example();
    let lines = directory.path().join("lines.toml");
    let text = fs::read_to_string(&lines).unwrap();
    fs::write(&lines, text.replacen("languages = [\"fr\", \"en\"]", "languages = [\"fr\", \"frr\"]", 1))
        .unwrap();
    let directory = directory.path().to_str().unwrap();

    let output = vigie(&["check", "--config", directory]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("line[0].languages[1]: found \"frr\"; expected one of \"fr\", \"en\""), "{text}");

    let output = vigie(&["check", "--config", directory, "--json"]);
    assert_eq!(output.status.code(), Some(1));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["usable"], false);
    assert_eq!(report["errors"], 1);
    let problems = report["problems"].as_array().unwrap();
    let problem = problems.iter().find(|problem| problem["severity"] == "error").unwrap();
    assert_eq!(problem["file"], "lines.toml");
    assert_eq!(problem["field"], "line[0].languages[1]");
    assert!(problem["line"].is_u64());
}

#[test]
fn arguments_that_make_no_sense_end_with_2() {
    for arguments in
        [["check", "--config", "/no/such/place"].as_slice(), &["check", "--colour"], &["chek"], &[]]
    {
        assert_eq!(vigie(arguments).status.code(), Some(2), "{arguments:?}");
    }
}
