//! `release-check`: whether what is about to be published may be, on one page.

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::progress::Progress;
use super::prove::place_for_files;
use super::{Problem, criterion, show};
use crate::profile::Profile;
use crate::release::{self, Asked, CHECKS, REQUIRED};
use crate::scratch::{Scratch, halt_if_interrupted};

/// Which tree, and against what.
#[derive(Debug, Args)]
pub(super) struct ReleaseArgs {
    /// The source tree.
    #[arg(long, value_name = "DIR", default_value = ".")]
    tree: PathBuf,
    /// Where `.crate` files of earlier releases are; others come from the registry.
    #[arg(long, value_name = "DIR")]
    releases: Option<PathBuf>,
    /// How thoroughly the packaged program proves the engine.
    #[arg(long, value_enum, default_value = "standard")]
    profile: Profile,
    /// The criteria that the proof must show as PASS, separated by commas.
    #[arg(long, value_name = "AC-nn", value_delimiter = ',', value_parser = criterion,
          default_values = REQUIRED)]
    require: Vec<String>,
    /// Lets the first heading of CHANGELOG.md say that the version is not released yet.
    #[arg(long)]
    allow_unreleased: bool,
    /// Only these checks, separated by commas; the others count as not measured.
    #[arg(long, value_name = "CHECK", value_delimiter = ',', value_parser = CHECKS)]
    only: Vec<String>,
    /// Lets the tree have changes that are not committed.
    #[arg(long)]
    allow_dirty: bool,
    /// Writes the public interfaces as they are into docs/api: after a review.
    #[arg(long)]
    bless_api: bool,
    /// Where the page goes as JSON, and the report of the proof.
    #[arg(long, value_name = "DIR", default_value = "proofhouse-out/release")]
    out: PathBuf,
    /// Where packages are unpacked and built; the system's temporary directory if not given.
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

/// Checks; everything made on the way is gone afterwards.
pub(super) fn run(args: &ReleaseArgs) -> Result<ExitCode, Problem> {
    let dir = place_for_files(args.dir.as_deref())?;
    let work = Scratch::below(&dir).map_err(Problem::with(dir))?;
    let absolute = |path: &PathBuf| std::path::absolute(path).map_err(Problem::with(path));
    let manifest = args.tree.join("Cargo.toml");
    fs::metadata(&manifest).map_err(Problem::with(manifest))?;
    fs::create_dir_all(&args.out).map_err(Problem::with(&args.out))?;
    let asked = Asked {
        tree: absolute(&args.tree)?,
        releases: args.releases.as_ref().map(absolute).transpose()?,
        out: absolute(&args.out)?,
        work: work.path().to_owned(),
        profile: args.profile,
        required: args.require.clone(),
        allow_unreleased: args.allow_unreleased,
        allow_dirty: args.allow_dirty,
        only: args.only.clone(),
        bless_api: args.bless_api,
    };
    let progress = Progress::start();
    let page = release::check(&asked, &|what| progress.says(what));
    drop(progress);
    let path = args.out.join("release.json");
    let json = serde_json::to_string_pretty(&page).map_err(|e| Problem::Other(e.to_string()))?;
    halt_if_interrupted();
    fs::write(&path, json + "\n").map_err(Problem::with(&path))?;
    show(&page.render());
    show(&format!("page: {}\n", path.display()));
    let all_tools = std::env::var_os("CI").is_some_and(|value| value == "1");
    Ok(page.exit(all_tools).into())
}
