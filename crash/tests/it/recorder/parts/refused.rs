//! What cannot be recorded in full, and must be named.

use std::fs::{self, File};
use std::io::{Write, pipe, stdout};
use std::os::fd::AsRawFd;
use std::os::unix::fs::FileExt;

use rustix::fs::{CWD, FallocateFlags, RenameFlags, fallocate};
use rustix::mm::{Advice, MprotectFlags, MsyncFlags, ProtFlags};
use rustix::pipe::IoSliceRaw;
use rustix::process::PidfdFlags;

use super::{create, map};

pub(super) fn writable_mapping() {
    let file = create("store-shm");
    file.set_len(4096).unwrap();
    let memory = map(&file, 4096, ProtFlags::READ | ProtFlags::WRITE);
    // SAFETY: the mapping is ours and stays; its file is not truncated.
    unsafe { memory.cast::<u8>().write(1) };
}

pub(super) fn mapping_made_writable() {
    let file = create("store");
    file.set_len(4096).unwrap();
    let memory = map(&file, 4096, ProtFlags::READ);
    // SAFETY: the mapping is ours.
    unsafe { rustix::mm::mprotect(memory, 4096, MprotectFlags::WRITE) }.unwrap();
}

pub(super) fn part_of_a_mapping_synced() {
    let file = create("store");
    file.set_len(8192).unwrap();
    let memory = map(&file, 8192, ProtFlags::READ);
    // SAFETY: the mapping is ours.
    unsafe { rustix::mm::msync(memory, 4096, MsyncFlags::SYNC) }.unwrap();
}

/// A file of two pages, mapped for reading only.
fn two_pages() -> *mut std::ffi::c_void {
    let file = create("store");
    file.write_all_at(&[1; 8192], 0).unwrap();
    map(&file, 8192, ProtFlags::READ)
}

pub(super) fn hole_by_a_mapping() {
    // SAFETY: nobody reads what the mapping shows.
    unsafe { rustix::mm::madvise(two_pages(), 4096, Advice::LinuxRemove) }.unwrap();
}

/// Where a process may give itself such advice by its descriptor; says so.
pub(super) fn hole_by_another_process() {
    let memory = nix::libc::iovec { iov_base: two_pages(), iov_len: 4096 };
    let own = rustix::process::getpid();
    let process = rustix::process::pidfd_open(own, PidfdFlags::empty()).unwrap();
    let (number, advice) = (nix::libc::SYS_process_madvise, nix::libc::MADV_REMOVE);
    // SAFETY: nobody reads what the mapping shows; the vector outlives the call.
    let removed =
        unsafe { nix::libc::syscall(number, process.as_raw_fd(), &raw const memory, 1, advice, 0) };
    if removed == 4096 {
        println!("the call was allowed");
    }
}

pub(super) fn symlink() {
    std::os::unix::fs::symlink("/tmp", "link").unwrap();
    fs::remove_file("link").unwrap();
}

pub(super) fn fifo() {
    nix::unistd::mkfifo("fifo", nix::sys::stat::Mode::S_IRUSR).unwrap();
    fs::remove_file("fifo").unwrap();
}

pub(super) fn exchange() {
    create("a").write_all(b"a").unwrap();
    create("b").write_all(b"b").unwrap();
    rustix::fs::renameat_with(CWD, "a", CWD, "b", RenameFlags::EXCHANGE).unwrap();
}

pub(super) fn collapse() {
    let file = create("f");
    file.write_all_at(&[1; 16_384], 0).unwrap();
    fallocate(&file, FallocateFlags::COLLAPSE_RANGE, 4096, 4096).unwrap();
}

pub(super) fn from_outside() {
    create("../outside").write_all(b"outside").unwrap();
    fs::rename("../outside", "inside").unwrap();
}

pub(super) fn through_a_link() {
    let target = fs::canonicalize(".").unwrap().join("linked");
    std::os::unix::fs::symlink(target, "../link").unwrap();
    create("../link").write_all(b"inside").unwrap();
}

pub(super) fn x32_call() {
    // SAFETY: getpid takes no arguments; the call does not return.
    unsafe { nix::libc::syscall(0x4000_0000 + nix::libc::SYS_getpid) };
}

pub(super) fn i386_call() {
    // SAFETY: number 20 is getpid of 32-bit x86, which takes no arguments; it does not return.
    unsafe { std::arch::asm!("int 0x80", inout("eax") 20 => _) };
}

pub(super) fn socket() {
    drop(std::os::unix::net::UnixListener::bind("socket").unwrap());
    fs::remove_file("socket").unwrap();
}

pub(super) fn request() {
    // struct space_resv (linux/falloc.h): from the start, 4096 bytes, which the file does not show.
    let space = [0u64, 0, 4096, 0, 0, 0];
    let file = create("f");
    // SAFETY: FS_IOC_RESVSP reads the structure, which outlives the call.
    let answer = unsafe { nix::libc::ioctl(file.as_raw_fd(), 0x4030_5828, space.as_ptr()) };
    assert_eq!(answer, 0);
}

/// A file of ours has a name outside, through which it is cut.
pub(super) fn through_another_name() {
    create("f").write_all(b"to be cut").unwrap();
    fs::hard_link("f", "../name").unwrap();
    drop(create("../name"));
}

pub(super) fn through_own_descriptors() {
    let watched = File::open(".").unwrap();
    std::os::unix::fs::symlink("/proc/self/fd", "../descriptors").unwrap();
    create(&format!("../descriptors/{}/f", watched.as_raw_fd()));
}

pub(super) fn root_replaced() {
    fs::create_dir("../fresh").unwrap();
    fs::rename("../fresh", "../watched").unwrap();
}

pub(super) fn root_removed() {
    fs::remove_dir("../watched").unwrap();
}

pub(super) fn around_renamed() {
    let around = fs::canonicalize("..").unwrap();
    let away = around.with_extension("away");
    fs::rename(&around, &away).unwrap();
    fs::rename(&away, &around).unwrap();
}

pub(super) fn memory_as_a_reply() {
    let flags = rustix::pipe::SpliceFlags::empty();
    let reply = [IoSliceRaw::from_slice(b"ack\n")];
    // SAFETY: the bytes are constant.
    let sent = unsafe { rustix::pipe::vmsplice(stdout(), &reply, flags) };
    assert_eq!(sent.unwrap(), 4);
}

pub(super) fn pipe_as_a_reply() {
    let (reader, mut writer) = pipe().unwrap();
    writer.write_all(b"ack\n").unwrap();
    let flags = rustix::pipe::SpliceFlags::empty();
    let sent = rustix::pipe::tee(&reader, stdout(), 4, flags);
    assert_eq!(sent.unwrap(), 4);
}

/// Where it is allowed; says so.
pub(super) fn root_changed() {
    if rustix::process::chroot("/").is_ok() {
        println!("the call was allowed");
    }
}
