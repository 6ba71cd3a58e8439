mod faults;

use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;

use parking_lot::Mutex;
use proofhouse_model::protocol::{Answer, Request};
use proofhouse_model::{
    Collection, ErrorClass, GenerateProfile, Id, Op, Outcome, Payload, Plan, RunOptions, Settings,
    Store, Subject, generate, run,
};
use tempfile::TempDir;

use super::threads::Threads;
use super::{CommandSubject, Hook, WATCHDOG};
use crate::{Placed, Reference};

const C: Collection = Collection(0);

fn reference() -> Threads {
    Threads::new(|| Placed::new(Reference::new()))
}

fn subject(threads: &Threads) -> CommandSubject {
    CommandSubject::new(threads.clone(), WATCHDOG).unwrap()
}

fn settings() -> Settings {
    generate(0, &GenerateProfile::differential()).settings
}

fn put(n: u8, size: u32) -> Op {
    Op::Put { collection: C, id: Id::nth(n), payload: Payload::Entity { tag: n.into(), size } }
}

fn get(n: u8) -> Op {
    Op::Get { collection: C, id: Id::nth(n) }
}

fn window(length: usize) -> NonZeroUsize {
    NonZeroUsize::new(length).unwrap()
}

fn apply_all(store: &dyn Store, ops: &[Op]) -> Vec<Outcome> {
    let mut client = store.client();
    ops.iter().map(|op| client.apply(op)).collect()
}

#[test]
fn plans_run_through_the_protocol_as_the_oracle_says() {
    let threads = reference();
    let subject = subject(&threads);
    for seed in 0..6 {
        let dir = TempDir::new().unwrap();
        let plan = generate(seed, &GenerateProfile::differential());
        let plan = plan.for_capabilities(subject.about().capabilities);
        let options = RunOptions { close: true, ..RunOptions::default() };
        let run = run(&subject, dir.path(), &plan, options, &mut ()).unwrap();
        assert!(run.oracle.events() > 10, "seed {seed}: {} events", run.oracle.events());
    }
    assert_eq!(subject.take_failure(), None);
    assert_eq!(threads.launched(), 1, "one process reopens many directories");
}

#[test]
fn a_window_changes_no_outcome() {
    let subject = subject(&reference());
    let Plan { ops, settings, .. } = generate(3, &GenerateProfile::differential())
        .for_capabilities(subject.about().capabilities);
    let ops: Vec<Op> = ops.into_iter().filter(|op| *op != Op::Reopen).collect();
    let outcomes = [1, 2, 64, 1000].map(|length| {
        let dir = TempDir::new().unwrap();
        let store = subject.open_store(dir.path(), &settings).unwrap();
        store.apply_window(&ops, window(length)).unwrap()
    });
    let dir = TempDir::new().unwrap();
    let store = subject.open_store(dir.path(), &settings).unwrap();
    let due = apply_all(&store, &ops);
    assert_eq!(due.len(), ops.len());
    for outcomes in outcomes {
        assert_eq!(outcomes, due);
    }
}

#[test]
fn full_pipes_block_neither_side() {
    let subject = subject(&reference());
    let dir = TempDir::new().unwrap();
    let store = subject.open_store(dir.path(), &settings()).unwrap();
    let pairs = (0..100).flat_map(|n| [put(n, 5000), get(n)]);
    let ops: Vec<Op> = [Op::CreateCollection { collection: C }].into_iter().chain(pairs).collect();
    // Ten kilobytes a line, both ways: far more than pipes hold.
    let outcomes = store.apply_window(&ops, window(ops.len())).unwrap();
    let read = outcomes.iter().filter(|outcome| matches!(outcome, Outcome::Value(Some(_))));
    assert_eq!(read.count(), 100);
}

