use std::io::ErrorKind;
use std::sync::atomic::{AtomicU64, Ordering};

use super::*;
use crate::trace::SyncKind;

fn disk() -> SimDisk {
    let disk = SimDisk::new();
    disk.create_dir("d").unwrap();
    disk.create("d/f").unwrap().write_at(0, b"content").unwrap();
    disk
}

#[test]
fn errors_have_the_kind_a_file_system_gives_them() {
    let disk = disk();
    let check = |due: ErrorKind, got: io::Result<()>| {
        assert_eq!(got.map_err(|error| error.kind()), Err(due));
    };
    check(ErrorKind::NotFound, disk.open("none").map(drop));
    check(ErrorKind::NotFound, disk.open("none/f").map(drop));
    check(ErrorKind::NotADirectory, disk.open("d/f/g").map(drop));
    check(ErrorKind::IsADirectory, disk.open("d").map(drop));
    check(ErrorKind::IsADirectory, disk.open(".").map(drop));
    check(ErrorKind::AlreadyExists, disk.create("d/f").map(drop));
    check(ErrorKind::AlreadyExists, disk.create("d").map(drop));
    check(ErrorKind::AlreadyExists, disk.create_dir("d/f"));
    check(ErrorKind::NotFound, disk.create_dir("none/d"));
    check(ErrorKind::NotFound, disk.remove("none"));
    check(ErrorKind::IsADirectory, disk.remove("d"));
    check(ErrorKind::NotFound, disk.rename("none", "f"));
    check(ErrorKind::NotFound, disk.rename("d/f", "none/f"));
    check(ErrorKind::IsADirectory, disk.rename("d/f", "d"));
    check(ErrorKind::Unsupported, disk.rename("d", "e"));
    check(ErrorKind::NotFound, disk.list("none").map(drop));
    check(ErrorKind::NotADirectory, disk.list("d/f").map(drop));
    check(ErrorKind::NotADirectory, disk.sync_dir("d/f"));
    check(ErrorKind::InvalidInput, disk.open("d/..").map(drop));
    check(ErrorKind::InvalidInput, disk.create("").map(drop));
    check(ErrorKind::IsADirectory, disk.try_lock("d").map(drop));
    let file = disk.open("d/f").unwrap();
    check(ErrorKind::UnexpectedEof, file.read_at(1, &mut [0; 7]));
    check(ErrorKind::UnexpectedEof, file.view(0..u64::MAX).map(drop));
    check(ErrorKind::FileTooLarge, file.write_at(u64::MAX, b"x"));
    check(ErrorKind::FileTooLarge, file.set_len(u64::MAX));
}

#[test]
fn the_parent_can_only_be_synced_and_that_leaves_no_trace() {
    let disk = SimDisk::new();
    disk.sync_dir("..").unwrap();
    assert!(disk.trace().ops.is_empty());
    assert_eq!(disk.list("..").map_err(|e| e.kind()), Err(ErrorKind::InvalidInput));
}

#[test]
fn the_root_exists() {
    let disk = disk();
    disk.create_dir(".").unwrap();
    assert_eq!(disk.list(".").unwrap(), ["d"]);
    assert_eq!(disk.trace().ops.len(), 3);
}

#[test]
fn a_removed_or_replaced_file_stays_readable() {
    let disk = disk();
    let held = disk.open("d/f").unwrap();
    disk.create("g").unwrap().write_at(0, b"new").unwrap();
    disk.rename("g", "d/f").unwrap();
    assert_eq!(&held.view(0..7).unwrap()[..], b"content");
    assert_eq!(&disk.open("d/f").unwrap().view(0..3).unwrap()[..], b"new");
    disk.remove("d/f").unwrap();
    held.write_at(7, b"!").unwrap();
    assert_eq!(held.len().unwrap(), 8);
    assert!(disk.list("d").unwrap().is_empty());
}

