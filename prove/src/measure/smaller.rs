//! Making findings small, for as long as the budget lasts.

use proofhouse_crash::{Choice, CrashState, Trace, minimise};
use proofhouse_model::{Plan, shrink};

use crate::finding::Finding;
use crate::parallel::Budget;

/// What a finding says that could have been smaller.
pub(crate) const CUT: &str = "made no smaller than this: the budget was spent";

/// The time that there is for making one finding small, and whether it was enough.
pub(super) struct Patience {
    budget: Budget,
    cut: bool,
}

impl Patience {
    /// No more than this.
    pub(super) fn of(budget: Budget) -> Self {
        Self { budget, cut: false }
    }

    /// Whether there is no time for another trial, of which one was wanted.
    pub(super) fn is_over(&mut self) -> bool {
        self.cut = self.cut || self.budget.is_spent();
        self.cut
    }

    /// [`shrink()`], until the time is over.
    pub(super) fn shrink(
        &mut self,
        plan: &Plan,
        trials: usize,
        fails: &mut dyn FnMut(&Plan) -> bool,
    ) -> Plan {
        shrink(plan, trials, &mut |plan| !self.is_over() && fails(plan))
    }

    /// [`minimise()`], until the time is over. A choice that does not fit its trace stays as it is.
    pub(super) fn minimise(
        &mut self,
        trace: &Trace,
        choice: &Choice,
        fails: &mut dyn FnMut(&CrashState) -> bool,
    ) -> Choice {
        let small = minimise(trace, choice, &mut |state| !self.is_over() && fails(state));
        small.unwrap_or_else(|_| choice.clone())
    }

    /// The finding, which says so if it could have been smaller.
    pub(super) fn told(&self, finding: Finding) -> Finding {
        if self.cut { finding.adding(CUT) } else { finding }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use proofhouse_model::{GenerateProfile, generate};

    use super::*;
    use crate::finding::{Kind, World};

    fn check(until: Option<Instant>, trials: usize, due: &str) {
        let plan = generate(1, &GenerateProfile::recorded());
        let mut patience = Patience::of(Budget { until });
        let mut asked = 0;
        patience.shrink(&plan, trials, &mut |_| {
            asked += 1;
            false
        });
        let finding = Finding::new(
            Kind::Divergence,
            World::Undisturbed,
            "AC-08.differential",
            "found".to_owned(),
        );
        assert_eq!(patience.told(finding).story, due);
        assert_eq!(asked > 0, until.is_none() && trials > 0);
    }

    #[test]
    fn a_finding_that_the_budget_kept_large_says_so() {
        check(None, 3, "found");
        check(Some(Instant::now()), 0, "found");
        check(Some(Instant::now()), 3, &format!("found\n{CUT}"));
    }
}
