use super::*;
use crate::criteria;
use crate::finding::World;

const CLAIM: &str = "AC-02.kill-boundaries";

fn check(subject: &str, claim: &str, evidence: Option<Evidence>, findings: &[Finding]) -> Verdict {
    let subject = crate::subject::named(subject).unwrap();
    let claim = criteria::claim(claim).unwrap();
    judge_claim(claim, subject.about(), true, evidence, findings).verdict
}

fn whole() -> Evidence {
    Evidence::of(5, 5, "states")
}

fn found(kind: Kind) -> [Finding; 1] {
    [Finding::new(kind, World::ProcessKill, CLAIM, String::new())]
}

#[test]
fn a_claim_measured_in_full_without_findings_passes() {
    assert_eq!(check("tiny", CLAIM, Some(whole()), &[]), Verdict::Pass);
}

#[test]
fn a_finding_fails_its_claim_even_if_the_measurement_was_cut() {
    let cut = Evidence { done: 1, ..Evidence::of(5, 5, "states") };
    assert_eq!(check("tiny", CLAIM, Some(cut), &found(Kind::Lost)), Verdict::Fail);
    assert_eq!(check("tiny", CLAIM, None, &found(Kind::Lost)), Verdict::Fail);
}

#[test]
fn a_finding_of_another_claim_does_not() {
    let claim = "AC-02.clean-close";
    assert_eq!(check("tiny", claim, Some(whole()), &found(Kind::Lost)), Verdict::Pass);
}

#[test]
fn what_was_not_measured_in_full_is_not_green() {
    let stopped = Evidence::stopped(Reason::MissingTool, "none");
    for (evidence, reason) in [
        (Some(Evidence::of(0, 0, "states")), Reason::NotReached),
        (Some(Evidence::of(4, 5, "states")), Reason::Budget),
        (Some(stopped), Reason::MissingTool),
        (None, Reason::Skipped),
    ] {
        assert_eq!(check("tiny", CLAIM, evidence, &[]), Verdict::NotMeasured(reason));
    }
}

#[test]
fn a_broken_harness_accuses_nobody_and_proves_nothing() {
    let verdict = check("tiny", CLAIM, Some(whole()), &found(Kind::HarnessBroken));
    assert_eq!(verdict, Verdict::NotMeasured(Reason::Skipped));
}

#[test]
fn what_a_subject_does_not_promise_is_not_measured() {
    let verdict = check("tiny", "AC-12.vectors", Some(whole()), &[]);
    assert_eq!(verdict, Verdict::NotMeasured(Reason::NotPromised));
    assert_eq!(check("reference", "AC-12.vectors", Some(whole()), &[]), Verdict::Pass);
}

#[test]
fn a_criterion_passes_with_every_claim_that_exists() {
    let subject = crate::subject::named("reference").unwrap();
    for criterion in criteria::ALL {
        let judged = |evidence: &dyn Fn(&Claim) -> Option<Evidence>| {
            let claims = criterion
                .claims
                .iter()
                .map(|claim| judge_claim(claim, subject.about(), true, evidence(claim), &[]));
            judge(criterion, claims.collect())
        };
        let all = judged(&|_| Some(whole()));
        let due = match criterion.existing().next() {
            Some(_) => Verdict::Pass,
            None => Verdict::NotMeasured(Reason::Planned),
        };
        assert_eq!(all.verdict, due, "{}", criterion.id);
        assert_eq!(all.measured(), criterion.existing().count());
        assert_eq!(all.measured() + all.planned(), criterion.claims.len());
        if let Some(missing) = criterion.existing().last() {
            let gap = judged(&|claim| (claim.id != missing.id).then(whole));
            assert_eq!(gap.verdict, Verdict::NotMeasured(Reason::Skipped), "{}", criterion.id);
        }
    }
}
