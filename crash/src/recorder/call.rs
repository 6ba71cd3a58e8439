//! Which system calls the recorder looks at, and what their arguments say.

use nix::libc::{self, c_long};

/// When the kernel stops a call for us; everything else runs at full speed.
#[derive(Debug, Clone, Copy)]
pub(super) enum Stop {
    /// Whatever its arguments are.
    Always,
    /// If the argument of this number (from 0) has all bits of one of these masks.
    Bits(u8, &'static [u64]),
    /// If the argument of this number is this `int`.
    Equals(u8, u64),
}

/// The bits of `open` that change something: `O_CREAT`, `O_TRUNC` and the bit of `O_TMPFILE` that
/// is not `O_DIRECTORY`.
const OPEN_CHANGES: &[u64] = &[0o100, 0o1000, 0o20_000_000];

const PROT_WRITE: u64 = 2;

/// Memory that may be stored into.
const WRITABLE: &[u64] = &[PROT_WRITE];

/// `MAP_SHARED`, a bit of `MAP_SHARED_VALIDATE` too.
const SHARED: &[u64] = &[1];

/// `MAP_ANONYMOUS`: memory of no file, whatever the descriptor.
const ANONYMOUS: u64 = 0x20;

/// Advice that takes a mapping's pages out of the file it shows: a hole in it, although the mapping
/// may be one for reading only.
const MADV_REMOVE: u64 = 9;

/// `CLONE_UNTRACED`: what is made is not to be followed.
pub(super) const UNTRACED: u64 = 0x80_0000;

const FICLONE: u64 = 0x4004_9409;
const FICLONERANGE: u64 = 0x4020_940d;

/// Requests of `ioctl` that change no content, although they do not merely read (linux/fs.h,
/// linux/fiemap.h, ext4): flags of descriptors and files, block maps, deduplication of what is equal
/// already. Those that are declared to read only need no list; every other one that succeeds on a
/// watched file is refused by name.
const HARMLESS_REQUESTS: &[u64] = &[
    0x0001,      // FIBMAP
    0x0002,      // FIGETBSZ
    0x541b,      // FIONREAD
    0x5421,      // FIONBIO
    0x5450,      // FIONCLEX
    0x5451,      // FIOCLEX
    0x5452,      // FIOASYNC
    0x5460,      // FIOQSIZE
    0x6612,      // EXT4_IOC_PRECACHE_EXTENTS
    0x4004_6629, // EXT4_IOC_GETSTATE
    0x4008_6602, // FS_IOC_SETFLAGS
    0x4008_7602, // FS_IOC_SETVERSION
    0x401c_5820, // FS_IOC_FSSETXATTR
    0xc018_9436, // FIDEDUPERANGE
    0xc020_660b, // FS_IOC_FIEMAP
];

/// The two bits of a request that say which way data goes, and their value where it only comes
/// back (asm-generic/ioctl.h).
const REQUEST_DIRECTION: u64 = 0xc000_0000;
const REQUEST_READS: u64 = 0x8000_0000;

/// Every call that is stopped: number, name, when. All others change no content, no entry and no
/// durability that a trace knows; `docs/trace.md` lists what is left out on purpose.
pub(super) const STOPPED: &[(c_long, &str, Stop)] = &[
    (libc::SYS_write, "write", Stop::Always),
    (libc::SYS_pwrite64, "pwrite64", Stop::Always),
    (libc::SYS_writev, "writev", Stop::Always),
    (libc::SYS_pwritev, "pwritev", Stop::Always),
    (libc::SYS_pwritev2, "pwritev2", Stop::Always),
    (libc::SYS_copy_file_range, "copy_file_range", Stop::Always),
    (libc::SYS_sendfile, "sendfile", Stop::Always),
    (libc::SYS_splice, "splice", Stop::Always),
    (libc::SYS_vmsplice, "vmsplice", Stop::Always),
    (libc::SYS_tee, "tee", Stop::Always),
    (libc::SYS_ioctl, "ioctl", Stop::Always),
    (libc::SYS_open, "open", Stop::Bits(1, OPEN_CHANGES)),
    (libc::SYS_openat, "openat", Stop::Bits(2, OPEN_CHANGES)),
    (libc::SYS_openat2, "openat2", Stop::Always),
    (libc::SYS_creat, "creat", Stop::Always),
    (libc::SYS_open_by_handle_at, "open_by_handle_at", Stop::Bits(2, OPEN_CHANGES)),
    (libc::SYS_mkdir, "mkdir", Stop::Always),
    (libc::SYS_mkdirat, "mkdirat", Stop::Always),
    (libc::SYS_rmdir, "rmdir", Stop::Always),
    (libc::SYS_unlink, "unlink", Stop::Always),
    (libc::SYS_unlinkat, "unlinkat", Stop::Always),
    (libc::SYS_rename, "rename", Stop::Always),
    (libc::SYS_renameat, "renameat", Stop::Always),
    (libc::SYS_renameat2, "renameat2", Stop::Always),
    (libc::SYS_link, "link", Stop::Always),
    (libc::SYS_linkat, "linkat", Stop::Always),
    (libc::SYS_symlink, "symlink", Stop::Always),
    (libc::SYS_symlinkat, "symlinkat", Stop::Always),
    (libc::SYS_mknod, "mknod", Stop::Always),
    (libc::SYS_mknodat, "mknodat", Stop::Always),
    (libc::SYS_bind, "bind", Stop::Always),
    (libc::SYS_truncate, "truncate", Stop::Always),
    (libc::SYS_ftruncate, "ftruncate", Stop::Always),
    (libc::SYS_fallocate, "fallocate", Stop::Always),
    (libc::SYS_fsync, "fsync", Stop::Always),
    (libc::SYS_fdatasync, "fdatasync", Stop::Always),
    (libc::SYS_sync, "sync", Stop::Always),
    (libc::SYS_syncfs, "syncfs", Stop::Always),
    (libc::SYS_msync, "msync", Stop::Always),
    (libc::SYS_mmap, "mmap", Stop::Bits(3, SHARED)),
    (libc::SYS_mprotect, "mprotect", Stop::Bits(2, WRITABLE)),
    (libc::SYS_pkey_mprotect, "pkey_mprotect", Stop::Bits(2, WRITABLE)),
    (libc::SYS_madvise, "madvise", Stop::Equals(2, MADV_REMOVE)),
    (libc::SYS_process_madvise, "process_madvise", Stop::Equals(3, MADV_REMOVE)),
    (libc::SYS_io_submit, "io_submit", Stop::Always),
    (libc::SYS_chroot, "chroot", Stop::Always),
    (libc::SYS_pivot_root, "pivot_root", Stop::Always),
    (libc::SYS_mount, "mount", Stop::Always),
    (libc::SYS_move_mount, "move_mount", Stop::Always),
    (libc::SYS_umount2, "umount2", Stop::Always),
    (libc::SYS_swapon, "swapon", Stop::Always),
    (libc::SYS_acct, "acct", Stop::Always),
    (libc::SYS_sched_getaffinity, "sched_getaffinity", Stop::Always),
    (libc::SYS_sched_setaffinity, "sched_setaffinity", Stop::Always),
    (libc::SYS_setuid, "setuid", Stop::Always),
    (libc::SYS_setreuid, "setreuid", Stop::Always),
    (libc::SYS_setresuid, "setresuid", Stop::Always),
    (libc::SYS_clone, "clone", Stop::Bits(0, &[UNTRACED])),
    (libc::SYS_clone3, "clone3", Stop::Always),
];

/// The first number that no call had in Linux 6.18, the newest whose calls were all looked at.
pub(super) const NEWER_CALLS: u32 = 470;

/// A path argument: relative to a directory, or to the working directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PathArg {
    /// A descriptor or `AT_FDCWD`.
    pub(super) dir: i32,
    /// Where the tracee keeps the text.
    pub(super) addr: u64,
}

