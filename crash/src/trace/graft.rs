//! Recordings of real directories, told as lives of a store.

use std::collections::BTreeMap;

use super::{MicroOp, Trace};
use crate::enumerate::CrashState;
use crate::tree::{Ino, Tree};

/// A recording that did not begin with the files of the state it should go on from.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the recording began with other files than the state it goes on from: {path}")]
pub struct Misgrafted {
    /// The first name that only one of them has, or that has another content.
    pub path: String,
}

impl Trace {
    /// The same life with all that came before its first [`Shown`](super::Mark::Shown) taken for
    /// durable: its creation is settled. Without such a mark nothing changes.
    #[must_use]
    pub fn settled(mut self) -> Self {
        let shown = |op: &MicroOp| matches!(op, MicroOp::Shown { .. });
        let Some(first) = self.ops.iter().position(shown) else { return self };
        for op in self.carried.drain(..).chain(self.ops.drain(..first)) {
            self.base.allocate(&op);
            self.base.apply(&op);
        }
        self
    }

    /// The life that followed a crash. It was recorded in a real directory made of what the crash
    /// leaves, which the recording takes for durable; here it gets back what was only pending,
    /// and the numbers that files had in the life before.
    ///
    /// # Errors
    /// [`Misgrafted`].
    pub fn after(&self, state: &CrashState) -> Result<Self, Misgrafted> {
        let visible = state.visible();
        if self.base.digest() != visible.digest() {
            return Err(Misgrafted { path: first_difference(&self.base, &visible) });
        }
        let mut numbers: BTreeMap<Ino, Ino> = BTreeMap::from([(Ino::ROOT, Ino::ROOT)]);
        numbers.extend(
            self.base.walk().into_iter().zip(visible.walk()).map(|((_, own), (_, its))| (own, its)),
        );
        let mut free = visible.next_ino().max(state.base.next_ino());
        let mut renumber = |ino: Ino| {
            *numbers.entry(ino).or_insert_with(|| {
                let number = free;
                free = Ino(free.0 + 1);
                number
            })
        };
        Ok(Self {
            base: state.base.clone(),
            carried: state.pending.clone(),
            ops: self.ops.iter().map(|op| op.renumbered(&mut renumber)).collect(),
            acked_before: state.acked,
            issued_before: state.issued,
        })
    }
}

impl MicroOp {
    /// The same operation on files of other numbers.
    fn renumbered(&self, number: &mut dyn FnMut(Ino) -> Ino) -> Self {
        let mut op = self.clone();
        match &mut op {
            Self::Write { ino, .. } | Self::SetLen { ino, .. } | Self::Sync { ino, .. } => {
                *ino = number(*ino);
            }
            Self::Link { dir, ino, .. }
            | Self::MakeDir { dir, ino, .. }
            | Self::Unlink { dir, ino, .. } => {
                *dir = number(*dir);
                *ino = number(*ino);
            }
            Self::Rename { from_dir, to_dir, ino, .. } => {
                *from_dir = number(*from_dir);
                *to_dir = number(*to_dir);
                *ino = number(*ino);
            }
            Self::SyncDir { dir } => *dir = number(*dir),
            Self::Issue { .. } | Self::Ack { .. } | Self::Shown { .. } => {}
        }
        op
    }
}

fn first_difference(one: &Tree, other: &Tree) -> String {
    let of = |tree: &Tree| -> BTreeMap<String, Option<u128>> {
        let files = tree.walk().into_iter().map(|(path, ino)| {
            let digest = tree.content(ino).map(crate::Content::digest);
            (path, digest)
        });
        files.collect()
    };
    let (one, other) = (of(one), of(other));
    let names = one.keys().chain(other.keys());
    names.filter(|path| one.get(*path) != other.get(*path)).min().cloned().unwrap_or_default()
}

#[cfg(test)]
mod tests;
