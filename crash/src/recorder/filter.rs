//! The seccomp filter: which calls stop for the tracer, which fail, which end the program.

use std::io;

use nix::libc;
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, TargetArch, sock_filter,
};

use super::call::{NEWER_CALLS, STOPPED, Stop};

/// What tells a stop of ours from one of a program's own filter; nobody looks at its value.
const STOP_TAG: u32 = 1;

/// Numbers from here on are calls of the x32 architecture (`__X32_SYSCALL_BIT`).
const X32_CALLS: u32 = 0x4000_0000;

const ENOSYS: u32 = libc::ENOSYS.unsigned_abs();

/// The calls of `io_uring`, `io_uring_setup` to `io_uring_register`, and the number after them.
const IO_URING: [u32; 2] = [425, 428];

/// The filter a tracee installs before it becomes the program: one alone, as every call that is
/// stopped passes it twice.
///
/// # Errors
/// None in practice: the rules are constants.
pub(super) fn filter() -> io::Result<BpfProgram> {
    let rules = STOPPED
        .iter()
        .map(|(number, _, stop)| Ok((*number, rules(*stop)?)))
        .collect::<Result<_, seccompiler::BackendError>>()
        .map_err(io::Error::other)?;
    let stop = SeccompAction::Trace(STOP_TAG);
    let stop: BpfProgram =
        SeccompFilter::new(rules, SeccompAction::Allow, stop, TargetArch::x86_64)
            .and_then(TryInto::try_into)
            .map_err(io::Error::other)?;
    Ok(number_guards(NEWER_CALLS).into_iter().chain(stop).collect())
}

/// Any of the rules lets the filter match; none means always.
fn rules(stop: Stop) -> Result<Vec<SeccompRule>, seccompiler::BackendError> {
    match stop {
        Stop::Always => Ok(Vec::new()),
        Stop::Bits(arg, masks) => {
            masks.iter().map(|mask| rule(arg, SeccompCmpOp::MaskedEq(*mask), *mask)).collect()
        }
        Stop::Equals(arg, value) => Ok(vec![rule(arg, SeccompCmpOp::Eq, value)?]),
    }
}

fn rule(arg: u8, op: SeccompCmpOp, value: u64) -> Result<SeccompRule, seccompiler::BackendError> {
    SeccompRule::new(vec![SeccompCondition::new(arg, SeccompCmpArgLen::Dword, op, value)?])
}

/// Three guards on the number of a call, before anything else is asked. What makes a call of x32,
/// which shares its architecture's number with x86-64, is killed; other architectures are told
/// apart by the rest of the filter. Calls from `newer` on do not exist: nobody has looked at what
/// they do, and programs fall back to older ones. Nor does `io_uring`, whose operations never pass
/// a filter.
fn number_guards(newer: u32) -> [sock_filter; 8] {
    let [uring, other] = IO_URING;
    let refuse = statement(libc::BPF_RET | libc::BPF_K, libc::SECCOMP_RET_ERRNO | ENOSYS);
    [
        // Offset 0 of `seccomp_data` is the number of the call.
        statement(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0),
        skip_below(X32_CALLS),
        statement(libc::BPF_RET | libc::BPF_K, libc::SECCOMP_RET_KILL_PROCESS),
        skip_below(newer),
        refuse.clone(),
        sock_filter { jf: 2, ..skip_below(uring) },
        sock_filter { jt: 1, jf: 0, ..skip_below(other) },
        refuse,
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
