//! Resident memory of a process that has opened a loaded store and read all of it.

use std::io::Read;

use crate::child::{MARK, Task, command_line, spawn};
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
        let mut child = spawn(&command_line(Task::Read, peer, &path, setting.entities)?)?;
        let mut said = String::new();
        child.stdout.take().ok_or("no pipe")?.read_to_string(&mut said)?;
        if !child.wait()?.success() {
            return Err(format!("{}: reading all in a process of its own failed", peer.name).into());
        }
        let mut figures = said.trim().trim_start_matches(MARK).split_whitespace();
        for row in [&mut own, &mut mapped] {
            let bytes: f64 = figures.next().ok_or("a figure is missing")?.parse()?;
            row.cell(peer.name).samples.push(bytes / to_f64(setting.entities));
        }
    }
    Ok(vec![own, mapped])
}
