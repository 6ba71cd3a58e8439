use proofhouse_model::{
    About, GenerateProfile, Kept, Promises, Refusal, Settings, Store, generate,
};
use proofhouse_subjects::Placed;

use super::*;
use crate::subject::named;

const DEPTH: Depth = Depth { first: Tiers::ALL, nested: Some(Tiers::NESTED) };

fn plan(subject: &Placed, seed: u64) -> Plan {
    generate(seed, &GenerateProfile::crash()).for_capabilities(subject.about().capabilities)
}

/// The first failure of a flawed subject in a few plans, and the plan.
fn first_failure(name: &str) -> (Plan, Failure) {
    let subject = named(name).unwrap();
    let found = (0..20).find_map(|seed| {
        let plan = plan(&subject, seed);
        let explored = Explorer::of_plan(&subject, &plan).explore(DEPTH).unwrap();
        let failure = explored.failures.into_iter().next()?;
        Some((plan, failure))
    });
    found.unwrap_or_else(|| panic!("{name} fails nothing"))
}

/// The crash of each life in a state of its most frequent cause.
fn chain(failure: &Failure) -> Vec<Choice> {
    failure.causes.clone().by_frequency().swap_remove(0).choices
}

#[test]
fn a_sound_store_survives_every_crash() {
    let subject = named("tiny").unwrap();
    for seed in 0..3 {
        let plan = plan(&subject, seed);
        let explored = Explorer::of_plan(&subject, &plan).explore(DEPTH).unwrap();
        assert!(explored.failures.is_empty(), "{:?}", explored.failures);
        assert!(explored.recoveries > 1);
        for counts in [&explored.first, &explored.nested_kills, &explored.nested_power] {
            assert!(counts.total().distinct > 0);
            assert_eq!(counts.total().checked, counts.total().distinct);
        }
    }
}

#[test]
fn exploring_twice_counts_the_same() {
    let subject = named("tiny").unwrap();
    let plan = plan(&subject, 5);
    let [first, second] =
        [(), ()].map(|()| Explorer::of_plan(&subject, &plan).explore(DEPTH).unwrap());
    assert_eq!(first.first, second.first);
    assert_eq!(first.nested_kills, second.nested_kills);
    assert_eq!(first.nested_power, second.nested_power);
    assert_eq!(first.recoveries, second.recoveries);
}

#[test]
fn an_early_acknowledgement_shows_after_a_power_loss() {
    let (_, failure) = first_failure("flawed:ack-before-sync");
    assert_eq!((failure.kind, failure.world), (Kind::Lost, World::PowerLoss));
}

#[test]
fn a_recovery_that_syncs_nothing_shows_only_after_a_second_crash() {
    let (_, failure) = first_failure("flawed:recovery-not-synced");
    assert!(failure.nested);
    assert_eq!(chain(&failure).len(), 2);
    assert_eq!((failure.kind, failure.world), (Kind::Lost, World::PowerLoss));
}

#[test]
fn failing_states_are_sorted_by_what_was_lost() {
    let (_, failure) = first_failure("flawed:ack-before-sync");
    let causes = failure.causes.by_frequency();
    let told: Vec<_> = causes.iter().map(|cause| cause.class.to_string()).collect();
    let unsynced = "write tiny.log: content pending at acknowledgement";
    assert_eq!(told, [unsynced, "write tiny.log: no sync missing"]);
    assert!(causes[0].states > 1);
}

