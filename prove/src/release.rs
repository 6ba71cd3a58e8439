//! Release verification: whether what is about to be published may be.
//!
//! It looks at the packages, not at the tree: they are made, unpacked, built from each other, and the
//! program that comes out is put to work. Each check answers one [`Line`]; a [`Page`] is all of them.

mod api;
mod build;
mod earlier;
mod package;
mod page;
mod proved;
mod publish;
mod stores;
mod tool;
mod vectors;
mod versions;

use std::path::PathBuf;

use crate::profile::Profile;

pub use earlier::{Answers, ask};
pub use page::{Line, Page, State};
pub use proved::REQUIRED;
pub use stores::{Access, shows};

use build::Program;
use package::Packages;

/// What to check, and with what.
#[derive(Debug)]
pub struct Asked {
    /// The source tree.
    pub tree: PathBuf,
    /// Where packages of earlier releases are; those that are not there come from the registry.
    pub releases: Option<PathBuf>,
    /// Where reports go.
    pub out: PathBuf,
    /// An empty directory for everything that is made on the way.
    pub work: PathBuf,
    /// How thoroughly the packaged program proves.
    pub profile: Profile,
    /// The criteria that must be PASS.
    pub required: Vec<String>,
    /// Whether the changelog may say that the version is not released yet.
    pub allow_unreleased: bool,
    /// Whether the tree may have changes that are not committed.
    pub allow_dirty: bool,
    /// Only these checks; all if empty.
    pub only: Vec<String>,
    /// Whether the public interfaces as they are become those that were reviewed.
    pub bless_api: bool,
}

/// The checks, in the order in which they run.
pub const CHECKS: [&str; 9] = [
    "versions",
    "packages",
    "build",
    "prove",
    "vectors",
    "stores",
    "earlier releases",
    "public API",
    "publish order",
];

/// Runs the checks. `says` is told which one is running.
pub fn check(asked: &Asked, says: &dyn Fn(&str)) -> Page {
    let mut run = Run { asked, says, packages: None, program: None };
    let lines = CHECKS.map(|name| {
        if !asked.only.is_empty() && !asked.only.iter().any(|only| only == name) {
            return Line::new(name, State::Skipped, "not asked for");
        }
        says(name);
        run.line(name)
    });
    Page { lines: lines.into() }
}

/// What later checks need of earlier ones.
struct Run<'a> {
    asked: &'a Asked,
    says: &'a dyn Fn(&str),
    packages: Option<Result<Packages, String>>,
    program: Option<Result<Program, String>>,
}

impl Run<'_> {
    fn line(&mut self, name: &'static str) -> Line {
        let asked = self.asked;
        match name {
            "versions" => versions::line(asked, self.program().ok()),
            "packages" => package::line(self.packages()),
            "build" => build::line(self.program()),
            "prove" => self.with_program(name, |program| proved::line(asked, program)),
            "vectors" => self.with_program(name, |program| vectors::line(asked, program)),
            "stores" => self.with_program(name, |program| stores::line(asked, program)),
            "earlier releases" => earlier::line(asked),
            "public API" => api::line(asked, self.packages().ok()),
            _ => publish::line(asked, self.packages()),
        }
    }

    /// A check of the packaged program; without one there is nothing to check.
    fn with_program(&mut self, name: &'static str, check: impl FnOnce(&Program) -> Line) -> Line {
        match self.program() {
            Ok(program) => check(program),
            Err(_) => Line::new(name, State::Skipped, "there is no packaged program"),
        }
    }

    fn packages(&mut self) -> Result<&Packages, String> {
        let asked = self.asked;
        let made = self.packages.get_or_insert_with(|| {
            (self.says)("packages");
            package::make(&asked.tree, &asked.work.join("packages"), asked.allow_dirty)
        });
        made.as_ref().map_err(Clone::clone)
    }

    fn program(&mut self) -> Result<&Program, String> {
        if self.program.is_none() {
            let asked = self.asked;
            let built = self.packages().and_then(|packages| {
                let target = asked.work.join("target");
                build::program(&packages.crates, build::PROGRAM, &target, Some(&asked.tree))
            });
            self.program = Some(built);
        }
        match &self.program {
            Some(Ok(program)) => Ok(program),
            Some(Err(error)) => Err(error.clone()),
            None => Err(String::new()),
        }
    }
}
