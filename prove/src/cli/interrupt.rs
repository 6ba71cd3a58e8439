//! Ctrl-C: what was made on the way is gone when the process ends.

use std::io;
use std::thread;
use std::time::Duration;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::{flag, low_level};

#[cfg(target_os = "linux")]
use super::strays;
use crate::scratch::{interrupted, remove_all};

/// How often to try to remove what somebody still writes to, and how long to wait in between: until
/// the processes that were killed are gone, and those that they started.
const ATTEMPTS: usize = 100;
const PAUSE: Duration = Duration::from_millis(10);

/// From now on a signal that asks this process to end ends it as ever, after its scratch directories
/// are removed and its children killed. The second one ends it at once.
///
/// # Errors
/// Whatever the system says of signals and threads.
pub(super) fn leave_no_scratch() -> io::Result<()> {
    let signals: Vec<_> =
        [SIGINT, SIGTERM, SIGHUP].into_iter().filter(|signal| !is_ignored(*signal)).collect();
    for signal in &signals {
        // In this order: the first one finds the flag not set.
        flag::register_conditional_default(*signal, interrupted())?;
        flag::register(*signal, interrupted())?;
    }
    let mut came = Signals::new(&signals)?;
    let end = move || {
        let Some(signal) = came.forever().next() else { return };
        leave_nothing();
        let _ = low_level::emulate_default_handler(signal);
    };
    thread::Builder::new().name("interrupts".to_owned()).spawn(end)?;
    Ok(())
}

fn leave_nothing() {
    #[cfg(target_os = "linux")]
    let _ = strays::adopt();
    for _ in 0..ATTEMPTS {
        #[cfg(target_os = "linux")]
        let killed = strays::kill_all();
        #[cfg(not(target_os = "linux"))]
        let killed = false;
        let left = remove_all();
        if left.is_empty() && !killed {
            // Not unlocked any more: what is made now would be left.
            std::mem::forget(left);
            return;
        }
        drop(left);
        thread::sleep(PAUSE);
    }
}

/// Whether whoever started us wants a signal to have no effect, as a shell does for `&` and `nohup`
/// for its command.
fn is_ignored(signal: i32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask >> (signal - 1) & 1 == 1)
}
