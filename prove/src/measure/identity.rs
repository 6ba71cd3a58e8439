//! Identities that the engine chooses: never one that is live, never one twice.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

use entidb_engine::storage::MemStorage;
use proofhouse_model::rng::Rng;
use proofhouse_model::{
    Client, Collection, Id, Op, Outcome, Payload, Plan, Settings, Store, Subject, panic_message,
};

use super::smaller::Patience;
use super::{Context, Measured, Room, differential, small};
use crate::case::Scene;
use crate::finding::{Finding, Kind, World};
use crate::parallel;
use crate::verdict::Evidence;

/// Inserts.
pub(super) const ROOM: Room = Room {
    name: "identities",
    claims: &["AC-08.repeating-entropy", "AC-08.generated-ids"],
    split: false,
    measure,
};

/// Lives among which the generated identities are spread.
const LIVES: u64 = 10;

/// Inserts per transaction.
const BATCH: u64 = 1_000;

const COLLECTION: Collection = Collection(0);

fn measure(context: &Context) -> Measured {
    let mut measured = Measured::default();
    repeating_entropy(context, &mut measured);
    generated_ids(context, &mut measured);
    measured
}

fn repeating_entropy(context: &Context, measured: &mut Measured) {
    let claim = "AC-08.repeating-entropy";
    let cases = context.scale.differential_plans / 10;
    let done = parallel::map(cases, context.budget, |case| {
        let plan = repeating(context, case);
        differential::diverges(context, &plan).map(|_| plan)
    });
    measured.show(claim, Evidence::of(done.len() as u64, cases, "plans"));
    if let Some(plan) = done.into_iter().flatten().next() {
        let trials = context.scale.shrink_trials;
        let diverges = |plan: &Plan| differential::diverges(context, plan);
        let mut patience = Patience::of(context.budget);
        let small = patience.shrink(&plan, trials, &mut |plan| diverges(plan).is_some());
        let story = diverges(&small).map(|found| found.at.to_string()).unwrap_or_default();
        let finding = Finding::new(Kind::Divergence, World::Undisturbed, claim, story);
        let finding = context.with_case(finding, small, Scene::Undisturbed);
        measured.findings.push(patience.told(finding));
    }
}

/// Inserts and deletes over an entropy list of few identities, some of them several times.
fn repeating(context: &Context, case: u64) -> Plan {
    let seed = context.seed_of("repeating", case);
    let mut rng = Rng::new(seed);
    let drawn = rng.between(1, 6);
    let entropy = (0..rng.between(1, 8)).map(|_| Id::nth(small(rng.below(drawn)))).collect();
    let settings = Settings { wal_reserve: 8192, max_segment: 4096, entropy, max_payload: 5200 };
    let mut ops = vec![Op::CreateCollection { collection: COLLECTION }];
    for tag in 0..60 {
        let id = Id::nth(small(rng.below(drawn)));
        ops.push(match rng.below(10) {
            0..5 => {
                Op::Insert { collection: COLLECTION, payload: Payload::Entity { tag, size: 30 } }
            }
            5..7 => Op::Delete { collection: COLLECTION, id },
            7 => Op::Scan { collection: COLLECTION },
            8 => Op::Reopen,
            _ => Op::Get { collection: COLLECTION, id },
        });
    }
    ops.push(Op::Scan { collection: COLLECTION });
    Plan { seed, settings, ops }.for_capabilities(context.subject.about().capabilities)
}

fn generated_ids(context: &Context, measured: &mut Measured) {
    let claim = "AC-08.generated-ids";
    let wanted = context.scale.generated_ids;
    let outcome = catch_unwind(AssertUnwindSafe(|| insert_all(context, wanted)));
    let outcome = outcome.unwrap_or_else(|payload| Err(panic_message(payload.as_ref())));
    let done = outcome.as_ref().map_or(0, |done| *done);
    measured.show(claim, Evidence::of(done, wanted, "identities"));
    if let Err(story) = outcome {
        let finding = Finding::new(Kind::Divergence, World::Undisturbed, claim, story);
        measured.findings.push(context.with_measurement(finding));
    }
}

/// Inserts over several lives and counts the identities answered, and those there in the end.
fn insert_all(context: &Context, wanted: u64) -> Result<u64, String> {
    let place = MemStorage::new();
    let mut given = BTreeSet::new();
    let settings = settings(context, wanted);
    let open = |draws| {
        let opened = Subject::open(context.subject, &place, &settings.after_draws(draws));
        opened.map_err(|refusal| refusal.to_string())
    };
    for life in 0..LIVES {
        let store = open(given.len() as u64)?;
        if life == 0 {
            let due = Outcome::Done;
            ask(store.as_ref(), &Op::CreateCollection { collection: COLLECTION }, &due)?;
        }
        let until = wanted * (life + 1) / LIVES;
        insert_until(context, store.client().as_mut(), until, &mut given)?;
        store.close().map_err(|refusal| refusal.to_string())?;
    }
    let store = open(given.len() as u64)?;
    let scan = store.client().apply(&Op::Scan { collection: COLLECTION });
    match scan {
        Outcome::Entities(entities) if entities.iter().map(|(id, _)| id).eq(&given) => {
            Ok(given.len() as u64)
        }
        Outcome::Entities(entities) => {
            Err(format!("{} identities given, {} found", given.len(), entities.len()))
        }
        other => Err(format!("the scan answered {other}")),
    }
}

/// Inserts, in large transactions where there are any, until so many identities were given.
fn insert_until(
    context: &Context,
    client: &mut dyn Client,
    until: u64,
    given: &mut BTreeSet<Id>,
) -> Result<(), String> {
    let transactions = context.subject.about().capabilities.transactions;
    while (given.len() as u64) < until && !context.budget.is_spent() {
        if transactions {
            client.apply(&Op::Begin);
        }
        for _ in 0..BATCH.min(until - given.len() as u64) {
            let tag = u32::try_from(given.len()).unwrap_or(u32::MAX);
            let payload = Payload::Entity { tag, size: 20 };
            let op = Op::Insert { collection: COLLECTION, payload };
            match client.apply(&op) {
                Outcome::Inserted { id, .. } if given.insert(id) => {}
                Outcome::Inserted { id, .. } => return Err(format!("{id} was given twice")),
                other => return Err(format!("{op} answered {other}")),
            }
        }
        if transactions {
            client.apply(&Op::Commit);
        }
    }
    Ok(())
}

fn ask(store: &dyn Store, op: &Op, due: &Outcome) -> Result<(), String> {
    match store.client().apply(op) {
        got if got == *due => Ok(()),
        got => Err(format!("{op} answered {got}")),
    }
}

/// Settings with as many random identities as will be drawn.
fn settings(context: &Context, draws: u64) -> Settings {
    let mut rng = Rng::new(context.seed_of("generated", 0));
    let mut id = || {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&rng.next().to_be_bytes());
        bytes[8..].copy_from_slice(&rng.next().to_be_bytes());
        Id(bytes)
    };
    Settings {
        wal_reserve: 1 << 20,
        max_segment: 1 << 22,
        entropy: (0..draws).map(|_| id()).collect(),
        max_payload: 5200,
    }
}
