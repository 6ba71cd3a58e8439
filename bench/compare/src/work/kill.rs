//! How long opening takes: after a clean close, and after a kill.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::time::Instant;

use crate::child::{MARK, Task, command_line, spawn};
use crate::data::{id, is_entity};
use crate::results::{Better, Row};
use crate::store::{Peer, Result};
use crate::work::reads::wrong;

use super::space::copy;
use super::{Rows, Setting, open, say};

/// Bytes of the engine's WAL for each entity of a large transaction.
const WAL_BYTES: u64 = 68 + crate::data::ENTITY_LEN as u64;
/// Live log at the kill, in bytes of the engine's WAL.
const LOG_LEN: u64 = 64 << 20;

/// Measures opening. The stores of part `loaded` must be closed. Opening counts until one entity
/// was read.
///
/// # Errors
/// Those of peers and of the file system; an entity that was acknowledged and is missing.
pub fn measure(setting: &Setting, is_quick: bool) -> Result<Rows> {
    let entities = if is_quick { setting.entities } else { LOG_LEN / WAL_BYTES };
    let mut clean = Row::new("reopen after a clean close", "ms", Better::Less);
    let name = format!("reopen after a kill, {entities} entities in the engine's WAL");
    let mut killed = Row::new(name, "ms", Better::Less);
    for peer in &setting.peers {
        let path = setting.place("killed", peer);
        say(&format!("{}: loading a store to be killed", peer.name));
        std::fs::create_dir_all(path.parent().ok_or("no parent")?)?;
        load_and_kill(peer, &path, entities)?;
    }
    say("reopening");
    for at in setting.turns() {
        let peer = setting.peers[at];
        let last = setting.entities - 1;
        clean.cell(peer.name).samples.push(time(peer, &setting.place("loaded", peer), last)?);
        let image = setting.place("image", peer);
        copy(&setting.place("killed", peer), &image)?;
        killed.cell(peer.name).samples.push(time(peer, &image, entities - 1)?);
        std::fs::remove_dir_all(&image)?;
    }
    Ok(vec![clean, killed])
}

/// Loads a store in a process of its own and kills that once all is acknowledged.
fn load_and_kill(peer: &Peer, path: &Path, entities: u64) -> Result<()> {
    let mut child = spawn(&command_line(Task::Load, peer, path, entities)?)?;
    let mut said = String::new();
    BufReader::new(child.stdout.take().ok_or("no pipe")?).read_line(&mut said)?;
    child.kill()?;
    child.wait()?;
    if said.trim() == MARK { Ok(()) } else { Err(format!("{}: the load failed", peer.name).into()) }
}

/// Milliseconds until the store is open and has shown one entity.
fn time(peer: &Peer, path: &Path, number: u64) -> Result<f64> {
    let start = Instant::now();
    let store = open(peer, path)?;
    let mut is_right = false;
    store.session()?.get(&id(number), &mut |content| is_right = is_entity(number, content))?;
    let time = start.elapsed().as_secs_f64() * 1e3;
    if !is_right {
        return Err(wrong(number));
    }
    store.close()?;
    Ok(time)
}
