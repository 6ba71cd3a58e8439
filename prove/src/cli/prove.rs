//! `prove`: measures, prints the table, writes the report and a case file per failure.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use super::progress::Progress;
use super::{Problem, ProveArgs, show};
use crate::criteria::ALL;
use crate::finding::Finding;
use crate::measure::{self, Context};
use crate::parallel::Budget;
use crate::proof::Proof;
use crate::report::Report;
use crate::subject::{Chosen, Driving, Engine};
use crate::{selfcheck, subject, table};

/// Where case files go, within the output directory.
const CASES: &str = "cases";
/// What the names of case files end with.
const CASE_SUFFIX: &str = ".case.json";

/// Proves, as asked.
pub(super) fn run(args: &ProveArgs) -> Result<ExitCode, Problem> {
    let begun = Instant::now();
    let dir = place_for_files(args.dir.as_deref())?;
    let driving = Driving { mapped: args.mapped.clone(), watchdog: args.watchdog };
    match subject::choose(&args.subject, &driving, &dir)? {
        Chosen::Placed(subject) => prove_engine(args, &subject, &dir, begun),
        Chosen::Commanded(subject) => prove_engine(args, subject.as_ref(), &dir, begun),
    }
}

fn prove_engine<E: Engine>(
    args: &ProveArgs,
    subject: &E,
    dir: &Path,
    begun: Instant,
) -> Result<ExitCode, Problem> {
    let program = std::env::current_exe().map_err(Problem::with("this program"))?;
    prepare(&args.out)?;
    let context = Context {
        subject,
        name: &args.subject,
        profile: args.profile,
        scale: args.profile.scale(),
        seed: args.seed,
        budget: Budget { until: args.budget.and_then(|budget| begun.checked_add(budget)) },
        promise: args.promise,
        dir,
        program: Some(&program),
    };
    let wanted: BTreeSet<&str> = if args.criteria.is_empty() {
        ALL.iter().map(|criterion| criterion.id).collect()
    } else {
        args.criteria.iter().map(String::as_str).collect()
    };
    let proof = prove(args, &context, &wanted, begun);
    let cases = write_cases(&args.out, &proof.findings)?;
    let report = Report::of(&proof, args.require_all, &cases).to_json();
    let report = report.map_err(|error| Problem::Other(error.to_string()))?;
    write(&args.out.join("report.json"), &report)?;
    show(&table::render(&proof, &cases));
    show(&format!("report: {}\n", args.out.join("report.json").display()));
    Ok(proof.exit(args.require_all).into())
}

fn prove<E: Engine>(
    args: &ProveArgs,
    context: &Context<E>,
    wanted: &BTreeSet<&str>,
    begun: Instant,
) -> Proof {
    let progress = Progress::start();
    // What a subject panics with is caught and reported; the default hook would print it, too.
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let (criteria, findings) = measure::measure(context, wanted, &|what| progress.says(what));
    progress.says("flawed subjects");
    let self_check = selfcheck::run(context, wanted);
    std::panic::set_hook(hook);
    Proof {
        subject: args.subject.clone(),
        profile: args.profile,
        seed: args.seed,
        criteria,
        findings,
        self_check,
        took: begun.elapsed(),
    }
}

/// The directory for real files: it must exist, or kills would prove nothing of it.
pub(super) fn place_for_files(dir: Option<&Path>) -> Result<PathBuf, Problem> {
    let dir = dir.map_or_else(std::env::temp_dir, Path::to_path_buf);
    fs::read_dir(&dir).map_err(Problem::with(&dir))?;
    Ok(dir)
}

/// Makes the output directory, without the case files of an earlier run. Other files stay.
fn prepare(out: &Path) -> Result<(), Problem> {
    let cases = out.join(CASES);
    fs::create_dir_all(&cases).map_err(Problem::with(&cases))?;
    for entry in fs::read_dir(&cases).map_err(Problem::with(&cases))? {
        let path = entry.map_err(Problem::with(&cases))?.path();
        if path.to_string_lossy().ends_with(CASE_SUFFIX) {
            fs::remove_file(&path).map_err(Problem::with(&path))?;
        }
    }
    Ok(())
}

/// Writes a case file for each finding that has a case, named by claim and kind.
fn write_cases(out: &Path, findings: &[Finding]) -> Result<Vec<Option<PathBuf>>, Problem> {
    let write_case = |finding: &Finding| {
        let Some(case) = &finding.case else { return Ok(None) };
        let kind = finding.kind.words().replace(' ', "-");
        let path = out.join(CASES).join(format!("{}-{kind}{CASE_SUFFIX}", finding.claim));
        let json = case.to_json().map_err(|error| Problem::Other(error.to_string()))?;
        write(&path, &json)?;
        Ok(Some(path))
    };
    findings.iter().map(write_case).collect()
}

fn write(path: &Path, text: &str) -> Result<(), Problem> {
    fs::write(path, text).map_err(Problem::with(path))
}
