//! Which sync calls a durable commit makes, from a trace of the process.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use serde::Serialize;

use crate::child::{MARK, Task, command_line};
use crate::store::{Peer, Result};

use super::{Setting, say};

/// Commits that are traced.
const COMMITS: u64 = 20;
/// What makes something durable, or says so; and what a descriptor's flags are seen in.
const CALLS: &str = "trace=fsync,fdatasync,sync_file_range,msync,sync,syncfs,io_uring_enter,\
                     openat,write,pwrite64,writev,pwritev,pwritev2";
/// A write through a descriptor that was opened to write synchronously.
const SYNCHRONOUS: &str = "O_DSYNC write";

/// What a peer's commits do.
#[derive(Debug, Default, Serialize)]
pub struct SyncCalls {
    /// The peer's name.
    pub peer: String,
    /// Calls of each kind, by commit on average.
    pub by_commit: BTreeMap<String, f64>,
    /// Whether every commit was covered by a call that waits for the medium to have the data.
    pub durable: bool,
    /// Why nothing is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_measured: Option<String>,
}

/// Traces some commits of every peer.
///
/// # Errors
/// A child that fails; a peer that is not as durable as it is said to be.
pub fn measure(setting: &Setting) -> Result<Vec<SyncCalls>> {
    say("sync calls of a commit");
    setting.peers.iter().map(|peer| of_peer(setting, peer)).collect()
}

fn of_peer(setting: &Setting, peer: &Peer) -> Result<SyncCalls> {
    let store = setting.place("traced", peer);
    std::fs::create_dir_all(store.parent().ok_or("no parent")?)?;
    let trace = setting.dir.join("trace");
    let mut strace = Command::new("strace");
    strace.args(["-f", "-e", CALLS, "-e", "signal=none", "-o"]).arg(&trace);
    strace.args(command_line(Task::Put, peer, &store, COMMITS)?);
    let out = match strace.stdout(std::process::Stdio::null()).status() {
        Err(error) => return Ok(not_measured(peer, format!("strace: {error}"))),
        Ok(status) if !status.success() => {
            return Ok(not_measured(peer, format!("strace ended with {status}")));
        }
        Ok(_) => std::fs::read_to_string(Path::new(&trace))?,
    };
    let calls = read(peer.name, &out);
    if calls.durable != peer.durable {
        let said = if peer.durable { "durable" } else { "not durable" };
        return Err(format!("{} is said to be {said}, its trace says otherwise", peer.name).into());
    }
    Ok(calls)
}

fn not_measured(peer: &Peer, why: String) -> SyncCalls {
    SyncCalls { peer: peer.name.to_owned(), not_measured: Some(why), ..SyncCalls::default() }
}

/// Reads what `strace` wrote: calls between two acknowledgements belong to the later one.
fn read(peer: &str, trace: &str) -> SyncCalls {
    let mut by_commit: BTreeMap<String, f64> = BTreeMap::new();
    let mut synchronous = BTreeSet::new();
    let (mut commits, mut covered) = (0_u64, 0_u64);
    let mut is_covered = false;
    let mut has_begun = false;
    for line in trace.lines() {
        let call = line.trim_start_matches(|c: char| c.is_ascii_digit()).trim_start();
        let Some((name, arguments)) = call.split_once('(') else { continue };
        if name == "openat" {
            if let Some((_, descriptor)) = call.rsplit_once("= ") {
                let is_synchronous = arguments.contains("O_DSYNC") || arguments.contains("O_SYNC");
                let descriptor = descriptor.trim().to_owned();
                if is_synchronous {
                    synchronous.insert(descriptor)
                } else {
                    synchronous.remove(&descriptor)
                };
            }
            continue;
        }
        if name == "write" && arguments.starts_with("1,") && arguments.contains(MARK) {
            if has_begun {
                commits += 1;
                covered += u64::from(is_covered);
            }
            (has_begun, is_covered) = (true, false);
            continue;
        }
        let kind = if name.contains("write") {
            let descriptor = arguments.split(',').next().unwrap_or_default();
            if !synchronous.contains(descriptor) {
                continue;
            }
            SYNCHRONOUS
        } else if name == "msync" && !arguments.contains("MS_SYNC") {
            "msync MS_ASYNC"
        } else {
            name
        };
        if has_begun && commits < COMMITS {
            *by_commit.entry(kind.to_owned()).or_default() += 1.0;
            is_covered |=
                matches!(kind, "fsync" | "fdatasync" | "msync" | "sync" | "syncfs" | SYNCHRONOUS);
        }
    }
    for count in by_commit.values_mut() {
        *count /= crate::turn::to_f64(commits.max(1));
    }
    let durable = commits > 0 && covered == commits;
    SyncCalls { peer: peer.to_owned(), by_commit, durable, not_measured: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(trace: &str, kinds: &[(&str, f64)], durable: bool) {
        let calls = read("peer", trace);
        let kinds = kinds.iter().map(|(kind, count)| ((*kind).to_owned(), *count)).collect();
        assert_eq!((calls.by_commit, calls.durable), (kinds, durable), "{trace}");
    }

    #[test]
    fn a_commit_is_durable_only_if_a_sync_came_before_its_acknowledgement() {
        let begin = "7 fsync(3) = 0\n7 write(1, \"acknowledged\\n\", 13) = 13\n";
        let done = "7 write(1, \"acknowledged\\n\", 13) = 13\n";
        check(
            &format!("{begin}8 fdatasync(5 <unfinished ...>\n{done}"),
            &[("fdatasync", 1.0)],
            true,
        );
        check(&format!("{begin}{done}7 fdatasync(5) = 0\n"), &[("fdatasync", 1.0)], false);
        check(&format!("{begin}7 fsync(5) = 0\n{done}{done}"), &[("fsync", 0.5)], false);
        check(
            &format!("{begin}7 sync_file_range(5, 0, 1, 7) = 0\n{done}"),
            &[("sync_file_range", 1.0)],
            false,
        );
        check(
            &format!("{begin}7 msync(0x7f, 4096, MS_ASYNC) = 0\n{done}"),
            &[("msync MS_ASYNC", 1.0)],
            false,
        );
        check(begin, &[], false);
    }

    #[test]
    fn a_write_through_a_synchronous_descriptor_counts_as_a_sync() {
        let trace = "7 openat(AT_FDCWD, \"a\", O_RDWR|O_DSYNC) = 9\n7 write(1, \"acknowledged\\n\", 13) = 13\n\
                     7 pwrite64(9, \"x\", 1, 0) = 1\n7 pwrite64(4, \"x\", 1, 0) = 1\n\
                     7 write(1, \"acknowledged\\n\", 13) = 13\n";
        check(trace, &[(SYNCHRONOUS, 1.0)], true);
    }
}
