//! Starts a program under trace.

use std::ffi::{CString, OsStr, OsString, c_char};
use std::io::{self, PipeReader, PipeWriter, Write};
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use nix::libc;
use nix::sys::ptrace::{self, Options};
use nix::sys::signal::{SIGKILL, kill};
use nix::sys::wait::waitpid;
use nix::unistd::{ForkResult, Pid, fork};
use rustix::fs::{Access, access};
use seccompiler::{BpfProgram, apply_filter};

use super::RecordCommand;
use super::filter::filter;

/// The descriptors that become the program's standard streams.
#[derive(Debug)]
pub(super) struct Streams {
    pub(super) stdin: PipeReader,
    pub(super) stdout: PipeWriter,
    /// Ours, if there is none.
    pub(super) stderr: Option<OwnedFd>,
}

/// All that the child needs between fork and exec, laid out before the fork: after it a child of
/// a process with threads may not allocate.
struct Prepared {
    program: CString,
    cwd: CString,
    /// Pointers into the two lists below, ended by null.
    argv: Vec<*const c_char>,
    envp: Vec<*const c_char>,
    _args: Vec<CString>,
    _env: Vec<CString>,
    filter: BpfProgram,
    /// By number: what becomes standard input, output and error.
    streams: [RawFd; 3],
    /// A byte can be read here once we trace the child, and comes from there.
    go: RawFd,
    release: RawFd,
}

/// What the child's exit code says if it never became the program and there is no error number.
const UNKNOWN: i32 = 255;

/// What it says if the filters cannot be installed. No error has this number.
const NO_FILTER: i32 = 254;

/// Starts a program and traces it; it has not made its `exec` yet. The calling thread is the
/// tracer from here on.
///
/// # Errors
/// [`io::ErrorKind::NotFound`] if there is no such program, [`io::ErrorKind::PermissionDenied`] if
/// it may not be run or traced, [`io::ErrorKind::InvalidInput`] for an argument with a zero byte.
pub(super) fn spawn(command: &RecordCommand, streams: &Streams) -> io::Result<Pid> {
    let (go, mut release) = io::pipe()?;
    let prepared = Prepared::new(command, streams, [go.as_raw_fd(), release.as_raw_fd()])?;
    // SAFETY: the child calls `become_program` and nothing else, which neither allocates nor takes
    // a lock, and never returns.
    let forked = unsafe { fork() }?;
    let child = match forked {
        ForkResult::Child => become_program(&prepared),
        ForkResult::Parent { child } => child,
    };
    let options = Options::PTRACE_O_TRACESYSGOOD
        | Options::PTRACE_O_TRACEFORK
        | Options::PTRACE_O_TRACEVFORK
        | Options::PTRACE_O_TRACECLONE
        | Options::PTRACE_O_TRACEEXEC
        | Options::PTRACE_O_TRACESECCOMP
        | Options::PTRACE_O_EXITKILL;
    match ptrace::seize(child, options) {
        Ok(()) => release.write_all(b"!")?,
        Err(error) => {
            kill(child, SIGKILL)?;
            waitpid(child, None)?;
            let what = format!("the program may not be traced here (ptrace: {})", error.desc());
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, what));
        }
    }
    Ok(child)
}

/// The error of a child that ended before its `exec` succeeded.
pub(super) fn exec_error(program: &OsStr, code: i32) -> io::Error {
    if code == NO_FILTER {
        let what = "the program may not be traced here (seccomp: filters cannot be installed)";
        return io::Error::new(io::ErrorKind::PermissionDenied, what);
    }
    let error = io::Error::from_raw_os_error(code);
    let reason = if code == UNKNOWN { "unknown error".to_owned() } else { error.to_string() };
    let what = format!("{}: cannot be started: {reason}", program.display());
    io::Error::new(error.kind(), what)
}

