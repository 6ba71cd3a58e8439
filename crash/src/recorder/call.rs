//! Which system calls the recorder looks at, and what their arguments say.

use nix::libc::{self, c_long, user_regs_struct};

/// When the kernel stops a call for us; everything else runs at full speed.
#[derive(Debug, Clone, Copy)]
pub(super) enum Stop {
    /// Whatever its arguments are.
    Always,
    /// If the argument of this number (from 0) has all bits of one of these masks.
    Bits(u8, &'static [u64]),
    /// If the argument of this number (from 0) is one of these values.
    Values(u8, &'static [u64]),
}

/// The bits of `open` that change something: `O_CREAT`, `O_TRUNC` and the bit of `O_TMPFILE` that
/// is not `O_DIRECTORY`.
const OPEN_CHANGES: &[u64] = &[0o100, 0o1000, 0o20_000_000];

/// `PROT_WRITE`.
const WRITABLE: &[u64] = &[2];

/// `MAP_SHARED`, a bit of `MAP_SHARED_VALIDATE` too.
const SHARED: &[u64] = &[1];

const FICLONE: u64 = 0x4004_9409;
const FICLONERANGE: u64 = 0x4020_940d;

/// Clones, and calls that allocate, free, zero or move blocks (linux/fs.h, linux/falloc.h, ext4,
/// f2fs). The first two are recorded, the others are refused by name.
const BLOCK_REQUESTS: &[u64] = &[
    FICLONE,
    FICLONERANGE,
    0x4030_5828, // FS_IOC_RESVSP
    0x4030_582a, // FS_IOC_RESVSP64
    0x4030_5829, // FS_IOC_UNRESVSP
    0x4030_582b, // FS_IOC_UNRESVSP64
    0x4030_5839, // FS_IOC_ZERO_RANGE
    0xc028_660f, // EXT4_IOC_MOVE_EXT
    0x0000_f501, // F2FS_IOC_START_ATOMIC_WRITE
    0x0000_f502, // F2FS_IOC_COMMIT_ATOMIC_WRITE
];

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
    (libc::SYS_ioctl, "ioctl", Stop::Values(1, BLOCK_REQUESTS)),
    (libc::SYS_open, "open", Stop::Bits(1, OPEN_CHANGES)),
    (libc::SYS_openat, "openat", Stop::Bits(2, OPEN_CHANGES)),
    (libc::SYS_openat2, "openat2", Stop::Always),
    (libc::SYS_creat, "creat", Stop::Always),
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
    (libc::SYS_io_submit, "io_submit", Stop::Always),
];

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
    /// Content shared with another file: all of it, or as a `file_clone_range` at an address says.
    CloneContent {
        fd: i32,
        range: Option<u64>,
    },
    /// Blocks changed by a request we do not know.
    BlockRequest {
        fd: i32,
    },
    Open {
        path: PathArg,
        flags: OpenFlags,
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
    /// A symbolic link or a special file.
    MakeOther {
        path: PathArg,
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
    Map {
        prot: u64,
        flags: u64,
        fd: i32,
    },
    Protect,
    /// `count` pointers to control blocks, at an address.
    Submit {
        count: u64,
        blocks: u64,
    },
}

/// The flags of an `open`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OpenFlags {
    Given(u64),
    /// The first field of an `open_how` at this address.
    InMemory(u64),
}

/// The name of a call's number; `None` for one that is not stopped.
pub(super) fn name(number: c_long) -> Option<&'static str> {
    STOPPED.iter().find(|(stopped, ..)| *stopped == number).map(|(_, name, _)| *name)
}

impl Call {
    /// What the registers at a call's entry say; `None` for a call that is not stopped.
    pub(super) fn decode(regs: &user_regs_struct) -> Option<Self> {
        let number = c_long::from_ne_bytes(regs.orig_rax.to_ne_bytes());
        let args = [regs.rdi, regs.rsi, regs.rdx, regs.r10, regs.r8, regs.r9];
        data_call(number, args).or_else(|| name_call(number, args)).or_else(|| rest(number, args))
    }
}

/// A descriptor argument: the kernel looks at its low 32 bits.
#[expect(clippy::cast_possible_truncation, reason = "the kernel truncates too")]
fn fd(arg: u64) -> i32 {
    (arg as u32).cast_signed()
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
            write(Source::Vector(second, count(third)), Position::Current, sixth)
        }
        libc::SYS_pwritev2 => {
            write(Source::Vector(second, count(third)), Position::At(fourth), sixth)
        }
        libc::SYS_copy_file_range => Call::Transfer { fd: fd(third), offset: fourth, waits: false },
        libc::SYS_splice => Call::Transfer { fd: fd(third), offset: fourth, waits: true },
        libc::SYS_sendfile => Call::Transfer { fd: fd(first), offset: 0, waits: false },
        libc::SYS_ioctl if second == FICLONE => Call::CloneContent { fd: fd(first), range: None },
        libc::SYS_ioctl if second == FICLONERANGE => {
            Call::CloneContent { fd: fd(first), range: Some(third) }
        }
        libc::SYS_ioctl => Call::BlockRequest { fd: fd(first) },
        libc::SYS_ftruncate => Call::SetLen { fd: fd(first), len: second },
        libc::SYS_fallocate => {
            Call::Allocate { fd: fd(first), mode: second, offset: third, len: fourth }
        }
        libc::SYS_io_submit => Call::Submit { count: second, blocks: third },
        _ => return None,
    })
}

/// Calls that speak of paths.
fn name_call(number: c_long, [first, second, third, fourth, fifth, _]: [u64; 6]) -> Option<Call> {
    let here = |addr| PathArg { dir: libc::AT_FDCWD, addr };
    let at = |dir, addr| PathArg { dir: fd(dir), addr };
    let created = (libc::O_CREAT | libc::O_TRUNC | libc::O_WRONLY).unsigned_abs();
    Some(match number {
        libc::SYS_open => Call::Open { path: here(first), flags: OpenFlags::Given(second) },
        libc::SYS_openat => Call::Open { path: at(first, second), flags: OpenFlags::Given(third) },
        libc::SYS_openat2 => {
            Call::Open { path: at(first, second), flags: OpenFlags::InMemory(third) }
        }
        libc::SYS_creat => {
            Call::Open { path: here(first), flags: OpenFlags::Given(u64::from(created)) }
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
            Call::Rename { from: at(first, second), to: at(third, fourth), flags: fifth }
        }
        libc::SYS_link => Call::Link { from: here(first), to: here(second), flags: 0 },
        libc::SYS_linkat => {
            Call::Link { from: at(first, second), to: at(third, fourth), flags: fifth }
        }
        libc::SYS_symlink => Call::MakeOther { path: here(second) },
        libc::SYS_symlinkat => Call::MakeOther { path: at(second, third) },
        libc::SYS_mknod => Call::MakeOther { path: here(first) },
        libc::SYS_mknodat => Call::MakeOther { path: at(first, second) },
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
        libc::SYS_mmap => Call::Map { prot: third, flags: fourth, fd: fd(fifth) },
        libc::SYS_mprotect | libc::SYS_pkey_mprotect => Call::Protect,
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
