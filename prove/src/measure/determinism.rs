//! The same plan, the same bytes: twice in one process, and once more in another.

use std::path::Path;

use proofhouse_crash::{Content, SimDisk, Tree};
use proofhouse_model::{GenerateProfile, Plan, RunOptions, run};
use proofhouse_subjects::Placed;

use super::{Context, Measured, Room};
use crate::case::Scene;
use crate::finding::{Finding, Kind, World};
use crate::parallel;
use crate::process;
use crate::verdict::{Evidence, Reason};

/// Equal runs leave equal files.
pub(super) const ROOM: Room = Room {
    name: "equal runs, equal bytes",
    claims: &["AC-01.same-process", "AC-01.other-process", "AC-01.digest"],
    measure,
};

/// The seed of the plan behind [`DIGEST`].
const FIXED: u64 = 0x0070_726f_6f66;

/// The digest of all files that the reference engine leaves after the plan of seed [`FIXED`]: it
/// changes only together with the format on disk, and then on purpose.
const DIGEST: u128 = 0;

fn measure(context: &Context) -> Measured {
    let mut measured = Measured::default();
    same_process(context, &mut measured);
    other_process(context, &mut measured);
    fixed_plan(context, &mut measured);
    measured
}

fn same_process(context: &Context, measured: &mut Measured) {
    let cases = context.scale.determinism_plans;
    let done = parallel::map(cases, context.budget, |case| {
        let plan = plan(context.seed, context.subject, case);
        differs(context.subject, &plan).map(|story| (plan, story))
    });
    measured.show("AC-01.same-process", Evidence::of(done.len() as u64, cases, "plans"));
    if let Some((plan, story)) = done.into_iter().flatten().next() {
        let claim = "AC-01.same-process";
        let finding = Finding::new(Kind::NonDeterminism, World::Undisturbed, claim, story);
        measured.findings.push(context.with_case(finding, plan, Scene::Twice));
    }
}

fn other_process(context: &Context, measured: &mut Measured) {
    let claim = "AC-01.other-process";
    let Some(program) = context.program else {
        let note = "no program to start";
        return measured.show(claim, Evidence::stopped(Reason::Skipped, note));
    };
    let cases = context.scale.process_plans;
    let Context { name, seed, dir, .. } = *context;
    let there = match process::elsewhere(program, name, seed, cases, dir) {
        Ok(there) => there,
        Err(problem) => {
            let story = problem.to_string();
            let kind = Kind::HarnessBroken;
            measured.findings.push(Finding::new(kind, World::Undisturbed, claim, story));
            return measured.show(claim, Evidence::of(0, cases, "plans"));
        }
    };
    measured.show(claim, Evidence::of(there.len() as u64, cases, "plans"));
    let differs = (0..).zip(&there).find_map(|(case, there)| {
        let plan = plan(context.seed, context.subject, case);
        let here = files_after(context.subject, &plan).digest();
        (here != *there).then_some((plan, here, there))
    });
    if let Some((plan, here, there)) = differs {
        let story = format!("files here have digest {here:032x}, in another process {there:032x}");
        let finding = Finding::new(Kind::NonDeterminism, World::Undisturbed, claim, story);
        measured.findings.push(context.with_case(finding, plan, Scene::Twice));
    }
}

fn fixed_plan(context: &Context, measured: &mut Measured) {
    let claim = "AC-01.digest";
    if !context.subject.about().is_entidb {
        return;
    }
    let plan = proofhouse_model::generate(FIXED, &GenerateProfile::crash());
    let found = files_after(context.subject, &plan).digest();
    measured.show(claim, Evidence::of(1, 1, "plans"));
    if found != DIGEST {
        let story = format!("the files have digest {found:#034x}, due is {DIGEST:#034x}");
        let finding = Finding::new(Kind::NonDeterminism, World::Undisturbed, claim, story);
        measured.findings.push(context.with_case(finding, plan, Scene::Measurement));
    }
}

/// The plan of one case; the other process makes the same ones.
pub(crate) fn plan(seed: u64, subject: &Placed, case: u64) -> Plan {
    super::plan_of(seed, subject, "determinism", case, &GenerateProfile::crash())
}

/// The files that a plan leaves on a simulated disk. Whether its outcomes are right is another
/// measurement's business.
fn files_after(subject: &Placed, plan: &Plan) -> Tree {
    let disk = SimDisk::new();
    let options = RunOptions { history: false, close: true };
    // A divergence ends both runs at the same operation, or the files tell.
    let _ = run(subject, &disk, plan, options, &mut ());
    disk.tree()
}

/// The same on real files below `dir`, which must not exist yet.
///
/// # Errors
/// Whatever reading the files back says.
pub(crate) fn digest_on_files(subject: &Placed, dir: &Path, plan: &Plan) -> std::io::Result<u128> {
    let options = RunOptions { history: false, close: true };
    let _ = run(subject, dir, plan, options, &mut ());
    Ok(Tree::read_from(dir)?.digest())
}

/// Where two runs of a plan leave different files; `None` if they do not.
pub(crate) fn differs(subject: &Placed, plan: &Plan) -> Option<String> {
    let (first, second) = (files_after(subject, plan), files_after(subject, plan));
    if first.digest() == second.digest() {
        return None;
    }
    Some(difference(&first, &second))
}

/// The first respect in which two trees differ.
fn difference(first: &Tree, second: &Tree) -> String {
    let names = |tree: &Tree| tree.files().map(|(name, _)| name).collect::<Vec<_>>();
    if names(first) != names(second) {
        return format!("the first run leaves {:?}, the second {:?}", names(first), names(second));
    }
    let mut pairs = first.files().zip(second.files());
    match pairs.find(|((_, first), (_, second))| first.digest() != second.digest()) {
        Some(((name, first), (_, second))) => {
            format!("{name} differs {}", place(first, second))
        }
        None => "the directories differ".to_owned(),
    }
}

fn place(first: &Content, second: &Content) -> String {
    if first.len() != second.len() {
        return format!("in length: {} and {} bytes", first.len(), second.len());
    }
    let byte = |content: &Content, at| {
        let mut byte = [0];
        content.read(at, &mut byte).then_some(byte)
    };
    match (0..first.len()).find(|at| byte(first, *at) != byte(second, *at)) {
        Some(at) => format!("from byte {at}"),
        None => "nowhere".to_owned(),
    }
}
