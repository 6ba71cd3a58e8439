//! Processes that a command left behind, in whatever session they hide.

use std::fs;
use std::io;

use rustix::process::{
    Pid, PidfdFlags, Signal, WaitOptions, getpid, kill_process, pidfd_open, pidfd_send_signal,
    set_child_subreaper, waitpid,
};

/// From now on, processes that lose their parent become our children if we are above them
/// (`PR_SET_CHILD_SUBREAPER`, prctl(2)), so that [`end_all`] finds them.
///
/// # Errors
/// Whatever the system says; kernels since 3.4 know it.
pub(super) fn adopt() -> io::Result<()> {
    Ok(set_child_subreaper(Some(getpid()))?)
}

/// Kills and reaps all children of this process and, as they are adopted, theirs. Nobody else may
/// be waiting for a child then.
pub(super) fn end_all() {
    loop {
        let children = children();
        if children.is_empty() {
            return;
        }
        for child in children {
            // Ours to reap, so its number cannot be another's. Either fails if it is dead.
            let _ = kill_process(child, Signal::KILL);
            let _ = waitpid(Some(child), WaitOptions::empty());
        }
    }
}

/// Kills all children of this process, of which others may be waiting for some. Whether any lived.
pub(super) fn kill_all() -> bool {
    let held: Vec<_> = children()
        .into_iter()
        .filter_map(|child| Some((child, pidfd_open(child, PidfdFlags::empty()).ok()?)))
        .collect();
    // What was a child before and after is what the descriptor is of.
    let now = children();
    let mut any = false;
    for (child, descriptor) in held {
        if now.contains(&child) && lives(child) {
            any = true;
            // Fails if it is dead.
            let _ = pidfd_send_signal(descriptor, Signal::KILL);
        }
    }
    any
}

/// Whether a process is more than a zombie (`proc_pid_stat(5)`: the state follows the name, which
/// may hold parentheses).
fn lives(process: Pid) -> bool {
    let stat = fs::read_to_string(format!("/proc/{}/stat", process.as_raw_nonzero()));
    let state = stat.ok().and_then(|stat| stat.rsplit_once(") ")?.1.chars().next());
    state.is_some_and(|state| state != 'Z')
}

/// The children of all our threads (`proc_tid_children(5)`).
fn children() -> Vec<Pid> {
    let tasks = fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let lists = tasks.filter_map(|task| fs::read_to_string(task.path().join("children")).ok());
    let all: String = lists.collect();
    all.split_whitespace().filter_map(|child| Pid::from_raw(child.parse().ok()?)).collect()
}
