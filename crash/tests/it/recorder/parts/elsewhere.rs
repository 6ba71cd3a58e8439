//! What changes outside the watched directory, beside the file `old`, and what does not.

use std::fs::{self, File, OpenOptions};
use std::io::Write;

use rustix::fs::{MemfdFlags, Mode, OFlags};
use rustix::mm::ProtFlags;

use super::map;

const STORED: ProtFlags = ProtFlags::READ.union(ProtFlags::WRITE);

/// For writing, then for reading.
pub(super) fn mapped() {
    let file = OpenOptions::new().read(true).write(true).open("../old").unwrap();
    map(&file, 3, STORED);
    map(&file, 3, ProtFlags::READ);
}

pub(super) fn cut_by_path() {
    // SAFETY: the path is a C string.
    assert_eq!(unsafe { nix::libc::truncate(c"../old".as_ptr(), 1) }, 0);
}

/// A socket, to a path.
pub(super) fn bound() {
    drop(std::os::unix::net::UnixListener::bind("../socket").unwrap());
}

/// Memory, and a temporary file.
pub(super) fn nameless() {
    let memory = rustix::fs::memfd_create("memory", MemfdFlags::empty()).unwrap();
    let flags = OFlags::TMPFILE | OFlags::RDWR;
    let unnamed = rustix::fs::open("..", flags, Mode::RUSR).unwrap();
    for mut file in [File::from(memory), File::from(unnamed)] {
        file.write_all(b"for now").unwrap();
        file.set_len(4096).unwrap();
        map(&file, 4096, STORED);
    }
}

pub(super) fn of_the_kernel() {
    fs::write("/proc/self/comm", b"renamed").unwrap();
    fs::write("/dev/null", b"nothing").unwrap();
}
