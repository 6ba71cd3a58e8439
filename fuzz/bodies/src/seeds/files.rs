//! Files and lines that the harness itself writes.

use std::collections::BTreeSet;

use entidb_engine::storage::MemStorage;
use proofhouse::case::{Case, CrashedLife, FORMAT, Scene, Unshrunk, VERSION};
use proofhouse::cause::Cause;
use proofhouse::driving::Driving;
use proofhouse::finding::{Kind, World};
use proofhouse::profile::Profile as Scope;
use proofhouse_crash::{
    Choice, CrashState, Profile, SimDisk, Tiers, Trace, enumerate, write_trace,
};
use proofhouse_model::protocol::{Ask, Request, VERSION as PROTOCOL, serve};
use proofhouse_model::{GenerateProfile, Op, Plan, RunOptions, Window, generate, run};
use proofhouse_subjects::{Placed, Reference};

use super::Beginning;
use crate::protocol::Anywhere;

/// A short plan and the trace of the reference engine's life with it, before anything was settled.
fn life(seed: u64) -> Option<(Plan, Trace)> {
    let mut plan = generate(seed, &GenerateProfile::recorded());
    plan.ops.truncate(3);
    plan.settings.wal_reserve = 512;
    let disk = SimDisk::new();
    let subject = Placed::new(Reference::new());
    run(
        &subject,
        &disk,
        &plan,
        RunOptions { history: false, close: seed.is_multiple_of(2) },
        &mut (),
    )
    .ok()?;
    Some((plan, disk.trace()))
}

fn crashes(trace: &Trace) -> Vec<CrashState> {
    enumerate(trace, Profile::Posix, Tiers::ALL).step_by(9).take(6).collect()
}

fn written(trace: &Trace) -> Vec<u8> {
    let mut bytes = vec![0];
    // Writing to memory cannot fail.
    let _ = write_trace(trace, &mut bytes);
    bytes
}

/// Traces of first lives and of lives after crashes.
pub(super) fn traces() -> Beginning {
    let mut seeds = BTreeSet::new();
    for (_, trace) in (0..4).filter_map(life) {
        seeds.insert(written(&trace));
        seeds.extend(crashes(&trace).iter().map(|it| written(&SimDisk::from_state(it).trace())));
    }
    let words = BTreeSet::from([b"PHTRACE\n\x01\0".to_vec()]);
    Beginning { seeds, words }
}

/// Cases of every scene.
pub(super) fn cases() -> Beginning {
    let mut seeds = BTreeSet::new();
    let lives = (0..4).filter_map(life);
    for (plan, trace) in lives {
        let Some(state) = crashes(&trace).pop() else { continue };
        let choice = || state.choice.clone();
        let short = SimDisk::from_state(&state).trace();
        let scenes = [
            Scene::Undisturbed,
            Scene::Twice,
            Scene::Crash { creation: plan.seed.is_multiple_of(2), choices: vec![choice()] },
            Scene::Killed {
                window: Window { acknowledged: 1, issued: 2 },
                image: Box::new(state.visible()),
            },
            Scene::Recorded {
                media: Profile::Ext4,
                lives: vec![CrashedLife::new(&short, choice())],
                before: Some(Box::new(Unshrunk {
                    plan: plan.clone(),
                    lives: vec![CrashedLife::new(&short, choice())],
                })),
            },
            Scene::Watched,
            Scene::Measurement { profile: Scope::Quick },
        ];
        let causes = cause(&trace, choice());
        let all = scenes.into_iter().map(|scene| case(plan.clone(), scene, causes.clone()));
        // One that a later program would write.
        let newer = case(plan.clone(), Scene::Undisturbed, Vec::new());
        let all = all.chain([Case { version: VERSION + 1, ..newer }]);
        seeds.extend(all.filter_map(|case| case.to_json().ok()).map(String::into_bytes));
    }
    let words = seeds.iter().flat_map(|seed| quoted(seed)).collect();
    Beginning { seeds, words }
}

fn cause(trace: &Trace, choice: Choice) -> Vec<Cause> {
    let class = trace.classify(&choice).ok();
    let cause = class.map(|class| Cause { class, states: 2, choices: vec![choice], plan: None });
    cause.into_iter().collect()
}

fn case(plan: Plan, scene: Scene, causes: Vec<Cause>) -> Case {
    Case {
        format: FORMAT.to_owned(),
        version: VERSION,
        subject: "reference".to_owned(),
        driving: Driving::default(),
        seed: plan.seed,
        claim: "AC-04.power-loss".to_owned(),
        kind: Kind::Lost,
        world: World::PowerLoss,
        story: vec!["lost".to_owned()],
        causes,
        plan,
        scene,
    }
}

/// Conversations of a harness with a driver: the requests, and the answers they get.
pub(super) fn conversations() -> Beginning {
    let mut seeds = BTreeSet::new();
    for seed in 0..8 {
        let mut plan = generate(seed, &GenerateProfile::differential());
        plan.ops.truncate(24);
        plan.settings.wal_reserve = 4096;
        let open = || Ask::Open { dir: "store".to_owned(), settings: plan.settings.clone() };
        let mut asks = vec![Ask::Hello { protocol: PROTOCOL }, open()];
        for op in &plan.ops {
            match op {
                Op::Reopen => asks.extend([Ask::Close, open()]),
                op => asks.push(Ask::Op(op.clone())),
            }
        }
        asks.extend([Ask::Client, Ask::Close, Ask::Bye]);
        let (mut requests, mut answers) = (Vec::new(), Vec::new());
        (0..).zip(asks).for_each(|(n, ask)| Request { n, ask }.encode(&mut requests));
        let subject = Anywhere::new(MemStorage::new());
        // What was answered until an error is as good a seed.
        let _ = serve(&subject, requests.as_slice(), &mut answers);
        seeds.extend([requests, answers]);
    }
    let words = seeds.iter().flat_map(|seed| quoted(seed)).collect();
    Beginning { seeds, words }
}

/// The strings of a JSON text, quotes included: names of fields and of variants, not contents.
fn quoted(text: &[u8]) -> Vec<Vec<u8>> {
    let pieces = text.split(|byte| *byte == b'"').skip(1).step_by(2);
    let words = pieces.filter(|word| {
        let is_word = |byte: &u8| byte.is_ascii_lowercase() || b"_-.".contains(byte);
        (2..24).contains(&word.len()) && word.iter().all(is_word)
    });
    words.map(|word| [b"\"", word, b"\""].concat()).collect()
}
