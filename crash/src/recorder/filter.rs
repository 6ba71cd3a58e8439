//! The seccomp filter: which calls stop for the tracer, which fail, which end the program.

use std::io;

use nix::libc;
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, TargetArch, sock_filter,
};

use super::call::{NEWER_CALLS, STOPPED, Stop};

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

const ENOSYS: u32 = libc::ENOSYS.unsigned_abs();

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
        Ok(Self {
            stop: number_guards(NEWER_CALLS).into_iter().chain(stop).collect(),
            refuse: program(refuse, SeccompAction::Errno(ENOSYS))?,
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
    let Stop::Bits(arg, masks) = stop else { return Ok(Vec::new()) };
    masks
        .iter()
        .map(|mask| {
            let op = SeccompCmpOp::MaskedEq(*mask);
            let condition = SeccompCondition::new(arg, SeccompCmpArgLen::Dword, op, *mask)?;
            SeccompRule::new(vec![condition])
        })
        .collect()
}

/// Two guards on the number of a call, before anything else is asked. What makes a call of x32,
/// which shares its architecture's number with x86-64, is killed; other architectures are told
/// apart by the filters themselves. Calls from `newer` on do not exist: nobody has looked at what
/// they do, and programs fall back to older ones.
fn number_guards(newer: u32) -> [sock_filter; 5] {
    [
        // Offset 0 of `seccomp_data` is the number of the call.
        statement(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0),
        skip_below(X32_CALLS),
        statement(libc::BPF_RET | libc::BPF_K, libc::SECCOMP_RET_KILL_PROCESS),
        skip_below(newer),
        statement(libc::BPF_RET | libc::BPF_K, libc::SECCOMP_RET_ERRNO | ENOSYS),
    ]
}

fn statement(parts: u32, k: u32) -> sock_filter {
    sock_filter { code: u16::try_from(parts).unwrap_or_default(), jt: 0, jf: 0, k }
}

/// Skips the next statement if what was loaded is below a number.
fn skip_below(number: u32) -> sock_filter {
    let jump = statement(libc::BPF_JMP | libc::BPF_JGE | libc::BPF_K, number);
    sock_filter { jf: 1, ..jump }
}

#[cfg(test)]
mod tests;
