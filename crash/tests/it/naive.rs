//! The rules of `docs/media.md` once more, as plainly as possible: versions of sectors, versions
//! of sizes, and subsets of directory operations. Shares no code with the crate.

use std::collections::{BTreeMap, BTreeSet};

use proofhouse_crash::{Ino, MicroOp, Profile, Trace};

use crate::naive_ext4;
use crate::outcome::sectors;

const SECTOR: usize = 512;

type Entry = (Ino, String);

/// All that may be found after a power loss, and in how many ways.
#[derive(Default)]
pub(crate) struct Allowed {
    pub(crate) outcomes: BTreeSet<String>,
    /// Sets of effects that may survive; different ones may look the same.
    pub(crate) ways: f64,
}

#[derive(Clone, Default)]
struct File {
    /// What the process sees.
    cache: Vec<u8>,
    /// Versions of each sector that was changed since the last sync, the durable one first.
    sectors: BTreeMap<usize, Vec<Vec<u8>>>,
    /// Versions of the size since the last sync, the durable one first.
    sizes: Vec<usize>,
}

#[derive(Clone)]
struct EntryOp {
    touches: Vec<Entry>,
    /// What each touched name stands for afterwards.
    result: Vec<Option<Ino>>,
}

#[derive(Default)]
struct Disk {
    files: BTreeMap<Ino, File>,
    dirs: BTreeSet<Ino>,
    durable: BTreeMap<Entry, Ino>,
    pending: Vec<EntryOp>,
}

/// What a profile's rules allow after the first `at` operations of a trace.
pub(crate) fn allowed_under(profile: Profile, trace: &Trace, at: usize) -> Allowed {
    match profile {
        Profile::Posix => allowed(trace, at),
        Profile::Ext4 => naive_ext4::allowed(trace, at),
    }
}

/// What the rules allow after the first `at` operations of a trace, which must begin empty.
fn allowed(trace: &Trace, at: usize) -> Allowed {
    assert!(trace.base.files().next().is_none() && trace.base.dirs().next().is_none());
    let mut disk = Disk::default();
    for op in trace.carried.iter().chain(&trace.ops[..at]) {
        disk.apply(op);
    }
    disk.allowed()
}

impl File {
    fn sector(&self, number: usize) -> Vec<u8> {
        let start = (number * SECTOR).min(self.cache.len());
        let mut bytes = self.cache[start..(start + SECTOR).min(self.cache.len())].to_vec();
        bytes.resize(SECTOR, 0);
        bytes
    }

    /// Changes the cache and notes a new version of each sector in a range of bytes.
    fn change(&mut self, start: usize, end: usize, change: impl Fn(&mut Vec<u8>)) {
        let touched: Vec<usize> = (start / SECTOR..end.div_ceil(SECTOR)).collect();
        for sector in &touched {
            let old = self.sector(*sector);
            self.sectors.entry(*sector).or_insert_with(|| vec![old]);
        }
        change(&mut self.cache);
        for sector in touched {
            let new = self.sector(sector);
            self.sectors.entry(sector).or_default().push(new);
        }
        if self.sizes.last() != Some(&self.cache.len()) {
            self.sizes.push(self.cache.len());
        }
    }

    fn write(&mut self, offset: usize, data: &[u8]) {
        let end = offset + data.len();
        self.change(offset, end, |cache| {
            cache.resize(cache.len().max(end), 0);
            cache[offset..end].copy_from_slice(data);
        });
    }

    fn set_len(&mut self, len: usize) {
        // Zeroing what is zero is no version worth counting; each of the others is one.
        let old = self.cache.len();
        let zero = |sector: usize| self.sector(sector).iter().all(|byte| *byte == 0);
        let tail =
            |sector: usize| self.sector(sector)[len - sector * SECTOR..].iter().all(|b| *b == 0);
        let cut: Vec<usize> = (len / SECTOR..old.div_ceil(SECTOR))
            .filter(|sector| if sector * SECTOR < len { !tail(*sector) } else { !zero(*sector) })
            .collect();
        let olds: Vec<Vec<u8>> = cut.iter().map(|sector| self.sector(*sector)).collect();
        self.cache.resize(len, 0);
        for (sector, old) in cut.into_iter().zip(olds) {
            let new = self.sector(sector);
            self.sectors.entry(sector).or_insert_with(|| vec![old]).push(new);
        }
        if self.sizes.last() != Some(&len) {
            self.sizes.push(len);
        }
    }

    fn sync(&mut self) {
        self.sectors.clear();
        self.sizes = vec![self.cache.len()];
    }

    fn contents(&self) -> BTreeSet<Vec<u8>> {
        let largest = self.sizes.iter().copied().max().unwrap_or(0);
        let mut base = self.cache.clone();
        base.resize(largest.div_ceil(SECTOR) * SECTOR, 0);
        let mut contents = vec![base];
        for (sector, versions) in &self.sectors {
            let at = sector * SECTOR;
            contents = contents
                .iter()
                .flat_map(|content| {
                    versions.iter().map(move |version| {
                        let mut content = content.clone();
                        content.resize(content.len().max(at + SECTOR), 0);
                        content[at..at + SECTOR].copy_from_slice(version);
                        content
                    })
                })
                .collect();
        }
        let sizes = || self.sizes.iter().copied().chain(self.sizes.is_empty().then_some(0));
        contents.iter().flat_map(|c| sizes().map(|size| c[..size].to_vec())).collect()
    }

