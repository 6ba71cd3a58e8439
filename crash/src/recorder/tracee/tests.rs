use std::ffi::OsStr;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};

use nix::libc::AT_FDCWD;

use super::{FileId, LastLink, Mapping, Stat, Tracee};

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
fn paths_start_where_the_tracee_starts_them() {
    for (dir, text, start, rest) in [
        (AT_FDCWD, "a/b", "/proc/7/cwd", "a/b"),
        (3, "a", "/proc/7/fd/3", "a"),
        (3, "", "/proc/7/fd/3", ""),
        (3, "/a", "/proc/7/root", "a"),
        (AT_FDCWD, "/proc/self/fd/5", "/proc/7", "fd/5"),
        (AT_FDCWD, "/proc//self/./cwd", "/proc/7", "cwd"),
        (AT_FDCWD, "/proc/thread-self/fd/5", "/proc/7/task/7", "fd/5"),
        (AT_FDCWD, "/proc/9/fd/5", "/proc/7/root/proc", "9/fd/5"),
        (AT_FDCWD, "/dev/fd/5", "/proc/7/fd", "5"),
        (AT_FDCWD, "/dev/fdx", "/proc/7/root", "dev/fdx"),
    ] {
        let (from, on, _) = Tracee(7).start(dir, Path::new(text));
        assert_eq!((from.as_path(), on), (Path::new(start), Path::new(rest)), "{text}");
    }
}

#[test]
fn a_way_through_the_links_of_a_process_is_taken_at_the_beginning_only() {
    let own = Tracee(i32::try_from(std::process::id()).unwrap());
    let dir = tempfile::tempdir().unwrap();
    let inside = dir.path().canonicalize().unwrap();
    let open = std::fs::File::open(&inside).unwrap();
    let fd = open.as_raw_fd();
    std::os::unix::fs::symlink("/proc/self/fd", inside.join("link")).unwrap();
    let led = |text: String, last| own.open_path(AT_FDCWD, OsStr::new(&text), last);
    let id = Stat::of_handle(&OwnedFd::from(open.try_clone().unwrap())).unwrap().id;
    for text in [format!("/proc/self/fd/{fd}"), format!("/dev/fd/{fd}")] {
        assert_eq!(Stat::of_handle(&led(text, LastLink::Followed).unwrap()).unwrap().id, id);
    }
    let through = |last| led(format!("{}/link/{fd}", inside.display()), last);
    assert_eq!(through(LastLink::Followed).unwrap_err().raw_os_error(), Some(nix::libc::ELOOP));
}
