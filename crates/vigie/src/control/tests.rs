use super::*;

#[test]
fn requests_are_lines_a_person_can_read() {
    let cases = [
        (Request::Status(Form::Json), r#"{"status":"json"}"#),
        (Request::Calls { last: 20, form: Form::Text }, r#"{"calls":{"last":20,"form":"text"}}"#),
        (
            Request::Operator { name: "amina".into(), action: OperatorAction::NotReady("break".into()) },
            r#"{"operator":{"name":"amina","action":{"not-ready":"break"}}}"#,
        ),
        (
            Request::Line { name: "listening".into(), action: LineAction::ByHours },
            r#"{"line":{"name":"listening","action":"by-hours"}}"#,
        ),
    ];
    for (request, line) in cases {
        assert_eq!(serde_json::to_string(&request).unwrap(), line);
        assert_eq!(serde_json::from_str::<Request>(line).unwrap(), request);
    }
}

#[test]
fn nobody_there_is_told_with_the_path() {
    let scratch = tempfile::tempdir().unwrap();
    let error = ask(&scratch.path().join("none"), &Request::Status(Form::Text)).unwrap_err();
    assert!(matches!(error, Unreachable::NotRunning(..)));
    assert!(error.to_string().contains("Is it running"), "{error}");
}
