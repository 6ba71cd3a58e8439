use super::shrink;
use crate::generate::{GenerateProfile, generate};
use crate::liar::Liar;
use crate::op::{Collection, Id, Op};
use crate::oracle::OraclePlace;
use crate::outcome::Outcome;
use crate::payload::Payload;
use crate::plan::Plan;
use crate::run::{RunOptions, run};

fn plan() -> Plan {
    generate(2, &GenerateProfile::differential())
}

/// A subject whose deletes inside transactions always claim that the entity was there.
fn diverges(plan: &Plan) -> bool {
    let liar = Liar::new(|_, due| match due {
        Outcome::Existed(_) => Outcome::Existed(true),
        due => due,
    });
    run(&liar, &OraclePlace::default(), plan, RunOptions::default(), &mut ()).is_err()
}

#[test]
fn a_divergence_shrinks_to_the_operations_it_takes() {
    assert!(diverges(&plan()));
    let shrunk = shrink(&plan(), 10_000, &mut diverges);
    assert!(diverges(&shrunk));
    let [Op::CreateCollection { .. }, Op::Begin, Op::Delete { .. }] = shrunk.ops.as_slice() else {
        panic!("{shrunk}");
    };
    assert!(shrunk.settings.entropy.is_empty());
}

#[test]
fn collections_merge_unless_the_failure_needs_them_apart() {
    let put = |collection, tag| Op::Put {
        collection: Collection(collection),
        id: Id::nth(1),
        payload: Payload::Entity { tag, size: 0 },
    };
    let apart = Plan { ops: vec![put(3, 1), put(7, 2)], ..plan() };
    let two_puts = shrink(&apart, 100, &mut |plan: &Plan| plan.ops.len() == 2);
    assert_eq!(two_puts.ops, [put(3, 1), put(3, 2)]);
    let needs_both = |plan: &Plan| plan.ops.len() == 2 && plan.ops.contains(&put(7, 2));
    assert_eq!(shrink(&apart, 100, &mut |plan: &Plan| needs_both(plan)).ops, apart.ops);
}

#[test]
fn payloads_shrink_as_far_as_the_failure_allows() {
    let long = |op: &Op| {
        matches!(
            op,
            Op::Put { payload: Payload::Entity { size, .. }, .. } if *size > 512
        )
    };
    let shrunk = shrink(&plan(), 10_000, &mut |plan: &Plan| plan.ops.iter().any(long));
    let [Op::Put { payload: Payload::Entity { size: 600, .. }, .. }] = shrunk.ops.as_slice() else {
        panic!("{shrunk}");
    };
}

#[test]
fn no_more_trials_are_made_than_allowed() {
    let mut trials = 0;
    let shrunk = shrink(&plan(), 7, &mut |_| {
        trials += 1;
        false
    });
    assert_eq!((trials, shrunk), (7, plan()));
}

#[test]
fn the_same_failure_shrinks_to_the_same_plan() {
    let [first, second] = [(), ()].map(|()| shrink(&plan(), 500, &mut diverges));
    assert_eq!(first, second);
}
