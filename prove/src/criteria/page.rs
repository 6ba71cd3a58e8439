//! `docs/criteria.md`, generated.

use std::fmt::Write as _;

use super::{ALL, Claim, Criterion, Status};

const PREFACE: &str = "\
# Criteria

A subject is judged on nineteen criteria. Each consists of claims; a claim is measured as a whole
or not at all. A criterion prints `PASS` only if every claim that exists today was measured and
none failed, `FAIL` if a finding is attributed to it, and otherwise `NOT MEASURED` with a reason:
*no capability, not promised, not reached, budget, planned, unstable trace, writable mapping,
io_uring, missing tool, skipped, shard* (see [shards.md](shards.md)).

A finding belongs to one criterion, by what happened rather than by which measurement met it: an
acknowledged commit lost after a process kill is AC-02, after a power loss AC-04; a partial or
never issued state is AC-03; bytes that differ between equal runs are AC-01. A divergence from the
oracle in an undisturbed run is attributed after its plan was shrunk, by what the shrunk plan still
needs: AC-09 if it still names two collections, AC-07 if only a sequence differs, AC-06 if a snapshot's
read differs, AC-08 if an insert differs, AC-02 if it reopens, AC-03 if it has a transaction, else
AC-08. What a process kill already shows is a flaw of kills: a power loss that shows the same kind
of wrong tells nothing more, and is not told.

This page is generated from the data in `prove/src/criteria/`; a test keeps them equal.
";

/// The whole page, in Markdown.
pub fn page() -> String {
    let mut page = PREFACE.to_owned();
    for criterion in ALL {
        write_criterion(&mut page, criterion);
    }
    page
}

fn write_criterion(page: &mut String, criterion: &Criterion) {
    let Criterion { id, title, statement, .. } = criterion;
    // Writing to a string cannot fail.
    let _ = writeln!(page, "\n## {id} {title}\n\n{statement}\n");
    for claim in criterion.claims {
        write_claim(page, claim);
    }
}

fn write_claim(page: &mut String, claim: &Claim) {
    let Claim { id, text, method, .. } = claim;
    let _ = writeln!(page, "- **{id}**: {text}\n  *Method:* {method}");
    if !claim.needs.is_empty() {
        let needs: Vec<_> = claim.needs.iter().map(|need| need.words()).collect();
        let _ = writeln!(page, "  *Needs:* {}.", needs.join(", "));
    }
    if let Status::Planned(work) = claim.status {
        let _ = writeln!(page, "  *Planned*, with {work}.");
    }
}
