//! Ways to a file: paths, working directories, descriptors, other names.

use std::ffi::CStr;
use std::fs::{self, File, OpenOptions};
use std::io::{IoSlice, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::FileExt;
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::thread;

use rustix::fs::{AtFlags, CWD, Mode, OFlags, ResolveFlags};
use rustix::io::ReadWriteFlags;
use rustix::mm::{Advice, MapFlags, ProtFlags, mmap, mmap_anonymous};

use super::create;

/// The flags of `pwritev2` and a description that appends, against each other.
pub(super) fn appends() {
    const NOAPPEND: ReadWriteFlags = ReadWriteFlags::from_bits_retain(32);
    let file = create("plain");
    let part = [IoSlice::new(b"part")];
    let write = |file: &File, at, flags| rustix::io::pwritev2(file, &part, at, flags);
    write(&file, 8, ReadWriteFlags::empty()).unwrap();
    write(&file, 0, ReadWriteFlags::APPEND).unwrap();
    write(&file, u64::MAX, ReadWriteFlags::APPEND).unwrap();
    write(&file, u64::MAX, ReadWriteFlags::empty()).unwrap();
    let log = OpenOptions::new().append(true).create(true).open("log").unwrap();
    write(&log, 0, ReadWriteFlags::empty()).unwrap();
    write(&log, 0, ReadWriteFlags::APPEND).unwrap();
    // Linux knows it since 6.9; before, the same bytes go there by another description.
    if write(&log, 1, NOAPPEND).is_err() {
        OpenOptions::new().write(true).open("log").unwrap().write_all_at(b"part", 1).unwrap();
    }
}

pub(super) fn paths() {
    fs::create_dir("d").unwrap();
    std::os::unix::fs::symlink(fs::canonicalize("d").unwrap(), "../way").unwrap();
    std::os::unix::fs::symlink("way", "../ways").unwrap();
    create("../ways/by_links").write_all(b"one").unwrap();
    fs::rename("../way/../d/./by_links", "../ways/renamed").unwrap();
    let dir = File::open("d").unwrap();
    for base in ["/proc/self/fd", "/dev/fd", "/proc/thread-self/fd"] {
        let path = format!("{base}/{}/by_descriptor", dir.as_raw_fd());
        create(&path).write_all(b"two").unwrap();
    }
    fs::create_dir("/proc/self/cwd/by_cwd").unwrap();
    // A path that is only looked at is not cut.
    let flags = OFlags::PATH | OFlags::TRUNC | OFlags::CREATE;
    drop(rustix::fs::open("d/renamed", flags, Mode::empty()).unwrap());
    fs::remove_file("../ways/by_descriptor").unwrap();
    rustix::fs::unlinkat(CWD, "by_cwd", AtFlags::REMOVEDIR).unwrap();
    // SAFETY: the path is a C string.
    assert_eq!(unsafe { nix::libc::truncate(c"../ways/renamed".as_ptr(), 2) }, 0);
}

/// The directory a path is relative to is its root.
pub(super) fn through_the_root_of_a_path() {
    fs::create_dir("d").unwrap();
    let root = File::open("d").unwrap();
    let flags = OFlags::CREATE | OFlags::WRONLY;
    let file = rustix::fs::openat2(&root, "/f", flags, Mode::RUSR, ResolveFlags::IN_ROOT);
    File::from(file.unwrap()).write_all(b"in d").unwrap();
}

/// A thread can have a working directory of its own.
pub(super) fn own_directories() {
    fs::create_dir("a").unwrap();
    fs::create_dir("b").unwrap();
    thread::scope(|scope| {
        for dir in ["a", "b"] {
            scope.spawn(move || {
                let own = nix::libc::CLONE_FS;
                // SAFETY: nobody relies on sharing this thread's working directory.
                assert_eq!(unsafe { nix::libc::unshare(own) }, 0);
                std::env::set_current_dir(dir).unwrap();
                create("f").write_all(dir.as_bytes()).unwrap();
            });
        }
    });
    std::env::set_current_dir("a").unwrap();
    create("g").write_all(b"in a").unwrap();
    rustix::process::fchdir(File::open("../b").unwrap()).unwrap();
    fs::rename("f", "../f").unwrap();
    std::env::set_current_dir("..").unwrap();
    create("h").write_all(b"at the root").unwrap();
}

/// A name elsewhere changes nothing here.
pub(super) fn names_elsewhere() {
    let mut file = create("f");
    file.write_all(b"one").unwrap();
    fs::hard_link("f", "../f").unwrap();
    OpenOptions::new().append(true).open("../f").unwrap().write_all(b" two").unwrap();
    fs::remove_file("../f").unwrap();
    create("../other").write_all(b"elsewhere").unwrap();
    fs::rename("../other", "../another").unwrap();
    file.write_all(b"three").unwrap();
}

/// The number of a removed file may be given to a new one, without a name at first.
pub(super) fn numbers_that_come_back() {
    for round in 0..4 {
        create("gone").write_all(b"gone").unwrap();
        fs::remove_file("gone").unwrap();
        let flags = OFlags::TMPFILE | OFlags::WRONLY;
        let mut unnamed = File::from(rustix::fs::open("..", flags, Mode::RUSR).unwrap());
        unnamed.write_all(b"elsewhere").unwrap();
        let own = format!("/proc/self/fd/{}", unnamed.as_raw_fd());
        let name = format!("../named-{round}");
        rustix::fs::linkat(CWD, own, CWD, name, AtFlags::SYMLINK_FOLLOW).unwrap();
        unnamed.write_all(b", still").unwrap();
    }
}

/// A descriptor's number stands for another file after an `exec`.
pub(super) fn closed_by_exec() {
    let mut file = create("before");
    let mut ninth = File::from(rustix::io::fcntl_dupfd_cloexec(&file, 9).unwrap());
    assert_eq!(ninth.as_raw_fd(), 9);
    file.write_all(b"one").unwrap();
    ninth.write_all(b"two").unwrap();
    let script = "(echo lost >&9) 2> /dev/null; exec 9> after; echo three >&9";
    let returned = Command::new("/bin/sh").args(["-c", script]).exec();
    assert_eq!(returned.raw_os_error(), None, "it returned");
}

/// Children that share their parent's memory, which waits for their `exec` or their end.
pub(super) fn borrowed_memory() {
    let output = create("output");
    let script = "echo from the child";
    let child = Command::new("/bin/sh").args(["-c", script]).stdout(output).spawn();
    assert!(child.unwrap().wait().unwrap().success());
    let child = make_dir_in_vfork(c"d");
    nix::sys::wait::waitpid(nix::unistd::Pid::from_raw(child), None).unwrap();
    create("d/f").write_all(b"from the parent").unwrap();
}

/// Makes a directory in a child that runs in our memory, on our stack.
fn make_dir_in_vfork(path: &CStr) -> i32 {
    let child: i64;
    // SAFETY: the child uses registers only, which are its own, and ends; the path is a C string.
    unsafe {
        std::arch::asm!(
            "syscall",
            "test rax, rax",
            "jnz 2f",
            "mov eax, 83", // mkdir
            "syscall",
            "mov eax, 60", // exit
            "xor edi, edi",
            "syscall",
            "2:",
            inout("rax") nix::libc::SYS_vfork => child,
            in("rdi") path.as_ptr(),
            in("rsi") 0o700,
            out("rcx") _,
            out("r11") _,
            options(nostack),
        );
    }
    i32::try_from(child).unwrap()
}

pub(super) fn private_mapping() {
    let file = create("f");
    file.set_len(4096).unwrap();
    let access = ProtFlags::READ | ProtFlags::WRITE;
    let anywhere = std::ptr::null_mut();
    // SAFETY: new mappings, where the kernel chooses; they stay.
    unsafe {
        let private = mmap(anywhere, 4096, access, MapFlags::PRIVATE, &file, 0).unwrap();
        private.cast::<u8>().write(1);
        let nobodys = mmap_anonymous(anywhere, 4096, access, MapFlags::SHARED).unwrap();
        nobodys.cast::<u8>().write(1);
        rustix::mm::madvise(nobodys, 4096, Advice::LinuxRemove).unwrap();
    }
    file.write_all_at(b"by a call", 0).unwrap();
}

/// Requests of `ioctl` that change nothing.
pub(super) fn requests() {
    let file = create("f");
    rustix::io::ioctl_fioclex(&file).unwrap();
    rustix::io::ioctl_fionbio(&file, false).unwrap();
    rustix::io::ioctl_fionread(&file).unwrap();
    // Not every file system knows it.
    let _ = rustix::fs::ioctl_getflags(&file);
    file.write_all_at(b"one", 0).unwrap();
}

/// An `open` that waits for another thread, which has calls of its own to make first.
pub(super) fn waiting_to_open() {
    nix::unistd::mkfifo("../pipe", nix::sys::stat::Mode::S_IRWXU).unwrap();
    let flags = OFlags::CREATE | OFlags::WRONLY;
    thread::scope(|scope| {
        scope.spawn(|| {
            let writer = rustix::fs::open("../pipe", flags, Mode::RUSR).unwrap();
            File::from(writer).write_all(b"!").unwrap();
        });
        let file = create("f");
        for round in 0..100 {
            file.write_all_at(b"round", round).unwrap();
        }
        assert_eq!(fs::read("../pipe").unwrap(), b"!");
    });
}
