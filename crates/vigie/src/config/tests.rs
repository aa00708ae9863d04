//! The configuration, judged from outside: a good deployment, and every way in which one goes wrong.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::*;

const GOOD: [&str; 6] = [
    include_str!("tests/good/vigie.toml"),
    include_str!("tests/good/trunks.toml"),
    include_str!("tests/good/lines.toml"),
    include_str!("tests/good/operators.toml"),
    include_str!("tests/good/policy.toml"),
    include_str!("tests/good/prompts.toml"),
];

fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_795_000_000)
}

/// A directory with the secrets and recordings that the good deployment names, and some wrong ones.
fn directory() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let write = |name: &str, content: &[u8], mode: u32| {
        let path = directory.path().join(name);
        fs::write(&path, content).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    };
    let key = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n";
    fs::create_dir(directory.path().join("secrets")).unwrap();
    write("secrets/pseudonym.key", key.as_bytes(), 0o600);
    write("open.key", key.as_bytes(), 0o644);
    write("brenda.password", b"velvet-harbor-4461\n", 0o600);
    let wav = prompts::tests::wav(1, 1, 8_000, 16, &[1, 2, 3]);
    write("cut.wav", &wav[..wav.len() - 2], 0o600);
    write("fr.wav", &wav, 0o600);
    write("stereo.wav", &prompts::tests::wav(1, 2, 8_000, 16, &[1, 2]), 0o600);
    write("fast.wav", &prompts::tests::wav(1, 1, 44_100, 16, &[1, 2]), 0o600);
    directory
}

fn texts(texts: [&str; 6]) -> [Text; 6] {
    texts.map(|text| Ok(Some(text.to_owned())))
}

/// Problems in print, with a stable name for the directory. Whether `/tmp` is a tmpfs is the machine's affair.
fn told(result: &Result<Deployment, Problems>, directory: &Path) -> Vec<String> {
    let problems = match result {
        Ok(deployment) => &deployment.warnings,
        Err(problems) => problems.all(),
    };
    let directory = directory.display().to_string();
    problems
        .iter()
        .filter(|problem| !(problem.field == "state.live_directory" && problem.found.ends_with("on a disk")))
        .map(|problem| problem.to_string().replace(&directory, "DIR"))
        .collect()
}

fn load_good(directory: &Path) -> Deployment {
    let result = check(directory, texts(GOOD), now());
    assert_eq!(told(&result, directory), Vec::<String>::new());
    result.unwrap()
}

/// One block of `wrong.txt`.
struct Case<'a> {
    title: &'a str,
    edits: Vec<&'a str>,
    expected: Vec<&'a str>,
}

fn cases(text: &str) -> Vec<Case<'_>> {
    let blocks = text.split("== ").skip(1);
    blocks
        .map(|block| {
            let mut lines = block.lines();
            let title = lines.next().unwrap();
            let rest: Vec<&str> = lines.filter(|line| !line.is_empty()).collect();
            let problem = |line: &&str| line.starts_with("error: ") || line.starts_with("warning: ");
            let (expected, edits) = rest.into_iter().partition(problem);
            Case { title, edits, expected }
        })
        .collect()
}

fn edited(case: &Case<'_>) -> [Text; 6] {
    let mut texts = texts(GOOD);
    for edit in &case.edits {
        let (file, edit) = edit.split_at(edit.find(".toml").unwrap() + ".toml".len());
        let slot = &mut texts[FILES.iter().position(|known| *known == file).unwrap()];
        let text = slot.clone().unwrap().unwrap();
        let edit = edit.replace("\\n", "\n");
        *slot = Ok(if edit == " gone" {
            None
        } else if let Some(line) = edit.strip_prefix(" + ") {
            Some(format!("{text}{line}\n"))
        } else if let Some(whole) = edit.strip_prefix(" is") {
            Some(whole.to_owned())
        } else {
            let (from, to) = edit.strip_prefix(": ").unwrap().split_once(" ->").unwrap();
            let to = to.strip_prefix(' ').unwrap_or(to);
            assert_eq!(text.matches(from).count(), 1, "{}: {from:?} must stand in {file} once", case.title);
            Some(text.replace(from, to))
        });
    }
    texts
}

