//! What the tiers make of a small program, in full.

use proofhouse_crash::{
    BadChoice, Choice, Dedup, Exception, Fate, Mark, Part, PowerLoss, Profile, Rest, SimDisk,
    SyncKind, TierCounts, Tiers, Trace, enumerate,
};

/// Publishes a file of three sectors by rename.
fn publication() -> Trace {
    let disk = SimDisk::new();
    disk.mark(Mark::Issue(1));
    let file = disk.create("MANIFEST.tmp").unwrap();
    file.write_at(0, &[b'M'; 1400]).unwrap();
    file.sync(SyncKind::Data).unwrap();
    disk.rename("MANIFEST.tmp", "MANIFEST").unwrap();
    disk.sync_dir(".").unwrap();
    disk.mark(Mark::Ack(1));
    disk.trace()
}

#[test]
fn counts_of_a_publication() {
    let trace = publication();
    let mut counts = TierCounts::default();
    let mut seen = Dedup::default();
    for state in enumerate(&trace, Profile::Posix, Tiers::ALL) {
        if counts.count(&state, &mut seen) {
            counts.checked(&state);
        }
    }
    let lines: Vec<String> = counts
        .iter()
        .map(|(tier, counts)| format!("{tier} {}", serde_json::to_string(&counts).unwrap()))
        .collect();
    insta::assert_snapshot!(lines.join("\n"), @r#"
    T0 {"generated":8,"legal":8,"distinct":7,"checked":7}
    T1 {"generated":20,"legal":20,"distinct":3,"checked":3}
    T2 {"generated":16,"legal":16,"distinct":7,"checked":7}
    "#);
    // 1 + 1 + 2 + 32 + 2 + 3 + 1 + 1 sets of effects.
    let space = trace.legal_space_log2(Profile::Posix).exp2();
    insta::assert_snapshot!(format!("{space:.6}"), @"43.000000");
}

#[test]
fn entries_that_depend_on_one_rename_are_counted_apart() {
    let disk = SimDisk::new();
    disk.create("a").unwrap();
    disk.rename("a", "b").unwrap();
    disk.create("a").unwrap();
    disk.remove("b").unwrap();
    // 1 + 2 + 3 + 4, and 6 at the end: the last two need the rename, not each other.
    let space = disk.trace().legal_space_log2(Profile::Posix);
    assert!((space - 4.0).abs() < 1e-9, "{space}");
}

#[test]
fn a_length_set_again_leaves_nothing_pending() {
    let disk = SimDisk::new();
    let file = disk.create("a").unwrap();
    file.set_len(700).unwrap();
    disk.settle();
    file.set_len(700).unwrap();
    let states = enumerate(&disk.trace(), Profile::Posix, Tiers::POWER_LOSS).count();
    assert_eq!(states, 2, "all pending lost, before and after");
}

#[test]
fn every_choice_of_a_publication_reads_well() {
    let trace = publication();
    let story: Vec<String> = enumerate(&trace, Profile::Posix, Tiers::ALL)
        .filter(|state| state.at == 3)
        .map(|state| format!("{} {}", state.choice.tier(), trace.explain(&state.choice)))
        .collect();
    insta::assert_snapshot!(story.join("\n"));
}

#[test]
fn fewer_tiers_make_a_part_of_the_same_states() {
    let trace = publication();
    let made = |tiers| -> Vec<Choice> {
        enumerate(&trace, Profile::Posix, tiers).map(|state| state.choice).collect()
    };
    let all = made(Tiers::ALL);
    let mut last = 0;
    for power_loss in [PowerLoss::None, PowerLoss::AllLost, PowerLoss::Single, PowerLoss::Torn] {
        let some = made(Tiers { kill: true, power_loss });
        assert!(some.len() > last && some.iter().all(|choice| all.contains(choice)));
        last = some.len();
    }
    assert_eq!(last, all.len());
    assert_eq!(made(Tiers::KILLS).len() + made(Tiers::POWER_LOSS).len(), all.len());
}

#[test]
fn choices_that_do_not_fit_are_refused() {
    let trace = publication();
    let lost = |op, part| Fate::PowerLoss {
        profile: Profile::Posix,
        rest: Rest::Kept,
        except: vec![Exception { op, part }],
    };
    let check = |at, fate, due| {
        assert_eq!(trace.state(&Choice { at, fate }).err(), Some(due));
    };
    check(8, Fate::Kill { cut: None }, BadChoice::PastEnd { at: 8, ops: 7 });
    check(2, Fate::Kill { cut: Some(512) }, BadChoice::NoCut { at: 2, cut: 512 });
    check(3, lost(0, Part::Whole), BadChoice::NotPending { op: 0, at: 3 });
    check(4, lost(2, Part::Whole), BadChoice::NotPending { op: 2, at: 4 });
    check(4, lost(1, Part::Size), BadChoice::NotPending { op: 1, at: 4 });
    let sectors = Part::Sectors { first: 2, count: 2 };
    check(3, lost(2, sectors), BadChoice::NotPending { op: 2, at: 3 });
    let huge = Part::Sectors { first: usize::MAX, count: 2 };
    check(3, lost(2, huge), BadChoice::NotPending { op: 2, at: 3 });
}
