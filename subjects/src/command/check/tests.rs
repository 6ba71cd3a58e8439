use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use entidb_engine::storage::MemStorage;
use parking_lot::Mutex;
use proofhouse_model::{About, Client, ErrorClass, Op, Outcome, Refusal, Settings, Store, Subject};
use tempfile::TempDir;

use super::super::threads::Threads;
use super::super::{CommandLine, Launch, WATCHDOG};
use super::{check_command, check_subject};
use crate::{Placed, Reference};

/// The reference engine, but for what it is told to do wrong.
struct Flawed {
    inner: Placed,
    lie: fn(&Op, Outcome) -> Outcome,
    opening: fn(&Path),
}

impl Flawed {
    fn lying(lie: fn(&Op, Outcome) -> Outcome) -> Self {
        Self { inner: Placed::new(Reference::new()), lie, opening: |_| () }
    }

    fn opening(opening: fn(&Path)) -> Self {
        Self { opening, ..Self::lying(|_, outcome| outcome) }
    }
}

impl Subject<Path> for Flawed {
    fn about(&self) -> &About {
        self.inner.about()
    }

    fn open(&self, dir: &Path, settings: &Settings) -> Result<Box<dyn Store>, Refusal> {
        (self.opening)(dir);
        let store = self.inner.open(dir, settings)?;
        Ok(Box::new(FlawedStore { store, lie: self.lie }))
    }
}

struct FlawedStore {
    store: Box<dyn Store>,
    lie: fn(&Op, Outcome) -> Outcome,
}

impl Store for FlawedStore {
    fn client(&self) -> Box<dyn Client + '_> {
        Box::new(FlawedClient { client: self.store.client(), lie: self.lie })
    }

    fn close(self: Box<Self>) -> Result<(), Refusal> {
        self.store.close()
    }
}

struct FlawedClient<'a> {
    client: Box<dyn Client + 'a>,
    lie: fn(&Op, Outcome) -> Outcome,
}

impl Client for FlawedClient<'_> {
    fn apply(&mut self, op: &Op) -> Outcome {
        (self.lie)(op, self.client.apply(op))
    }
}

/// Stores that live as long as the process does.
struct InMemory {
    inner: Placed,
    stores: Mutex<BTreeMap<PathBuf, MemStorage>>,
}

impl Subject<Path> for InMemory {
    fn about(&self) -> &About {
        self.inner.about()
    }

    fn open(&self, dir: &Path, settings: &Settings) -> Result<Box<dyn Store>, Refusal> {
        let storage = self.stores.lock().entry(dir.to_owned()).or_default().clone();
        self.inner.open(&storage, settings)
    }
}

fn complaints(launch: &dyn Launch, watchdog: Duration) -> Vec<String> {
    let scratch = TempDir::new().unwrap();
    let complaints = check_subject(launch, scratch.path(), watchdog).unwrap();
    complaints.iter().map(ToString::to_string).collect()
}

#[test]
fn there_is_nothing_to_complain_of_in_the_reference_engine() {
    let threads = Threads::new(|| Placed::new(Reference::new()));
    assert_eq!(complaints(&threads, WATCHDOG), [""; 0]);
    assert_eq!(threads.launched(), 3);
}

#[test]
fn each_wrong_outcome_is_told_with_the_one_due() {
    let lie = |op: &Op, outcome| match op {
        Op::Begin if outcome == Outcome::Failed(ErrorClass::Misuse) => Outcome::Done,
        _ => outcome,
    };
    let told = complaints(&Threads::new(move || Flawed::lying(lie)), WATCHDOG);
    assert_eq!(
        told,
        ["the script, operation 34, {\"op\":\"begin\"}: due: failed: misuse; got: done"]
    );
}

#[test]
fn what_follows_from_the_first_complaints_is_not_told() {
    let lie = |op: &Op, outcome| match op {
        Op::Scan { .. } => Outcome::Entities(Vec::new()),
        _ => outcome,
    };
    let told = complaints(&Threads::new(move || Flawed::lying(lie)), WATCHDOG);
    let in_script = told.iter().filter(|complaint| complaint.starts_with("the script"));
    assert_eq!(in_script.count(), super::ENOUGH);
}

#[test]
fn a_store_that_does_not_survive_reopening_is_told() {
    let wipe = |dir: &Path| {
        fs::remove_dir_all(dir).unwrap();
        fs::create_dir(dir).unwrap();
    };
    let told = complaints(&Threads::new(move || Flawed::opening(wipe)), WATCHDOG);
    assert!(told[0].starts_with("the script, operation 137, {\"op\":\"get\""), "{told:?}");
    assert!(told[0].ends_with("; got: failed: not found"), "{told:?}");
}

#[test]
fn a_store_that_does_not_outlive_its_process_is_told() {
    let build = || InMemory { inner: Placed::new(Reference::new()), stores: Mutex::default() };
    let told = complaints(&Threads::new(build), WATCHDOG);
    assert!(told[0].starts_with("reopening in a new process, operation 0"), "{told:?}");
    assert!(told.iter().any(|told| told.starts_with("reopening after a kill")), "{told:?}");
}

#[test]
fn files_beside_the_stores_are_told_once_each() {
    let litter = |dir: &Path| {
        fs::write(dir.with_extension("wal"), "").unwrap();
        fs::write(dir.with_file_name("tmp").join("scratch"), "").unwrap();
    };
    let told = complaints(&Threads::new(move || Flawed::opening(litter)), WATCHDOG);
    assert_eq!(
        told,
        ["first.wal", "second.wal", "tmp/scratch"]
            .map(|name| format!("left a file outside the store's directory: {name}"))
    );
}

#[test]
fn a_driver_that_stays_after_a_bye_is_told() {
    let mut threads = Threads::new(|| Placed::new(Reference::new()));
    threads.stays = true;
    let told = complaints(&threads, Duration::from_secs(3));
    assert_eq!(told, ["does not end after a bye"]);
}

#[test]
fn a_driver_that_exits_with_another_code_is_told() {
    let mut threads = Threads::new(|| Placed::new(Reference::new()));
    threads.code = 3;
    let told = complaints(&threads, WATCHDOG);
    assert_eq!(told, ["ended after a bye with code 3, where code 0 is due"]);
}

#[test]
fn a_command_that_does_not_speak_is_told() {
    let scratch = TempDir::new().unwrap();
    let command = CommandLine::new("/bin/sh", ["-c", "exit 4"]);
    let told = check_command(&command, scratch.path(), WATCHDOG).unwrap();
    let told: Vec<String> = told.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        ["starting: the driver exited with code 4 instead of answering request 0 (hello)"]
    );
}
