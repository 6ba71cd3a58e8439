//! Reading everything that a store shows, by every access path, and comparing the paths.

use std::collections::BTreeSet;

use bytes::Bytes;

use crate::accept::{Disagreement, Violation};
use crate::life;
use crate::op::{Collection, Entities, Id, Op, Slot};
use crate::oracle::range;
use crate::outcome::{ErrorClass, Outcome};
use crate::plan::Plan;
use crate::state::State;
use crate::subject::{Capabilities, Client, Refusal};

/// The snapshot slot that observing uses, and releases.
const SLOT: Slot = Slot::MAX;

/// Every collection and identity that can possibly be there.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Universe {
    /// The collections, in order.
    pub collections: Vec<Collection>,
    /// The identities, in order.
    pub ids: Vec<Id>,
}

impl Universe {
    /// What a plan names, its entropy, and what the life after a recovery writes.
    pub fn of(plan: &Plan) -> Self {
        let mut collections = BTreeSet::from([life::COLLECTION]);
        let mut ids = BTreeSet::from(life::IDS);
        ids.extend(&plan.settings.entropy);
        for op in &plan.ops {
            match op {
                Op::CreateCollection { collection }
                | Op::Insert { collection, .. }
                | Op::Scan { collection }
                | Op::ScanRange { collection, .. }
                | Op::SnapshotScan { collection, .. } => {
                    collections.insert(*collection);
                }
                Op::Put { collection, id, .. }
                | Op::Delete { collection, id }
                | Op::Get { collection, id }
                | Op::SnapshotGet { collection, id, .. } => {
                    collections.insert(*collection);
                    ids.insert(*id);
                }
                Op::GetMany { collection, ids: many } => {
                    collections.insert(*collection);
                    ids.extend(many);
                }
                Op::Begin
                | Op::Commit
                | Op::Abort
                | Op::Snapshot { .. }
                | Op::SnapshotRelease { .. }
                | Op::Checkpoint
                | Op::Compact
                | Op::CompactStep
                | Op::Scrub
                | Op::Reopen => {}
            }
        }
        Self { collections: collections.into_iter().collect(), ids: ids.into_iter().collect() }
    }
}

/// Reads everything through every access path: scan, get of each identity, `get_many`, ranges
/// forwards and backwards, and scan and get as of a snapshot taken here. The client must not be in a
/// transaction.
///
/// # Errors
/// [`Violation::PathsDisagree`] with the two readings, or [`Violation::Refused`] if a read fails.
pub fn observe(
    client: &mut dyn Client,
    universe: &Universe,
    capabilities: Capabilities,
) -> Result<State, Violation> {
    let mut state = State::default();
    if capabilities.snapshots {
        expect(client, &Op::Snapshot { slot: SLOT }, &Outcome::Done, "a snapshot")?;
    }
    for collection in universe.collections.iter().copied() {
        let shown = read_collection(client, universe, collection)?;
        if capabilities.ranges {
            compare_ranges(client, universe, collection, shown.as_ref())?;
        }
        if capabilities.snapshots {
            compare_snapshot(client, universe, collection, shown.as_ref())?;
        }
        if let Some(entities) = shown {
            state.create(collection);
            for (id, bytes) in entities {
                state.put(collection, id, bytes);
            }
        }
    }
    if capabilities.snapshots {
        expect(client, &Op::SnapshotRelease { slot: SLOT }, &Outcome::Done, "a snapshot")?;
    }
    Ok(state)
}

/// The entities of a collection by its scan, confirmed by point reads; `None` if it is unknown.
fn read_collection(
    client: &mut dyn Client,
    universe: &Universe,
    collection: Collection,
) -> Result<Option<Entities>, Violation> {
    let op = Op::Scan { collection };
    let shown = match client.apply(&op) {
        Outcome::Entities(entities) => Some(entities),
        Outcome::Failed(ErrorClass::NotFound) => None,
        Outcome::Failed(class) => return Err(refused(class, &op)),
        got => return Err(disagree(&op, &got, "its kind", "entities")),
    };
    let values = in_universe(shown.as_ref(), universe, collection)?;
    for (id, value) in universe.ids.iter().zip(&values) {
        let due = due(shown.as_ref(), Outcome::Value(value.clone()));
        expect(client, &Op::Get { collection, id: *id }, &due, "the scan")?;
    }
    let op = Op::GetMany { collection, ids: universe.ids.clone() };
    expect(client, &op, &due(shown.as_ref(), Outcome::Values(values)), "the scan")?;
    Ok(shown)
}

