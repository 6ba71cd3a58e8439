//! Trace files: what is written is read again, and nothing else is.

use std::collections::BTreeSet;

use proofhouse_crash::{
    CrashKind, CrashState, Dedup, Mark, Profile, SimDisk, SyncKind, Tiers, Trace, TraceFileError,
    enumerate, read_trace, write_trace,
};
use proptest::prelude::*;

use crate::acts::{entry_programs, fixed, programs, run};

fn bytes(trace: &Trace) -> Vec<u8> {
    let mut bytes = Vec::new();
    write_trace(trace, &mut bytes).unwrap();
    bytes
}

#[track_caller]
fn assert_comes_back(trace: &Trace) {
    let written = bytes(trace);
    let read = read_trace(&written[..]).unwrap();
    assert_eq!(read.ops, trace.ops);
    assert_eq!(read.carried, trace.carried);
    assert_eq!((read.acked_before, read.issued_before), (trace.acked_before, trace.issued_before));
    assert_eq!(read.base.digest(), trace.base.digest());
    assert_eq!(bytes(&read), written);
}

/// A small trace with a beginning, something carried and something of everything done.
fn sample() -> Trace {
    let disk = SimDisk::new();
    disk.create_dir("d").unwrap();
    let file = disk.create("d/f").unwrap();
    file.write_at(5000, b"durable").unwrap();
    disk.settle();
    for mark in [Mark::Issue(1), Mark::Ack(1), Mark::Issue(2)] {
        disk.mark(mark);
    }
    file.write_at(3, b"pending").unwrap();
    disk.rename("d/f", "g").unwrap();
    disk.create("d/h").unwrap();
    let trace = disk.trace();
    let all = trace.ops.len();
    let killed = enumerate(&trace, Profile::Posix, Tiers::ALL)
        .find(|state| state.at == all && state.kind == CrashKind::ProcessKill);
    let next = SimDisk::from_state(&killed.unwrap());
    next.mark(Mark::Shown(2));
    let file = next.create("i").unwrap();
    file.set_len(9).unwrap();
    file.sync(SyncKind::Data).unwrap();
    file.sync(SyncKind::Full).unwrap();
    next.create_dir("e").unwrap();
    next.sync_dir(".").unwrap();
    next.mark(Mark::Issue(3));
    next.remove("g").unwrap();
    next.rename("i", "e/i").unwrap();
    next.mark(Mark::Ack(3));
    next.trace()
}

/// Every life a first life's crashes lead to, as the trace it begins with.
fn next_lives(trace: &Trace) -> Vec<Trace> {
    let mut dedup = Dedup::default();
    let states = enumerate(trace, Profile::Posix, Tiers::ALL);
    let distinct = states.filter(|state: &CrashState| dedup.insert(state)).take(200);
    distinct.map(|state| SimDisk::from_state(&state).trace()).collect()
}

/// Bytes in place of others: so many out, these in, at a part of the whole.
#[derive(Debug, Clone)]
struct Change {
    at: prop::sample::Index,
    out: usize,
    into: Vec<u8>,
}

fn change() -> impl Strategy<Value = Change> {
    let into = proptest::collection::vec(any::<u8>(), 0..4);
    (any::<prop::sample::Index>(), 0..12_usize, into).prop_map(|(at, out, into)| Change {
        at,
        out,
        into,
    })
}

impl Change {
    fn make(&self, bytes: &mut Vec<u8>) {
        let at = self.at.index(bytes.len() + 1);
        let end = (at + self.out).min(bytes.len());
        bytes.splice(at..end, self.into.iter().copied());
    }
}

