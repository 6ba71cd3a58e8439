use std::path::Path;

use proofhouse_subjects::Placed;

use super::*;
use crate::parallel::Budget;
use crate::profile::{Profile, Promise, Scale};
use crate::subject::named;

fn mutated(name: &str, scale: Scale) -> Mutated {
    let subject: Placed = named(name).unwrap();
    mutate(&Context {
        subject: &subject,
        name,
        profile: Profile::Quick,
        scale,
        seed: 1,
        budget: Budget::default(),
        promise: Promise::Own,
        dir: Path::new("unused"),
        program: None,
        share: None,
    })
}

fn names<'a>(sites: impl Iterator<Item = &'a CallSite>) -> BTreeSet<String> {
    sites.map(ToString::to_string).collect()
}

#[test]
fn every_site_of_the_reference_engine_bears_load_or_is_argued() {
    let mutated = mutated("reference", Scale::self_check());
    assert_eq!(mutated.failing, 0);
    assert!(mutated.sites.len() > mutated.idle().count());
    // Argue a new one in docs/format.md, or save the call; strike out one that bears load now.
    assert_eq!(names(mutated.idle()), argued());
    assert_eq!(mutated.exit(true), Exit::Clean);
}

#[test]
fn every_site_of_the_small_store_bears_load() {
    let mutated = mutated("tiny", Profile::Quick.scale());
    assert_eq!(
        names(mutated.sites.keys()).into_iter().collect::<Vec<_>>(),
        [
            "rename tiny.log.tmp tiny.log after sync tiny.log.tmp",
            "sync tiny.log.tmp after write tiny.log.tmp",
            "sync_data tiny.log after write tiny.log",
            "sync_dir . after rename tiny.log.tmp tiny.log",
        ]
    );
    assert_eq!(names(mutated.idle()), BTreeSet::new());
    assert!(mutated.sites.values().all(|load| load.times() > 0));
}

#[test]
fn nothing_is_said_of_a_store_that_fails_as_it_is() {
    let mutated = mutated("flawed:no-dir-sync", Profile::Quick.scale());
    assert_eq!((mutated.plans, mutated.sites.len()), (0, 0));
    assert_eq!(mutated.failing, CREATIONS + Profile::Quick.scale().mutated_plans);
    assert_eq!(mutated.exit(false), Exit::Unmeasured);
}

#[test]
fn a_site_of_the_reference_engine_that_nobody_argued_fails() {
    let mut mutated = mutated("tiny", Scale::self_check());
    for load in mutated.sites.values_mut() {
        for noticed in load.changes.values_mut() {
            noticed.by = None;
        }
    }
    assert_eq!(mutated.exit(false), Exit::Clean);
    assert_eq!(mutated.exit(true), Exit::Divergence);
    mutated.argued = names(mutated.sites.keys());
    assert_eq!(mutated.exit(true), Exit::Clean);
}
