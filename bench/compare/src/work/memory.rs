//! Resident memory of a process that has opened a loaded store and read all of it.

use crate::child::{Task, figures};
use crate::results::{Better, Row};
use crate::store::Result;
use crate::turn::to_f64;

use super::{Rows, Setting, say};

/// Measures resident bytes per entity. The stores of part `loaded` must be closed.
///
/// # Errors
/// Those of the child.
pub fn measure(setting: &Setting) -> Result<Rows> {
    say("resident memory");
    let row = |what| Row::new(what, "bytes an entity", Better::Less);
    let mut own = row("resident after all was read, own memory");
    let mut mapped = row("resident after all was read, mapped files");
    for peer in &setting.peers {
        let path = setting.place("loaded", peer);
        let read: [f64; 2] = figures(Task::Read, peer, &path, setting.entities)?;
        for (row, bytes) in [&mut own, &mut mapped].into_iter().zip(read) {
            row.cell(peer.name).samples.push(bytes / to_f64(setting.entities));
        }
    }
    Ok(vec![own, mapped])
}
