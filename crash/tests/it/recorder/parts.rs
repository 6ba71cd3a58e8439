//! The programs that are recorded: this test binary, run again with a part to play, its working
//! directory the watched one.

mod aio;
mod elsewhere;
mod refused;
mod ways;

use std::fs::{self, File, OpenOptions};
use std::io::{IoSlice, IoSliceMut, PipeReader, Seek, SeekFrom, Write, pipe};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::thread;

use rustix::fs::{
    AtFlags, CWD, FallocateFlags, Mode, OFlags, RenameFlags, ResolveFlags, fallocate,
};
use rustix::io::ReadWriteFlags;
use rustix::mm::{Advice, MapFlags, MprotectFlags, MsyncFlags, ProtFlags};
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, SocketFlags, SocketType, recvmsg, sendmsg, socketpair,
};

/// Names the part to play.
pub(super) const PART: &str = "PROOFHOUSE_PART";

const PARTS: &[(&str, fn())] = &[
    ("writes", writes),
    ("opens", opens),
    ("names", names),
    ("unnamed", unnamed),
    ("sizes", sizes),
    ("syncs", syncs),
    ("transfers", transfers),
    ("threads", threads),
    ("waiting", waiting),
    ("forks", forks),
    ("sessions", sessions),
    ("exec_from_thread", exec_from_thread),
    ("passed_descriptors", passed_descriptors),
    ("signals", signals),
    ("read_mapping", read_mapping),
    ("io_uring", io_uring),
    ("untraced", untraced),
    ("appends", ways::appends),
    ("paths", ways::paths),
    ("through_the_root_of_a_path", ways::through_the_root_of_a_path),
    ("own_directories", ways::own_directories),
    ("names_elsewhere", ways::names_elsewhere),
    ("numbers_that_come_back", ways::numbers_that_come_back),
    ("closed_by_exec", ways::closed_by_exec),
    ("borrowed_memory", ways::borrowed_memory),
    ("private_mapping", ways::private_mapping),
    ("requests", ways::requests),
    ("waiting_to_open", ways::waiting_to_open),
    ("writable_mapping", refused::writable_mapping),
    ("mapping_made_writable", refused::mapping_made_writable),
    ("part_of_a_mapping_synced", refused::part_of_a_mapping_synced),
    ("hole_by_a_mapping", refused::hole_by_a_mapping),
    ("hole_by_another_process", refused::hole_by_another_process),
    ("symlink", refused::symlink),
    ("fifo", refused::fifo),
    ("socket", refused::socket),
    ("exchange", refused::exchange),
    ("collapse", refused::collapse),
    ("request", refused::request),
    ("from_outside", refused::from_outside),
    ("through_a_link", refused::through_a_link),
    ("through_another_name", refused::through_another_name),
    ("through_own_descriptors", refused::through_own_descriptors),
    ("root_replaced", refused::root_replaced),
    ("root_removed", refused::root_removed),
    ("around_renamed", refused::around_renamed),
    ("memory_as_a_reply", refused::memory_as_a_reply),
    ("pipe_as_a_reply", refused::pipe_as_a_reply),
    ("root_changed", refused::root_changed),
    ("x32_call", refused::x32_call),
    ("i386_call", refused::i386_call),
    ("asynchronous", aio::asynchronous),
    ("many_asynchronously", aio::many),
    ("appended_asynchronously", aio::appended),
    ("overlapping_asynchronously", aio::overlapping),
    ("asynchronous_elsewhere", aio::elsewhere),
    ("mapped_elsewhere", elsewhere::mapped),
    ("cut_by_path_elsewhere", elsewhere::cut_by_path),
    ("bound_elsewhere", elsewhere::bound),
    ("nameless_elsewhere", elsewhere::nameless),
    ("of_the_kernel_elsewhere", elsewhere::of_the_kernel),
];

#[test]
fn a_part_is_played_if_one_is_named() {
    let named = std::env::var(PART).unwrap_or_else(|_| "names no part".to_owned());
    let part = PARTS.iter().find(|(name, _)| *name == named);
    assert_eq!(part.is_some(), named != "names no part", "{named}");
    if let Some((_, play)) = part {
        play();
    }
}

fn create(name: &str) -> File {
    File::options().read(true).write(true).create(true).truncate(true).open(name).unwrap()
}