#[test]
fn a_lock_excludes_until_its_guard_is_dropped() {
    let disk = disk();
    let guard = disk.try_lock("LOCK").unwrap();
    assert_eq!(disk.try_lock("LOCK").err().map(|e| e.kind()), Some(ErrorKind::WouldBlock));
    drop(guard);
    assert!(disk.try_lock("LOCK").is_ok());
    assert_eq!(disk.list(".").unwrap(), ["LOCK", "d"]);
}

#[test]
fn opened_paths_are_those_opened_created_and_locked() {
    let disk = disk();
    disk.open("d/f").unwrap();
    let _lock = disk.try_lock("LOCK").unwrap();
    let _ = disk.open("none");
    assert_eq!(disk.opened_paths(), ["LOCK", "d/f"]);
}

#[test]
fn a_hook_sees_each_call_and_may_use_the_disk() {
    let disk = disk();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let (log, handle) = (Arc::clone(&seen), disk.clone());
    disk.set_hook(Some(Arc::new(move |call| {
        let files = handle.tree().files().count();
        let to = call.to.map(|to| format!(" {to}")).unwrap_or_default();
        log.lock().push(format!(
            "{} {:?} {}{to} {}+{} files={files}",
            call.index, call.kind, call.path, call.offset, call.len
        ));
        Ok(())
    })));
    let first = disk.calls();
    let file = disk.create("f").unwrap();
    file.write_at(5, b"abc").unwrap();
    file.set_len(7).unwrap();
    file.view(1..3).unwrap();
    file.read_at(0, &mut [0; 4]).unwrap();
    file.sync(SyncKind::Data).unwrap();
    file.sync(SyncKind::Full).unwrap();
    file.len().unwrap();
    disk.rename("f", "g").unwrap();
    disk.sync_dir(".").unwrap();
    disk.set_hook(None);
    disk.remove("g").unwrap();
    assert_eq!((first, disk.calls()), (3, 14));
    insta::assert_snapshot!(seen.lock().join("\n"), @r"
    3 Create f 0+0 files=1
    4 Write f 5+3 files=2
    5 SetLen f 7+0 files=2
    6 View f 1+2 files=2
    7 Read f 0+4 files=2
    8 SyncData f 0+0 files=2
    9 SyncFull f 0+0 files=2
    10 Len f 0+0 files=2
    11 Rename f g 0+0 files=2
    12 SyncDir . 0+0 files=2
    ");
}

#[test]
fn a_call_that_its_hook_fails_does_not_happen_but_counts() {
    let disk = disk();
    let file = disk.open("d/f").unwrap();
    let (before, calls) = (disk.tree().digest(), disk.calls());
    let ops = disk.trace().ops.len();
    let failing = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&failing);
    disk.set_hook(Some(Arc::new(move |_| {
        counter.fetch_add(1, Ordering::Relaxed);
        Err(ErrorKind::StorageFull.into())
    })));
    let results = [
        disk.create("new").map(drop),
        disk.remove("d/f"),
        disk.rename("d/f", "g"),
        disk.create_dir("e"),
        disk.sync_dir("."),
        disk.try_lock("LOCK").map(drop),
        file.write_at(0, b"x"),
        file.set_len(0),
        file.sync(SyncKind::Data),
    ];
    for result in results {
        assert_eq!(result.map_err(|error| error.kind()), Err(ErrorKind::StorageFull));
    }
    assert_eq!((disk.tree().digest(), disk.trace().ops.len()), (before, ops));
    assert_eq!((failing.load(Ordering::Relaxed), disk.calls() - calls), (9, 9));
}

#[test]
fn clones_are_handles_to_one_disk() {
    let disk = SimDisk::new();
    let other = disk.clone();
    std::thread::scope(|scope| {
        scope.spawn(|| other.create("a").map(drop).unwrap());
    });
    assert_eq!(disk.list(".").unwrap(), ["a"]);
}
