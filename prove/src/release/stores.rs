//! Stores that releases wrote, opened by a program over the line protocol: it must show what is due,
//! go on writing, and show that, too.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use proofhouse_golden::{Material, Vector, Vectors, families};
use proofhouse_model::{Collection, Id, Op, Outcome, Payload, Settings, Subject};
use proofhouse_subjects::command::WATCHDOG;
use proofhouse_subjects::{CommandLine, CommandSubject};
use serde::Deserialize;

use super::Asked;
use super::build::Program;
use super::page::Line;
use super::vectors::{DIR, write};

#[cfg(test)]
mod tests;

/// What a store shows, in the notation of the vectors.
#[derive(Deserialize)]
struct Due {
    sequence: String,
    collections: Vec<DueCollection>,
}

#[derive(Deserialize)]
struct DueCollection {
    name: Collection,
    entities: Vec<(Id, String)>,
}

/// What a program must be able to do with a store (docs/format.md, 8).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// All: it is of the program's own format version.
    Written,
    /// It was closed, and is of a later minor version: it must be read, and may not be changed.
    Read,
}

pub(super) fn line(asked: &Asked, program: &Program) -> Line {
    let name = "stores";
    let stores = match kept(&asked.tree.join(DIR)) {
        Ok(stores) => stores,
        Err(why) => return Line::failed(name, why),
    };
    let shown = |store: &Vector| shows(&program.path, store, Access::Written, &asked.work);
    let wrong = stores.iter().filter_map(|store| shown(store).err());
    let wrong: Vec<_> = wrong.collect();
    let mut releases: BTreeMap<&str, usize> = BTreeMap::new();
    for store in &stores {
        *releases.entry(&store.rule).or_default() += 1;
    }
    let releases: Vec<_> =
        releases.iter().map(|(release, count)| format!("{count} of {release}")).collect();
    let seen = format!("opened, read, written on, reopened: {}", releases.join(", "));
    Line::judged(name, seen, wrong)
}

/// The stores that are kept of all releases.
pub(super) fn kept(vectors: &Path) -> Result<Vec<Vector>, String> {
    let mut vectors = Vectors::load(vectors).map_err(|error| error.to_string())?;
    Ok(vectors.families.remove(families::RELEASE).unwrap_or_default())
}

/// Holds what the engine of a program shows of a store, over the line protocol, against what is due;
/// then it must commit, or refuse to, close, and show that, too. The store is laid out below `work`.
///
/// # Errors
/// What it did otherwise.
pub fn shows(program: &Path, store: &Vector, access: Access, work: &Path) -> Result<(), String> {
    let told = |what: String| format!("{}: {what}", store.id);
    let due = store.value.clone().unwrap_or_default();
    let due: Due = serde_json::from_value(due).map_err(|error| told(error.to_string()))?;
    let Material::Files(files) = &store.material else { return Err(told("no files".to_owned())) };
    let dir = work.join("store");
    write(&dir, files).map_err(|error| told(error.to_string()))?;
    let driver = CommandLine::new(program, ["driver", "reference"]);
    let shown = converse(driver, &dir, due, access).map_err(told);
    fs::remove_dir_all(&dir).map_err(|error| format!("{}: {error}", dir.display()))?;
    shown
}

fn converse(driver: CommandLine, dir: &Path, due: Due, access: Access) -> Result<(), String> {
    let subject = CommandSubject::new(driver, WATCHDOG).map_err(|error| error.to_string())?;
    let settings = Settings {
        wal_reserve: 4096,
        max_segment: 2048,
        entropy: Vec::new(),
        max_payload: 1 << 16,
    };
    let mut collections = BTreeMap::new();
    for DueCollection { name, entities } in due.collections {
        let entities = entities.into_iter().map(|(id, digits)| {
            hex::decode(&digits).map(|content| (id, content.into())).map_err(|e| e.to_string())
        });
        let entities: Vec<_> = entities.collect::<Result<_, String>>()?;
        collections.insert(name, entities);
    }
    let next = due.sequence.parse::<u64>().map_err(|error| error.to_string())? + 1;
    for life in ["opened", "opened again"] {
        let told = |what: String| format!("{life}: {what}");
        let store = subject.open(dir, &settings).map_err(|refusal| told(refusal.to_string()))?;
        let mut client = store.client();
        for (collection, entities) in &collections {
            let got = client.apply(&Op::Scan { collection: *collection });
            let due = Outcome::Entities(entities.clone());
            if got != due {
                return Err(told(format!("{collection}: due: {due}; got: {got}")));
            }
        }
        if life == "opened"
            && let Some((collection, entities)) = collections.iter_mut().next()
        {
            let (id, payload) = (Id([0xff; 16]), Payload::Entity { tag: 1, size: 40 });
            let content = payload.bytes();
            let got = client.apply(&Op::Put { collection: *collection, id, payload });
            match (access, got) {
                (Access::Written, Outcome::Committed { sequence: Some(got) }) if got == next => {
                    entities.push((id, content));
                }
                (Access::Read, Outcome::Failed(_)) => {}
                (Access::Written, got) => {
                    return Err(told(format!("a commit, due as number {next}: {got}")));
                }
                (Access::Read, got) => {
                    return Err(told(format!("a commit to a later format, due as refused: {got}")));
                }
            }
        }
        drop(client);
        store.close().map_err(|refusal| told(format!("closing: {refusal}")))?;
    }
    Ok(())
}