    fn ways(&self) -> f64 {
        let count = |versions: usize| f64::from(u32::try_from(versions.max(1)).unwrap());
        self.sectors.values().map(|versions| count(versions.len())).product::<f64>()
            * count(self.sizes.len())
    }
}

impl Disk {
    fn file(&mut self, ino: Ino) -> &mut File {
        self.files.entry(ino).or_insert_with(|| File { sizes: vec![0], ..File::default() })
    }

    fn entry_op(&mut self, entries: &[(Ino, &str, Option<Ino>)]) {
        self.pending.push(EntryOp {
            touches: entries.iter().map(|(dir, name, _)| (*dir, (*name).to_owned())).collect(),
            result: entries.iter().map(|(_, _, ino)| *ino).collect(),
        });
    }

    fn apply(&mut self, op: &MicroOp) {
        match op {
            MicroOp::Write { ino, offset, data } => {
                self.file(*ino).write(usize::try_from(*offset).unwrap(), data);
            }
            MicroOp::SetLen { ino, len } => {
                self.file(*ino).set_len(usize::try_from(*len).unwrap());
            }
            MicroOp::Link { dir, name, ino } => self.entry_op(&[(*dir, name, Some(*ino))]),
            MicroOp::MakeDir { dir, name, ino } => {
                self.dirs.insert(*ino);
                self.entry_op(&[(*dir, name, Some(*ino))]);
            }
            MicroOp::Unlink { dir, name, .. } => self.entry_op(&[(*dir, name, None)]),
            MicroOp::Rename { from_dir, from, to_dir, to, ino } => {
                self.entry_op(&[(*from_dir, from, None), (*to_dir, to, Some(*ino))]);
            }
            MicroOp::Sync { ino, .. } => self.file(*ino).sync(),
            MicroOp::SyncDir { dir } => self.sync_dir(*dir),
            MicroOp::Issue { .. } | MicroOp::Ack { .. } | MicroOp::Shown { .. } => {}
        }
    }

    fn sync_dir(&mut self, dir: Ino) {
        // The smallest allowed set that holds every operation in the directory.
        let in_dir = |op: &EntryOp| op.touches.iter().any(|(place, _)| *place == dir);
        let must: Vec<bool> = self.pending.iter().map(in_dir).collect();
        let covered = self
            .entry_subsets()
            .into_iter()
            .filter(|kept| kept.iter().zip(&must).all(|(kept, must)| *kept || !must))
            .min_by_key(|kept| kept.iter().filter(|kept| **kept).count())
            .unwrap();
        self.durable = self.names(&covered);
        let mut keep = covered.iter().map(|covered| !covered);
        self.pending.retain(|_| keep.next().unwrap());
    }

    /// Every subset of the pending operations in which none survives without the earlier ones
    /// on its names.
    fn entry_subsets(&self) -> Vec<Vec<bool>> {
        let n = self.pending.len();
        let shares =
            |a: &EntryOp, b: &EntryOp| a.touches.iter().any(|name| b.touches.contains(name));
        (0..1_u32 << n)
            .map(|mask| (0..n).map(|bit| mask & (1 << bit) != 0).collect::<Vec<bool>>())
            .filter(|kept| {
                (0..n).all(|late| {
                    let needs = |early| shares(&self.pending[early], &self.pending[late]);
                    !kept[late] || (0..late).all(|early| kept[early] || !needs(early))
                })
            })
            .collect()
    }

    fn names(&self, kept: &[bool]) -> BTreeMap<Entry, Ino> {
        let mut names = self.durable.clone();
        for (op, _) in self.pending.iter().zip(kept).filter(|(_, kept)| **kept) {
            for (entry, result) in op.touches.iter().zip(&op.result) {
                match result {
                    Some(ino) => names.insert(entry.clone(), *ino),
                    None => names.remove(entry),
                };
            }
        }
        names
    }

    fn allowed(&self) -> Allowed {
        let subsets = self.entry_subsets();
        let mut ways: f64 = self.files.values().map(File::ways).product();
        ways *= f64::from(u32::try_from(subsets.len()).unwrap());
        let mut outcomes = BTreeSet::new();
        for kept in subsets {
            let mut shown = vec![Vec::new()];
            self.show(&self.names(&kept), Ino::ROOT, "", &mut shown);
            outcomes.extend(shown.into_iter().map(|mut parts: Vec<String>| {
                parts.sort();
                if parts.is_empty() { "nothing".to_owned() } else { parts.join(" ") }
            }));
        }
        Allowed { outcomes, ways }
    }

    /// Extends each outcome in `shown` by what may be in a directory.
    fn show(
        &self,
        names: &BTreeMap<Entry, Ino>,
        dir: Ino,
        prefix: &str,
        shown: &mut Vec<Vec<String>>,
    ) {
        for ((_, name), ino) in names.iter().filter(|((place, _), _)| *place == dir) {
            let path = format!("{prefix}{name}");
            if self.dirs.contains(ino) {
                for parts in shown.iter_mut() {
                    parts.push(format!("{path}/"));
                }
                self.show(names, *ino, &format!("{path}/"), shown);
                continue;
            }
            let contents = self.files.get(ino).map_or_else(|| [Vec::new()].into(), File::contents);
            *shown = shown
                .iter()
                .flat_map(|parts| {
                    contents.iter().map(|content| {
                        let mut parts = parts.clone();
                        parts.push(format!("{path}={}", sectors(content)));
                        parts
                    })
                })
                .collect();
        }
    }
}
