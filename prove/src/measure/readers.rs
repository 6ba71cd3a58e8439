//! Independent readers: the vectors, and damage of the run's seed, through each.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use proofhouse_golden::{Language, embedded_files, sample};

use super::{Context, Measured, Room};
use crate::finding::{Finding, Kind, World};
use crate::scratch::Scratch;
use crate::verdict::{Evidence, Reason};

#[cfg(test)]
mod tests;

/// The readers in other languages.
pub(super) const ROOM: Room = Room {
    name: "readers in other languages",
    claims: &["AC-12.python", "AC-12.javascript", "AC-12.c"],
    split: false,
    measure,
};

/// Damaged vectors of each family.
const SAMPLE: usize = 50;

/// Why a reader did not judge.
#[derive(Debug)]
enum Trouble {
    /// What runs it is not there, or too old for it.
    Tool(String),
    /// The harness could not write what it reads.
    Io(io::Error),
}

/// What a reader found.
#[derive(Debug)]
struct Judged {
    agreed: u64,
    read: u64,
    /// The first disagreement.
    story: Option<String>,
}

fn measure(context: &Context) -> Measured {
    let mut measured = Measured::default();
    let prepared = Scratch::below(context.dir)
        .and_then(|dir| write_vectors(dir.path(), context.seed).map(|()| dir));
    for (language, claim) in Language::ALL.into_iter().zip(ROOM.claims) {
        let judged = match &prepared {
            Ok(dir) => judge(language, dir.path()),
            Err(error) => Err(Trouble::Io(io::Error::new(error.kind(), error.to_string()))),
        };
        let evidence = match judged {
            Ok(Judged { agreed, read, story }) => {
                let story = story.or_else(|| (agreed < read).then(|| "disagrees".to_owned()));
                measured.findings.extend(story.map(|story| {
                    let story = format!("the {} reader: {story}", language.name());
                    let finding = Finding::new(Kind::Divergence, World::Undisturbed, claim, story);
                    context.with_measurement(finding)
                }));
                Evidence::of(read, read, "vectors")
            }
            Err(Trouble::Tool(note)) => Evidence::stopped(Reason::MissingTool, note),
            Err(Trouble::Io(error)) => Evidence::stopped(Reason::Skipped, error.to_string()),
        };
        measured.show(claim, evidence);
    }
    measured
}

/// The vectors as they are, and damaged, each in a directory of its own.
fn write_vectors(dir: &Path, seed: u64) -> io::Result<()> {
    for (name, bytes) in embedded_files() {
        write(&dir.join("vectors").join(name), bytes)?;
    }
    for (name, bytes) in sample(seed, SAMPLE).map_err(io::Error::other)? {
        write(&dir.join("damaged").join(name), &bytes)?;
    }
    Ok(())
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    fs::write(path, bytes)
}

/// Runs a reader over both directories.
fn judge(language: Language, dir: &Path) -> Result<Judged, Trouble> {
    let program = install(language, dir)?;
    let mut all = Judged { agreed: 0, read: 0, story: None };
    for vectors in ["vectors", "damaged"] {
        let mut command = match language {
            Language::C => Command::new(&program),
            Language::Python | Language::JavaScript => {
                let mut command = Command::new(language.tool());
                command.arg(&program);
                command
            }
        };
        let output = run(language, command.arg(dir.join(vectors)))?;
        let judged = parse(language, &output)?;
        all.agreed += judged.agreed;
        all.read += judged.read;
        all.story = all.story.or(judged.story);
    }
    Ok(all)
}

/// Writes a reader's sources, compiles what must be, and answers the program.
fn install(language: Language, dir: &Path) -> Result<PathBuf, Trouble> {
    let home = dir.join(language.name());
    for (name, text) in language.sources() {
        write(&home.join(name), text.as_bytes()).map_err(Trouble::Io)?;
    }
    let main = language.sources().first().map_or("", |(name, _)| name);
    if language != Language::C {
        return Ok(home.join(main));
    }
    let program = home.join("reader");
    let mut compiler = Command::new(language.tool());
    let output = run(language, compiler.arg("-O1").arg("-o").arg(&program).arg(home.join(main)))?;
    if output.status.success() { Ok(program) } else { Err(Trouble::Tool(told(language, &output))) }
}

fn run(language: Language, command: &mut Command) -> Result<Output, Trouble> {
    command.env("PYTHONDONTWRITEBYTECODE", "1").output().map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => Trouble::Tool(format!("{} is not installed", language.tool())),
        _ => Trouble::Io(error),
    })
}

/// A reader's last line says how many vectors agree; its first complaint, which does not.
fn parse(language: Language, output: &Output) -> Result<Judged, Trouble> {
    let text = String::from_utf8_lossy(&output.stdout);
    let counts = text.lines().last().and_then(|line| {
        let rest = line.strip_prefix(language.name())?.strip_prefix(": ")?;
        let (agreed, read) = rest.strip_suffix(" vectors agree")?.split_once(" of ")?;
        Some((agreed.parse().ok()?, read.parse().ok()?))
    });
    let Some((agreed, read)) = counts else {
        return Err(Trouble::Tool(told(language, output)));
    };
    let complaint = String::from_utf8_lossy(&output.stderr);
    let story = complaint.lines().next().filter(|_| agreed < read).map(str::to_owned);
    Ok(Judged { agreed, read, story })
}

/// That a tool cannot do what it is for, with its last word.
fn told(language: Language, output: &Output) -> String {
    let complaint = String::from_utf8_lossy(&output.stderr);
    let last = complaint.lines().rfind(|line| !line.is_empty()).unwrap_or("no word");
    format!("{} cannot run the reader: {last}", language.tool())
}