#[test]
fn what_another_medium_shows_is_found_there_and_made_small() {
    let (plan, failure) = first_failure("flawed:ack-before-sync");
    let subject = named("flawed:ack-before-sync").unwrap();
    let explorer = Explorer::of_plan(&subject, &plan).under(Profile::Ext4);
    let (class, choices) = explorer.first_like(DEPTH, &failure, &|_| true).unwrap();
    let small = explorer.minimise(&choices, failure.kind, &class);
    assert_eq!(medium_of(&small), Profile::Ext4);
    let told = explorer.replay(&small).unwrap().unwrap();
    assert_eq!((told.kind, told.world), (Kind::Lost, World::PowerLoss));
    insta::assert_snapshot!(told.story, @r"
    first life: process kill before #0
    power loss (ext4) before #14: lost all pending
    lost: shows the state after 0 events, but 1 were acknowledged
    ");
}

#[test]
fn media_that_leave_garbage_are_counted_apart() {
    let subject = named("tiny").unwrap();
    let plan = plan(&subject, 1);
    let came_to = Explorer::of_plan(&subject, &plan).on_bad_media().unwrap();
    assert!(came_to.counts.distinct > 0);
    assert_eq!(came_to.counts.checked, came_to.counts.distinct);
    assert!(came_to.violating() <= came_to.counts.checked);
}

#[test]
fn a_chain_of_crashes_plays_again() {
    for name in ["flawed:ack-before-sync", "flawed:recovery-not-synced", "flawed:torn-tail-left"] {
        let (plan, failure) = first_failure(name);
        let subject = named(name).unwrap();
        let again = Explorer::of_plan(&subject, &plan).replay(&chain(&failure)).unwrap();
        let again = again.map(|again| (again.kind, again.world));
        assert_eq!(again, Some((failure.kind, failure.world)), "{name}");
    }
}

#[test]
fn a_chain_that_does_not_fit_is_refused() {
    let (plan, failure) = first_failure("flawed:ack-before-sync");
    let mut chain = chain(&failure);
    chain[0].at = 1_000_000;
    let subject = named("flawed:ack-before-sync").unwrap();
    let replayed = Explorer::of_plan(&subject, &plan).replay(&chain);
    assert!(matches!(replayed, Err(ReplayError::Choice(_))));
}

/// A subject that promises less than it is made for.
struct Modest {
    inner: Placed,
    about: About,
}

impl Modest {
    fn new(name: &str, after_power_loss: Kept) -> Self {
        let inner = named(name).unwrap();
        let mut about = inner.about().clone();
        about.promises =
            Promises { after_power_loss, shown_after_power_loss: false, ..about.promises };
        Self { inner, about }
    }
}

impl Subject<SimDisk> for Modest {
    fn about(&self) -> &About {
        &self.about
    }

    fn open(&self, place: &SimDisk, settings: &Settings) -> Result<Box<dyn Store>, Refusal> {
        self.inner.open(place, settings)
    }
}

#[test]
fn a_sync_for_more_than_is_promised_bears_no_load() {
    for (promise, borne) in [(Kept::AllAcknowledged, true), (Kept::Prefix, false)] {
        let modest = Modest::new("tiny", promise);
        let plan = plan(&modest.inner, 1);
        let mutants = Explorer::of_plan(&modest, &plan).mutate().unwrap().unwrap();
        let commits = mutants
            .noticed
            .iter()
            .filter(|((site, _), _)| site.to_string() == "sync_data tiny.log after write tiny.log");
        let noticed: Vec<_> = commits.map(|(_, noticed)| noticed.by.is_some()).collect();
        assert_eq!(noticed, [borne, borne], "{promise:?}");
    }
}

#[test]
fn a_store_is_judged_by_its_own_promise() {
    for (name, promise, kept) in [
        // It acknowledges before it syncs, but a checkpoint syncs all: suffixes may be lost.
        ("flawed:ack-before-sync", Kept::UpToSync, true),
        ("flawed:ack-before-sync", Kept::Prefix, true),
        ("flawed:ack-before-sync", Kept::AllAcknowledged, false),
        // A rename that is not durable takes what was synced into the new log with it.
        ("flawed:no-dir-sync", Kept::UpToSync, false),
        ("flawed:no-dir-sync", Kept::Prefix, true),
        ("flawed:no-dir-sync", Kept::Nothing, true),
    ] {
        let modest = Modest::new(name, promise);
        let failures = (0..6).flat_map(|seed| {
            let plan = plan(&modest.inner, seed);
            Explorer::of_plan(&modest, &plan).explore(DEPTH).unwrap().failures
        });
        let failures: Vec<_> = failures.collect();
        assert_eq!(failures.is_empty(), kept, "{name} {promise:?}: {failures:?}");
    }
}
