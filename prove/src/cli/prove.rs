//! `prove`: measures, prints the table, writes the report and a case file per failure.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use xxhash_rust::xxh3::xxh3_128;

use super::progress::Progress;
use super::{Problem, ProveArgs, show};
use crate::criteria::ALL;
use crate::finding::Finding;
use crate::measure::{self, Context};
use crate::parallel::Budget;
use crate::proof::Proof;
use crate::report::Report;
use crate::scratch::halt_if_interrupted;
use crate::share::ledger::{self, FORMAT, Header, Ledger, RunOf, VERSION};
use crate::share::{self, Share};
use crate::subject::{Chosen, Engine};
use crate::{selfcheck, subject, table};

/// Where case files go, within the output directory.
const CASES: &str = "cases";
/// What the names of case files end with.
const CASE_SUFFIX: &str = ".case.json";

/// Proves, as asked.
pub(super) fn run(args: &ProveArgs) -> Result<ExitCode, Problem> {
    let begun = Instant::now();
    let dir = place_for_files(args.dir.as_deref())?;
    match subject::choose(&args.subject, &args.driving, &dir)? {
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
    let wanted: BTreeSet<&str> = if args.criteria.is_empty() {
        ALL.iter().map(|criterion| criterion.id).collect()
    } else {
        args.criteria.iter().map(String::as_str).collect()
    };
    let out = args.shard.map_or_else(|| args.out.clone(), |shard| share::place(&args.out, shard));
    let share = args.shard.map(|shard| {
        fs::create_dir_all(&out).map_err(Problem::with(&out))?;
        let run = run_of(args, subject, &program, &wanted)?;
        let header = Header { format: FORMAT.to_owned(), version: VERSION, shard, run };
        let (ledger, known) = Ledger::open(&out.join(ledger::NAME), &header)?;
        Ok::<_, Problem>(Share::of_shard(shard, ledger, known))
    });
    let share = share.transpose()?;
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
        share: share.as_ref(),
    };
    Job { context, wanted, begun, out: &out, require_all: args.require_all }.run()
}

/// What shards of the same run have in common.
fn run_of<E: Engine>(
    args: &ProveArgs,
    subject: &E,
    program: &Path,
    wanted: &BTreeSet<&str>,
) -> Result<RunOf, Problem> {
    Ok(RunOf {
        proofhouse: env!("CARGO_PKG_VERSION").to_owned(),
        build: build(program)?,
        subject: args.subject.clone(),
        about: about(subject),
        profile: args.profile,
        seed: args.seed,
        criteria: wanted.iter().map(|id| (*id).to_owned()).collect(),
        promise: args.promise,
        driving: args.driving.clone(),
    })
}

/// A digest of this program.
pub(super) fn build(program: &Path) -> Result<String, Problem> {
    let bytes = fs::read(program).map_err(Problem::with(program))?;
    Ok(format!("{:032x}", xxh3_128(&bytes)))
}

/// Who a subject says that it is, for comparing.
pub(super) fn about<E: Engine>(subject: &E) -> String {
    format!("{:?}", subject.about())
}

/// A proof to be made and told.
pub(super) struct Job<'a, E> {
    pub(super) context: Context<'a, E>,
    pub(super) wanted: BTreeSet<&'a str>,
    pub(super) begun: Instant,
    /// Where the report and the cases go.
    pub(super) out: &'a Path,
    pub(super) require_all: bool,
}

impl<E: Engine> Job<'_, E> {
    /// Measures, writes the report and the cases, and prints the table.
    pub(super) fn run(&self) -> Result<ExitCode, Problem> {
        prepare(self.out)?;
        let proof = self.prove();
        let share = self.context.share;
        let complete = share.map_or(Ok(true), Share::finish)?;
        let cases = write_cases(self.out, &proof.findings)?;
        let report = Report::of(&proof, self.require_all, &cases).to_json();
        let report = report.map_err(|error| Problem::Other(error.to_string()))?;
        write(&self.out.join("report.json"), &report)?;
        show(&table::render(&proof, &cases));
        show(&format!("report: {}\n", self.out.join("report.json").display()));
        if let Some(shard) = share.and_then(Share::shard) {
            show(&table::shard_line(shard, complete));
        }
        Ok(proof.exit(self.require_all).into())
    }

    fn prove(&self) -> Proof {
        let context = &self.context;
        let progress = Progress::start();
        // What a subject panics with is caught and reported; the default hook would print it, too.
        let hook = std::panic::take_hook();
        std::panic::set_hook(Box::new(|_| {}));
        let says = |what: &str| progress.says(what);
        let (criteria, findings) = measure::measure(context, &self.wanted, &says);
        progress.says("flawed subjects");
        let self_check = selfcheck::run(context, &self.wanted);
        std::panic::set_hook(hook);
        Proof {
            subject: context.name.to_owned(),
            profile: context.profile,
            seed: context.seed,
            criteria,
            findings,
            shard: context.share.and_then(Share::part),
            self_check,
            took: self.begun.elapsed() + context.share.map(Share::before).unwrap_or_default(),
        }
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
    halt_if_interrupted();
    fs::write(path, text).map_err(Problem::with(path))
}
