//! How many states a medium allows in all.

mod journal;

use std::collections::BTreeMap;

use super::{Chain, Pending, PendingOp, Profile};

impl Pending {
    /// The base-2 logarithm of the number of sets of effects that may survive a power loss now.
    pub(crate) fn space_log2(&self) -> f64 {
        match self.profile() {
            Profile::Posix => self.independent_log2(),
            Profile::Ext4 => journal::log2(self),
        }
    }

    /// Where versions of sectors and sizes are independent, so that their counts multiply; entries
    /// are counted as closed sets of their order, one connected group of names at a time.
    fn independent_log2(&self) -> f64 {
        let versions = self.chains().filter(|(chain, _)| !matches!(chain, Chain::Name(..)));
        let contents: f64 = versions.map(|(_, count)| f64::from(count + 1).log2()).sum();
        contents + self.entries_log2()
    }

    fn entries_log2(&self) -> f64 {
        let entries = self.ops().iter().filter(|op| op.is_entry());
        let entries = entries.flat_map(PendingOp::all_effects).collect();
        let mut known = BTreeMap::new();
        self.groups(entries)
            .into_iter()
            .map(|group| self.closed_sets(group, &mut known).log2())
            .sum()
    }

    /// Splits effects into groups that no need connects; each ascending.
    fn groups(&self, effects: Vec<usize>) -> Vec<Vec<usize>> {
        let mut groups: Vec<Vec<usize>> = Vec::new();
        for effect in effects {
            let needs = self.needs(effect);
            let (joined, mut apart): (Vec<_>, Vec<_>) =
                groups.into_iter().partition(|group| needs.iter().any(|need| group.contains(need)));
            let mut group = joined.concat();
            group.sort_unstable();
            group.push(effect);
            apart.push(group);
            groups = apart;
        }
        groups
    }

    /// How many subsets of a group contain all that their members need. Either the last effect
    /// is lost, or it is kept with all it needs: two smaller counts of the same kind.
    fn closed_sets(&self, group: Vec<usize>, known: &mut BTreeMap<Vec<usize>, f64>) -> f64 {
        let Some((&last, earlier)) = group.split_last() else { return 1.0 };
        if let Some(count) = known.get(&group) {
            return *count;
        }
        let needed = self.kept_with(vec![last]);
        let free: Vec<usize> =
            earlier.iter().copied().filter(|effect| !needed.has(*effect)).collect();
        let mut product = |effects: Vec<usize>| -> f64 {
            let groups = self.groups(effects);
            groups.into_iter().map(|group| self.closed_sets(group, known)).product()
        };
        let count = product(earlier.to_vec()) + product(free);
        known.insert(group, count);
        count
    }
}
