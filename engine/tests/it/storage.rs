//! What the engine may count on, of every medium that ships.

use std::io::{self, ErrorKind};
use std::sync::Arc;

use bytes::Bytes;
use entidb_engine::IdSource;
use entidb_engine::storage::{
    File, FileStorage, MemStorage, OsEntropy, PARENT, ROOT, Storage, SyncKind,
};

/// Runs a test on each medium, none of which has even the store's directory yet.
fn on_each(test: impl Fn(&dyn Storage)) {
    test(&MemStorage::new());
    let dir = tempfile::tempdir().unwrap();
    test(&FileStorage::new(dir.path().join("store")));
}

/// The same with an empty store's directory, and one directory in it.
fn in_each(test: impl Fn(&dyn Storage)) {
    on_each(|storage| {
        storage.create_dir(ROOT).unwrap();
        storage.create_dir("SUB").unwrap();
        test(storage);
    });
}

#[track_caller]
fn check_kind<T>(answer: io::Result<T>, expected: ErrorKind) {
    assert_eq!(answer.err().map(|error| error.kind()), Some(expected));
}

fn content(file: &Arc<dyn File>) -> Vec<u8> {
    let mut bytes = vec![0; usize::try_from(file.len().unwrap()).unwrap()];
    file.read_at(0, &mut bytes).unwrap();
    bytes
}

#[test]
fn nothing_is_there_before_the_directory() {
    on_each(|storage| {
        check_kind(storage.list(ROOT), ErrorKind::NotFound);
        check_kind(storage.open("a"), ErrorKind::NotFound);
        check_kind(storage.create("a"), ErrorKind::NotFound);
        check_kind(storage.lock("LOCK").map(drop), ErrorKind::NotFound);
        storage.create_dir(ROOT).unwrap();
        storage.create_dir(ROOT).unwrap();
        assert_eq!(storage.list(ROOT).unwrap(), [""; 0]);
        storage.sync_dir(ROOT).unwrap();
        storage.sync_dir(PARENT).unwrap();
    });
}

#[test]
fn files_are_created_exclusively_and_opened_only_if_they_exist() {
    in_each(|storage| {
        for name in ["a", "SUB/a"] {
            check_kind(storage.open(name), ErrorKind::NotFound);
            storage.create(name).unwrap().write_at(0, name.as_bytes()).unwrap();
            check_kind(storage.create(name), ErrorKind::AlreadyExists);
            assert_eq!(content(&storage.open(name).unwrap()), name.as_bytes());
        }
        check_kind(storage.create("SUB"), ErrorKind::AlreadyExists);
        check_kind(storage.create("NONE/a"), ErrorKind::NotFound);
        check_kind(storage.create_dir("a"), ErrorKind::NotADirectory);
        check_kind(storage.list("a"), ErrorKind::NotADirectory);
        check_kind(storage.list("NONE"), ErrorKind::NotFound);
    });
}

#[test]
fn names_are_listed_in_order_without_their_path() {
    in_each(|storage| {
        for name in ["b", "a", "SUB/d", "SUB/c"] {
            storage.create(name).unwrap();
        }
        assert_eq!(storage.list(ROOT).unwrap(), ["SUB", "a", "b"]);
        assert_eq!(storage.list("SUB").unwrap(), ["c", "d"]);
    });
}

#[test]
fn writes_beyond_the_end_and_growth_leave_zeros() {
    in_each(|storage| {
        let file = storage.create("a").unwrap();
        assert!(file.is_empty().unwrap());
        file.write_at(2, b"cd").unwrap();
        assert_eq!(content(&file), b"\0\0cd");
        file.write_at(0, b"ab").unwrap();
        file.set_len(6).unwrap();
        assert_eq!(content(&file), b"abcd\0\0");
        file.set_len(1).unwrap();
        assert_eq!(content(&file), b"a");
        assert!(!file.is_empty().unwrap());
        file.sync(SyncKind::Data).unwrap();
        file.sync(SyncKind::Full).unwrap();
    });
}

#[test]
fn reads_and_views_are_whole_or_an_error() {
    in_each(|storage| {
        let file = storage.create("a").unwrap();
        file.write_at(0, &(0..100).collect::<Vec<u8>>()).unwrap();
        let mut bytes = [0; 10];
        file.read_at(90, &mut bytes).unwrap();
        assert!(bytes.into_iter().eq(90..100));
        check_kind(file.read_at(91, &mut bytes), ErrorKind::UnexpectedEof);
        check_kind(file.read_at(1000, &mut bytes), ErrorKind::UnexpectedEof);
        assert_eq!(file.view(90..100).unwrap(), (90..100).collect::<Bytes>());
        assert_eq!(file.view(100..100).unwrap(), Bytes::new());
        check_kind(file.view(90..101), ErrorKind::UnexpectedEof);
        check_kind(file.view(u64::MAX - 1..u64::MAX), ErrorKind::UnexpectedEof);
    });
}

#[test]
fn a_rename_replaces_and_what_was_there_stays_readable() {
    in_each(|storage| {
        let old = storage.create("to").unwrap();
        old.write_at(0, b"old").unwrap();
        storage.create("from").unwrap().write_at(0, b"new").unwrap();
        storage.rename("from", "to").unwrap();
        assert_eq!(content(&storage.open("to").unwrap()), b"new");
        assert_eq!(content(&old), b"old");
        check_kind(storage.open("from"), ErrorKind::NotFound);
        check_kind(storage.rename("from", "to"), ErrorKind::NotFound);
    });
}

#[test]
fn a_removed_file_stays_readable_to_those_who_hold_it() {
    in_each(|storage| {
        let file = storage.create("a").unwrap();
        file.write_at(0, b"kept").unwrap();
        let view = file.view(0..4).unwrap();
        storage.remove("a").unwrap();
        check_kind(storage.remove("a"), ErrorKind::NotFound);
        check_kind(storage.open("a"), ErrorKind::NotFound);
        assert_eq!(content(&file), b"kept");
        assert_eq!(view, b"kept"[..]);
    });
}

#[test]
fn a_lock_excludes_until_it_is_dropped() {
    in_each(|storage| {
        let guard = storage.lock("LOCK").unwrap();
        check_kind(storage.lock("LOCK").map(drop), ErrorKind::WouldBlock);
        assert_eq!(storage.list(ROOT).unwrap(), ["LOCK", "SUB"]);
        drop(guard);
        drop(storage.lock("LOCK").unwrap());
        assert!(storage.open("LOCK").is_ok(), "the file stays");
    });
}

#[test]
fn only_the_owner_may_read_real_files() {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("store");
    let storage = FileStorage::new(&root);
    storage.create_dir(ROOT).unwrap();
    storage.create("a").unwrap();
    drop(storage.lock("LOCK").unwrap());
    let mode = |name: &str| root.join(name).metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(["", "a", "LOCK"].map(mode), [0o700, 0o600, 0o600]);
    assert_eq!(storage.root(), root);
}

#[test]
fn identities_from_the_system_do_not_repeat() {
    let mut drawn: Vec<_> = (0..100).map(|_| OsEntropy.next_id().unwrap()).collect();
    drawn.sort_unstable();
    drawn.dedup();
    assert_eq!(drawn.len(), 100);
}