/// Where the tracee keeps the bytes of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    /// In one buffer at this address.
    Buffer(u64),
    /// In buffers listed by an array of `iovec` at an address, so many of them.
    Vector(u64, usize),
}

/// What a write says about where it goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Position {
    /// Where the description stands.
    Current,
    /// At an offset in bytes, unless the description appends.
    At(u64),
}

/// A call, as far as its registers tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Call {
    /// Bytes from memory; `flags` are those of `pwritev2`.
    Write {
        fd: i32,
        source: Source,
        position: Position,
        flags: u64,
    },
    /// Bytes from another descriptor, which may have to be waited for. `offset` is where the
    /// tracee keeps the offset, 0 for none.
    Transfer {
        fd: i32,
        offset: u64,
        waits: bool,
    },
    /// Content shared with another file.
    CloneContent {
        fd: i32,
        source: Cloned,
    },
    /// A request to a file's file system that we do not know.
    Request {
        fd: i32,
    },
    /// A call that turns out to change nothing.
    Harmless,
    /// Bytes into a pipe that no `write` carries.
    Pipe {
        fd: i32,
    },
    /// Names made to lead elsewhere, or a file handed to the kernel to write to.
    System,
    Open {
        path: PathArg,
        flags: Flags,
    },
    MakeDir {
        path: PathArg,
    },
    /// A name removed, of a file or of a directory.
    Remove {
        path: PathArg,
    },
    Rename {
        from: PathArg,
        to: PathArg,
        flags: u64,
    },
    Link {
        from: PathArg,
        to: PathArg,
        flags: u64,
    },
    /// A file by its handle, cut.
    OpenHandle,
    /// A symbolic link or a special file.
    MakeOther {
        path: PathArg,
    },
    /// A socket's address of so many bytes, which may be a path that is made.
    Bind {
        addr: u64,
        len: u64,
    },
    Truncate {
        path: PathArg,
        len: u64,
    },
    SetLen {
        fd: i32,
        len: u64,
    },
    Allocate {
        fd: i32,
        mode: u64,
        offset: u64,
        len: u64,
    },
    SyncFile {
        fd: i32,
        data_only: bool,
    },
    SyncAll,
    SyncFileSystem {
        fd: i32,
    },
    SyncMapping {
        addr: u64,
        len: u64,
        flags: u64,
    },
    /// Memory that shows a file.
    Map {
        fd: i32,
        writable: bool,
    },
    Protect,
    /// A hole in the files that some memory shows.
    RemovePages,
    /// Where a thread may run.
    AskCores,
    /// The program says where it runs from now on, or becomes another user.
    OwnWay,
    /// A process or thread that is made.
    Clone {
        flags: Flags,
    },
    /// `count` pointers to control blocks, at an address, for the context at another.
    Submit {
        context: u64,
        count: u64,
        blocks: u64,
    },
}