#[test]
fn every_wrong_configuration_is_explained() {
    let directory = directory();
    let cases = cases(include_str!("tests/wrong.txt"));
    assert!(cases.len() >= 40, "{} cases", cases.len());
    let mut differing = String::new();
    for case in &cases {
        let result = check(directory.path(), edited(case), now());
        let told = told(&result, directory.path());
        if told != case.expected {
            differing += &format!("== {}\n{}\n{}\n", case.title, case.edits.join("\n"), told.join("\n"));
        }
        let errors = told.iter().any(|line| line.starts_with("error: "));
        assert_eq!(errors, result.is_err(), "{}", case.title);
        assert!(!told.is_empty(), "{}: nothing is said", case.title);
    }
    assert!(differing.is_empty(), "these say something else:\n{differing}");
}

#[test]
fn a_good_deployment_is_read_as_it_stands() {
    let directory = directory();
    let deployment = load_good(directory.path());

    let node = &deployment.node;
    assert_eq!(node.sip.listen.len(), 3);
    assert_eq!(node.rtp.ports, 20_000..=29_999);
    assert_eq!(node.state.journal, directory.path().join("state/journal.sqlite"));
    assert!(node.state.pseudonym_key.is_some());
    assert_eq!(node.admission.dialogs_max, 400);

    let carrier = &deployment.trunks[0];
    assert_eq!(carrier.dialled_number, DialledNumberSource::To);
    assert_eq!(carrier.keep_alive, Some(Duration::from_secs(30)));
    assert_eq!(carrier.codecs, [Codec::Pcma, Codec::Pcmu]);
    assert_eq!(deployment.trunks[1].keep_alive, None, "there is nowhere to send it");
    assert_eq!(deployment.trunks[1].calls_max, 100, "the node's");

    let [listening, complex, _] = deployment.lines.as_slice() else { panic!("three lines") };
    assert_eq!(listening.numbers, ["+33199000010", "+333919"]);
    assert_eq!(listening.hours, OpeningHours::Always);
    assert_eq!(listening.answer, Answer::AtOnce);
    assert_eq!(listening.closed, Refusal::Announce("closed".into()));
    assert_eq!(listening.strategy, Strategy::LongestIdle, "the policy's");
    assert_eq!(listening.rings.len(), 1);
    let menu = listening.language_choice.menu.as_ref().unwrap();
    assert_eq!(
        menu.digits.iter().map(|(d, l)| (*d, l.as_str())).collect::<Vec<_>>(),
        [('1', "fr"), ('2', "en")]
    );
    assert_eq!(complex.level, Level::Two);
    assert_eq!(complex.answer, Answer::OnOperator(Ringback::RingTone));
    assert_eq!(complex.full, Refusal::Status(486));
    assert_eq!(complex.required_skills["legal"], 3);
    let last_resort = complex.waiting.last_resort.as_ref().unwrap();
    assert_eq!(last_resort.then, Exhausted::OtherLine("partners".into()));

    let [amina, brenda, desk] = deployment.operators.as_slice() else { panic!("three operators") };
    assert_eq!(amina.levels, [Level::One, Level::Two]);
    assert!(amina.ready_on_sign_in);
    assert_eq!(amina.missed_offers_max, 2, "the policy's");
    assert_eq!(amina.media_from, MediaFrom::Registration);
    assert_eq!(brenda.employer.kind, EmployerKind::Subcontractor);
    assert_eq!(brenda.credential.as_ref().unwrap().realm, "test.example");
    assert_eq!(desk.credential, None);
    assert_eq!(desk.media_from, MediaFrom::Signalled);
    assert!(matches!(&desk.device, Device::Fixed(target) if target.port == Some(5060)));

    let greeting = deployment.prompts.pcm("greeting", &"fr".into()).unwrap();
    assert_eq!(greeting.as_ref(), [1, 2, 3], "the deployment's own file replaces the shipped one");
}

#[test]
fn no_secret_is_ever_printed() {
    let directory = directory();
    let deployment = load_good(directory.path());
    let printed = format!("{deployment:?}");
    for secret in ["quiet-otter-2719", "velvet-harbor-4461", "00112233", "[0, 17, 34"] {
        assert!(!printed.contains(secret), "{secret}");
    }
}

