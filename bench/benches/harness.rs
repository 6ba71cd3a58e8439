//! The harness alone, on one core: differential operations and crash states a second.
//!
//! `cargo bench -p proofhouse-bench --bench harness`

#![expect(clippy::expect_used, reason = "a benchmark that cannot set up its work must stop")]

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use entidb_engine::storage::MemStorage;
use proofhouse_crash::{CrashState, Dedup, Mark, Profile, SimDisk, Tiers, Trace, enumerate};
use proofhouse_model::{
    GenerateProfile, History, Marks, Plan, Recovered, RunOptions, Subject, Universe, Window,
    generate, observe, run,
};
use proofhouse_subjects::{Placed, Reference};

/// Plans in the default operation mix, in memory, every outcome compared with the oracle's.
fn differential(c: &mut Criterion) {
    let subject = Placed::new(Reference::new());
    let plans: Vec<Plan> =
        (0..50).map(|seed| generate(seed, &GenerateProfile::differential())).collect();
    let ops: usize = plans.iter().map(|plan| plan.ops.len()).sum();
    let mut group = c.benchmark_group("differential");
    group.throughput(Throughput::Elements(ops as u64));
    group.bench_function("operations", |b| {
        b.iter(|| {
            for plan in &plans {
                run(&subject, &MemStorage::new(), plan, RunOptions::default(), &mut ())
                    .expect("agreement");
            }
        });
    });
    group.finish();
}

struct Recorded {
    plan: Plan,
    universe: Universe,
    history: History,
    trace: Trace,
}

struct OnDisk(SimDisk);

impl Marks for OnDisk {
    fn issue(&mut self, event: u64) {
        self.0.mark(Mark::Issue(event));
    }

    fn ack(&mut self, event: u64) {
        self.0.mark(Mark::Ack(event));
    }
}

fn record(subject: &Placed, seed: u64) -> Recorded {
    let plan = generate(seed, &GenerateProfile::crash());
    let disk = SimDisk::new();
    let created = Subject::<SimDisk>::open(subject, &disk, &plan.settings).expect("a new store");
    created.close().expect("a clean close");
    disk.settle();
    let options = RunOptions { history: true, close: true };
    let run = run(subject, &disk, &plan, options, &mut OnDisk(disk.clone())).expect("agreement");
    let universe = Universe::of(&plan);
    Recorded { plan, universe, history: run.history, trace: disk.trace() }
}

fn judge(subject: &Placed, recorded: &Recorded, state: &CrashState) {
    let capabilities = subject.about().capabilities;
    let disk = SimDisk::from_state(state);
    let settings = &recorded.plan.settings;
    let store = Subject::<SimDisk>::open(subject, &disk, settings).expect("recovery");
    let shown = observe(&mut *store.client(), &recorded.universe, capabilities).expect("agreement");
    let window = Window { acknowledged: state.acked, issued: state.issued };
    Recovered::accept(&recorded.history, window, &shown, settings, capabilities)
        .expect("an acceptable state");
}

/// Distinct power-loss states of tiers T1 and T2: built, recovered, read everywhere, judged.
fn power_loss(c: &mut Criterion) {
    let subject = Placed::new(Reference::new());
    let plans: Vec<Recorded> = (0..8).map(|seed| record(&subject, seed)).collect();
    let states = |recorded: &Recorded, each: &mut dyn FnMut(&CrashState)| {
        let mut seen = Dedup::default();
        for state in enumerate(&recorded.trace, Profile::Posix, Tiers::POWER_LOSS) {
            if seen.insert(&state) {
                each(&state);
            }
        }
    };
    let mut distinct = 0;
    for recorded in &plans {
        states(recorded, &mut |_| distinct += 1);
    }
    let mut group = c.benchmark_group("power loss");
    group.throughput(Throughput::Elements(distinct)).sample_size(10);
    group.bench_function("states recovered and judged", |b| {
        b.iter_batched(
            || (),
            |()| {
                for recorded in &plans {
                    states(recorded, &mut |state| judge(&subject, recorded, state));
                }
            },
            BatchSize::PerIteration,
        );
    });
    group.finish();
}

criterion_group!(benches, differential, power_loss);
criterion_main!(benches);
