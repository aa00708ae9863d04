use super::*;

fn entry(room: u8, key: u64, record: Option<&'static [u8]>) -> Entry {
    Entry { room, key, record: record.map(Bytes::from_static) }
}

fn left(directory: &Path) -> BTreeMap<(u8, u64), Bytes> {
    StateFile::open(directory).unwrap().1.records
}

#[test]
fn records_come_back_and_erased_ones_do_not() {
    let scratch = tempfile::tempdir().unwrap();
    let (mut state, before) = StateFile::open(scratch.path()).unwrap();
    assert!(before.records.is_empty());
    state.append(&[entry(1, 7, Some(b"dialog")), entry(4, 7, Some(b"call"))]).unwrap();
    state.append(&[entry(1, 7, Some(b"dialog, later")), entry(3, 1, Some(b"gone soon"))]).unwrap();
    state.append(&[entry(3, 1, None)]).unwrap();
    drop(state);
    let expected: BTreeMap<_, _> =
        [((1, 7), Bytes::from_static(b"dialog, later")), ((4, 7), Bytes::from_static(b"call"))].into();
    assert_eq!(left(scratch.path()), expected);
    assert_eq!(left(scratch.path()), expected, "reading changes nothing");
}

#[test]
fn a_sip_record_is_not_readable_in_the_file() {
    let scratch = tempfile::tempdir().unwrap();
    let (mut state, _) = StateFile::open(scratch.path()).unwrap();
    state.append(&[entry(1, 1, Some(b"sip:+33612345678@trunk")), entry(4, 1, Some(b"plain"))]).unwrap();
    let content = fs::read(scratch.path().join(STATE_FILE)).unwrap();
    let holds = |needle: &[u8]| content.windows(needle.len()).any(|window| window == needle);
    assert!(!holds(b"33612345678"));
    assert!(holds(b"plain"), "the control: an unsealed room is found by the same search");
}

#[test]
fn a_torn_last_frame_is_cut_off_and_the_rest_counts() {
    let scratch = tempfile::tempdir().unwrap();
    let (mut state, _) = StateFile::open(scratch.path()).unwrap();
    state.append(&[entry(2, 1, Some(b"whole"))]).unwrap();
    let whole_bytes = state.written_bytes;
    state.append(&[entry(2, 2, Some(b"torn"))]).unwrap();
    drop(state);
    let path = scratch.path().join(STATE_FILE);
    let full = fs::read(&path).unwrap();
    for length in whole_bytes as usize..full.len() {
        fs::write(&path, &full[..length]).unwrap();
        let (mut state, left) = StateFile::open(scratch.path()).unwrap();
        assert_eq!(left.records.keys().collect::<Vec<_>>(), [&(2, 1)], "cut at {length}");
        state.append(&[entry(2, 3, Some(b"goes on"))]).unwrap();
        drop(state);
        let (_, left) = StateFile::open(scratch.path()).unwrap();
        assert_eq!(left.records.keys().collect::<Vec<_>>(), [&(2, 1), &(2, 3)], "cut at {length}");
    }
}

#[test]
fn two_programs_do_not_share_it() {
    let scratch = tempfile::tempdir().unwrap();
    let _first = StateFile::open(scratch.path()).unwrap();
    assert!(matches!(StateFile::open(scratch.path()), Err(StateError::InUse(_))));
}

#[test]
fn compaction_keeps_what_lives_and_the_lock() {
    let scratch = tempfile::tempdir().unwrap();
    let (mut state, _) = StateFile::open(scratch.path()).unwrap();
    static BIG: [u8; 1 << 16] = [7; 1 << 16];
    while !state.is_worth_compacting() {
        state.append(&[entry(2, 1, Some(&BIG))]).unwrap();
    }
    state.compact([entry(2, 1, Some(&BIG)), entry(1, 9, Some(b"sealed"))].into_iter()).unwrap();
    assert!(!state.is_worth_compacting());
    assert!(state.written_bytes < 2 * BIG.len() as u64);
    assert!(matches!(StateFile::open(scratch.path()), Err(StateError::InUse(_))));
    state.append(&[entry(2, 2, Some(b"after"))]).unwrap();
    drop(state);
    assert_eq!(left(scratch.path()).into_keys().collect::<Vec<_>>(), [(1, 9), (2, 1), (2, 2)]);
}

#[test]
fn another_boots_file_means_nothing() {
    let scratch = tempfile::tempdir().unwrap();
    let (mut state, _) = StateFile::open(scratch.path()).unwrap();
    state.append(&[entry(2, 1, Some(b"before the boot"))]).unwrap();
    drop(state);
    let path = scratch.path().join(STATE_FILE);
    let mut content = fs::read(&path).unwrap();
    content[MAGIC.len()] ^= 1;
    fs::write(&path, content).unwrap();
    assert!(left(scratch.path()).is_empty());
}

#[test]
fn half_a_step_hides_nothing_that_follows() {
    let directory = tempfile::tempdir().unwrap();
    let (mut state, _) = StateFile::open(directory.path()).unwrap();
    state.append(&[entry(2, 1, Some(b"before"))]).unwrap();
    // A file that refuses, as a full file system would.
    let whole = std::mem::replace(&mut state.file, File::open(directory.path().join(STATE_FILE)).unwrap());
    state.append(&[entry(2, 2, Some(b"lost"))]).unwrap_err();
    assert!(state.lacks_a_step());
    state.file = whole;
    state.append(&[entry(2, 3, Some(b"after"))]).unwrap();
    assert!(state.lacks_a_step(), "what was lost is still missing");
    let live = [entry(2, 1, Some(b"before")), entry(2, 2, Some(b"lost")), entry(2, 3, Some(b"after"))];
    state.compact(live.into_iter()).unwrap();
    assert!(!state.lacks_a_step());
    drop(state);
    assert_eq!(left(directory.path()).len(), 3);
}

#[test]
fn writing_anew_without_room_leaves_nothing_behind() {
    let directory = tempfile::tempdir().unwrap();
    let (mut state, _) = StateFile::open(directory.path()).unwrap();
    state.append(&[entry(2, 1, Some(b"kept"))]).unwrap();
    let next = directory.path().join("state.next");
    std::fs::create_dir(&next).unwrap();
    state.compact([entry(2, 1, Some(b"kept"))].into_iter()).unwrap_err();
    std::fs::remove_dir(&next).unwrap();
    state.append(&[entry(2, 2, Some(b"and on"))]).unwrap();
    drop(state);
    assert_eq!(left(directory.path()).len(), 2);
}
