//! What the tiers make of a small program, in full.

use proofhouse_crash::{
    BadChoice, Choice, Dedup, Exception, Fate, Mark, Part, PowerLoss, Profile, Random, Rest,
    SimDisk, SyncKind, TierCounts, Tiers, Trace, enumerate,
};

use crate::outcome::outcome;

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
        let some = made(Tiers { power_loss, ..Tiers::KILLS });
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

/// A file with content, another, a rename and a write of several sectors, nothing synced.
fn unsynced() -> Trace {
    let disk = SimDisk::new();
    let log = disk.create("log").unwrap();
    log.set_len(4096).unwrap();
    disk.settle();
    log.write_at(0, &[b'L'; 1024]).unwrap();
    disk.create("a").unwrap().write_at(0, &[b'A'; 512]).unwrap();
    disk.rename("a", "b").unwrap();
    log.write_at(1024, &[b'M'; 512]).unwrap();
    disk.trace()
}

fn stories(trace: &Trace, tiers: Tiers, at: usize) -> Vec<String> {
    enumerate(trace, Profile::Posix, tiers)
        .filter(|state| state.at == at)
        .map(|state| format!("{} {}", state.choice.tier(), trace.explain(&state.choice)))
        .collect()
}

#[test]
fn pairs_are_of_different_files_or_of_content_and_entry() {
    let trace = unsynced();
    let tiers = Tiers { power_loss: PowerLoss::Pairs, ..Tiers::POWER_LOSS };
    let mut pairs = stories(&trace, tiers, trace.ops.len());
    pairs.retain(|story| story.starts_with("T3"));
    insta::assert_snapshot!(pairs.join("\n"), @r"
    T3 power loss (posix) before #5: lost #0 write log 0+1024, #1 create a, kept all other pending
    T3 power loss (posix) before #5: lost #0 write log 0+1024, #2 write a 0+512, kept all other pending
    T3 power loss (posix) before #5: lost #0 write log 0+1024, #3 rename a b, kept all other pending
    T3 power loss (posix) before #5: lost #1 create a, #2 write a 0+512, kept all other pending
    T3 power loss (posix) before #5: lost #1 create a, #4 write log 1024+512, kept all other pending
    T3 power loss (posix) before #5: lost #2 write a 0+512, #3 rename a b, kept all other pending
    T3 power loss (posix) before #5: lost #2 write a 0+512, #4 write log 1024+512, kept all other pending
    T3 power loss (posix) before #5: lost #3 rename a b, #4 write log 1024+512, kept all other pending
    ");
}

#[test]
fn random_subsets_follow_from_their_seed() {
    let trace = unsynced();
    let drawn = |seed| {
        let random = Random { count: 6, seed };
        let tiers = Tiers { random, power_loss: PowerLoss::None, ..Tiers::POWER_LOSS };
        stories(&trace, tiers, trace.ops.len())
    };
    insta::assert_snapshot!(drawn(1).join("\n"), @r"
    T4 power loss (posix) before #5: lost #2 write a 0+512, #3 rename a b, #4 write log 1024+512, kept all other pending
    T4 power loss (posix) before #5: lost #1 create a, #3 rename a b, #4 write log 1024+512, kept all other pending
    ");
    assert_eq!(drawn(1), drawn(1));
    assert_ne!(drawn(1), drawn(2));
}

#[test]
fn bad_media_leaves_garbage_where_writes_were_under_way() {
    let trace = unsynced();
    let garbage = stories(&trace, Tiers::BAD_MEDIA, trace.ops.len());
    insta::assert_snapshot!(garbage.join("\n"), @r"
    bad-media power loss (bad media, posix) before #5: garbage in the sectors of #0 write log 0+1024
    bad-media power loss (bad media, posix) before #5: garbage in the sectors of #2 write a 0+512
    bad-media power loss (bad media, posix) before #5: garbage in the sectors of #4 write log 1024+512
    bad-media power loss (bad media, posix) before #5: garbage in the sectors of all pending writes
    ");
    let shown: Vec<String> = enumerate(&trace, Profile::Posix, Tiers::BAD_MEDIA)
        .filter(|state| state.at == trace.ops.len())
        .map(|state| outcome(&state.visible()))
        .collect();
    let due = ["b=A log=~~M.....", "b=~ log=LLM.....", "b=A log=LL~.....", "b=~ log=~~~....."];
    assert_eq!(shown, due);
    assert_eq!(
        enumerate(&Trace { ops: Vec::new(), ..trace }, Profile::Posix, Tiers::BAD_MEDIA).count(),
        0
    );
}

#[test]
fn an_enumeration_goes_on_from_any_position() {
    let trace = unsynced();
    let random = Random { count: 3, seed: 1 };
    let tiers = Tiers { random, power_loss: PowerLoss::Pairs, bad_media: true, ..Tiers::ALL };
    let all = || enumerate(&trace, Profile::Ext4, tiers);
    let choices: Vec<Choice> = all().map(|state| state.choice).collect();
    for position in 0..choices.len() + 2 {
        let mut rest = all();
        rest.skip_to(position as u64);
        assert_eq!(rest.position(), position.min(choices.len()) as u64);
        assert_eq!(rest.next().map(|state| state.choice).as_ref(), choices.get(position));
    }
    let mut sharded = vec![None; choices.len()];
    for part in 0..3 {
        for (index, state) in all().skip(part).step_by(3).enumerate() {
            sharded[part + 3 * index] = Some(state.choice);
        }
    }
    let sharded: Vec<Choice> = sharded.into_iter().map(Option::unwrap).collect();
    assert_eq!(sharded, choices);
}
