//! Independent readers: the vectors, and damage of the run's seed, through each.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::Path;
use std::process::{Command, Output};

use proofhouse_golden::{Language, embedded_files, sample};
use serde::Deserialize;

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

/// Directories that each reader reads.
const READ: [&str; 2] = ["vectors", "damaged"];

/// Why a reader did not judge.
#[derive(Debug)]
enum Trouble {
    /// What runs it is not there.
    Tool(String),
    /// The harness could not write what it reads, or not read it again.
    Io(io::Error),
}

/// What a reader found.
#[derive(Debug, Default)]
struct Judged {
    agreed: u64,
    /// Vectors that it says it read.
    read: u64,
    /// Vectors of the families that it covers, by the index: a reader's own count would let it skip some.
    due: u64,
    /// The first thing that is wrong: a disagreement, or the reader itself.
    story: Option<String>,
}

/// An index, as far as vectors are counted by it.
#[derive(Deserialize)]
struct Index {
    families: Vec<Listed>,
}

#[derive(Deserialize)]
struct Listed {
    family: String,
    vectors: u64,
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
        let (story, evidence) = told(judged);
        measured.findings.extend(story.map(|story| {
            let story = format!("the {} reader: {story}", language.name());
            let finding = Finding::new(Kind::Divergence, World::Undisturbed, claim, story);
            context.with_measurement(finding)
        }));
        measured.show(claim, evidence);
    }
    measured
}

/// What is wrong, and what was checked.
fn told(judged: Result<Judged, Trouble>) -> (Option<String>, Evidence) {
    match judged {
        Ok(Judged { agreed, read, due, story }) => {
            let story = story.map(|story| format!("{story}; {agreed} of {due} vectors agree"));
            (story, Evidence::of(read.min(due), due, "vectors"))
        }
        Err(Trouble::Tool(note)) => (None, Evidence::stopped(Reason::MissingTool, note)),
        Err(Trouble::Io(error)) => (None, Evidence::stopped(Reason::Skipped, error.to_string())),
    }
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

/// Installs a reader and puts both directories to it.
fn judge(language: Language, dir: &Path) -> Result<Judged, Trouble> {
    match install(language, dir)? {
        Ok(words) => ask(language, &words, dir),
        Err(story) => Ok(Judged { story: Some(story), ..Judged::default() }),
    }
}

/// Runs a reader, by the words that start it, over both directories.
fn ask(language: Language, words: &[OsString], dir: &Path) -> Result<Judged, Trouble> {
    let mut all = Judged::default();
    for vectors in READ {
        let dir = dir.join(vectors);
        let due = due(language, &dir).map_err(Trouble::Io)?;
        let output = run(language, words.iter().cloned().chain([dir.into()]))?;
        let judged = parse(language, &output, due);
        all.agreed += judged.agreed;
        all.read += judged.read;
        all.due += due;
        all.story = all.story.or(judged.story.map(|story| format!("{vectors}: {story}")));
    }
    Ok(all)
}

/// How many vectors of a directory are those of families that a reader covers.
fn due(language: Language, dir: &Path) -> io::Result<u64> {
    let index: Index = serde_json::from_slice(&fs::read(dir.join("index.json"))?)?;
    let covered = language.covers();
    let listed = index.families.iter().filter(|it| covered.contains(&it.family.as_str()));
    Ok(listed.map(|it| it.vectors).sum())
}

/// Writes a reader's sources, compiles what must be, and answers the words that start it; or what is
/// wrong with sources that do not compile.
fn install(language: Language, dir: &Path) -> Result<Result<Vec<OsString>, String>, Trouble> {
    let home = dir.join(language.name());
    for (name, text) in language.sources() {
        write(&home.join(name), text.as_bytes()).map_err(Trouble::Io)?;
    }
    let main = home.join(language.sources().first().map_or("", |(name, _)| name));
    let tool = OsString::from(language.tool());
    if language != Language::C {
        return Ok(Ok(vec![tool, main.into()]));
    }
    let program = home.join("reader");
    let words = [tool, "-O1".into(), "-o".into(), program.clone().into(), main.into()];
    let output = run(language, words)?;
    Ok(if output.status.success() { Ok(vec![program.into()]) } else { Err(broken_off(&output)) })
}

/// Runs a command to its end; its first word is the program.
fn run(language: Language, words: impl IntoIterator<Item = OsString>) -> Result<Output, Trouble> {
    let mut words = words.into_iter();
    let mut command = Command::new(words.next().unwrap_or_default());
    command.args(words).env("PYTHONDONTWRITEBYTECODE", "1");
    command.output().map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => Trouble::Tool(format!("{} is not installed", language.tool())),
        _ => Trouble::Io(error),
    })
}

/// A reader's last line says how many vectors agree, and its exit code whether all do; its first
/// complaint says which does not.
fn parse(language: Language, output: &Output, due: u64) -> Judged {
    let text = String::from_utf8_lossy(&output.stdout);
    let counts = text.lines().last().and_then(|line| {
        let rest = line.strip_prefix(language.name())?.strip_prefix(": ")?;
        let (agreed, read) = rest.strip_suffix(" vectors agree")?.split_once(" of ")?;
        Some((agreed.parse::<u64>().ok()?, read.parse::<u64>().ok()?))
    });
    // A reader that breaks off, by whatever fault, has not shown that it agrees.
    let Some((agreed, read)) = counts else {
        return Judged { due, story: Some(broken_off(output)), ..Judged::default() };
    };
    let complaint = String::from_utf8_lossy(&output.stderr);
    let story = if agreed < read {
        Some(complaint.lines().next().unwrap_or("disagrees").to_owned())
    } else if !output.status.success() {
        Some(broken_off(output))
    } else {
        (read != due)
            .then(|| format!("reads {read} vectors, where {due} of its families are listed"))
    };
    Judged { agreed, read, due, story }
}

/// How a program ended that should not have, with its last word.
fn broken_off(output: &Output) -> String {
    let complaint = String::from_utf8_lossy(&output.stderr);
    let last = complaint.lines().rfind(|line| !line.is_empty()).unwrap_or("no word");
    format!("breaks off with {}: {last}", output.status)
}