/// What is cloned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cloned {
    /// All of the file of a descriptor.
    Whole(i32),
    /// What a `file_clone_range` at this address says.
    Range(u64),
}

/// The flags of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flags {
    Given(u64),
    /// The first field of a structure at this address: `open_how`, `clone_args`.
    InMemory(u64),
}

/// The name of a call's number; `None` for one that is not stopped.
pub(super) fn name(number: c_long) -> Option<&'static str> {
    STOPPED.iter().find(|(stopped, ..)| *stopped == number).map(|(_, name, _)| *name)
}

impl Call {
    /// What a call's number and arguments say; `None` for a call that is not stopped.
    pub(super) fn decode(number: c_long, args: [u64; 6]) -> Option<Self> {
        data_call(number, args).or_else(|| name_call(number, args)).or_else(|| rest(number, args))
    }
}

/// A descriptor argument: the kernel looks at its low 32 bits.
#[expect(clippy::cast_possible_truncation, reason = "the kernel truncates too")]
fn fd(arg: u64) -> i32 {
    (arg as u32).cast_signed()
}

/// An argument that is an `int`, bits or a request: the kernel looks at its low 32 bits.
fn int(arg: u64) -> u64 {
    arg & u64::from(u32::MAX)
}

fn count(arg: u64) -> usize {
    usize::try_from(arg).unwrap_or(usize::MAX)
}

/// Calls that carry or move bytes.
fn data_call(number: c_long, [first, second, third, fourth, _, sixth]: [u64; 6]) -> Option<Call> {
    let write = |source, position, flags| Call::Write { fd: fd(first), source, position, flags };
    Some(match number {
        libc::SYS_write => write(Source::Buffer(second), Position::Current, 0),
        libc::SYS_pwrite64 => write(Source::Buffer(second), Position::At(fourth), 0),
        libc::SYS_writev => write(Source::Vector(second, count(third)), Position::Current, 0),
        libc::SYS_pwritev => write(Source::Vector(second, count(third)), Position::At(fourth), 0),
        // An offset of -1 means the current position (pwritev2(2)).
        libc::SYS_pwritev2 if fourth == u64::MAX => {
            write(Source::Vector(second, count(third)), Position::Current, int(sixth))
        }
        libc::SYS_pwritev2 => {
            write(Source::Vector(second, count(third)), Position::At(fourth), int(sixth))
        }
        libc::SYS_copy_file_range => Call::Transfer { fd: fd(third), offset: fourth, waits: false },
        libc::SYS_splice => Call::Transfer { fd: fd(third), offset: fourth, waits: true },
        libc::SYS_sendfile => Call::Transfer { fd: fd(first), offset: 0, waits: false },
        libc::SYS_vmsplice => Call::Pipe { fd: fd(first) },
        libc::SYS_tee => Call::Pipe { fd: fd(second) },
        libc::SYS_ioctl => request(first, int(second), third),
        libc::SYS_ftruncate => Call::SetLen { fd: fd(first), len: second },
        libc::SYS_fallocate => {
            Call::Allocate { fd: fd(first), mode: int(second), offset: third, len: fourth }
        }
        libc::SYS_io_submit => Call::Submit { context: first, count: second, blocks: third },
        _ => return None,
    })
}

