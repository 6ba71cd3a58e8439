use std::fs;

use super::{PLACES, Scratch};

#[test]
fn a_directory_is_known_as_long_as_it_is_there() {
    let outside = tempfile::tempdir().unwrap();
    let scratch = Scratch::below(outside.path()).unwrap();
    let path = scratch.path().to_path_buf();
    fs::write(path.join("file"), "bytes").unwrap();
    assert!(PLACES.lock().contains(&path));
    drop(scratch);
    assert!(!path.exists() && !PLACES.lock().contains(&path));
}

#[test]
fn below_what_is_not_there_nothing_can_be_made() {
    let outside = tempfile::tempdir().unwrap();
    let missing = outside.path().join("missing");
    assert_eq!(Scratch::below(&missing).unwrap_err().kind(), std::io::ErrorKind::NotFound);
}
