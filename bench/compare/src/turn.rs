//! Turns: short stretches of work that last equally long and alternate between peers.

use std::thread;
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

use crate::store::{Result, Session, Store};

/// The clock is read once in so many operations that need no medium.
pub const UNTIMED: u64 = 64;

/// What a turn did.
#[derive(Debug, Clone, Copy, Default)]
pub struct Rate {
    /// Operations a second.
    pub wall: f64,
    /// Operations a second of processor time of the threads that called.
    pub cpu: f64,
}

/// When a turn ends.
#[derive(Debug, Clone, Copy)]
pub struct Turn {
    start: Instant,
    len: Duration,
}

impl Turn {
    /// Whether there is time left.
    pub fn goes_on(self) -> bool {
        self.start.elapsed() < self.len
    }
}

/// A count as a number to divide by. Exact below 2^53, as all here are.
#[expect(clippy::cast_precision_loss, reason = "counts are below 2^53")]
pub fn to_f64(count: u64) -> f64 {
    count as f64
}

/// Processor time of this thread, in seconds.
fn cpu_seconds() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::try_from(time).map_or(f64::NAN, |time| time.as_secs_f64())
}

/// Has so many threads call `work` with a session and the thread's number; `work` answers how many
/// operations it did until its turn ended.
///
/// # Errors
/// Those of `work`.
pub fn take(
    store: &dyn Store,
    threads: usize,
    len: Duration,
    work: impl Fn(&mut dyn Session, usize, Turn) -> Result<u64> + Sync,
) -> Result<Rate> {
    // Opening a session is no part of the turn: all wait for each other.
    let ready = std::sync::Barrier::new(threads);
    let run = |at: usize| {
        let session = store.session();
        ready.wait();
        let (start, cpu) = (Instant::now(), cpu_seconds());
        let done = work(&mut *session?, at, Turn { start, len })?;
        Ok((done, start.elapsed().as_secs_f64(), cpu_seconds() - cpu))
    };
    let done: Vec<(u64, f64, f64)> = thread::scope(|scope| {
        let run = &run;
        let running: Vec<_> = (0..threads).map(|at| scope.spawn(move || run(at))).collect();
        running
            .into_iter()
            .map(|one| one.join().map_err(|_| "a thread panicked")?)
            .collect::<Result<_>>()
    })?;
    let count = to_f64(done.iter().map(|one| one.0).sum());
    let longest = done.iter().map(|one| one.1).fold(0.0, f64::max);
    Ok(Rate { wall: count / longest, cpu: count / done.iter().map(|one| one.2).sum::<f64>() })
}
