//! Writing the vectors into a directory: what was published changes only on purpose.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{fs, io};

use crate::error::VectorsError;
use crate::file::{Bytes, FamilyFile, INDEX, Index, Part};
use crate::generate;
use crate::vectors::{ReadFile, listed_files, parse};

#[cfg(test)]
mod tests;

/// The story of changes, beside the data.
const CHANGELOG: &str = "CHANGELOG.md";
/// Files beside an index that are no data: written by people, or made with every generation.
/// Without an index they are strays: of vectors that were removed, or of something else.
const BESIDE: [&str; 3] = ["README.md", CHANGELOG, "COVERAGE.md"];
/// What the story begins with.
const HEADING: &str = "# Changes of published vectors\n\nNewest first; written by `proofhouse vectors \
                       generate --bless`. What was only added is not listed.\n";
/// What ends a line somewhere: a reason is one line, or it could forge the story's.
const LINE_ENDS: [char; 7] = ['\n', '\r', '\u{b}', '\u{c}', '\u{85}', '\u{2028}', '\u{2029}'];
/// At most this many vectors are named in a message; the story names all.
const NAMED_MAX: usize = 5;

/// What writing the vectors did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// Vectors that were not there before.
    pub added: usize,
    /// Vectors that stayed what they were.
    pub kept: usize,
    /// Vectors that changed, by family and id.
    pub changed: Vec<String>,
    /// Vectors that are gone, by family and id.
    pub removed: Vec<String>,
}

/// Why the vectors were not written. Nothing was changed then, unless a write itself failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PublishError {
    /// What is there cannot be read as vectors.
    #[error(transparent)]
    Vectors(#[from] VectorsError),
    /// The directory holds something else.
    #[error(
        "{0}: no file of the vectors; restore the index that it belongs to, remove it, or name \
         another directory"
    )]
    Dirty(String),
    /// Published vectors would change.
    #[error(
        "published vectors would change: {0}; if that is meant, `--bless` it with a `--reason`"
    )]
    Unblessed(String),
    /// A blessing without a reason.
    #[error("--bless needs a reason: say why what was published changes")]
    NoReason,
    /// A reason of more than a line.
    #[error("the reason has a line break: say it in one line")]
    BrokenReason,
    /// A file cannot be read or written.
    #[error("{path}: {source}; check the path and its permissions", path = .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// Writes the vectors into a directory: an empty one, one that does not exist, or one that holds
/// vectors and nothing else. With a `blessing`, the reason, published vectors may change or go; it
/// is entered into the directory's changelog.
///
/// # Errors
/// [`PublishError`]: vectors that cannot be read, files that are none, published vectors that would
/// change without a blessing, a blessing without a reason in one line.
pub fn publish(dir: &Path, blessing: Option<&str>) -> Result<Published, PublishError> {
    let blessing = blessing.map(str::trim);
    if blessing.is_some_and(str::is_empty) {
        return Err(PublishError::NoReason);
    }
    if blessing.is_some_and(|reason| reason.contains(LINE_ENDS)) {
        return Err(PublishError::BrokenReason);
    }
    let generated = generate();
    let before = published(dir)?;
    let read = |name: &str| Ok(generated.get(name).cloned().unwrap_or_default());
    let after = fingerprints(&read)?;
    let changes = changes(&before.vectors, &after);
    if !(changes.changed.is_empty() && changes.removed.is_empty()) {
        let Some(reason) = blessing else {
            return Err(PublishError::Unblessed(summary(&changes)));
        };
        tell(dir, reason, &changes)?;
    }
    for name in before.files.iter().filter(|name| !generated.contains_key(*name)) {
        at(&dir.join(name), fs::remove_file(dir.join(name)))?;
    }
    for (name, bytes) in &generated {
        write(&dir.join(name), bytes)?;
    }
    Ok(changes)
}

/// What each vector says, by family and id.
type Fingerprints = BTreeMap<String, String>;

fn changes(before: &Fingerprints, after: &Fingerprints) -> Published {
    let is_changed = |id: &&String| after.get(*id).is_some_and(|it| *it != before[*id]);
    Published {
        added: after.keys().filter(|id| !before.contains_key(*id)).count(),
        kept: after.iter().filter(|(id, it)| before.get(*id) == Some(*it)).count(),
        changed: before.keys().filter(is_changed).cloned().collect(),
        removed: before.keys().filter(|id| !after.contains_key(*id)).cloned().collect(),
    }
}

/// Vectors of the directory `before` that are changed or gone in the directory `after`, and whose
/// change the changelog there does not tell: one line each. What the changelog of `before` tells
/// already, if there is one, was another change.
///
/// # Errors
/// Either directory cannot be read as vectors.
pub fn untold(before: &Path, after: &Path) -> Result<Vec<String>, VectorsError> {
    let read = |dir: &Path| fingerprints(&|name: &str| VectorsError::reading(dir, name));
    let changes = changes(&read(before)?, &read(after)?);
    let (earlier, story) = (told(before)?, told(after)?);
    let times = |story: &[String], line: &String| story.iter().filter(|it| *it == line).count();
    let lines = [("changed", changes.changed), ("removed", changes.removed)];
    let lines = lines
        .into_iter()
        .flat_map(|(what, ids)| ids.into_iter().map(move |id| format!("{what}: {id}")));
    Ok(lines.filter(|line| times(&story, line) <= times(&earlier, line)).collect())
}

