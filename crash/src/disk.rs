//! A disk in memory that remembers what it was asked to do.

mod call;
mod file;

use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;

use parking_lot::Mutex;

pub use call::{Call, CallKind, Hook};
pub use file::SimFile;

use crate::enumerate::CrashState;
use crate::trace::{Mark, MicroOp, Trace, Window};
use crate::tree::{Ino, Name, Tree};

/// A directory on a simulated disk; clones are handles to the same one.
///
/// Paths are relative to it and use `/`; `.` is the directory itself, `..` the one that holds it,
/// which can only be synced. A process sees every operation at once, as through a page cache;
/// [`SimDisk::trace`] tells what happened, and [`crate::enumerate()`] what a crash could leave.
#[derive(Clone)]
pub struct SimDisk {
    shared: Arc<Shared>,
}

struct Shared {
    state: Mutex<State>,
    hook: Mutex<Option<Hook>>,
}

struct State {
    /// What the process sees; removed files stay in it for those who hold them.
    tree: Tree,
    trace: Trace,
    next: Ino,
    calls: u64,
    locks: BTreeSet<Ino>,
    opened: BTreeSet<String>,
}

/// An advisory lock, held until dropped.
pub struct SimLock {
    disk: SimDisk,
    ino: Ino,
}

impl Drop for SimLock {
    fn drop(&mut self) {
        self.disk.shared.state.lock().locks.remove(&self.ino);
    }
}

impl Default for SimDisk {
    fn default() -> Self {
        Self::new()
    }
}

impl SimDisk {
    /// An empty directory, durable.
    pub fn new() -> Self {
        Self::from_tree(Tree::new())
    }

    /// A directory with this content, durable.
    pub fn from_tree(tree: Tree) -> Self {
        Self::begin(Trace {
            base: tree,
            carried: Vec::new(),
            ops: Vec::new(),
            acked_before: 0,
            issued_before: 0,
        })
    }

    /// The disk as the next life finds it: what is durable, and what still pends after a process
    /// kill. Locks and open files are gone; event counts go on.
    pub fn from_state(state: &CrashState) -> Self {
        Self::begin(Trace {
            base: state.base.clone(),
            carried: state.pending.clone(),
            ops: Vec::new(),
            acked_before: state.acked,
            issued_before: state.issued,
        })
    }

    fn begin(trace: Trace) -> Self {
        let mut tree = trace.base.clone();
        trace.carried.iter().for_each(|op| tree.apply(op));
        let next = tree.next_ino();
        let state =
            State { tree, trace, next, calls: 0, locks: BTreeSet::new(), opened: BTreeSet::new() };
        Self { shared: Arc::new(Shared { state: Mutex::new(state), hook: Mutex::new(None) }) }
    }

    /// Opens an existing file.
    ///
    /// # Errors
    /// [`io::ErrorKind::NotFound`], [`io::ErrorKind::NotADirectory`],
    /// [`io::ErrorKind::IsADirectory`]; what the hook returns.
    pub fn open(&self, path: &str) -> io::Result<SimFile> {
        self.enter(Call::on(CallKind::Open, path))?;
        let mut state = self.shared.state.lock();
        let ino = state.existing_file(path)?;
        state.opened.insert(path.to_owned());
        Ok(SimFile::new(self.clone(), ino, path))
    }

    /// Creates a file that does not exist yet.
    ///
    /// # Errors
    /// [`io::ErrorKind::AlreadyExists`]; else as [`SimDisk::open`].
    pub fn create(&self, path: &str) -> io::Result<SimFile> {
        self.enter(Call::on(CallKind::Create, path))?;
        let mut state = self.shared.state.lock();
        let ino = state.create(path)?;
        state.opened.insert(path.to_owned());
        Ok(SimFile::new(self.clone(), ino, path))
    }

    /// Creates a directory; one that exists is success.
    ///
    /// # Errors
    /// [`io::ErrorKind::AlreadyExists`] if a file has the name, [`io::ErrorKind::NotFound`],
    /// [`io::ErrorKind::NotADirectory`]; what the hook returns.
    pub fn create_dir(&self, path: &str) -> io::Result<()> {
        self.enter(Call::on(CallKind::CreateDir, path))?;
        let mut state = self.shared.state.lock();
        if path == "." {
            return Ok(());
        }
        let (dir, name) = state.place(path)?;
        match state.tree.entry(dir, &name) {
            Some(ino) if state.tree.is_dir(ino) => Ok(()),
            Some(_) => Err(io::ErrorKind::AlreadyExists.into()),
            None => {
                let ino = state.fresh();
                state.record(MicroOp::MakeDir { dir, name, ino });
                Ok(())
            }
        }
    }

