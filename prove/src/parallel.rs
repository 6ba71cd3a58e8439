//! Cases spread over worker threads, results in case order: what a run says does not depend
//! on how the threads were scheduled.

#[cfg(test)]
mod tests;

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Instant;

/// Workers for cases that compute: what the smallest machine has cores.
pub const COMPUTE: usize = 2;

/// Workers for cases that mostly wait for the disk.
pub const WAIT: usize = 8;

/// The time a run may take.
#[derive(Debug, Clone, Copy, Default)]
pub struct Budget {
    /// When to stop; never, if none was given.
    pub until: Option<Instant>,
}

impl Budget {
    /// Whether it is used up.
    pub fn is_spent(self) -> bool {
        self.until.is_some_and(|until| Instant::now() >= until)
    }
}

/// The results of `cases`, in order. Cases that the budget did not reach are missing at the end:
/// a result stands only if all before it do.
pub fn map<T: Send>(cases: u64, budget: Budget, case: impl Fn(u64) -> T + Sync) -> Vec<T> {
    map_on(COMPUTE, cases, budget, case)
}

/// As [`map`], on so many workers.
pub fn map_on<T: Send>(
    workers: usize,
    cases: u64,
    budget: Budget,
    case: impl Fn(u64) -> T + Sync,
) -> Vec<T> {
    let (next, spent) = (AtomicU64::new(0), AtomicBool::new(false));
    let done = Mutex::new(Vec::new());
    let work = || {
        while !spent.load(Ordering::Relaxed) {
            let index = next.fetch_add(1, Ordering::Relaxed);
            if index >= cases {
                break;
            }
            if budget.is_spent() {
                spent.store(true, Ordering::Relaxed);
                break;
            }
            let result = case(index);
            done.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push((index, result));
        }
    };
    thread::scope(|scope| {
        for _ in 1..workers {
            scope.spawn(work);
        }
        work();
    });
    let mut done = done.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    done.sort_by_key(|(index, _)| *index);
    (0..).zip(done).take_while(|(due, (index, _))| due == index).map(|(_, (_, it))| it).collect()
}
