//! The result for people: a table of nineteen rows, and below it what the table cannot hold.

#[cfg(test)]
mod tests;

use std::fmt::Write as _;
use std::path::Path;

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};

use crate::criteria::Status;
use crate::finding::Finding;
use crate::proof::Proof;
use crate::share::Shard;
use crate::verdict::{CriterionResult, Reason, Verdict};

/// Everything a run prints on standard output. `cases` gives, for the finding at an index of
/// [`Proof::findings`], where its case file was written.
pub fn render(proof: &Proof, cases: &[Option<std::path::PathBuf>]) -> String {
    let mut text = format!(
        "{} · {} · seed {}{}\n{}\n",
        proof.subject,
        proof.profile.name(),
        proof.seed,
        proof.shard.map(|shard| format!(" · PARTIAL: shard {shard}")).unwrap_or_default(),
        table(proof)
    );
    write_states(&mut text, proof);
    write_unmeasured(&mut text, proof);
    write_self_check(&mut text, proof);
    for (finding, case) in proof.findings.iter().zip(cases) {
        write_finding(&mut text, finding);
        if let Some(path) = case {
            let _ = writeln!(text, "  {}", replay_line(path));
        }
    }
    text
}

/// Causes shown of one finding; its case file holds all.
const CAUSES: usize = 5;

fn write_finding(text: &mut String, finding: &Finding) {
    let (claim, kind) = (finding.claim, finding.kind.words());
    let word = if finding.promised { "FAIL" } else { "no such promise:" };
    // Writing to a string cannot fail, here and below.
    let _ = write!(text, "\n{word} {claim}: {kind}");
    if let Some(medium) = finding.medium {
        let _ = write!(text, ", strongest medium {medium}");
    }
    let _ = writeln!(text, "\n{}", indent(&finding.story));
    for (number, cause) in finding.causes.iter().take(CAUSES).enumerate() {
        let _ = writeln!(text, "  cause {}: {cause}", number + 1);
    }
    if let more @ 1.. = finding.causes.len().saturating_sub(CAUSES) {
        let _ = writeln!(text, "  more causes in the case file: {more}");
    }
}

/// What is to be done with a shard.
pub fn shard_line(shard: Shard, complete: bool) -> String {
    match (complete, shard.is_whole()) {
        (true, true) => format!("shard {shard} is complete: it is the whole\n"),
        (true, false) => {
            let of = shard.of;
            format!("shard {shard} is complete: `proofhouse merge` makes the whole of all {of}\n")
        }
        (false, _) => format!("shard {shard} is not complete: run it again, and it goes on\n"),
    }
}

/// The line that shows a failure again.
pub fn replay_line(case: &Path) -> String {
    let path = case.display().to_string();
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+=:,@".contains(c);
    if path.chars().all(plain) {
        return format!("proofhouse replay {path}");
    }
    // A shell takes everything between single quotes as it stands.
    format!("proofhouse replay '{}'", path.replace('\'', r"'\''"))
}

fn table(proof: &Proof) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_BORDERS_ONLY);
    table.set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(["criterion", "verdict", "claims", "cases", "time", "flawed caught"]);
    for result in &proof.criteria {
        table.add_row(row(proof, result));
    }
    for right in [3, 4, 5] {
        if let Some(column) = table.column_mut(right) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

fn row(proof: &Proof, result: &CriterionResult) -> [String; 6] {
    let criterion = result.criterion;
    let verdict = match result.verdict {
        Verdict::NotMeasured(reason) => format!("NOT MEASURED ({})", reason.words()),
        verdict => verdict.label().to_owned(),
    };
    // Whoever cannot be asked a claim has other claims in its place.
    let all = result.claims.len() - result.aside(Reason::InProcess);
    let mut claims = format!("{} of {all}", result.measured());
    if result.planned() > 0 {
        let _ = write!(claims, ", {} planned", result.planned());
    }
    let not_promised = result.aside(Reason::NotPromised);
    if result.measured() > 0 && not_promised > 0 {
        let _ = write!(claims, ", {not_promised} not promised");
    }
    let cases = match result.cases() {
        (0, _) => String::new(),
        (done, Some(possible)) => format!("{}/{}", grouped(done), grouped(possible)),
        (done, None) => grouped(done),
    };
    let took = result.took();
    let time = if took.is_zero() { String::new() } else { format!("{:.1} s", took.as_secs_f64()) };
    let caught = match proof.caught(criterion.id) {
        (_, 0) => String::new(),
        (caught, due) => format!("{caught}/{due}"),
    };
    [format!("{} {}", criterion.id, criterion.title), verdict, claims, cases, time, caught]
}

fn write_states(text: &mut String, proof: &Proof) {
    let states = proof.states();
    if !states.is_empty() {
        let _ = writeln!(
            text,
            "crash states on the simulated disk, or recorded from a process on real files (T0: process \
             kill;\nT1, T2: power loss, one pending operation lost, kept or torn; T3, T4: two, several; \
             media profile\nposix, or as named; nested: a crash of the recovery or of the life after it)"
        );
    }
    for (tier, counts) in states {
        let _ = writeln!(
            text,
            "  {tier}: {}/{} distinct states checked; {} generated, {} legal",
            grouped(counts.checked),
            grouped(counts.distinct),
            grouped(counts.generated),
            grouped(counts.legal),
        );
    }
    if let Some(log2) = proof.legal_space_log2() {
        let _ =
            writeln!(text, "  all states that power loss could leave of these plans: 2^{log2:.1}");
    }
    if let Some(bad_media) = proof.bad_media() {
        let _ = writeln!(
            text,
            "  bad-media: {} of {} states violate; decides nothing",
            grouped(bad_media.violating()),
            grouped(bad_media.counts.checked),
        );
    }
    for (rule, count) in proof.excluded() {
        let _ = writeln!(text, "  excluded: {} ({rule})", grouped(count));
    }
}

/// What was not measured, in plain words: criteria for which nothing exists yet in one line, the
/// others claim by claim.
fn write_unmeasured(text: &mut String, proof: &Proof) {
    let nothing_exists = |result: &&CriterionResult| {
        result.criterion.existing().next().is_none()
            && result.verdict == Verdict::NotMeasured(Reason::Planned)
    };
    let waiting: Vec<_> =
        proof.criteria.iter().filter(nothing_exists).map(|result| result.criterion.id).collect();
    if !waiting.is_empty() {
        let _ = writeln!(text, "not measured: {}: planned", waiting.join(", "));
    }
    for result in proof.criteria.iter().filter(|result| !nothing_exists(result)) {
        for claim in &result.claims {
            if let (Some(reason), Some(note)) = (claim.verdict.reason(), &claim.note)
                && reason != Reason::InProcess
                && (claim.claim.status == Status::Exists || reason == Reason::Planned)
            {
                let (id, words) = (claim.claim.id, reason.words());
                let _ = writeln!(text, "not measured: {id}: {words}, {note}");
            }
        }
    }
}

fn write_self_check(text: &mut String, proof: &Proof) {
    for wrong in proof.self_check.iter().filter(|one| !one.exact()) {
        let _ = writeln!(
            text,
            "harness broken: flawed subject {} must fail exactly {:?} and failed {:?}",
            wrong.name, wrong.due, wrong.failed
        );
    }
    if !proof.self_check.is_empty() {
        let exact = proof.self_check.iter().filter(|one| one.exact()).count();
        let all = proof.self_check.len();
        let _ =
            writeln!(text, "flawed subjects: {exact} of {all} tried failed exactly what they must");
    }
}

fn indent(story: &str) -> String {
    story.lines().map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n")
}

/// A number with a comma before every third digit from the right.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}
