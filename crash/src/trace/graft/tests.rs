use super::*;
use crate::{Choice, CrashKind, Mark, Profile, SimDisk, SyncKind, Tiers, enumerate};

/// A life with an unsynced file beside a synced one.
fn first_life() -> Trace {
    let disk = SimDisk::new();
    let kept = disk.create("kept").unwrap();
    disk.mark(Mark::Shown(0));
    disk.mark(Mark::Issue(1));
    kept.write_at(0, b"one").unwrap();
    kept.sync(SyncKind::Data).unwrap();
    disk.mark(Mark::Ack(1));
    let pending = disk.create("pending").unwrap();
    pending.write_at(0, b"two").unwrap();
    disk.trace()
}

/// The kill at the end of a trace.
fn killed(trace: &Trace) -> CrashState {
    let at = trace.ops.len();
    let kill = |state: &CrashState| state.kind == CrashKind::ProcessKill && state.at == at;
    enumerate(trace, Profile::Posix, Tiers::KILLS).find(kill).unwrap()
}

/// What a recorder makes of a life in a directory that holds `tree`: numbers of its own.
fn recorded_in(tree: &Tree, names: [&str; 2]) -> Trace {
    let dir = tempfile::tempdir().unwrap();
    tree.write_to(dir.path()).unwrap();
    let base = Tree::read_from(dir.path()).unwrap();
    let disk = SimDisk::from_tree(base.clone());
    disk.open(names[0]).unwrap().sync(SyncKind::Full).unwrap();
    disk.create(names[1]).unwrap().write_at(0, b"three").unwrap();
    Trace { base, carried: Vec::new(), acked_before: 0, issued_before: 0, ..disk.trace() }
}

#[test]
fn what_came_before_the_first_open_showed_is_durable_once_settled() {
    let settled = first_life().settled();
    assert!(settled.base.file("kept").is_some());
    assert!(matches!(settled.ops[0], MicroOp::Shown { event: 0 }));
    let lost = enumerate(&settled, Profile::Posix, Tiers::ALL)
        .any(|state| state.visible().file("kept").is_none());
    assert!(!lost);
}

#[test]
fn pending_operations_stay_pending_in_a_grafted_life() {
    let state = killed(&first_life());
    let life = recorded_in(&state.visible(), ["kept", "new"]).after(&state).unwrap();
    assert_eq!((life.acked_before, life.issued_before), (1, 1));
    assert_eq!(life.carried, state.pending);
    let loses = |name: &str| {
        enumerate(&life, Profile::Posix, Tiers::ALL)
            .any(|crash| crash.at == life.ops.len() && crash.visible().file(name).is_none())
    };
    // The entry of "kept" was never synced, nor was anything of "pending".
    assert!(loses("pending") && loses("kept") && loses("new"));
    let choice: Choice = killed(&life).choice;
    let mut due = state.visible();
    life.ops.iter().for_each(|op| due.apply(op));
    assert_eq!(life.state(&choice).unwrap().visible().digest(), due.digest());
}

#[test]
fn a_recording_of_other_files_is_refused_by_name() {
    let state = killed(&first_life());
    let mut other = state.visible();
    let ino = other.entry(Ino::ROOT, "kept").unwrap();
    other.apply(&MicroOp::Write { ino, offset: 0, data: b"eno".as_slice().into() });
    let refused = recorded_in(&other, ["kept", "new"]).after(&state);
    assert_eq!(refused.unwrap_err(), Misgrafted { path: "kept".to_owned() });
}