#[test]
fn a_store_that_is_not_closed_takes_its_process_with_it() {
    let threads = reference();
    let subject = subject(&threads);
    let dir = TempDir::new().unwrap();
    let store = subject.open_store(dir.path(), &settings()).unwrap();
    apply_all(&store, &[Op::CreateCollection { collection: C }, put(1, 40)]);
    drop(store);
    let store = Box::new(subject.open_store(dir.path(), &settings()).unwrap());
    let outcomes = apply_all(store.as_ref(), &[get(1)]);
    assert!(matches!(outcomes[..], [Outcome::Value(Some(_))]), "{outcomes:?}");
    assert_eq!(threads.launched(), 2);
    store.close().unwrap();
    subject.retire();
    subject.open_store(dir.path(), &settings()).unwrap();
    assert_eq!(threads.launched(), 3, "a retired process is not used again");
}

#[test]
fn stores_that_are_open_at_the_same_time_have_a_process_each() {
    let threads = reference();
    let subject = subject(&threads);
    let dirs = [TempDir::new().unwrap(), TempDir::new().unwrap()];
    let stores = dirs.each_ref().map(|dir| subject.open_store(dir.path(), &settings()).unwrap());
    for store in &stores {
        let outcomes = apply_all(store, &[Op::CreateCollection { collection: C }]);
        assert_eq!(outcomes, [Outcome::Done]);
    }
    assert_eq!(threads.launched(), 2);
}

#[test]
fn a_new_client_begins_outside_of_its_predecessors_transaction() {
    let subject = subject(&reference());
    let dir = TempDir::new().unwrap();
    let store = subject.open_store(dir.path(), &settings()).unwrap();
    let mut first = store.client();
    assert_eq!(first.apply(&Op::CreateCollection { collection: C }), Outcome::Done);
    assert_eq!(first.apply(&Op::Begin), Outcome::Done);
    assert_eq!(first.apply(&put(1, 40)), Outcome::Done);
    let mut second = store.client();
    assert_eq!(second.apply(&get(1)), Outcome::Value(None));
    assert_eq!(second.apply(&Op::Commit), Outcome::Failed(ErrorClass::Misuse));
    assert_eq!(first.apply(&get(1)), Outcome::Failed(ErrorClass::Unsupported));
}

#[test]
fn a_store_that_another_holds_is_refused_in_the_engines_words() {
    let subject = subject(&reference());
    let dir = TempDir::new().unwrap();
    let _store = subject.open_store(dir.path(), &settings()).unwrap();
    let refusal = subject.open(dir.path(), &settings()).err().unwrap();
    assert_eq!(refusal.class, ErrorClass::Locked);
    assert!(!refusal.message.is_empty());
    assert_eq!(subject.take_failure(), None, "a refusal is an answer, not a fault");
}

#[test]
fn a_directory_that_json_cannot_name_is_refused() {
    use std::os::unix::ffi::OsStrExt;
    let subject = subject(&reference());
    let dir = Path::new(std::ffi::OsStr::from_bytes(b"/tmp/\xff"));
    let refusal = subject.open(dir, &settings()).err().unwrap();
    assert_eq!(refusal.class, ErrorClass::Unsupported);
}

/// Writes down what it is told.
struct Log(Arc<Mutex<Vec<String>>>);

impl Hook for Log {
    fn sending(&mut self, request: &Request) {
        self.0.lock().push(format!("{} {}?", request.n, request.ask.name()));
    }

    fn received(&mut self, answer: &Answer) {
        self.0.lock().push(format!("{} {}", answer.n, answer.reply.name()));
    }
}

#[test]
fn the_hook_is_told_before_each_request_and_after_each_answer() {
    let threads = reference().with_hook(|threads| Box::new(Log(Arc::clone(&threads.log))));
    let subject = subject(&threads);
    let dir = TempDir::new().unwrap();
    let store = Box::new(subject.open_store(dir.path(), &settings()).unwrap());
    apply_all(store.as_ref(), &[Op::CreateCollection { collection: C }, put(1, 40)]);
    store.apply_window(&[get(1), get(2), get(1)], window(2)).unwrap();
    store.close().unwrap();
    let log = threads.log.lock().join(", ");
    assert_eq!(
        log,
        "0 hello?, 0 hello, 1 open?, 1 done, 2 create_collection?, 2 done, 3 put?, 3 committed, \
         4 get?, 5 get?, 4 value, 6 get?, 5 value, 6 value, 7 close?, 7 done"
    );
}
