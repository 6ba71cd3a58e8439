//! A reader that looks on before every storage call of a writer.
//!
//! The writer runs a plan on the simulated disk. Before each of its calls the disk's hook hands
//! over to a reader on a thread of its own and waits for what it sees.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use proofhouse_crash::{Call, CallKind, SimDisk};
use proofhouse_model::{
    Capabilities, Client, Collection, GenerateProfile, Op, Oracle, Outcome, Plan, State, Store,
    Subject, Universe,
};

use proofhouse_subjects::Placed;

use super::{Context, DIVERGENT, Measured, Room, differential};
use crate::case::Scene;
use crate::finding::{Finding, Kind, World};
use crate::parallel;
use crate::verdict::{Evidence, Reason};

/// What readers see meanwhile.
pub(super) const ROOM: Room = Room {
    name: "readers at every storage call",
    claims: &["AC-03.every-call", "AC-06.every-call"],
    split: false,
    measure,
};

/// How long a reader may take before it is taken to wait for the writer.
const PATIENCE: Duration = Duration::from_secs(2);

/// What watching a plan came to.
#[derive(Debug, Default)]
pub(crate) struct Watched {
    /// Looks taken.
    pub(crate) looks: u64,
    /// Looks taken through a snapshot that was older than the state.
    pub(crate) snapshot_looks: u64,
    /// What was wrong first: the claim and the story.
    pub(crate) wrong: Option<(&'static str, String)>,
    /// Whether the reader waited for the writer, which waits for the reader here.
    pub(crate) blocked: bool,
}

fn measure(context: &Context) -> Measured {
    let cases = context.scale.gated_plans;
    let done = parallel::map(cases, context.budget, |case| {
        let plan = plan(context, case);
        // What diverges undisturbed is told by others, and would only confuse here.
        let read = differential::with_reads(&plan, context.subject.about().capabilities);
        let watched = match differential::diverges(context, &read) {
            Some(_) => None,
            None => Some(watch(context.subject, &plan)),
        };
        (plan, watched)
    });
    let divergent = done.iter().filter(|(_, watched)| watched.is_none()).count() as u64;
    let all = || done.iter().filter_map(|(_, watched)| watched.as_ref());
    let sum = |of: fn(&Watched) -> u64| all().map(of).sum::<u64>();
    let mut measured = Measured::default();
    for (claim, looks) in [
        ("AC-03.every-call", sum(|watched| watched.looks)),
        ("AC-06.every-call", sum(|watched| watched.snapshot_looks)),
    ] {
        let mut evidence = Evidence::of(looks, looks, "looks").without(DIVERGENT, divergent);
        if all().any(|watched| watched.blocked) {
            let note = "readers wait for the writer's storage calls".to_owned();
            evidence.stopped = Some((Reason::NotReached, note));
        } else if (done.len() as u64) < cases {
            let note = format!("{} of {cases} plans watched", done.len());
            evidence.stopped = Some((Reason::Budget, note));
        }
        measured.show(claim, evidence);
    }
    let mut seen = BTreeSet::new();
    for (plan, watched) in done {
        let wrong = watched.and_then(|watched| watched.wrong);
        if let Some((claim, story)) = wrong.filter(|(claim, _)| seen.insert(*claim)) {
            let finding = Finding::new(Kind::Partial, World::Undisturbed, claim, story);
            measured.findings.push(context.with_case(finding, plan, Scene::Watched));
        }
    }
    measured
}

/// A plan of one life: the reader would not survive a reopen.
fn plan(context: &Context, case: u64) -> Plan {
    let mut plan = context.plan("gates", case, &GenerateProfile::crash());
    plan.ops.retain(|op| *op != Op::Reopen);
    plan
}

/// What the reader may see, and what it saw.
#[derive(Default)]
struct Expected {
    /// Committed before the operation at hand.
    before: State,
    /// Committed after it.
    after: State,
    /// Whether a sync of this operation has returned.
    synced: bool,
    /// Whether a sync is the call that the writer entered last.
    syncing: bool,
    /// Whether the state after it was seen already: it must stay.
    seen_after: bool,
    /// What the old snapshot shows, for ever; `None` before it was taken.
    snapshot: Option<State>,
    watched: Watched,
}

/// What a reader saw at one moment.
struct Sight {
    current: State,
    snapshot: Option<State>,
}

/// What a reader answers.
enum Answer {
    Taken(bool),
    Saw(Sight),
}

enum Request {
    TakeSnapshot,
    Look,
}

/// Watches a plan being carried out.
pub(crate) fn watch(subject: &Placed, plan: &Plan) -> Watched {
    let disk = SimDisk::new();
    let Ok(store) = Subject::open(subject, &disk, &plan.settings) else {
        // A store that does not open is another measurement's business.
        return Watched::default();
    };
    let (to_reader, requests) = channel();
    let (to_writer, sights) = channel();
    let collections = Universe::of(plan).collections;
    thread::scope(|scope| {
        let (store, collections) = (store.as_ref(), &collections);
        scope.spawn(move || read(store, collections, requests, &to_writer));
        let gate = Gate {
            reader: Mutex::new((to_reader, sights)),
            expected: Mutex::default(),
            looking: AtomicBool::new(false),
        };
        write(store, plan, subject.about().capabilities, &disk, gate)
    })
}

/// The reader's thread: ends when nobody asks any more.
fn read(
    store: &dyn Store,
    collections: &[Collection],
    requests: Receiver<Request>,
    answers: &Sender<Answer>,
) {
    let mut client = store.client();
    let mut taken = false;
    for request in requests {
        let answer = match request {
            Request::TakeSnapshot => {
                taken = client.apply(&Op::Snapshot { slot: 0 }) == Outcome::Done;
                Answer::Taken(taken)
            }
            Request::Look => {
                let current = |collection| Op::Scan { collection };
                let old = |collection| Op::SnapshotScan { slot: 0, collection };
                let current = scan(client.as_mut(), collections, current);
                let snapshot = taken.then(|| scan(client.as_mut(), collections, old));
                Answer::Saw(Sight { current, snapshot })
            }
        };
        if answers.send(answer).is_err() {
            break;
        }
    }
}

/// All entities by scans. Collections without any are left out: one younger than a snapshot is
/// there, and empty, in it.
fn scan(
    client: &mut dyn Client,
    collections: &[Collection],
    op: impl Fn(Collection) -> Op,
) -> State {
    let mut state = State::default();
    for collection in collections.iter().copied() {
        if let Outcome::Entities(entities) = client.apply(&op(collection)) {
            for (id, bytes) in entities {
                state.put(collection, id, bytes);
            }
        }
    }
    state
}

/// The same of a state of the oracle.
fn entities(state: &State) -> State {
    let mut bare = State::default();
    for collection in state.collections() {
        for (id, bytes) in state.scan(collection) {
            bare.put(collection, id, bytes);
        }
    }
    bare
}

/// The writer: carries out the plan, and looks once more after each operation.
fn write(
    store: &dyn Store,
    plan: &Plan,
    capabilities: Capabilities,
    disk: &SimDisk,
    gate: Gate,
) -> Watched {
    let mut oracle = Oracle::new(&plan.settings, capabilities);
    let mut client = store.client();
    let gate = Arc::new(gate);
    for (index, op) in plan.ops.iter().enumerate() {
        if index == plan.ops.len() / 3 && capabilities.snapshots {
            gate.take_snapshot(entities(oracle.state()));
        }
        let before = entities(oracle.state());
        let due = oracle.step(op);
        gate.begin(before, entities(oracle.state()));
        let hook = Arc::clone(&gate);
        disk.set_hook(Some(Arc::new(move |call: &Call<'_>| {
            hook.before(call);
            Ok(())
        })));
        let got = catch_unwind(AssertUnwindSafe(|| client.apply(op)));
        disk.set_hook(None);
        if got.ok() != Some(due) {
            // Other measurements compare outcomes.
            break;
        }
        gate.end();
    }
    std::mem::take(&mut gate.expected().watched)
}