fn writes() {
    let mut file = create("a");
    file.write_all(b"one two three").unwrap();
    file.seek(SeekFrom::Start(4)).unwrap();
    file.write_all(b"TWO").unwrap();
    file.write_all_at(b"far", 10_000).unwrap();
    let parts = [IoSlice::new(b"le"), IoSlice::new(b""), IoSlice::new(b"ft out")];
    assert_eq!(file.write_vectored(&parts).unwrap(), 8);
    rustix::io::pwritev(&file, &parts, 500).unwrap();
    rustix::io::pwritev2(&file, &parts, u64::MAX, ReadWriteFlags::empty()).unwrap();
    rustix::io::pwritev2(&file, &parts, 0, ReadWriteFlags::APPEND).unwrap();
    rustix::io::pwritev2(&file, &parts, 600, ReadWriteFlags::DSYNC).unwrap();
    rustix::io::pwritev2(&file, &parts, 700, ReadWriteFlags::SYNC).unwrap();
    let mut log = OpenOptions::new().append(true).create(true).open("log").unwrap();
    log.write_all(b"first").unwrap();
    log.write_all(b"second").unwrap();
    // Linux appends whatever the offset.
    log.write_at(b"third", 0).unwrap();
    // Two descriptions of one file stand at places of their own.
    let mut other = OpenOptions::new().write(true).open("a").unwrap();
    other.write_all(b"ONE").unwrap();
    file.write_all(b"end").unwrap();
    let mut copy = other.try_clone().unwrap();
    copy.write_all(b"-").unwrap();
}

fn opens() {
    create("cut").write_all(b"to be cut").unwrap();
    drop(create("cut"));
    for (name, flags) in [("data", nix::libc::O_DSYNC), ("full", nix::libc::O_SYNC)] {
        let mut file =
            OpenOptions::new().write(true).create(true).custom_flags(flags).open(name).unwrap();
        file.write_all(b"durable").unwrap();
    }
    let flags = OFlags::CREATE | OFlags::WRONLY | OFlags::EXCL;
    let openat2 = || rustix::fs::openat2(CWD, "two", flags, Mode::RUSR, ResolveFlags::BENEATH);
    drop(openat2().unwrap());
    openat2().unwrap_err();
    // SAFETY: the path is a C string.
    let created = unsafe { nix::libc::creat(c"creat".as_ptr(), 0o600) };
    assert!(created > 2);
    File::open("absent").unwrap_err();
    File::create("absent/file").unwrap_err();
}

fn names() {
    fs::create_dir("d").unwrap();
    fs::create_dir("d/e").unwrap();
    fs::create_dir("d").unwrap_err();
    let mut held = create("d/held");
    held.write_all(b"held").unwrap();
    create("d/e/new").write_all(b"new").unwrap();
    fs::rename("d/e/new", "d/old").unwrap();
    create("d/new").write_all(b"newer").unwrap();
    fs::rename(fs::canonicalize("d/new").unwrap(), "d/../d/old").unwrap();
    create("x").write_all(b"x").unwrap();
    let keep = |to| rustix::fs::renameat_with(CWD, "x", CWD, to, RenameFlags::NOREPLACE);
    keep("d/old").unwrap_err();
    keep("y").unwrap();
    fs::hard_link("y", "d/y").unwrap();
    // Two names of one file: nothing happens.
    fs::rename("y", "d/y").unwrap();
    fs::remove_file("y").unwrap();
    OpenOptions::new().append(true).open("d/y").unwrap().write_all(b"yy").unwrap();
    fs::remove_file("d/held").unwrap();
    held.write_all(b" for longer").unwrap();
    fs::remove_dir("d/e").unwrap();
    fs::rename("d", "moved").unwrap();
    create("moved/after").write_all(b"after").unwrap();
    fs::remove_file("moved/absent").unwrap_err();
    let dir = File::open("moved").unwrap();
    let at = rustix::fs::openat(&dir, "by_fd", OFlags::CREATE | OFlags::WRONLY, Mode::RUSR);
    rustix::io::write(at.unwrap(), b"by descriptor").unwrap();
    rustix::fs::unlinkat(&dir, "after", AtFlags::empty()).unwrap();
}

fn unnamed() {
    let flags = OFlags::TMPFILE | OFlags::RDWR;
    let mut file = File::from(rustix::fs::open(".", flags, Mode::RUSR | Mode::WUSR).unwrap());
    file.write_all(b"not yet").unwrap();
    file.sync_all().unwrap();
    let own = format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&file));
    rustix::fs::linkat(CWD, own, CWD, "named", AtFlags::SYMLINK_FOLLOW).unwrap();
    file.write_all(b" but now").unwrap();
    let mut gone = File::from(rustix::fs::open(".", flags, Mode::RUSR).unwrap());
    gone.write_all(b"never seen").unwrap();
}

