use super::*;

/// Between its fork and its exec, a child process holds every descriptor of its parent. A store
/// that was closed and opened again meanwhile was "locked", though nobody had it open.
#[test]
fn a_dropped_lock_is_free_though_a_child_process_still_holds_its_file() {
    let dir = tempfile::tempdir().unwrap();
    let storage = FileStorage::new(dir.path());
    let held = storage.take_lock("LOCK").unwrap();
    let inherited = held.file.try_clone().unwrap();
    assert!(storage.lock("LOCK").is_err());
    drop(held);
    assert!(storage.lock("LOCK").is_ok());
    drop(inherited);
}
