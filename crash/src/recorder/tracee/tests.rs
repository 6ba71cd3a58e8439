use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use nix::libc::AT_FDCWD;

use super::{FileId, Mapping, Tracee};

#[test]
fn a_line_of_maps_tells_access_file_and_path() {
    let line = b"7f00-8f00 rw-s 00002000 fe:01 42                   /data/my store-shm";
    let mapping = Mapping::parse(line).unwrap();
    assert_eq!(mapping.addresses, (0x7f00, 0x8f00));
    assert!(mapping.writable && mapping.shared);
    assert_eq!(mapping.offset, 0x2000);
    assert_eq!(mapping.id, FileId { dev: rustix::fs::makedev(0xfe, 1), ino: 42 });
    assert_eq!(mapping.path, PathBuf::from("/data/my store-shm"));
}

#[test]
fn memory_that_is_no_files_is_left_out() {
    for line in [&b"7f00-8f00 rw-p 00000000 00:00 0 "[..], b"7f00-8f00 rw-p 0 00:00 0 [heap]", b""]
    {
        assert!(Mapping::parse(line).is_none());
    }
}

#[test]
fn paths_are_resolved_as_the_tracee_sees_them() {
    for (dir, text, expected) in [
        (AT_FDCWD, "a/b", "/proc/7/cwd/a/b"),
        (3, "a", "/proc/7/fd/3/a"),
        (3, "", "/proc/7/fd/3"),
        (3, "/a", "/proc/7/root/a"),
        (AT_FDCWD, "/proc/self/fd/5", "/proc/7/fd/5"),
        (AT_FDCWD, "/proc/thread-self/fd/5", "/proc/7/task/7/fd/5"),
    ] {
        assert_eq!(Tracee(7).resolve(dir, OsStr::new(text)), Path::new(expected));
    }
}
