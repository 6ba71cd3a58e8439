//! What is told of each operation after a crash.

use proofhouse_crash::{
    Choice, Exception, Fate, Mark, Part, Profile, Rest, SimDisk, SyncKind, Trace,
};

/// A durable file, a pending write of three sectors that grows it, a pending rename; then a write
/// over two pages.
fn trace() -> Trace {
    let disk = SimDisk::new();
    let file = disk.create("a").unwrap();
    disk.sync_dir(".").unwrap();
    file.write_at(0, &[1; 512]).unwrap();
    file.sync(SyncKind::Data).unwrap();
    disk.mark(Mark::Issue(1));
    file.write_at(512, &[2; 1536]).unwrap();
    disk.rename("a", "b").unwrap();
    file.write_at(0, &[3; 5000]).unwrap();
    disk.trace()
}

fn check(at: usize, fate: Fate, due: &str) {
    let trace = trace();
    let fared = trace.fared(&Choice { at, fate }, Profile::Posix).unwrap();
    let told: Vec<_> = fared.iter().enumerate().map(|(n, one)| format!("{n} {one}")).collect();
    assert_eq!(told.join("; "), due);
}

fn power_loss(rest: Rest, except: &[(usize, Part)]) -> Fate {
    let except = except.iter().map(|(op, part)| Exception { op: *op, part: *part }).collect();
    Fate::PowerLoss { profile: Profile::Posix, rest, except }
}

const BEFORE: &str = "0 durable; 1 returned; 2 durable; 3 returned; 4 returned";

#[test]
fn what_is_pending_stays_in_the_page_cache_of_a_killed_process() {
    let due = format!("{BEFORE}; 5 in the page cache; 6 in the page cache; 7 not reached");
    check(7, Fate::Kill { cut: None }, &due);
    let due = due.replace("7 not reached", "7 cut after 4096 bytes");
    check(7, Fate::Kill { cut: Some(4096) }, &due);
}

#[test]
fn a_power_loss_keeps_loses_or_tears_what_is_pending() {
    let check = |rest, except: &[(usize, Part)], due: &str| {
        check(7, power_loss(rest, except), &format!("{BEFORE}; {due}; 7 not reached"));
    };
    check(Rest::Lost, &[], "5 lost; 6 lost");
    check(Rest::Kept, &[(6, Part::Whole)], "5 kept; 6 lost");
    check(Rest::Lost, &[(5, Part::Size)], "5 torn, lost data; 6 lost");
    let tail = Part::Sectors { first: 1, count: 2 };
    check(
        Rest::Kept,
        &[(5, tail), (5, Part::Size)],
        "5 torn, lost sectors 1 to 2 and size; 6 kept",
    );
}

#[test]
fn garbage_is_told_where_it_is() {
    let garbage = |write| Fate::BadMedia { profile: Profile::Posix, write };
    check(8, garbage(Some(5)), &format!("{BEFORE}; 5 garbage; 6 kept; 7 kept"));
    check(8, garbage(None), &format!("{BEFORE}; 5 garbage; 6 kept; 7 garbage"));
}