impl Prepared {
    fn new(command: &RecordCommand, streams: &Streams, go: [RawFd; 2]) -> io::Result<Self> {
        let [go, release] = go;
        let program = find(command)?;
        let env = command.env.iter().map(|(name, value)| {
            let mut pair = name.clone();
            pair.push("=");
            pair.push(value);
            c_string(&pair)
        });
        let args: Vec<CString> =
            command.argv.iter().map(|arg| c_string(arg)).collect::<Result<_, _>>()?;
        let env: Vec<CString> = env.collect::<Result<_, _>>()?;
        let stderr = streams.stderr.as_ref().map_or(libc::STDERR_FILENO, AsRawFd::as_raw_fd);
        Ok(Self {
            program: c_string(program.as_os_str())?,
            cwd: c_string(command.cwd.as_os_str())?,
            argv: pointers(&args),
            envp: pointers(&env),
            _args: args,
            _env: env,
            filter: filter()?,
            streams: [streams.stdin.as_raw_fd(), streams.stdout.as_raw_fd(), stderr],
            go,
            release,
        })
    }
}

fn pointers(strings: &[CString]) -> Vec<*const c_char> {
    strings.iter().map(|string| string.as_ptr()).chain([std::ptr::null()]).collect()
}

fn c_string(text: &OsStr) -> io::Result<CString> {
    CString::new(text.as_bytes()).map_err(|_| {
        io::Error::new(io::ErrorKind::InvalidInput, format!("{}: has a zero byte", text.display()))
    })
}

/// The program a command names: a path if there is a `/` in it, else a file of that name in a
/// directory of the command's `PATH`.
fn find(command: &RecordCommand) -> io::Result<PathBuf> {
    let name = command.argv.first().ok_or(io::ErrorKind::InvalidInput)?;
    let runs = |path: &Path| path.is_file() && access(path, Access::EXEC_OK).is_ok();
    if name.as_bytes().contains(&b'/') {
        // Whether it is there is for exec to say, from the command's working directory.
        return Ok(PathBuf::from(name));
    }
    let path = command.env.get(OsStr::new("PATH")).cloned().unwrap_or_else(OsString::new);
    std::env::split_paths(&path)
        .map(|dir| command.cwd.join(dir).join(name))
        .find(|candidate| runs(candidate))
        .ok_or_else(|| {
            let what = format!("{}: no such command", name.display());
            io::Error::new(io::ErrorKind::NotFound, what)
        })
}

/// The child's part: becomes the program, or ends with an error number as its exit code.
fn become_program(prepared: &Prepared) -> ! {
    // SAFETY: only async-signal-safe system calls, on memory laid out before the fork and not
    // changed since: no allocation, no lock, no destructor runs. `argv` and `envp` are arrays of
    // pointers to C strings that live in `prepared`, ended by null. `sigset_t` is plain memory
    // that `sigemptyset` fills. `release` is this process's copy of a descriptor nobody uses.
    unsafe {
        // Until the tracer has it, nothing else would end the child if we die.
        libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
        libc::close(prepared.release);
        for (number, stream) in (0..).zip(prepared.streams) {
            if stream != number && libc::dup2(stream, number) < 0 {
                give_up();
            }
        }
        // As every program expects to find them; Rust ignores SIGPIPE.
        let mut none: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&raw mut none);
        libc::sigprocmask(libc::SIG_SETMASK, &raw const none, std::ptr::null_mut());
        libc::signal(libc::SIGPIPE, libc::SIG_DFL);
        // A core dump would be a file in its working directory that no call of its made.
        let no_core = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
        libc::setrlimit(libc::RLIMIT_CORE, &raw const no_core);
        if libc::chdir(prepared.cwd.as_ptr()) < 0 {
            give_up();
        }
        // Whatever stops for the tracer before there is one would fail.
        let mut go = [0u8; 1];
        if libc::read(prepared.go, go.as_mut_ptr().cast(), 1) != 1 {
            libc::_exit(UNKNOWN);
        }
        if apply_filter(&prepared.filter).is_err() {
            libc::_exit(NO_FILTER);
        }
        let Prepared { program, argv, envp, .. } = prepared;
        libc::execve(program.as_ptr(), argv.as_ptr(), envp.as_ptr());
        give_up()
    }
}

/// Ends the child with the last error's number.
fn give_up() -> ! {
    // SAFETY: `_exit` runs no destructor and no handler; reading `errno` is a load.
    unsafe { libc::_exit(*libc::__errno_location()) }
}
