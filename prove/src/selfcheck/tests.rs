use std::path::Path;

use super::*;
use crate::profile::{Profile, Promise};

fn context(subject: &proofhouse_subjects::Placed) -> Context<'_> {
    Context {
        subject,
        name: "tiny",
        profile: Profile::Quick,
        scale: Scale::self_check(),
        seed: 1,
        budget: Budget::default(),
        promise: Promise::Own,
        dir: Path::new("unused"),
        program: None,
        share: None,
    }
}

#[test]
fn each_flawed_subject_fails_exactly_its_criteria() {
    let sound = crate::subject::named("tiny").unwrap();
    let wanted = ALL.iter().map(|criterion| criterion.id).collect();
    let caught = run(&context(&sound), &wanted);
    assert_eq!(caught.len(), flawed::all().len() + 2);
    let wrong: Vec<_> = caught.into_iter().filter(|caught| !caught.exact()).collect();
    assert_eq!(wrong, []);
}

#[test]
fn the_sound_store_fails_nothing() {
    let sound = crate::subject::named("tiny").unwrap();
    let wanted = ALL.iter().map(|criterion| criterion.id).collect();
    let (_, findings) = measure::measure(&context(&sound), &wanted, &|_| {});
    let stories: Vec<_> = findings.iter().map(|one| (one.claim, one.story.clone())).collect();
    assert_eq!(stories, []);
}
