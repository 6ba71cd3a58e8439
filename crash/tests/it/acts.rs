//! Random programs for a disk.

use proofhouse_crash::{Mark, SimDisk, SyncKind};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

/// The paths programs use; `d` is the only directory they make.
pub(crate) const FILES: [&str; 4] = ["a", "b", "d/a", "d/b"];

/// One thing a program does. Lengths and offsets are in units the strategy chose.
#[derive(Debug, Clone)]
pub(crate) enum Act {
    Create(usize),
    MakeDir,
    Write { file: usize, offset: u64, len: usize, byte: u8 },
    SetLen { file: usize, len: u64 },
    Remove(usize),
    Rename(usize, usize),
    Sync(usize),
    SyncDir(&'static str),
    Mark(bool),
}

/// So many cases, the same in every run.
pub(crate) fn fixed(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        rng_seed: RngSeed::Fixed(1),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

/// Programs with offsets and lengths that are multiples of `unit`, up to `units` of them.
pub(crate) fn programs(unit: u64, units: u64, longest: usize) -> impl Strategy<Value = Vec<Act>> {
    let file = || prop_oneof![3 => 0..1_usize, 1 => 1..FILES.len()];
    let byte = prop_oneof![6 => b'A'..=b'F', 1 => Just(0)];
    let write = (file(), 0..units, 1..=units, byte).prop_map(move |(file, at, len, byte)| {
        let len = usize::try_from(len * unit).unwrap();
        Act::Write { file, offset: at * unit, len, byte }
    });
    let act = prop_oneof![
        3 => file().prop_map(Act::Create),
        1 => Just(Act::MakeDir),
        4 => write,
        2 => (file(), 0..=units).prop_map(move |(file, n)| Act::SetLen { file, len: n * unit }),
        1 => file().prop_map(Act::Remove),
        2 => (file(), file()).prop_map(|(from, to)| Act::Rename(from, to)),
        2 => file().prop_map(Act::Sync),
        1 => prop_oneof![Just("."), Just("d")].prop_map(Act::SyncDir),
        1 => any::<bool>().prop_map(Act::Mark),
    ];
    proptest::collection::vec(act, 0..longest).prop_map(|acts| {
        // Most acts are on one file, so that they meet each other's effects.
        [Act::Create(0)].into_iter().chain(acts).collect()
    })
}

/// Programs that only change entries, so that these come to depend on each other.
pub(crate) fn entry_programs(longest: usize) -> impl Strategy<Value = Vec<Act>> {
    let file = || prop_oneof![4 => 0..2_usize, 1 => 2..FILES.len()];
    let act = prop_oneof![
        4 => file().prop_map(Act::Create),
        1 => Just(Act::MakeDir),
        2 => file().prop_map(Act::Remove),
        4 => (file(), file()).prop_map(|(from, to)| Act::Rename(from, to)),
        1 => prop_oneof![Just("."), Just("d")].prop_map(Act::SyncDir),
    ];
    proptest::collection::vec(act, 0..longest)
}

/// Runs a program; acts that fail change nothing, which is what a program may see.
pub(crate) fn run(disk: &SimDisk, program: &[Act]) {
    let mut event = 0;
    for act in program {
        let open = |file: &usize| disk.open(FILES[*file]);
        let _ = match act {
            Act::Create(file) => disk.create(FILES[*file]).map(drop),
            Act::MakeDir => disk.create_dir("d"),
            Act::Write { file, offset, len, byte } => {
                open(file).and_then(|file| file.write_at(*offset, &vec![*byte; *len]))
            }
            Act::SetLen { file, len } => open(file).and_then(|file| file.set_len(*len)),
            Act::Remove(file) => disk.remove(FILES[*file]),
            Act::Rename(from, to) => disk.rename(FILES[*from], FILES[*to]),
            Act::Sync(file) => open(file).and_then(|file| file.sync(SyncKind::Data)),
            Act::SyncDir(dir) => disk.sync_dir(dir),
            Act::Mark(issue) => {
                event += u64::from(*issue);
                disk.mark(if *issue { Mark::Issue(event) } else { Mark::Ack(event) });
                Ok(())
            }
        };
    }
}
