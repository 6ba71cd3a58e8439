//! The rules E-1 to E-8 of `docs/media.md` once more, as plainly as possible: everything that ever
//! happened is remembered, syncs only raise marks below which nothing can be lost. Shares no code
//! with the crate.

use std::collections::{BTreeMap, BTreeSet};

use proofhouse_crash::{Ino, MicroOp, SyncKind, Trace};

use crate::naive::Allowed;
use crate::outcome::sectors;

const SECTOR: usize = 512;
const BLOCK: usize = 4096;

/// Versions of sectors by number: at least these.
type Marks = BTreeMap<usize, usize>;

/// A file got a size at a moment; moments are counted over all operations.
#[derive(Clone)]
struct Sized {
    moment: usize,
    size: usize,
    /// How much of the journal must be there.
    journal: usize,
    needs: Marks,
}

#[derive(Default)]
struct File {
    cache: Vec<u8>,
    /// All versions of each sector that was ever changed, zeros first.
    versions: BTreeMap<usize, Vec<Vec<u8>>>,
    durable: Marks,
    grown: Vec<Sized>,
    grown_durable: usize,
    set: Vec<Sized>,
}

/// What the journal tells of names.
#[derive(Clone)]
struct Names {
    of: Ino,
    dirs: Vec<Ino>,
    makes_dir: bool,
    changes: Vec<((Ino, String), Option<Ino>)>,
}

#[derive(Default)]
struct Disk {
    files: BTreeMap<Ino, File>,
    dirs: BTreeSet<Ino>,
    /// Changes of names; `None` where a length was set.
    journal: Vec<Option<Names>>,
    journal_durable: usize,
    moment: usize,
}