#[test]
fn digests_are_those_of_the_rfc() {
    // RFC 7616 §3.9.1: user, realm and password of its example; HA1 computed with another program.
    let directory = directory();
    let mut credential = load_good(directory.path()).operators[0].credential.clone().unwrap();
    credential.user = "Mufasa".into();
    credential.realm = "http-auth@example.org".into();
    let operators = GOOD[3].replace("quiet-otter-2719", "Circle of Life");
    let mut texts = texts(GOOD);
    texts[3] = Ok(Some(operators));
    credential.secret =
        check(directory.path(), texts, now()).unwrap().operators[0].credential.clone().unwrap().secret;
    assert_eq!(credential.ha1(DigestAlgorithm::Md5).unwrap(), "3d78807defe7de2157e2b0b6573a855f");
    assert_eq!(
        credential.ha1(DigestAlgorithm::Sha256).unwrap(),
        "7987c64c30e25f1b74be53f966b49b90f2808aa92faf9a00262392d7b4794232"
    );
    credential.algorithms = vec![DigestAlgorithm::Sha256];
    assert_eq!(credential.ha1(DigestAlgorithm::Md5), None, "not offered");
}

#[test]
fn missing_secrets_are_created_once_and_for_their_owner_only() {
    let directory = directory();
    for (file, text) in FILES.iter().zip(GOOD) {
        fs::write(directory.path().join(file), text).unwrap();
    }
    fs::remove_dir_all(directory.path().join("secrets")).unwrap();
    fs::remove_file(directory.path().join("brenda.password")).unwrap();
    assert_eq!(load(directory.path()).unwrap().missing_secrets.len(), 2);

    let first = load_and_create_secrets(directory.path()).unwrap();
    assert_eq!(first.missing_secrets, []);
    for file in ["secrets/pseudonym.key", "brenda.password"] {
        let mode = fs::metadata(directory.path().join(file)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
    let secret = |deployment: &Deployment| deployment.operators[1].credential.clone().unwrap().secret;
    let Secret::Password(password) = secret(&first) else { panic!("a password") };
    assert_eq!(password.reveal().len(), 20);

    let second = load_and_create_secrets(directory.path()).unwrap();
    assert_eq!(secret(&second), secret(&first));
    assert_eq!(second.node.state.pseudonym_key, first.node.state.pseudonym_key);
}

#[test]
fn the_demonstration_is_in_order() {
    let scratch = tempfile::tempdir().unwrap();
    let deployment = demo::load(scratch.path()).unwrap_or_else(|problems| panic!("{problems}"));
    let complaints = deployment.warnings.iter().filter(|problem| problem.line.is_some());
    assert_eq!(complaints.map(ToString::to_string).collect::<Vec<_>>(), Vec::<String>::new());
    assert_eq!(deployment.operators.len(), 12);
    let subcontracted = |operator: &&Operator| operator.employer.kind == EmployerKind::Subcontractor;
    assert_eq!(deployment.operators.iter().filter(subcontracted).count(), 6);
    assert!(deployment.lines.iter().any(|line| line.level == Level::Two));
    assert!(deployment.lines.iter().any(|line| line.languages.len() == 2));
}

/// What an administrator copies works, and warns of nothing but the files that its first start creates.
#[test]
fn the_example_is_in_order() {
    let copy = tempfile::tempdir().unwrap();
    for file in FILES {
        let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config").join(file);
        fs::copy(example, copy.path().join(file)).unwrap();
    }
    let first = load(copy.path()).unwrap_or_else(|problems| panic!("{problems}"));
    assert_eq!(first.warnings.len(), first.missing_secrets.len(), "{:?}", first.warnings);
    let started = load_and_create_secrets(copy.path()).unwrap();
    assert_eq!(started.warnings, []);
}

#[test]
fn the_control_socket_is_found_beside_other_faults() {
    let directory = directory();
    let node =
        GOOD[0].replace("Europe/Paris", "Nowhere").replace("[state]", "[state]\ncontrol_socket = \"c.sock\"");
    fs::write(directory.path().join("vigie.toml"), node).unwrap();
    assert_eq!(control_socket(directory.path()).unwrap(), directory.path().join("state/c.sock"));
    assert!(control_socket(&directory.path().join("secrets")).is_err());
}

#[test]
fn a_clock_before_its_time_is_an_error() {
    let directory = directory();
    let problems = check(directory.path(), texts(GOOD), UNIX_EPOCH + Duration::from_secs(9)).unwrap_err();
    assert!(problems.to_string().contains("a clock that stands before 2026"), "{problems}");
}

#[test]
fn a_directory_that_is_not_there_is_told() {
    let problems = load(Path::new("/no/such/place")).unwrap_err();
    assert!(problems.to_string().contains("no directory /no/such/place"), "{problems}");
}
