use proofhouse_crash::{Class, Missing, Profile as Medium, Site};

use super::*;
use crate::cause::Cause;
use crate::criteria::{self, ALL, Status};
use crate::finding::{Kind, World};
use crate::verdict::{Reason, judge, judge_claim};

/// A run in which everything that exists was measured, and one thing was wrong.
pub(crate) fn sample(findings: Vec<Finding>) -> Proof {
    let subject = crate::subject::named("reference").unwrap();
    let counts = Counts { generated: 1_500, legal: 1_500, distinct: 1_234, checked: 1_234 };
    let criteria = ALL.iter().map(|criterion| {
        let claims = criterion.claims.iter().map(|claim| {
            let evidence = (claim.status == Status::Exists).then(|| Evidence {
                took: Duration::from_millis(250),
                ..Evidence::of(1_234, 1_234, "cases")
            });
            let evidence = evidence.map(|evidence| match claim.id {
                "AC-02.kill-boundaries" => Evidence {
                    counts: BTreeMap::from([("T0".to_owned(), counts)]),
                    legal_space_log2: Some(31.25),
                    excluded: BTreeMap::from([("the reader waited for the writer".to_owned(), 3)]),
                    ..evidence
                },
                "AC-04.power-loss" => Evidence { bad_media: Some(bad_media()), ..evidence },
                "AC-07.visibility" => {
                    Evidence { observed: BTreeMap::from([("reads".to_owned(), 17)]), ..evidence }
                }
                "AC-08.generated-ids" => Evidence { done: 1_000, ..evidence },
                "AC-09.differential" => Evidence::stopped(Reason::MissingTool, "no such tool"),
                _ => evidence,
            });
            judge_claim(claim, subject.about(), true, evidence, &findings)
        });
        judge(criterion, claims.collect())
    });
    Proof {
        subject: "reference".to_owned(),
        profile: Profile::Quick,
        seed: 7,
        criteria: criteria.collect(),
        findings,
        shard: None,
        self_check: vec![Caught {
            name: "ack-before-sync",
            flaw: "acknowledges too early",
            due: vec!["AC-04"],
            failed: vec!["AC-04"],
        }],
        took: Duration::from_secs(3),
    }
}

fn bad_media() -> BadMedia {
    let counts = Counts { generated: 4_000, legal: 4_000, distinct: 3_456, checked: 3_456 };
    BadMedia { counts, violations: BTreeMap::from([(Kind::Lost, 2), (Kind::Partial, 10)]) }
}

/// Commits lost on every medium, for six causes.
pub(crate) fn lost_with_power() -> Finding {
    let story =
        "power loss (ext4) before #4: lost all pending\nlost: shows the state after 1 events";
    let causes = (1..=6).rev().map(|states| {
        let site = Site { operation: "write".to_owned(), role: format!("log-{states}") };
        let class = Class { site, missing: Missing::ContentBeforeAck };
        Cause { class, states, choices: Vec::new(), plan: None }
    });
    Finding::new(Kind::Lost, World::PowerLoss, "AC-04.power-loss", story.to_owned())
        .on(Medium::Ext4)
        .because(causes.collect())
}

/// A lost commit.
pub(crate) fn lost() -> Finding {
    let story = "process kill before #4\nlost: shows the state after 1 events".to_owned();
    Finding::new(Kind::Lost, World::ProcessKill, "AC-02.kill-boundaries", story)
}

#[test]
fn gaps_count_only_where_all_was_required() {
    let proof = sample(Vec::new());
    assert_eq!(proof.exit(false), Exit::Clean);
    assert_eq!(proof.exit(true), Exit::Unmeasured);
}

#[test]
fn a_finding_decides_the_exit() {
    assert_eq!(sample(vec![lost()]).exit(true), Exit::Lost);
}

#[test]
fn a_flawed_subject_that_is_not_caught_breaks_the_harness() {
    let mut proof = sample(vec![lost()]);
    proof.self_check[0].failed.clear();
    assert_eq!(proof.exit(false), Exit::HarnessBroken);
    assert_eq!(proof.caught("AC-04"), (0, 1));
}

#[test]
fn a_flawed_subject_that_fails_too_much_breaks_the_harness() {
    let mut proof = sample(Vec::new());
    proof.self_check[0].failed.push("AC-06");
    assert_eq!(proof.exit(false), Exit::HarnessBroken);
}

#[test]
fn every_criterion_is_judged() {
    let proof = sample(Vec::new());
    assert!(proof.criteria.iter().map(|one| one.criterion.id).eq(ALL.iter().map(|one| one.id)));
    assert!(proof.evidence().all(|(claim, _)| criteria::claim(claim).is_some()));
}