/// Where the writer hands over to the reader.
struct Gate {
    reader: Mutex<(Sender<Request>, Receiver<Answer>)>,
    expected: Mutex<Expected>,
    /// The reader's own storage calls pass freely.
    looking: AtomicBool,
}

impl Gate {
    fn expected(&self) -> MutexGuard<'_, Expected> {
        self.expected.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin(&self, before: State, after: State) {
        let mut expected = self.expected();
        *expected = Expected {
            before,
            after,
            synced: false,
            syncing: false,
            seen_after: false,
            snapshot: expected.snapshot.take(),
            watched: std::mem::take(&mut expected.watched),
        };
    }

    /// The operation returned: from here on only the state after it is right.
    fn end(&self) {
        {
            let mut expected = self.expected();
            expected.before = expected.after.clone();
        }
        self.look();
    }

    fn take_snapshot(&self, shows: State) {
        if let Some(Answer::Taken(true)) = self.ask(Request::TakeSnapshot) {
            self.expected().snapshot = Some(shows);
        }
    }

    fn before(&self, call: &Call<'_>) {
        if self.looking.load(Ordering::SeqCst) {
            return;
        }
        {
            let mut expected = self.expected();
            expected.synced |= expected.syncing;
            expected.syncing =
                matches!(call.kind, CallKind::SyncData | CallKind::SyncFull | CallKind::SyncDir);
        }
        self.look();
    }

    fn look(&self) {
        if let Some(Answer::Saw(sight)) = self.ask(Request::Look) {
            self.expected().judge(&sight);
        }
    }

    /// The reader's answer; `None` if it waits for the writer, now or earlier.
    fn ask(&self, request: Request) -> Option<Answer> {
        if self.expected().watched.blocked {
            return None;
        }
        self.looking.store(true, Ordering::SeqCst);
        let reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        let answer = reader.0.send(request).ok().map(|()| reader.1.recv_timeout(PATIENCE));
        self.looking.store(false, Ordering::SeqCst);
        match answer? {
            Ok(answer) => Some(answer),
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                self.expected().watched.blocked = true;
                None
            }
        }
    }
}

impl Expected {
    fn judge(&mut self, sight: &Sight) {
        let Self { before, after, watched, .. } = self;
        watched.looks += 1;
        let wrong = if sight.current == *before {
            let back = self.seen_after && before != after;
            back.then(|| "a commit that was visible is gone again".to_owned())
        } else if sight.current == *after {
            self.seen_after = true;
            (!self.synced).then(|| "a commit is visible before a sync returned".to_owned())
        } else {
            let differences = before.differences(&sight.current);
            let words: Vec<_> = differences.iter().map(ToString::to_string).collect();
            Some(format!(
                "neither the state before a commit nor the one after: {}",
                words.join(", ")
            ))
        };
        let wrong = wrong.map(|story| ("AC-03.every-call", story));
        watched.wrong = watched.wrong.take().or(wrong);
        if let (Some(due), Some(shown)) = (&self.snapshot, &sight.snapshot) {
            watched.snapshot_looks += u64::from(*due != sight.current);
            let differences = due.differences(shown);
            let wrong =
                differences.first().map(|first| format!("an old snapshot changed: {first}"));
            let wrong = wrong.map(|story| ("AC-06.every-call", story));
            watched.wrong = watched.wrong.take().or(wrong);
        }
    }
}
