//! Lives after a crash: what an earlier one left pending.

use std::collections::BTreeSet;
use std::io;

use proofhouse_crash::{
    Choice, CrashKind, CrashState, Exception, Fate, Mark, Part, Profile, Rest, SimDisk, SyncKind,
    Tiers, enumerate,
};

use crate::outcome::{every_outcome, outcome};

fn killed_at_end(disk: &SimDisk) -> CrashState {
    let trace = disk.trace();
    trace.state(&Choice { at: trace.ops.len(), fate: Fate::Kill { cut: None } }).unwrap()
}

/// A life that leaves a file and its content pending, killed; and the next life.
fn life_two() -> SimDisk {
    let disk = SimDisk::new();
    disk.create("a").unwrap().write_at(0, &[b'N'; 512]).unwrap();
    SimDisk::from_state(&killed_at_end(&disk))
}

#[test]
fn what_a_kill_left_pending_is_visible_and_can_still_be_lost() {
    let disk = life_two();
    assert_eq!(outcome(&disk.tree()), "a=N");
    let outcomes = every_outcome(&disk.trace(), Profile::Posix, 0);
    assert_eq!(outcomes, BTreeSet::from(["nothing", "a=", "a=.", "a=N"].map(str::to_owned)));
}

#[test]
fn a_sync_in_the_next_life_covers_what_was_pending() {
    let disk = life_two();
    disk.open("a").unwrap().sync(SyncKind::Data).unwrap();
    disk.sync_dir(".").unwrap();
    let trace = disk.trace();
    assert_eq!(
        every_outcome(&trace, Profile::Posix, trace.ops.len()),
        BTreeSet::from(["a=N".to_owned()])
    );
}

#[test]
fn pending_operations_pass_through_any_number_of_lives() {
    let mut disk = life_two();
    for _ in 0..3 {
        disk = SimDisk::from_state(&killed_at_end(&disk));
    }
    let tiers = Tiers { kill: false, ..Tiers::NESTED };
    let lost: Vec<String> =
        enumerate(&disk.trace(), Profile::Posix, tiers).map(|state| outcome(&state.base)).collect();
    assert_eq!(lost, ["nothing"]);
}

#[test]
fn settling_makes_all_durable_whatever_it_came_from() {
    let disk = life_two();
    disk.settle();
    let trace = disk.trace();
    assert!(trace.carried.is_empty() && trace.ops.is_empty());
    for state in enumerate(&trace, Profile::Posix, Tiers::ALL) {
        assert_eq!(outcome(&state.visible()), "a=N");
    }
}

#[test]
fn power_loss_leaves_nothing_pending() {
    let trace = life_two().trace();
    for state in enumerate(&trace, Profile::Posix, Tiers::POWER_LOSS) {
        assert_eq!((state.kind, state.pending.len()), (CrashKind::PowerLoss, 0));
    }
}

#[test]
fn bytes_past_a_lost_size_never_come_back() {
    let disk = SimDisk::new();
    disk.create("a").unwrap();
    disk.settle();
    disk.open("a").unwrap().write_at(0, &[b'N'; 512]).unwrap();
    let data = vec![Exception { op: 0, part: Part::Data }];
    let fate = Fate::PowerLoss { profile: Profile::Posix, rest: Rest::Lost, except: data };
    let state = disk.trace().state(&Choice { at: 1, fate }).unwrap();
    assert_eq!(outcome(&state.base), "a=");
    let next = SimDisk::from_state(&state);
    next.open("a").unwrap().set_len(512).unwrap();
    assert_eq!(outcome(&next.tree()), "a=.");
}

#[test]
fn a_file_removed_for_good_takes_its_pending_content_along() {
    let disk = SimDisk::new();
    let file = disk.create("a").unwrap();
    disk.sync_dir(".").unwrap();
    disk.remove("a").unwrap();
    disk.sync_dir(".").unwrap();
    file.write_at(0, b"still open").unwrap();
    let state = killed_at_end(&disk);
    assert_eq!((outcome(&state.base), state.pending.len()), ("nothing".to_owned(), 0));
}

#[test]
fn events_go_on_counting_until_an_open_has_shown_some() {
    let disk = SimDisk::new();
    disk.mark(Mark::Issue(1));
    disk.mark(Mark::Ack(1));
    disk.mark(Mark::Issue(2));
    disk.mark(Mark::Issue(3));
    let disk = SimDisk::from_state(&killed_at_end(&disk));
    disk.mark(Mark::Shown(2));
    disk.mark(Mark::Issue(3));
    disk.mark(Mark::Ack(3));
    let trace = disk.trace();
    let windows: Vec<_> = enumerate(&trace, Profile::Posix, Tiers::KILLS)
        .map(|state| (state.acked, state.issued, state.shown))
        .collect();
    assert_eq!(windows, [(1, 3, None), (2, 2, Some(2)), (2, 3, Some(2)), (3, 3, Some(2))]);
}

#[test]
fn locks_and_hooks_end_with_their_process() -> io::Result<()> {
    let disk = SimDisk::new();
    let _held = disk.try_lock("LOCK")?;
    assert_eq!(disk.try_lock("LOCK").err().map(|e| e.kind()), Some(io::ErrorKind::WouldBlock));
    disk.set_hook(Some(std::sync::Arc::new(|_| Err(io::ErrorKind::StorageFull.into()))));
    let next = SimDisk::from_state(&killed_at_end(&disk));
    next.try_lock("LOCK").map(drop)
}