/// The same backwards, and each half by itself, in the order that the other one is not read in.
fn compare_ranges(
    client: &mut dyn Client,
    universe: &Universe,
    collection: Collection,
    shown: Option<&Entities>,
) -> Result<(), Violation> {
    let middle = universe.ids.get(universe.ids.len() / 2).copied();
    for (from, to, descending) in [(None, None, true), (None, middle, false), (middle, None, true)]
    {
        let op = Op::ScanRange { collection, from, to, descending };
        let entities = range(shown.cloned().unwrap_or_default(), from, to, descending);
        expect(client, &op, &due(shown, Outcome::Entities(entities)), "the scan")?;
    }
    Ok(())
}

/// The same as of a snapshot. Only a few point reads: the paths are those of plain reads.
fn compare_snapshot(
    client: &mut dyn Client,
    universe: &Universe,
    collection: Collection,
    shown: Option<&Entities>,
) -> Result<(), Violation> {
    let entities = Outcome::Entities(shown.cloned().unwrap_or_default());
    let op = Op::SnapshotScan { slot: SLOT, collection };
    expect(client, &op, &due(shown, entities), "the scan")?;
    let values = in_universe(shown, universe, collection)?;
    for (id, value) in universe.ids.iter().zip(values) {
        let op = Op::SnapshotGet { slot: SLOT, collection, id: *id };
        expect(client, &op, &due(shown, Outcome::Value(value)), "the scan")?;
    }
    Ok(())
}

/// What a point read owes if the scan showed `value`: a collection is unknown on all paths or none.
fn due(shown: Option<&Entities>, value: Outcome) -> Outcome {
    if shown.is_some() { value } else { Outcome::Failed(ErrorClass::NotFound) }
}

/// The scanned content of each identity of the universe.
///
/// # Errors
/// The scan is not in strictly ascending order, or shows an identity that nobody wrote.
fn in_universe(
    shown: Option<&Entities>,
    universe: &Universe,
    collection: Collection,
) -> Result<Vec<Option<Bytes>>, Violation> {
    let mut rest = shown.map(Vec::as_slice).unwrap_or_default();
    let mut values = Vec::with_capacity(universe.ids.len());
    for id in &universe.ids {
        let found = rest.split_first().filter(|((found, _), _)| found == id);
        values.push(found.map(|((_, bytes), _)| bytes.clone()));
        rest = found.map_or(rest, |(_, rest)| rest);
    }
    let Some((id, _)) = rest.first() else { return Ok(values) };
    Err(Violation::PathsDisagree(Disagreement {
        reading: Op::Scan { collection }.to_string(),
        got: format!("{id} next"),
        other: "the order of the identities ever written".to_owned(),
        due: "another one, or none".to_owned(),
    }))
}

fn expect(client: &mut dyn Client, op: &Op, due: &Outcome, other: &str) -> Result<(), Violation> {
    match client.apply(op) {
        got if got == *due => Ok(()),
        Outcome::Failed(class) if class != ErrorClass::NotFound => Err(refused(class, op)),
        got => Err(disagree(op, &got, other, &due.to_string())),
    }
}

fn refused(class: ErrorClass, op: &Op) -> Violation {
    Violation::Refused(Refusal { class, message: format!("in answer to {op}") })
}

fn disagree(op: &Op, got: &Outcome, other: &str, due: &str) -> Violation {
    Violation::PathsDisagree(Disagreement {
        reading: op.to_string(),
        got: got.to_string(),
        other: other.to_owned(),
        due: due.to_owned(),
    })
}

#[cfg(test)]
mod tests;
