//! An untouched chain fits; every touch is found, at the entry it was done to.

use super::*;
use crate::event::Event;
use crate::time::UnixMicros;

fn chain(numbers: &[u64]) -> Vec<(u64, String, Digest)> {
    let mut head = GENESIS;
    numbers
        .iter()
        .map(|seq| {
            let event = Event {
                seq: *seq,
                at: UnixMicros(*seq as i64),
                contact: None,
                kind: EventKind::EngineDraining,
            };
            let written = record::encode(&event);
            head = link(&head, &written);
            (*seq, written, head)
        })
        .collect()
}

fn verify(entries: &[(u64, String, Digest)]) -> Result<Verifier, Broken> {
    let mut verifier = Verifier::new(GENESIS);
    for (seq, written, hash) in entries {
        verifier.entry(*seq, written, hash)?;
    }
    Ok(verifier)
}

#[test]
fn an_untouched_chain_fits_and_counts_what_is_missing() {
    let verifier = verify(&chain(&[1, 2, 3, 7])).unwrap();
    assert_eq!((verifier.entries(), verifier.missing(), verifier.admitted()), (4, 3, 0));
}

#[test]
fn known_answer() {
    // SHA-256 of 32 zero bytes and "x", computed with an independent tool.
    assert_eq!(
        link(&GENESIS, "x").to_string(),
        "fdded6faced1af47fdaaac589602f58e0e040a882627806c42ddcc38da604cf0"
    );
}

#[test]
fn every_touch_is_found_where_it_was_done() {
    type Touch = fn(&mut Vec<(u64, String, Digest)>);
    let cases: [(&str, Touch, u64, Fault); 7] = [
        ("text", |c| c[2].1 = c[2].1.replace(":3", ":4"), 3, Fault::Hash),
        ("hash", |c| c[2].2 = Digest([9; 32]), 3, Fault::Hash),
        ("removed", |c| drop(c.remove(2)), 4, Fault::Hash),
        ("swapped", |c| c.swap(2, 3), 4, Fault::Hash),
        ("doubled", |c| c.insert(2, c[1].clone()), 2, Fault::Hash),
        ("number", |c| c[2].0 = 30, 30, Fault::Number),
        ("rewritten to the end without order", |c| *c = chain(&[1, 2, 2]), 2, Fault::Order),
    ];
    for (name, touch, seq, fault) in cases {
        let mut entries = chain(&[1, 2, 3, 4, 5]);
        touch(&mut entries);
        assert_eq!(verify(&entries).unwrap_err(), Broken { seq, fault }, "{name}");
    }
}
