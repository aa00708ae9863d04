//! The rooms and the only arrows between them, and what each must never depend on. The table is the design's drawing.

use std::collections::BTreeSet;
use std::path::Path;

/// Room, the rooms it may use.
const ARROWS: &[(&str, &[&str])] = &[
    ("facts", &[]),
    ("sip", &[]),
    ("media", &[]),
    ("acd", &[]),
    ("phone", &[]),
    ("call", &["facts", "sip", "media", "acd"]),
    ("store", &["facts"]),
    ("console", &["facts", "store"]),
    ("sim", &["facts", "sip", "media", "acd", "call", "phone"]),
    ("vigie", &["facts", "sip", "media", "acd", "call", "store", "console", "phone", "sim"]),
];

/// Rooms that decide: time, chance and the world arrive as data.
const PURE: &[&str] = &["facts", "sip", "media", "acd", "phone", "call", "sim"];

/// What reads the world, or a clock, or draws from the machine's entropy.
const WORLDLY: &[&str] = &[
    "async-std",
    "axum",
    "crossterm",
    "dashmap",
    "fastrand",
    "getrandom",
    "hyper",
    "libc",
    "mio",
    "nix",
    "notify",
    "rand",
    "reqwest",
    "rusqlite",
    "rustix",
    "smol",
    "socket2",
    "sqlx",
    "tempfile",
    "time",
    "tokio",
];

fn manifest(path: &Path) -> toml::Table {
    let text = std::fs::read_to_string(path).expect("every room has its manifest");
    text.parse().expect("cargo has read it")
}

fn names(manifest: &toml::Table, section: &str) -> BTreeSet<String> {
    manifest
        .get(section)
        .and_then(toml::Value::as_table)
        .into_iter()
        .flatten()
        .map(|(name, _)| name.clone())
        .collect()
}

#[test]
fn arrows_are_those_of_the_design() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned();
    let rooms: BTreeSet<String> = ARROWS.iter().map(|(room, _)| (*room).to_owned()).collect();
    let found: BTreeSet<String> = std::fs::read_dir(&root)
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.path().join("Cargo.toml").exists() && entry.file_name() != "fuzz")
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect();
    assert_eq!(found, rooms, "every crate is a room of the drawing");
    for (room, allowed) in ARROWS {
        let manifest = manifest(&root.join(room).join("Cargo.toml"));
        let used = names(&manifest, "dependencies");
        let arrows: BTreeSet<&str> =
            used.iter().map(String::as_str).filter(|name| rooms.contains(*name)).collect();
        let allowed: BTreeSet<&str> = allowed.iter().copied().collect();
        assert!(arrows.is_subset(&allowed), "{room} uses {arrows:?}, the design allows {allowed:?}");
        if PURE.contains(room) {
            let worldly: Vec<&String> = used.iter().filter(|name| WORLDLY.contains(&name.as_str())).collect();
            assert!(worldly.is_empty(), "{room} decides and must not depend on {worldly:?}");
        }
    }
}

#[test]
fn pure_rooms_forbid_the_world_to_clippy() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned();
    for room in PURE {
        let clippy = manifest(&root.join(room).join("clippy.toml"));
        let forbidden: Vec<&str> = ["disallowed-methods", "disallowed-types"]
            .iter()
            .filter_map(|section| clippy.get(*section)?.as_array())
            .flatten()
            .filter_map(|entry| entry.get("path")?.as_str())
            .collect();
        for path in ["std::time::Instant::now", "std::time::SystemTime::now", "std::net::UdpSocket::bind"] {
            assert!(forbidden.contains(&path), "{room}/clippy.toml does not forbid {path}");
        }
    }
}

#[test]
fn the_independent_phone_shares_no_protocol_library_with_what_it_tests() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned();
    let phone = names(&manifest(&root.join("phone").join("Cargo.toml")), "dependencies");
    for library in ["rsip", "rtcp-types", "sdp-types", "audio-codec-algorithms", "hound"] {
        assert!(!phone.contains(library), "phone uses {library}, as the rooms it is to test do");
    }
}