/// What the rules allow after the first `at` operations of a trace, which must begin empty.
pub(crate) fn allowed(trace: &Trace, at: usize) -> Allowed {
    assert!(trace.base.files().next().is_none() && trace.base.dirs().next().is_none());
    let mut disk = Disk::default();
    for op in trace.carried.iter().chain(&trace.ops[..at]) {
        disk.moment += 1;
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

    fn note(&mut self, sector: usize) -> (usize, usize) {
        let new = self.sector(sector);
        let versions = self.versions.entry(sector).or_insert_with(|| vec![vec![0; SECTOR]]);
        versions.push(new);
        (sector, versions.len() - 1)
    }

    fn write(&mut self, offset: usize, data: &[u8], moment: usize, journal: usize) {
        let old = self.cache.len();
        let end = offset + data.len();
        self.cache.resize(old.max(end), 0);
        self.cache[offset..end].copy_from_slice(data);
        let noted: Marks =
            (offset / SECTOR..end.div_ceil(SECTOR)).map(|sector| self.note(sector)).collect();
        let per_block = BLOCK / SECTOR;
        for block in offset.max(old) / BLOCK..end.div_ceil(BLOCK) {
            let size = end.min((block + 1) * BLOCK);
            if size <= old {
                continue;
            }
            let held_the_end = old > block * BLOCK;
            let in_block = |sector: usize| !held_the_end && sector / per_block == block;
            let needs = noted.iter().map(|(s, v)| (*s, *v)).filter(|(s, _)| in_block(*s)).collect();
            self.grown.push(Sized { moment, size, journal, needs });
        }
    }

    /// Whether the length changed.
    fn set_len(&mut self, len: usize, moment: usize, journal: usize) -> bool {
        let old = self.cache.len();
        let cut: Vec<usize> = (len / SECTOR..old.div_ceil(SECTOR))
            .filter(|sector| {
                let kept = len.saturating_sub(sector * SECTOR);
                self.sector(*sector)[kept..].iter().any(|byte| *byte != 0)
            })
            .collect();
        self.cache.resize(len, 0);
        for sector in cut {
            self.note(sector);
        }
        let past = self.versions.range(len / SECTOR..);
        let needs = past.map(|(sector, versions)| (*sector, versions.len() - 1)).collect();
        if len != old {
            self.set.push(Sized { moment, size: len, journal, needs });
        }
        len != old
    }

    /// What `journal` and the first `grown` growths need of each sector.
    fn least(&self, journal: usize, grown: usize) -> Marks {
        let set = self.set.iter().filter(|set| set.journal <= journal);
        let mut least = self.durable.clone();
        for need in set.chain(&self.grown[self.grown_durable.min(grown)..grown]) {
            for (sector, version) in &need.needs {
                let known = least.entry(*sector).or_default();
                *known = (*known).max(*version);
            }
        }
        least
    }

    fn size(&self, journal: usize, grown: usize) -> usize {
        let set = self.set.iter().filter(|set| set.journal <= journal);
        set.chain(&self.grown[..grown]).max_by_key(|sized| sized.moment).map_or(0, |s| s.size)
    }

    /// How many growths may have happened.
    fn grown_range(&self, journal: usize) -> impl Iterator<Item = usize> + use<> {
        let grown = self.grown.iter().take_while(|grown| grown.journal <= journal).count();
        self.grown_durable..=grown.max(self.grown_durable)
    }

    fn contents(&self, journal: usize) -> BTreeSet<Vec<u8>> {
        let mut found = BTreeSet::new();
        for grown in self.grown_range(journal) {
            let (size, least) = (self.size(journal, grown), self.least(journal, grown));
            let mut contents = BTreeSet::from([vec![0; size]]);
            for (sector, versions) in &self.versions {
                let (start, end) = ((sector * SECTOR).min(size), ((sector + 1) * SECTOR).min(size));
                let versions = &versions[least.get(sector).copied().unwrap_or(0)..];
                let with = |content: &Vec<u8>, version: &Vec<u8>| {
                    let mut content = content.clone();
                    content[start..end].copy_from_slice(&version[..end - start]);
                    content
                };
                contents = contents
                    .iter()
                    .flat_map(|content| versions.iter().map(move |version| with(content, version)))
                    .collect();
            }
            found.extend(contents);
        }
        found
    }

    fn ways(&self, journal: usize) -> f64 {
        let with = |grown| -> f64 {
            let least = self.least(journal, grown);
            let free = |(sector, versions): (&usize, &Vec<_>)| {
                let from = least.get(sector).copied().unwrap_or(0);
                f64::from(u32::try_from(versions.len() - from).unwrap())
            };
            self.versions.iter().map(free).product()
        };
        self.grown_range(journal).map(with).sum()
    }
}

impl Disk {
    fn names(&mut self, of: Ino, makes_dir: bool, changes: &[(Ino, &str, Option<Ino>)]) {
        self.journal.push(Some(Names {
            of,
            dirs: changes.iter().map(|(dir, ..)| *dir).collect(),
            makes_dir,
            changes: changes.iter().map(|(d, n, i)| ((*d, (*n).to_owned()), *i)).collect(),
        }));
    }

    fn apply(&mut self, op: &MicroOp) {
        let (moment, journal) = (self.moment, self.journal.len());
        match op {
            MicroOp::Write { ino, offset, data } => {
                let file = self.files.entry(*ino).or_default();
                file.write(usize::try_from(*offset).unwrap(), data, moment, journal);
            }
            MicroOp::SetLen { ino, len } => {
                let file = self.files.entry(*ino).or_default();
                if file.set_len(usize::try_from(*len).unwrap(), moment, journal + 1) {
                    self.journal.push(None);
                }
            }
            MicroOp::Link { dir, name, ino } => {
                self.names(*ino, false, &[(*dir, name, Some(*ino))]);
            }
            MicroOp::MakeDir { dir, name, ino } => {
                self.dirs.insert(*ino);
                self.names(*ino, true, &[(*dir, name, Some(*ino))]);
            }
            MicroOp::Unlink { dir, name, ino } => self.names(*ino, false, &[(*dir, name, None)]),
            MicroOp::Rename { from_dir, from, to_dir, to, ino } => {
                let changes = [(*from_dir, &**from, None), (*to_dir, &**to, Some(*ino))];
                self.names(*ino, false, &changes);
            }
            MicroOp::Sync { ino, kind } => self.sync(*ino, *kind),
            MicroOp::SyncDir { dir } => {
                let dir = *dir;
                let tells = |n: &Names| n.dirs.contains(&dir) || (n.makes_dir && n.of == dir);
                self.commit(self.last(tells));
            }
            MicroOp::Issue { .. } | MicroOp::Ack { .. } | MicroOp::Shown { .. } => {}
        }
    }

    /// The journal up to the last change of names that is like this.
    fn last(&self, like: impl Fn(&Names) -> bool) -> usize {
        let found = self.journal.iter().rposition(|names| names.as_ref().is_some_and(&like));
        found.map_or(0, |index| index + 1)
    }

    fn sync(&mut self, ino: Ino, kind: SyncKind) {
        let named =
            self.last(|names| kind == SyncKind::Full && !names.makes_dir && names.of == ino);
        let file = self.files.entry(ino).or_default();
        let grown = file.grown[file.grown_durable..].iter().map(|grown| grown.journal);
        let sized = grown.chain(file.set.iter().map(|set| set.journal)).max().unwrap_or(0);
        file.grown_durable = file.grown.len();
        file.durable = file.versions.iter().map(|(s, all)| (*s, all.len() - 1)).collect();
        self.commit(named.max(sized));
    }

    /// Makes the journal durable up to there, and what that needs.
    fn commit(&mut self, journal: usize) {
        self.journal_durable = self.journal_durable.max(journal);
        let journal = self.journal_durable;
        for file in self.files.values_mut() {
            file.durable = file.least(journal, file.grown_durable);
            // A growth before a length that is durable means nothing any more.
            let set = file.set.iter().filter(|set| set.journal <= journal).map(|set| set.moment);
            let moment = set.max().unwrap_or(0);
            let moot = file.grown.iter().filter(|grown| grown.moment < moment).count();
            file.grown_durable = file.grown_durable.max(moot);
        }
    }

    fn allowed(&self) -> Allowed {
        let mut allowed = Allowed::default();
        for journal in self.journal_durable..=self.journal.len() {
            allowed.ways += self.files.values().map(|file| file.ways(journal)).product::<f64>();
            let mut names = BTreeMap::new();
            for (entry, ino) in self.journal[..journal].iter().flatten().flat_map(|n| &n.changes) {
                match ino {
                    Some(ino) => names.insert(entry.clone(), *ino),
                    None => names.remove(entry),
                };
            }
            let mut shown = vec![Vec::new()];
            self.show(&names, journal, Ino::ROOT, "", &mut shown);
            allowed.outcomes.extend(shown.into_iter().map(|mut parts: Vec<String>| {
                parts.sort();
                if parts.is_empty() { "nothing".to_owned() } else { parts.join(" ") }
            }));
        }
        allowed
    }

    /// Extends each outcome in `shown` by what may be in a directory.
    fn show(
        &self,
        names: &BTreeMap<(Ino, String), Ino>,
        journal: usize,
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
                self.show(names, journal, *ino, &format!("{path}/"), shown);
                continue;
            }
            let empty = File::default();
            let contents = self.files.get(ino).unwrap_or(&empty).contents(journal);
            let with = |parts: &Vec<String>, content: &Vec<u8>| {
                let mut parts = parts.clone();
                parts.push(format!("{path}={}", sectors(content)));
                parts
            };
            *shown = shown
                .iter()
                .flat_map(|parts| contents.iter().map(|content| with(parts, content)))
                .collect();
        }
    }
}