/// The lines of a directory's story, by what they list; none if it has no story.
fn told(dir: &Path) -> Result<Vec<String>, VectorsError> {
    if !dir.join(CHANGELOG).exists() {
        return Ok(Vec::new());
    }
    let story = VectorsError::reading(dir, CHANGELOG)?;
    let story = String::from_utf8_lossy(&story);
    Ok(story.lines().filter_map(|line| line.strip_prefix("- ")).map(str::to_owned).collect())
}

/// What a directory holds.
#[derive(Default)]
struct Before {
    /// The files that its index leads to.
    files: BTreeSet<String>,
    /// Its vectors.
    vectors: Fingerprints,
}

fn published(dir: &Path) -> Result<Before, PublishError> {
    let mut present = BTreeSet::new();
    if dir.exists() {
        list(dir, "", &mut present)?;
    }
    let mut before = Before::default();
    if present.contains(INDEX) {
        present.retain(|name| !BESIDE.contains(&name.as_str()));
        let read = |name: &str| VectorsError::reading(dir, name);
        before.files = listed_files(&read)?;
        before.vectors = fingerprints(&read)?;
    }
    match present.into_iter().find(|name| name != INDEX && !before.files.contains(name)) {
        Some(stray) => Err(PublishError::Dirty(dir.join(stray).display().to_string())),
        None => Ok(before),
    }
}

/// The names of all files below a directory, with `/`.
fn list(dir: &Path, prefix: &str, found: &mut BTreeSet<String>) -> Result<(), PublishError> {
    for entry in at(dir, fs::read_dir(dir))? {
        let entry = at(dir, entry)?;
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if at(dir, entry.file_type())?.is_dir() {
            list(&entry.path(), &format!("{name}/"), found)?;
        } else {
            found.insert(name);
        }
    }
    Ok(())
}

/// What each vector says, by family and id: its line, and the digests of the files it names.
fn fingerprints(read: &ReadFile<'_>) -> Result<Fingerprints, VectorsError> {
    let mut found = BTreeMap::new();
    let index: Index = parse(INDEX, &read(INDEX)?)?;
    for family in index.families {
        let file: FamilyFile = parse(&family.file, &read(&family.file)?)?;
        for vector in file.vectors {
            let files = vector.bytes.iter().chain(vector.files.iter().flat_map(BTreeMap::values));
            let digests = files.flat_map(named_files).map(|name| family.sha256.get(name).cloned());
            let digests: Vec<_> = digests.collect();
            let id = format!("{} {}", family.family, vector.id);
            found.insert(id, format!("{vector:?} {digests:?}"));
        }
    }
    Ok(found)
}

fn named_files(bytes: &Bytes) -> Vec<&str> {
    fn name(part: &Part) -> Option<&str> {
        match part {
            Part::File(named) => Some(named.file.as_str()),
            Part::Hex(_) | Part::Run(_) => None,
        }
    }
    let Bytes::Parts(parts) = bytes else { return Vec::new() };
    parts.iter().filter_map(name).collect()
}

fn summary(changes: &Published) -> String {
    let all = changes.changed.iter().chain(&changes.removed);
    let named: Vec<_> = all.clone().take(NAMED_MAX).cloned().collect();
    match all.count() - named.len() {
        0 => named.join(", "),
        more => format!("{} and {more} more", named.join(", ")),
    }
}

/// Enters a change into the story, above the earlier ones.
fn tell(dir: &Path, reason: &str, changes: &Published) -> Result<(), PublishError> {
    let path = dir.join(CHANGELOG);
    let before =
        if path.exists() { at(&path, fs::read_to_string(&path))? } else { HEADING.to_owned() };
    let (heading, earlier) = match before.find("\n## ") {
        Some(first) => before.split_at(first),
        None => (before.as_str(), ""),
    };
    let mut story = format!("{}\n\n## {reason}\n\n", heading.trim_end());
    for (what, ids) in [("changed", &changes.changed), ("removed", &changes.removed)] {
        for id in ids {
            // Writing to memory cannot fail.
            let _ = writeln!(story, "- {what}: {id}");
        }
    }
    write(&path, (story + earlier).as_bytes())
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), PublishError> {
    if let Some(parent) = path.parent() {
        at(parent, fs::create_dir_all(parent))?;
    }
    at(path, fs::write(path, bytes))
}

fn at<T>(path: &Path, result: io::Result<T>) -> Result<T, PublishError> {
    result.map_err(|source| PublishError::Io { path: path.to_owned(), source })
}
