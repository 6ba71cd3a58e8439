//! The seccomp filter: which calls stop for the tracer, which fail, which end the program.

use std::io;

use nix::libc;
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, TargetArch, sock_filter,
};

use super::call::{STOPPED, Stop};

/// The filters a tracee installs, in this order, before it becomes the program.
#[derive(Debug)]
pub(super) struct Filters {
    /// Stops the calls of [`STOPPED`]; kills a program that makes a call of another architecture.
    pub(super) stop: BpfProgram,
    /// Fails `io_uring`, whose operations never pass a filter: programs fall back to plain calls.
    pub(super) refuse: BpfProgram,
}

/// What tells a stop of ours from one of a program's own filter; nobody looks at its value.
const STOP_TAG: u32 = 1;

/// Numbers from here on are calls of the x32 architecture (`__X32_SYSCALL_BIT`).
const X32_CALLS: u32 = 0x4000_0000;

const IO_URING: [libc::c_long; 3] =
    [libc::SYS_io_uring_setup, libc::SYS_io_uring_enter, libc::SYS_io_uring_register];

impl Filters {
    /// # Errors
    /// None in practice: the rules are constants.
    pub(super) fn new() -> io::Result<Self> {
        let stop = STOPPED
            .iter()
            .map(|(number, _, stop)| Ok((*number, rules(*stop)?)))
            .collect::<Result<_, seccompiler::BackendError>>();
        let stop = program(stop.map_err(io::Error::other)?, SeccompAction::Trace(STOP_TAG))?;
        let refuse = IO_URING.into_iter().map(|number| (number, Vec::new())).collect();
        let no_call = SeccompAction::Errno(libc::ENOSYS.unsigned_abs());
        Ok(Self {
            stop: x32_guard().into_iter().chain(stop).collect(),
            refuse: program(refuse, no_call)?,
        })
    }
}

type Rules = std::collections::BTreeMap<libc::c_long, Vec<SeccompRule>>;

fn program(rules: Rules, on_match: SeccompAction) -> io::Result<BpfProgram> {
    SeccompFilter::new(rules, SeccompAction::Allow, on_match, TargetArch::x86_64)
        .and_then(TryInto::try_into)
        .map_err(io::Error::other)
}

/// Any of the rules lets the filter match; none means always.
fn rules(stop: Stop) -> Result<Vec<SeccompRule>, seccompiler::BackendError> {
    let (arg, values, masked) = match stop {
        Stop::Always => return Ok(Vec::new()),
        Stop::Bits(arg, masks) => (arg, masks, true),
        Stop::Values(arg, values) => (arg, values, false),
    };
    values
        .iter()
        .map(|value| {
            let op = if masked { SeccompCmpOp::MaskedEq(*value) } else { SeccompCmpOp::Eq };
            let condition = SeccompCondition::new(arg, SeccompCmpArgLen::Dword, op, *value)?;
            SeccompRule::new(vec![condition])
        })
        .collect()
}

/// Kills what makes a call of x32, which shares its architecture's number with x86-64; other
/// architectures are told apart by the filters themselves.
fn x32_guard() -> [sock_filter; 3] {
    let code = |parts: u32| u16::try_from(parts).unwrap_or_default();
    [
        // Offset 0 of `seccomp_data` is the number of the call.
        sock_filter { code: code(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS), jt: 0, jf: 0, k: 0 },
        sock_filter {
            code: code(libc::BPF_JMP | libc::BPF_JGE | libc::BPF_K),
            jt: 0,
            jf: 1,
            k: X32_CALLS,
        },
        sock_filter {
            code: code(libc::BPF_RET | libc::BPF_K),
            jt: 0,
            jf: 0,
            k: libc::SECCOMP_RET_KILL_PROCESS,
        },
    ]
}
