//! Traces with one call less, or one call later.

use proofhouse_crash::{
    Change, Mark, Mutation, Profile, SimDisk, SyncKind, Tiers, Trace, enumerate, mutations,
};
use proptest::prelude::*;

use crate::acts::{fixed, programs, run};
use crate::outcome::outcome;

/// Publishes a file by rename, with every sync that takes, and one that is for nothing.
fn publication() -> Trace {
    let disk = SimDisk::new();
    disk.create("m").unwrap().write_at(0, &[b'O'; 512]).unwrap();
    disk.settle();
    disk.mark(Mark::Issue(1));
    let file = disk.create("m.tmp").unwrap();
    file.write_at(0, &[b'N'; 512]).unwrap();
    file.sync(SyncKind::Full).unwrap();
    disk.rename("m.tmp", "m").unwrap();
    disk.sync_dir(".").unwrap();
    disk.mark(Mark::Ack(1));
    file.sync(SyncKind::Data).unwrap();
    disk.trace()
}

/// Whether every power loss leaves the old or the new file, and the new one once acknowledged.
fn holds(trace: &Trace) -> bool {
    enumerate(trace, Profile::Posix, Tiers::ALL).all(|state| {
        let shown = outcome(&state.visible());
        let m = shown.split(' ').find(|part| part.starts_with("m="));
        m == Some("m=N") || (m == Some("m=O") && state.acked == 0)
    })
}

#[test]
fn mutations_of_a_publication_and_what_bears_load() {
    let trace = publication();
    assert!(holds(&trace));
    let story: Vec<String> = mutations(&trace)
        .map(|mutation| {
            let noticed = if holds(&mutation.apply(&trace)) { "no load" } else { "load" };
            format!("{mutation}: {noticed}")
        })
        .collect();
    insta::assert_snapshot!(story.join("\n"), @r"
    swap #2 write m.tmp 0+512 and #3 sync m.tmp: load
    remove #3 sync m.tmp: load
    weaken #3 sync m.tmp: no load
    swap #3 sync m.tmp and #4 rename m.tmp m: load
    remove #4 rename m.tmp m: load
    weaken #4 rename m.tmp m: no load
    swap #4 rename m.tmp m and #5 sync_dir .: load
    remove #5 sync_dir .: load
    swap #5 sync_dir . and #6 ack 1: load
    swap #6 ack 1 and #7 sync_data m: no load
    remove #7 sync_data m: no load
    ");
}

#[test]
fn a_mutation_is_about_the_call_that_orders() {
    let trace = publication();
    let about: Vec<usize> = mutations(&trace).map(|mutation| mutation.about(&trace)).collect();
    // The swaps of #2 with #3 and of #6 with #7 are about the second of the two.
    assert_eq!(about, [3, 3, 3, 3, 4, 4, 4, 5, 5, 7, 7]);
}

#[test]
fn a_mutation_of_another_trace_changes_nothing() {
    let trace = publication();
    let written = serde_json::to_string(&mutations(&trace).last().unwrap()).unwrap();
    let mutation: Mutation = serde_json::from_str(&written).unwrap();
    let empty = SimDisk::new().trace();
    assert!(mutation.apply(&empty).ops.is_empty());
    assert_ne!(mutation.apply(&trace).ops, trace.ops);
}

proptest! {
    #![proptest_config(fixed(100))]

    #[test]
    fn what_the_process_sees_changes_only_where_a_rename_is_left_out(
        program in programs(512, 6, 25),
    ) {
        let disk = SimDisk::new();
        run(&disk, &program);
        let trace = disk.trace();
        for mutation in mutations(&trace) {
            let mutated = mutation.apply(&trace);
            prop_assert_ne!(&mutated.ops, &trace.ops);
            let mut tree = trace.base.clone();
            mutated.ops.iter().for_each(|op| tree.apply(op));
            let renames = mutation.change == Change::Remove
                && mutation.to_string().contains(" rename ");
            prop_assert!(renames || tree.digest() == disk.tree().digest(), "{}", mutation);
        }
    }
}
