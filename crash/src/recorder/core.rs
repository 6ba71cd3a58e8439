//! Which core a recording runs on.
//!
//! A program and its tracer take turns: at each stop one falls asleep and the other wakes up. On two
//! cores each of these wakes a core that has fallen asleep, too, which can take several times what all
//! else of a stop does. So both run on one core as long as the program has one thread in one process.
//!
//! The program is not to act otherwise for it: what asks where it may run is told the truth. One that says where it
//! wants to run, or becomes another user, whose threads we may not move, is left alone from then on.
//! With its second thread all threads may run everywhere.

use std::collections::BTreeMap;

use parking_lot::Mutex;
use rustix::thread::{CpuSet, Pid, sched_getaffinity, sched_getcpu, sched_setaffinity};

/// Keeps the calling thread, the tracer's, and one tracee together.
#[derive(Debug)]
pub(super) struct Core {
    /// Where both could run before; `None` if that is one core, is not known, or is for the program to
    /// say: then nothing is changed.
    everywhere: Option<CpuSet>,
    shared: Option<Shared>,
}

/// A thread that was put on a core with its tracer.
#[derive(Debug)]
struct Shared {
    tid: i32,
    core: usize,
}

/// How many threads of ours share each core with their tracers: recordings side by side take
/// different cores, for the system cannot move them apart.
static TAKEN: Mutex<BTreeMap<usize, usize>> = Mutex::new(BTreeMap::new());

impl Core {
    /// For the calling thread and its children to come.
    pub(super) fn new() -> Self {
        let everywhere = sched_getaffinity(None).ok().filter(|cores| cores.count() > 1);
        Self { everywhere, shared: None }
    }

    /// Puts a thread on one core with the tracer, and both nowhere else.
    pub(super) fn share(&mut self, tid: i32) {
        let Some(everywhere) = &self.everywhere else { return };
        if self.shared.as_ref().is_some_and(|shared| shared.tid == tid) {
            return;
        }
        let shared = Shared::new(tid, everywhere);
        let mut one = CpuSet::new();
        one.set(shared.core);
        set(None, &one);
        set(Some(tid), &one);
        self.shared = Some(shared);
    }

    /// Lets the tracer and these threads, all there are, run where they could before.
    pub(super) fn part(&mut self, tids: impl IntoIterator<Item = i32>) {
        let Some(everywhere) = &self.everywhere else { return };
        if self.shared.take().is_some() {
            set(None, everywhere);
            tids.into_iter().for_each(|tid| set(Some(tid), everywhere));
        }
    }

    /// From now on the program says itself where it runs.
    pub(super) fn let_go(&mut self, tids: impl IntoIterator<Item = i32>) {
        self.part(tids);
        self.everywhere = None;
    }
}

impl Shared {
    /// The core with the fewest others; of these the tracer's own, if it is one of them.
    fn new(tid: i32, everywhere: &CpuSet) -> Self {
        let mut taken = TAKEN.lock();
        let here = sched_getcpu();
        let cores = (0..CpuSet::MAX_CPU).filter(|core| everywhere.is_set(*core));
        let others = |core: &usize| (taken.get(core).copied().unwrap_or_default(), *core != here);
        let core = cores.min_by_key(others).unwrap_or(here);
        *taken.entry(core).or_default() += 1;
        Self { tid, core }
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        if let Some(taken) = TAKEN.lock().get_mut(&self.core) {
            *taken -= 1;
        }
    }
}

/// Only time depends on it: a thread that was killed meanwhile, or a core that was taken away, is no
/// error.
fn set(tid: Option<i32>, cores: &CpuSet) {
    let _ = sched_setaffinity(tid.and_then(Pid::from_raw), cores);
}

#[cfg(test)]
mod tests;