fn request(target: u64, request: u64, argument: u64) -> Call {
    let clone = |source| Call::CloneContent { fd: fd(target), source };
    match request {
        FICLONE => clone(Cloned::Whole(fd(argument))),
        FICLONERANGE => clone(Cloned::Range(argument)),
        _ if request & REQUEST_DIRECTION == REQUEST_READS => Call::Harmless,
        _ if HARMLESS_REQUESTS.contains(&request) => Call::Harmless,
        _ => Call::Request { fd: fd(target) },
    }
}

/// Calls that speak of paths.
fn name_call(number: c_long, [first, second, third, fourth, fifth, _]: [u64; 6]) -> Option<Call> {
    let here = |addr| PathArg { dir: libc::AT_FDCWD, addr };
    let at = |dir, addr| PathArg { dir: fd(dir), addr };
    let created = (libc::O_CREAT | libc::O_TRUNC | libc::O_WRONLY).unsigned_abs();
    Some(match number {
        libc::SYS_open => Call::Open { path: here(first), flags: Flags::Given(second) },
        libc::SYS_openat => Call::Open { path: at(first, second), flags: Flags::Given(third) },
        libc::SYS_openat2 => Call::Open { path: at(first, second), flags: Flags::InMemory(third) },
        libc::SYS_creat => {
            Call::Open { path: here(first), flags: Flags::Given(u64::from(created)) }
        }
        libc::SYS_mkdir => Call::MakeDir { path: here(first) },
        libc::SYS_mkdirat => Call::MakeDir { path: at(first, second) },
        libc::SYS_rmdir | libc::SYS_unlink => Call::Remove { path: here(first) },
        libc::SYS_unlinkat => Call::Remove { path: at(first, second) },
        libc::SYS_rename => Call::Rename { from: here(first), to: here(second), flags: 0 },
        libc::SYS_renameat => {
            Call::Rename { from: at(first, second), to: at(third, fourth), flags: 0 }
        }
        libc::SYS_renameat2 => {
            Call::Rename { from: at(first, second), to: at(third, fourth), flags: int(fifth) }
        }
        libc::SYS_link => Call::Link { from: here(first), to: here(second), flags: 0 },
        libc::SYS_linkat => {
            Call::Link { from: at(first, second), to: at(third, fourth), flags: int(fifth) }
        }
        libc::SYS_symlink => Call::MakeOther { path: here(second) },
        libc::SYS_symlinkat => Call::MakeOther { path: at(second, third) },
        libc::SYS_mknod => Call::MakeOther { path: here(first) },
        libc::SYS_mknodat => Call::MakeOther { path: at(first, second) },
        libc::SYS_bind => Call::Bind { addr: second, len: int(third) },
        libc::SYS_truncate => Call::Truncate { path: here(first), len: second },
        _ => return None,
    })
}

/// Syncs and mappings.
fn rest(number: c_long, [first, second, third, fourth, fifth, _]: [u64; 6]) -> Option<Call> {
    Some(match number {
        libc::SYS_fsync => Call::SyncFile { fd: fd(first), data_only: false },
        libc::SYS_fdatasync => Call::SyncFile { fd: fd(first), data_only: true },
        libc::SYS_sync => Call::SyncAll,
        libc::SYS_syncfs => Call::SyncFileSystem { fd: fd(first) },
        libc::SYS_msync => Call::SyncMapping { addr: first, len: second, flags: third },
        libc::SYS_mmap if int(fourth) & ANONYMOUS != 0 => Call::Harmless,
        libc::SYS_mmap => Call::Map { fd: fd(fifth), writable: int(third) & PROT_WRITE != 0 },
        libc::SYS_mprotect | libc::SYS_pkey_mprotect => Call::Protect,
        libc::SYS_madvise | libc::SYS_process_madvise => Call::RemovePages,
        libc::SYS_open_by_handle_at => Call::OpenHandle,
        libc::SYS_chroot
        | libc::SYS_pivot_root
        | libc::SYS_mount
        | libc::SYS_move_mount
        | libc::SYS_umount2
        | libc::SYS_swapon
        | libc::SYS_acct => Call::System,
        libc::SYS_sched_getaffinity => Call::AskCores,
        libc::SYS_sched_setaffinity
        | libc::SYS_setuid
        | libc::SYS_setreuid
        | libc::SYS_setresuid => Call::OwnWay,
        libc::SYS_clone => Call::Clone { flags: Flags::Given(first) },
        libc::SYS_clone3 => Call::Clone { flags: Flags::InMemory(first) },
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
