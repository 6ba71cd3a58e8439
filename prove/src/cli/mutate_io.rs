//! `mutate-io`: which syncs and renames bear load.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Args;
use comfy_table::{ContentArrangement, Table, presets};
use proofhouse_crash::Change;

use super::prove::place_for_files;
use super::{Problem, duration, show};
use crate::driving::Driving;
use crate::finding::Kind;
use crate::measure::Context;
use crate::mutate::{Load, Mutated, mutate, mutate_recorded};
use crate::parallel::Budget;
use crate::profile::{Profile, Promise};
use crate::subject::{self, Chosen};

/// What to mutate, and how thoroughly.
#[derive(Debug, Args)]
pub(super) struct MutateArgs {
    /// The engine under test: a name that `proofhouse subjects` lists, or a command that speaks
    /// the line protocol.
    #[arg(long, value_name = "NAME|CMD", default_value = "reference")]
    subject: String,
    /// Which promise to judge by: the engine's own, or that all acknowledged is kept.
    #[arg(long, value_enum, default_value = "own")]
    promise: Promise,
    #[command(flatten)]
    driving: Driving,
    /// Where files go; memory or the system's temporary directory if not given.
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// How much to do.
    #[arg(long, value_enum, default_value = "quick")]
    profile: Profile,
    /// Decides everything that is generated.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The longest it may take, such as 90s or 10m.
    #[arg(long, value_parser = duration)]
    budget: Option<Duration>,
}

/// Mutates, and prints a line for each site.
pub(super) fn run(args: &MutateArgs) -> Result<ExitCode, Problem> {
    let dir = place_for_files(args.dir.as_deref())?;
    let program = std::env::current_exe().map_err(Problem::with("this program"))?;
    let (mutated, is_entidb) = match subject::choose(&args.subject, &args.driving, &dir)? {
        Chosen::Placed(subject) => {
            let context = context(args, &subject, &dir);
            let hook = std::panic::take_hook();
            std::panic::set_hook(Box::new(|_| {}));
            let mutated = mutate(&context);
            std::panic::set_hook(hook);
            (mutated, subject.about().is_entidb)
        }
        Chosen::Commanded(subject) => {
            (mutate_recorded(&context(args, subject.as_ref(), &dir), &program)?, false)
        }
    };
    show(&format!(
        "{} · {} · seed {}\n{}",
        args.subject,
        args.profile.name(),
        args.seed,
        render(&mutated)
    ));
    Ok(mutated.exit(is_entidb).into())
}

fn context<'a, E>(args: &'a MutateArgs, subject: &'a E, dir: &'a Path) -> Context<'a, E> {
    let until = args.budget.and_then(|budget| Instant::now().checked_add(budget));
    Context {
        subject,
        name: &args.subject,
        profile: args.profile,
        scale: args.profile.scale(),
        seed: args.seed,
        budget: Budget { until },
        promise: args.promise,
        dir,
        program: None,
        share: None,
    }
}

/// The table of sites, and the sums below it.
pub(super) fn render(mutated: &Mutated) -> String {
    let mut table = Table::new();
    table.load_style(presets::UTF8_BORDERS_ONLY);
    table.set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(["call", "times", "removed", "weakened", "moved", "verdict"]);
    for (site, load) in &mutated.sites {
        let [removed, weakened, moved] =
            [Change::Remove, Change::Weaken, Change::Swap].map(|change| shows(load, change));
        let verdict = match (load.is_borne(), mutated.is_argued(site)) {
            (true, _) => "load-bearing",
            (false, true) => "not load-bearing, argued",
            (false, false) => "not load-bearing",
        };
        table.add_row([
            site.to_string(),
            load.times().to_string(),
            removed,
            weakened,
            moved,
            verdict.to_owned(),
        ]);
    }
    let idle = mutated.idle().count();
    let argued = mutated.idle().filter(|site| mutated.is_argued(site)).count();
    let mut text = format!("{table}\n");
    // Writing to a string cannot fail, here and below.
    let _ = writeln!(
        text,
        "{} of {} sites are load-bearing, {idle} are not ({argued} argued); {} lives of {} plans, {} \
         crash states that only mutants leave",
        mutated.sites.len() - idle,
        mutated.sites.len(),
        mutated.lives,
        mutated.plans,
        mutated.states,
    );
    if mutated.failing > 0 {
        let _ = writeln!(text, "excluded: {} plans that fail as they are", mutated.failing);
    }
    if mutated.cut_short {
        text.push_str("not measured in full: budget\n");
    }
    text
}

/// What a change of a site shows: a kind of failure, nothing, or that it could not be made.
fn shows(load: &Load, change: Change) -> String {
    let noticed = load.changes.get(&change);
    noticed.map_or_else(String::new, |noticed| noticed.by.map_or("nothing", Kind::words).to_owned())
}
