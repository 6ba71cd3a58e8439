//! The same plan, the same bytes: twice in one process, and once more in another.

use std::path::Path;

use proofhouse_crash::{SimDisk, Tree};
use proofhouse_model::{GenerateProfile, Plan, RunOptions, run};
use proofhouse_subjects::Placed;

use super::{Context, Measured, Room};
use crate::case::Scene;
use crate::finding::{Finding, Kind, World};
use crate::parallel;
use crate::process;
use crate::verdict::{Evidence, Reason};

/// Equal runs leave equal files.
pub(super) const ROOM: Room =
    Room { name: "equal runs, equal bytes", claims: &["AC-01.same-process"], split: true, measure };

/// Equal runs of different processes, and of all time.
pub(super) const OTHER_PROCESS: Room = Room {
    name: "equal bytes elsewhere",
    claims: &["AC-01.other-process", "AC-01.digest"],
    split: false,
    measure: measure_elsewhere,
};

/// The seed of the plan behind [`DIGEST`].
const FIXED: u64 = 0x0070_726f_6f66;

/// The digest of all files that the reference engine leaves after the plan of seed [`FIXED`]: it
/// changes only together with the format on disk, and then on purpose.
const DIGEST: u128 = 0xfbe6_8a9b_8537_2944_8d15_12b1_3aef_95c2;

fn measure(context: &Context) -> Measured {
    let mut measured = Measured::default();
    same_process(context, &mut measured);
    measured
}

fn measure_elsewhere(context: &Context) -> Measured {
    let mut measured = Measured::default();
    other_process(context, &mut measured);
    fixed_plan(context, &mut measured);
    measured
}

fn same_process(context: &Context, measured: &mut Measured) {
    let cases = context.scale.determinism_plans;
    let plan = |case| plan(context.seed, context.subject, case);
    let done = context
        .cases(ROOM.name, parallel::COMPUTE, cases, |case| differs(context.subject, &plan(case)));
    measured.show("AC-01.same-process", Evidence::of(done.len() as u64, cases, "plans"));
    if let Some((case, story)) = done.into_iter().find_map(|(case, story)| Some((case, story?))) {
        let claim = "AC-01.same-process";
        let finding = Finding::new(Kind::NonDeterminism, World::Undisturbed, claim, story);
        measured.findings.push(context.with_case(finding, plan(case), Scene::Twice));
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
        let here = disk_after(context.subject, &plan, closes(case)).tree().digest();
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
    let found = disk_after(context.subject, &plan, false).tree().digest();
    measured.show(claim, Evidence::of(1, 1, "plans"));
    if found != DIGEST {
        let story = format!("the files have digest {found:#034x}, due is {DIGEST:#034x}");
        let finding = Finding::new(Kind::NonDeterminism, World::Undisturbed, claim, story);
        measured.findings.push(context.with_measurement(finding));
    }
}

/// The plan of one case; the other process makes the same ones.
fn plan(seed: u64, subject: &Placed, case: u64) -> Plan {
    super::plan_of(seed, subject.about(), "determinism", case, &GenerateProfile::crash())
}

/// Carries out a plan on a fresh simulated disk. Whether its outcomes are right is another
/// measurement's business.
fn disk_after(subject: &Placed, plan: &Plan, close: bool) -> SimDisk {
    let disk = SimDisk::new();
    let options = RunOptions { history: false, close };
    // A divergence ends equal runs at the same operation, or the disks tell.
    let _ = run(subject, &disk, plan, options, &mut ());
    disk
}

/// The digest of the files that the plan of a case leaves on a place of real files, which must not
/// exist yet.
///
/// # Errors
/// Whatever reading the files back says.
pub(crate) fn digest_on_files(
    subject: &Placed,
    place: &Path,
    seed: u64,
    case: u64,
) -> std::io::Result<u128> {
    let options = RunOptions { history: false, close: closes(case) };
    let _ = run(subject, place, &plan(seed, subject, case), options, &mut ());
    Ok(Tree::read_from(place)?.digest())
}

/// Every other plan is left without a close, which would tidy up what tells runs apart.
fn closes(case: u64) -> bool {
    case.is_multiple_of(2)
}

/// Where two runs of a plan differ in what they do to the disk; `None` if they do not. Equal
/// calls with equal bytes leave equal files at every moment, not only in the end.
pub(crate) fn differs(subject: &Placed, plan: &Plan) -> Option<String> {
    let traces = [(), ()].map(|()| disk_after(subject, plan, true).trace());
    let [first, second] = &traces;
    if first.ops == second.ops {
        return None;
    }
    let same = first.ops.iter().zip(&second.ops).take_while(|(first, second)| first == second);
    let at = same.count();
    let [did, does] = traces.each_ref().map(|trace| {
        trace.describe().get(at).map_or_else(|| "nothing".to_owned(), ToString::to_string)
    });
    Some(format!("call #{at} of the first run: {did}; of the second: {does}, or with other bytes"))
}