fn sizes() {
    let file = create("f");
    file.write_all_at(&vec![7; 20_000], 0).unwrap();
    file.set_len(15_000).unwrap();
    rustix::fs::ftruncate(&file, 30_000).unwrap();
    // SAFETY: the path is a C string.
    assert_eq!(unsafe { nix::libc::truncate(c"f".as_ptr(), 25_000) }, 0);
    fallocate(&file, FallocateFlags::empty(), 0, 40_000).unwrap();
    fallocate(&file, FallocateFlags::empty(), 0, 10).unwrap();
    fallocate(&file, FallocateFlags::KEEP_SIZE, 0, 100_000).unwrap();
    let punch = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
    fallocate(&file, punch, 1000, 9000).unwrap();
    fallocate(&file, punch, 14_000, 100_000).unwrap();
    // Not every file system can.
    let _ = fallocate(&file, FallocateFlags::ZERO_RANGE, 500, 400);
    let _ = fallocate(&file, FallocateFlags::ZERO_RANGE, 39_000, 4000);
}

fn syncs() {
    let file = create("f");
    file.write_all_at(b"one", 0).unwrap();
    file.sync_data().unwrap();
    file.write_all_at(b"two", 0).unwrap();
    file.sync_all().unwrap();
    File::open(".").unwrap().sync_all().unwrap();
    File::open("/").unwrap().sync_all().unwrap();
    file.write_all_at(b"six", 0).unwrap();
    // SAFETY: a descriptor, two numbers and flags.
    unsafe {
        let fd = std::os::fd::AsRawFd::as_raw_fd(&file);
        assert_eq!(nix::libc::sync_file_range(fd, 0, 0, 7), 0);
    }
    create("g");
    rustix::fs::syncfs(&file).unwrap();
    create("h");
    rustix::fs::sync();
}

fn transfers() {
    let from = create("from");
    from.write_all_at(&(0..=255).cycle().take(9000).collect::<Vec<u8>>(), 0).unwrap();
    let mut to = create("to");
    let (mut read, mut written) = (100, 300);
    let copied = rustix::fs::copy_file_range(&from, Some(&mut read), &to, Some(&mut written), 5000);
    assert_eq!(copied.unwrap(), 5000);
    to.seek(SeekFrom::Start(50)).unwrap();
    assert_eq!(rustix::fs::copy_file_range(&from, None, &to, None, 70).unwrap(), 70);
    assert_eq!(rustix::fs::sendfile(&to, &from, Some(&mut 11), 700).unwrap(), 700);
    let (reader, mut writer) = pipe().unwrap();
    writer.write_all(b"through a pipe").unwrap();
    let splice = |reader: &PipeReader, offset: Option<&mut u64>, len| {
        let flags = rustix::pipe::SpliceFlags::empty();
        rustix::pipe::splice(reader, None, &to, offset, len, flags).unwrap()
    };
    assert_eq!(splice(&reader, None, 7), 7);
    assert_eq!(splice(&reader, Some(&mut 8888), 7), 7);
}

fn threads() {
    let file = create("shared");
    thread::scope(|scope| {
        for number in 0..4u8 {
            let file = &file;
            scope.spawn(move || {
                for round in 0..20u64 {
                    let offset = (round * 4 + u64::from(number)) * 100;
                    file.write_all_at(&[number + 1; 150], offset).unwrap();
                    if round % 8 == 0 {
                        file.sync_data().unwrap();
                    }
                }
                create(&format!("own-{number}")).write_all(b"own").unwrap();
            });
        }
    });
}

/// A call that waits for a thread that has calls of its own to make first.
fn waiting() {
    let (reader, mut writer) = pipe().unwrap();
    let target = create("spliced");
    thread::scope(|scope| {
        scope.spawn(move || {
            let flags = rustix::pipe::SpliceFlags::empty();
            let moved = rustix::pipe::splice(&reader, None, &target, None, 6, flags);
            assert_eq!(moved.unwrap(), 6);
        });
        scope.spawn(move || {
            for round in 0..100 {
                let file = create("other");
                file.write_all_at(b"round", round).unwrap();
                file.sync_data().unwrap();
            }
            writer.write_all(b"at end").unwrap();
        });
    });
}

fn forks() {
    let script = "echo one > a; (echo two >> a; mkdir d; echo three > d/b) & wait; mv a d/a";
    assert!(Command::new("/bin/sh").args(["-c", script]).status().unwrap().success());
    // SAFETY: the child only makes calls that are safe after a fork.
    match unsafe { nix::unistd::fork() }.unwrap() {
        nix::unistd::ForkResult::Child => {
            // SAFETY: C strings, and a buffer of three bytes.
            unsafe {
                let fd = nix::libc::open(c"forked".as_ptr(), nix::libc::O_CREAT | 1, 0o600);
                nix::libc::write(fd, c"yes".as_ptr().cast(), 3);
                nix::libc::_exit(0);
            }
        }
        nix::unistd::ForkResult::Parent { child } => {
            nix::sys::wait::waitpid(child, None).unwrap();
        }
    }
}

/// A child in a session, and so in a process group, of its own.
fn sessions() {
    let script = "echo own > own";
    assert!(
        Command::new("setsid").args(["-w", "/bin/sh", "-c", script]).status().unwrap().success()
    );
    create("after");
}

