//! What plans make the reference engine do.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use proofhouse_crash::{CallKind, SimDisk};
use proofhouse_model::{GenerateProfile, Marks, Op, RunOptions, generate, run};
use proofhouse_subjects::{Placed, Reference};

/// Knows which operation runs.
struct Steps(Arc<AtomicUsize>);

impl Marks for Steps {
    fn step(&mut self, index: usize) {
        self.0.store(index, Ordering::Relaxed);
    }
}

/// Segments that a plan has sealed in operations that do not ask for it.
fn sealed_unasked(seed: u64) -> usize {
    let plan = generate(seed, &GenerateProfile::crash());
    let step = Arc::new(AtomicUsize::new(0));
    let sealed = Arc::new(AtomicUsize::new(0));
    let disk = SimDisk::new();
    let (at, count, ops) = (Arc::clone(&step), Arc::clone(&sealed), plan.ops.clone());
    disk.set_hook(Some(Arc::new(move |call| {
        let asked = matches!(ops[at.load(Ordering::Relaxed)], Op::Checkpoint | Op::Reopen);
        if !asked && call.kind == CallKind::Create && call.path.starts_with("SEGMENTS") {
            count.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    })));
    let options = RunOptions { history: false, close: false };
    run(&Placed::new(Reference::new()), &disk, &plan, options, &mut Steps(step)).unwrap();
    sealed.load(Ordering::Relaxed)
}

/// Were the bytes at which a checkpoint runs by itself out of the plans' reach, no crash of one
/// would ever be judged.
#[test]
fn plans_meet_checkpoints_that_nobody_asked_for() {
    let met = (0..40).filter(|seed| sealed_unasked(*seed) > 0).count();
    assert!(met >= 10, "{met} of 40 plans");
}