    /// Renames a file, replacing a file that has the new name.
    ///
    /// # Errors
    /// [`io::ErrorKind::NotFound`], [`io::ErrorKind::NotADirectory`],
    /// [`io::ErrorKind::IsADirectory`] if a directory has the new name,
    /// [`io::ErrorKind::Unsupported`] for a directory; what the hook returns.
    pub fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.enter(Call { to: Some(to), ..Call::on(CallKind::Rename, from) })?;
        let mut state = self.shared.state.lock();
        let (from_dir, from) = state.place(from)?;
        let ino = state.tree.entry(from_dir, &from).ok_or(io::ErrorKind::NotFound)?;
        let (to_dir, to) = state.place(to)?;
        if state.tree.is_dir(ino) {
            return Err(io::ErrorKind::Unsupported.into());
        }
        match state.tree.entry(to_dir, &to) {
            Some(same) if same == ino => return Ok(()),
            Some(taken) if state.tree.is_dir(taken) => {
                return Err(io::ErrorKind::IsADirectory.into());
            }
            Some(_) | None => {}
        }
        state.record(MicroOp::Rename { from_dir, from, to_dir, to, ino });
        Ok(())
    }

    /// Removes a file; those who hold it can still read it.
    ///
    /// # Errors
    /// As [`SimDisk::open`].
    pub fn remove(&self, path: &str) -> io::Result<()> {
        self.enter(Call::on(CallKind::Remove, path))?;
        let mut state = self.shared.state.lock();
        let ino = state.existing_file(path)?;
        let (dir, name) = state.place(path)?;
        state.record(MicroOp::Unlink { dir, name, ino });
        Ok(())
    }

    /// The names in a directory, sorted as bytes.
    ///
    /// # Errors
    /// [`io::ErrorKind::NotFound`], [`io::ErrorKind::NotADirectory`]; what the hook returns.
    pub fn list(&self, path: &str) -> io::Result<Vec<String>> {
        self.enter(Call::on(CallKind::List, path))?;
        let state = self.shared.state.lock();
        let dir = state.existing(path)?;
        let names = state.tree.names(dir).ok_or(io::ErrorKind::NotADirectory)?;
        Ok(names.map(str::to_owned).collect())
    }

    /// Makes the entries of a directory durable; of `..` it makes nothing durable.
    ///
    /// # Errors
    /// As [`SimDisk::list`].
    pub fn sync_dir(&self, path: &str) -> io::Result<()> {
        self.enter(Call::on(CallKind::SyncDir, path))?;
        if path == ".." {
            return Ok(());
        }
        let mut state = self.shared.state.lock();
        let dir = state.existing(path)?;
        if !state.tree.is_dir(dir) {
            return Err(io::ErrorKind::NotADirectory.into());
        }
        state.record(MicroOp::SyncDir { dir });
        Ok(())
    }

    /// Takes the exclusive lock on a file, creating it if absent.
    ///
    /// # Errors
    /// [`io::ErrorKind::WouldBlock`] if it is held; else as [`SimDisk::open`].
    pub fn try_lock(&self, path: &str) -> io::Result<SimLock> {
        self.enter(Call::on(CallKind::Lock, path))?;
        let mut state = self.shared.state.lock();
        let ino = match state.existing_file(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => state.create(path)?,
            found => found?,
        };
        if !state.locks.insert(ino) {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        state.opened.insert(path.to_owned());
        drop(state);
        Ok(SimLock { disk: self.clone(), ino })
    }

    /// Notes a moment the judge needs to know. Not a call.
    pub fn mark(&self, mark: Mark) {
        self.shared.state.lock().record(mark.into());
    }

    /// Makes everything durable and forgets how it came about: the trace begins anew.
    pub fn settle(&self) {
        let mut state = self.shared.state.lock();
        let mut window = Window::before(&state.trace);
        state.trace.ops.iter().for_each(|op| window.observe(op));
        state.trace = Trace {
            base: state.tree.clone(),
            carried: Vec::new(),
            ops: Vec::new(),
            acked_before: window.acked,
            issued_before: window.issued,
        };
    }

    /// What happened so far in this life.
    pub fn trace(&self) -> Trace {
        self.shared.state.lock().trace.clone()
    }

    /// How many operations happened so far in this life.
    pub fn happened(&self) -> usize {
        self.shared.state.lock().trace.ops.len()
    }

    /// What the process sees now.
    pub fn tree(&self) -> Tree {
        self.shared.state.lock().tree.clone()
    }

    /// Every path that was opened, created or locked, sorted.
    pub fn opened_paths(&self) -> Vec<String> {
        self.shared.state.lock().opened.iter().cloned().collect()
    }

    /// How many calls were made, those included that a hook failed.
    pub fn calls(&self) -> u64 {
        self.shared.state.lock().calls
    }

    /// Sets or removes the hook.
    pub fn set_hook(&self, hook: Option<Hook>) {
        *self.shared.hook.lock() = hook;
    }

    /// Counts a call and asks the hook, without holding a lock while it runs.
    fn enter(&self, call: Call<'_>) -> io::Result<()> {
        let index = {
            let mut state = self.shared.state.lock();
            state.calls += 1;
            state.calls - 1
        };
        let hook = self.shared.hook.lock().clone();
        hook.map_or(Ok(()), |hook| hook(&Call { index, ..call }))
    }
}

impl State {
    fn record(&mut self, op: MicroOp) {
        self.tree.apply(&op);
        self.trace.ops.push(op);
    }

    fn fresh(&mut self) -> Ino {
        let ino = self.next;
        self.next = Ino(ino.0 + 1);
        ino
    }

    fn create(&mut self, path: &str) -> io::Result<Ino> {
        let (dir, name) = self.place(path)?;
        if self.tree.entry(dir, &name).is_some() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let ino = self.fresh();
        self.record(MicroOp::Link { dir, name, ino });
        Ok(ino)
    }

    /// The directory a path's last name is in, and that name.
    fn place(&self, path: &str) -> io::Result<(Ino, Name)> {
        let (dir, name) = match path.rsplit_once('/') {
            Some((parents, name)) => (self.existing(parents)?, name),
            None => (Ino::ROOT, path),
        };
        if matches!(name, "" | "." | "..") {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        if !self.tree.is_dir(dir) {
            return Err(io::ErrorKind::NotADirectory.into());
        }
        Ok((dir, Name::from(name)))
    }

    fn existing(&self, path: &str) -> io::Result<Ino> {
        if path == "." {
            return Ok(Ino::ROOT);
        }
        let (dir, name) = self.place(path)?;
        self.tree.entry(dir, &name).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn existing_file(&self, path: &str) -> io::Result<Ino> {
        let ino = self.existing(path)?;
        if self.tree.is_dir(ino) {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        Ok(ino)
    }
}

#[cfg(test)]
mod tests;