proptest! {
    #![proptest_config(fixed(40))]

    #[test]
    fn a_trace_comes_back_as_it_was(program in programs(700, 8, 25)) {
        let disk = SimDisk::new();
        run(&disk, &program);
        assert_comes_back(&disk.trace());
        next_lives(&disk.trace()).iter().for_each(assert_comes_back);
    }

    #[test]
    fn traces_of_names_come_back(program in entry_programs(25)) {
        let disk = SimDisk::new();
        run(&disk, &program);
        assert_comes_back(&disk.trace());
        next_lives(&disk.trace()).iter().for_each(assert_comes_back);
    }

    /// Several bytes changed, cut out or put in, so that the change can mend itself.
    #[test]
    fn a_changed_file_is_refused_by_position_or_says_the_same(
        program in programs(700, 4, 10),
        changes in proptest::collection::vec(change(), 1..4),
    ) {
        let disk = SimDisk::new();
        run(&disk, &program);
        let whole = bytes(&disk.trace());
        let mut changed = whole.clone();
        for change in &changes {
            change.make(&mut changed);
        }
        match read_trace(&changed[..]) {
            Ok(read) => prop_assert_eq!(bytes(&read), whole),
            Err(TraceFileError::Foreign) => prop_assert_ne!(&changed[..10.min(changed.len())], &whole[..10]),
            Err(TraceFileError::Newer { .. }) => prop_assert_ne!(&changed[8..10], &whole[8..10]),
            Err(TraceFileError::Broken { position, .. }) => {
                let same = whole.iter().zip(&changed).take_while(|(one, other)| one == other);
                prop_assert!(position <= changed.len() as u64);
                prop_assert!(position <= same.count() as u64);
            }
            Err(TraceFileError::Io(error)) => return Err(TestCaseError::fail(error.to_string())),
        }
    }

    #[test]
    fn arbitrary_bytes_are_refused(noise in proptest::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(read_trace(&noise[..]).is_err());
    }
}

#[test]
fn any_damaged_byte_is_noticed() {
    let whole = bytes(&sample());
    for at in 0..whole.len() {
        for flip in [1, 0x80, 0xff] {
            let mut damaged = whole.clone();
            damaged[at] ^= flip;
            let error = read_trace(&damaged[..]).unwrap_err();
            let told = match error {
                TraceFileError::Foreign => at < 10,
                TraceFileError::Newer { .. } => (8..10).contains(&at),
                TraceFileError::Broken { position, .. } => at >= 10 && position <= at as u64,
                TraceFileError::Io(_) => false,
            };
            assert!(told, "byte {at}: {error}");
        }
    }
}

#[test]
fn a_file_cut_short_or_continued_is_refused() {
    let whole = bytes(&sample());
    for len in 0..whole.len() {
        read_trace(&whole[..len]).unwrap_err();
    }
    let more = [&whole[..], &[0]].concat();
    let error = read_trace(&more[..]).unwrap_err();
    assert_eq!(error.to_string(), format!("byte {}: bytes after the end", whole.len()));
}

#[test]
fn a_newer_version_is_refused_by_its_number() {
    let mut newer = bytes(&sample());
    newer[8] = 2;
    let error = read_trace(&newer[..]).unwrap_err();
    assert_eq!(error.to_string(), "byte 8: a trace of version 2, newer than version 1");
}

/// A trace in which every tag of version 1 occurs, as the first program that knew them wrote it.
const VERSION_1: &[u8] = include_bytes!("fixtures/version-1.trace");

/// The tags of the records in a file.
fn tags(mut file: &[u8]) -> BTreeSet<u8> {
    let mut tags = BTreeSet::new();
    while let Some((len, rest)) = file.split_first_chunk::<4>() {
        let payload = &rest[4..];
        tags.insert(payload[0]);
        file = &payload[usize::try_from(u32::from_le_bytes(*len)).unwrap()..];
    }
    tags
}

#[test]
fn a_file_of_version_1_reads_as_it_always_did() {
    assert_eq!(tags(&VERSION_1[10..]), (0..=7).chain(16..=27).collect());
    let trace = read_trace(VERSION_1).unwrap();
    let base: Vec<String> = trace.base.files().map(|(path, _)| path).collect();
    assert_eq!(base, ["d/f"]);
    assert_eq!((trace.acked_before, trace.issued_before), (1, 2));
    assert_eq!(trace.carried.len(), 3);
    insta::assert_snapshot!(trace, @r"
    #0 write d/f 3+7 (carried)
    #1 rename d/f g (carried)
    #2 create d/h (carried)
    #3 shown 2
    #4 create i
    #5 set_len i 9
    #6 sync_data i
    #7 sync i
    #8 create_dir e
    #9 sync_dir .
    #10 issue 3
    #11 remove g
    #12 rename i e/i
    #13 ack 3
    ");
    assert_eq!(bytes(&trace), VERSION_1);
    assert_eq!(bytes(&sample()), VERSION_1);
}
