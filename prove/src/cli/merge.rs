//! `merge`: the proof of a whole run, from its shards.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use clap::Args;

use super::Problem;
use super::prove::{Job, about, build, place_for_files};
use crate::criteria;
use crate::measure::Context;
use crate::parallel::Budget;
use crate::share::Share;
use crate::share::ledger::{LedgerError, RunOf, read_all};
use crate::subject::{self, Chosen, Engine};

/// Which shards to merge, and where to write what they come to.
#[derive(Debug, Args)]
pub(super) struct MergeArgs {
    /// All shards of one run, in any order: the directories that `prove --shard` named.
    #[arg(required = true, value_name = "SHARD")]
    shards: Vec<PathBuf>,
    /// Where the report and the case files go.
    #[arg(long, value_name = "DIR", default_value = "proofhouse-out")]
    out: PathBuf,
    /// Exit with 17 if anything was not measured.
    #[arg(long)]
    require_all: bool,
    /// Where real files go; the system's temporary directory if not given.
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

/// Merges, as asked. No case is asked again; the engine is needed to make small what was found.
pub(super) fn run(args: &MergeArgs) -> Result<ExitCode, Problem> {
    let begun = Instant::now();
    let dir = place_for_files(args.dir.as_deref())?;
    let (run, known) = read_all(&args.shards)?;
    let share = Share::merged(known);
    let merge = Merge { args, run: &run, share: &share, dir, begun };
    match subject::choose(&run.subject, &run.driving, &merge.dir)? {
        Chosen::Placed(subject) => merge.engine(&subject),
        Chosen::Commanded(subject) => merge.engine(subject.as_ref()),
    }
}

struct Merge<'a> {
    args: &'a MergeArgs,
    run: &'a RunOf,
    share: &'a Share,
    dir: PathBuf,
    begun: Instant,
}

impl Merge<'_> {
    fn engine<E: Engine>(&self, subject: &E) -> Result<ExitCode, Problem> {
        let Self { args, run, share, dir, begun } = self;
        let program = std::env::current_exe().map_err(Problem::with("this program"))?;
        let others = [
            ("version", &run.proofhouse, &env!("CARGO_PKG_VERSION").to_owned()),
            ("build", &run.build, &build(&program)?),
            ("engine", &run.about, &about(subject)),
        ];
        if let Some((what, theirs, ours)) = others.iter().find(|(_, theirs, ours)| theirs != ours) {
            let path = args.shards.first().cloned().unwrap_or_default();
            let differs = format!("its {what} is {theirs}, here it is {ours}");
            return Err(LedgerError::Other { path, differs }.into());
        }
        let ids = run.criteria.iter().filter_map(|id| Some(criteria::find(id)?.id));
        let context = Context {
            subject,
            name: &run.subject,
            profile: run.profile,
            scale: run.profile.scale(),
            seed: run.seed,
            budget: Budget::default(),
            promise: run.promise,
            dir,
            program: Some(&program),
            share: Some(share),
        };
        let (wanted, out, require_all) = (ids.collect(), args.out.as_path(), args.require_all);
        Job { context, wanted, begun: *begun, out, require_all }.run()
    }
}
