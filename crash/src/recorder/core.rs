//! Which core a recording runs on.
//!
//! A program and its tracer take turns: at each stop one falls asleep and the other wakes up. On two
//! cores each of these wakes a core that has fallen asleep, too, which can take several times what all
//! else of a stop does. So both run on one core as long as the program has one thread in one process.
//!
//! The program is not to notice: what asks where it may run is told the truth, and one that says where
//! it wants to run is left alone from then on. With its second thread all threads may run everywhere.

use rustix::thread::{CpuSet, Pid, sched_getaffinity, sched_getcpu, sched_setaffinity};

/// Keeps the calling thread, the tracer's, and one tracee together.
#[derive(Debug)]
pub(super) struct Core {
    /// Where both could run before; `None` if that is one core, is not known, or is for the program to
    /// say: then nothing is changed.
    everywhere: Option<CpuSet>,
    /// The thread that was put on a core with the tracer.
    shared_with: Option<i32>,
}

impl Core {
    /// For the calling thread and its children to come.
    pub(super) fn new() -> Self {
        let everywhere = sched_getaffinity(None).ok().filter(|cores| cores.count() > 1);
        Self { everywhere, shared_with: None }
    }

    /// Puts a thread on the core that the tracer runs on, and both nowhere else.
    pub(super) fn share(&mut self, tid: i32) {
        if self.everywhere.is_none() || self.shared_with == Some(tid) {
            return;
        }
        let mut here = CpuSet::new();
        here.set(sched_getcpu());
        set(None, &here);
        set(Some(tid), &here);
        self.shared_with = Some(tid);
    }

    /// Lets the tracer and these threads, all there are, run where they could before.
    pub(super) fn part<'a>(&mut self, tids: impl IntoIterator<Item = &'a i32>) {
        let Some(everywhere) = &self.everywhere else { return };
        if self.shared_with.take().is_some() {
            set(None, everywhere);
            tids.into_iter().for_each(|tid| set(Some(*tid), everywhere));
        }
    }

    /// A new thread has the cores of the one that made it.
    pub(super) fn welcome(&self, tid: i32) {
        if let Some(everywhere) = &self.everywhere {
            set(Some(tid), everywhere);
        }
    }

    /// The program says itself where it runs.
    pub(super) fn let_go<'a>(&mut self, tids: impl IntoIterator<Item = &'a i32>) {
        self.part(tids);
        self.everywhere = None;
    }
}

/// Only time depends on it: a thread that was killed meanwhile, or a core that was taken away, is no
/// error.
fn set(tid: Option<i32>, cores: &CpuSet) {
    let _ = sched_setaffinity(tid.and_then(Pid::from_raw), cores);
}
