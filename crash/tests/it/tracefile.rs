//! Trace files: what is written is read again, and nothing else is.

use proofhouse_crash::{
    CrashState, Dedup, Profile, SimDisk, Tiers, Trace, TraceFileError, enumerate, read_trace,
    write_trace,
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

/// A small trace with a beginning, something carried and something done.
fn sample() -> Trace {
    let disk = SimDisk::new();
    disk.create_dir("d").unwrap();
    let file = disk.create("d/f").unwrap();
    file.write_at(5000, b"durable").unwrap();
    disk.settle();
    disk.mark(proofhouse_crash::Mark::Issue(1));
    file.write_at(3, b"pending").unwrap();
    disk.rename("d/f", "g").unwrap();
    let trace = disk.trace();
    let killed = enumerate(&trace, Profile::Posix, Tiers::ALL).find(|state| state.at == 3).unwrap();
    let next = SimDisk::from_state(&killed);
    next.create("h").unwrap().set_len(9).unwrap();
    next.trace()
}

/// Every life a first life's crashes lead to, as the trace it begins with.
fn next_lives(trace: &Trace) -> Vec<Trace> {
    let mut dedup = Dedup::default();
    let states = enumerate(trace, Profile::Posix, Tiers::ALL);
    let distinct = states.filter(|state: &CrashState| dedup.insert(state)).take(200);
    distinct.map(|state| SimDisk::from_state(&state).trace()).collect()
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
    assert_eq!(error.to_string(), "a trace of version 2, newer than version 1");
}

#[test]
fn the_bytes_of_a_small_trace_are_these() {
    let lines: Vec<String> = bytes(&sample()).chunks(32).map(hex::encode).collect();
    insta::assert_snapshot!(lines.join("\n"));
}