fn exec_from_thread() {
    create("before").write_all(b"before").unwrap();
    let exec = thread::spawn(|| {
        Command::new("/bin/sh").args(["-c", "echo after > after; rm before"]).exec()
    });
    assert_eq!(exec.join().unwrap().kind(), std::io::ErrorKind::Other, "it returned");
}

fn passed_descriptors() {
    let mut file = create("passed");
    let pair = socketpair(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None);
    let (ours, theirs) = pair.unwrap();
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    let fds = [file.as_fd()];
    assert!(ancillary.push(SendAncillaryMessage::ScmRights(&fds)));
    sendmsg(&ours, &[IoSlice::new(b"!")], &mut ancillary, SendFlags::empty()).unwrap();
    let mut received = received(&theirs);
    received.write_all(b"by another number").unwrap();
    file.write_all(b", by its own").unwrap();
    fs::rename("passed", "renamed").unwrap();
    received.write_all(b", by another name").unwrap();
}

fn received(socket: &OwnedFd) -> File {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let mut byte = [0];
    let flags = RecvFlags::empty();
    recvmsg(socket, &mut [IoSliceMut::new(&mut byte)], &mut ancillary, flags).unwrap();
    let descriptors = ancillary.drain().filter_map(|message| match message {
        RecvAncillaryMessage::ScmRights(descriptors) => Some(descriptors),
        _ => None,
    });
    File::from(descriptors.flatten().next().unwrap())
}

fn signals() {
    extern "C" fn note(_: i32) {}
    let real_time = nix::libc::SIGRTMIN() + 1;
    // SAFETY: the handler does nothing.
    unsafe {
        nix::libc::signal(real_time, note as *const () as usize);
        assert_eq!(nix::libc::raise(real_time), 0);
    }
    let script = "(until [ -e f ]; do kill -CONT $$; done) & kill -STOP $$; echo on > f; wait";
    assert!(Command::new("/bin/sh").args(["-c", script]).status().unwrap().success());
}

/// Maps the first `len` bytes of a file, shared; it stays mapped.
fn map(file: &File, len: usize, access: ProtFlags) -> *mut std::ffi::c_void {
    // SAFETY: a new mapping, where the kernel chooses.
    unsafe { rustix::mm::mmap(std::ptr::null_mut(), len, access, MapFlags::SHARED, file, 0) }
        .unwrap()
}

fn read_mapping() {
    let file = create("mapped");
    file.set_len(8192).unwrap();
    let memory = map(&file, 8192, ProtFlags::READ);
    file.write_all_at(b"by a call", 4096).unwrap();
    // SAFETY: the mapping is ours and stays; its file is not truncated.
    unsafe {
        assert_eq!(*memory.cast::<u8>().add(4096), b'b');
        rustix::mm::msync(memory, 8192, MsyncFlags::SYNC).unwrap();
        rustix::mm::msync(memory, 8192, MsyncFlags::ASYNC).unwrap();
        rustix::mm::madvise(memory, 8192, Advice::LinuxDontNeed).unwrap();
        let own = rustix::mm::mmap_anonymous(
            std::ptr::null_mut(),
            4096,
            ProtFlags::READ,
            MapFlags::PRIVATE,
        );
        let access = MprotectFlags::READ | MprotectFlags::WRITE;
        rustix::mm::mprotect(own.unwrap(), 4096, access).unwrap();
    }
}

fn io_uring() {
    // SAFETY: the call fails before it looks at its arguments.
    let answer = unsafe { nix::libc::syscall(nix::libc::SYS_io_uring_setup, 8, 0) };
    assert_eq!((answer, nix::errno::Errno::last()), (-1, nix::errno::Errno::ENOSYS));
    create("plain").write_all(b"a plain call then").unwrap();
}

fn untraced() {
    let flags = i64::from(nix::libc::CLONE_UNTRACED | nix::libc::SIGCHLD);
    // struct clone_args (clone(2)): the flags, then the signal as the fifth of eight fields.
    let args =
        [i64::from(nix::libc::CLONE_UNTRACED), 0, 0, 0, i64::from(nix::libc::SIGCHLD), 0, 0, 0];
    // SAFETY: without a stack both are a fork; the child, if there is one, ends at once.
    let answers = unsafe {
        let clone = || nix::libc::syscall(nix::libc::SYS_clone, flags, 0, 0, 0, 0);
        let clone3 =
            || nix::libc::syscall(nix::libc::SYS_clone3, args.as_ptr(), size_of_val(&args));
        [&clone as &dyn Fn() -> i64, &clone3].map(|call| match call() {
            0 => nix::libc::_exit(1),
            answer => (answer, nix::errno::Errno::last()),
        })
    };
    assert_eq!(answers, [(-1, nix::errno::Errno::ENOSYS); 2]);
    forks();
}
