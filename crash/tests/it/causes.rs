//! From many findings to few: by what was missing, and by the strongest medium that shows it.

use std::collections::BTreeMap;

use proofhouse_crash::{
    Choice, CrashState, Mark, Profile, SimDisk, SyncKind, Tiers, Trace, enumerate,
};
use proptest::prelude::*;

use crate::acts::{fixed, programs, run};
use crate::outcome::outcome;

/// Writes a file, renames it over another and acknowledges, with those syncs that are asked for.
fn publication(sync_content: bool, sync_entry: bool) -> Trace {
    let disk = SimDisk::new();
    let old = disk.create("table-000007.dat").unwrap();
    old.write_at(0, &[b'O'; 512]).unwrap();
    disk.settle();
    disk.mark(Mark::Issue(1));
    let new = disk.create("table-000007.tmp").unwrap();
    new.write_at(0, &[b'N'; 1024]).unwrap();
    if sync_content {
        new.sync(SyncKind::Full).unwrap();
    }
    disk.rename("table-000007.tmp", "table-000007.dat").unwrap();
    if sync_entry {
        disk.sync_dir(".").unwrap();
    }
    disk.mark(Mark::Ack(1));
    disk.trace()
}

/// Neither the old content nor the new, or the old after the acknowledgement.
fn wrong(state: &CrashState) -> bool {
    let shown = outcome(&state.visible());
    let table = shown.split(' ').find(|part| part.starts_with("table-000007.dat="));
    match table {
        Some("table-000007.dat=NN") => false,
        Some("table-000007.dat=O") => state.acked > 0,
        _ => true,
    }
}

fn findings(trace: &Trace, profile: Profile) -> Vec<Choice> {
    let states = enumerate(trace, profile, Tiers::ALL).filter(wrong);
    states.map(|state| state.choice).collect()
}

fn classes(trace: &Trace, profile: Profile) -> String {
    let mut counts = BTreeMap::new();
    for choice in findings(trace, profile) {
        *counts.entry(trace.classify(&choice).unwrap().to_string()).or_insert(0) += 1;
    }
    let lines: Vec<String> =
        counts.iter().map(|(class, count)| format!("{count} × {class}")).collect();
    lines.join("\n")
}

#[test]
fn a_complete_publication_has_no_findings() {
    for profile in [Profile::Posix, Profile::Ext4] {
        assert_eq!(classes(&publication(true, true), profile), "");
    }
}

#[test]
fn findings_of_a_missing_sync_fall_into_few_classes() {
    insta::assert_snapshot!(
        classes(&publication(false, true), Profile::Posix),
        @"26 × write table-#.tmp: content not synced before its entry"
    );
    insta::assert_snapshot!(
        classes(&publication(false, true), Profile::Ext4),
        @"24 × write table-#.tmp: content not synced before its entry"
    );
}

#[test]
fn findings_of_a_missing_directory_sync_are_of_one_class() {
    insta::assert_snapshot!(
        classes(&publication(true, false), Profile::Posix),
        @"4 × rename table-#.tmp table-#.dat: entry pending at acknowledgement"
    );
}

#[test]
fn classes_survive_a_file_format() {
    let trace = publication(false, true);
    for choice in findings(&trace, Profile::Posix) {
        let class = trace.classify(&choice).unwrap();
        let written = serde_json::to_string(&class).unwrap();
        assert_eq!(serde_json::from_str::<proofhouse_crash::Class>(&written).unwrap(), class);
    }
}

#[test]
fn what_was_not_ordered_is_told_apart() {
    let check = |program: &dyn Fn(&SimDisk) -> std::io::Result<()>, lost: usize, due: &str| {
        let disk = SimDisk::new();
        disk.create("log").unwrap().set_len(4096).unwrap();
        disk.settle();
        program(&disk).unwrap();
        let trace = disk.trace();
        let choice = serde_json::from_value(serde_json::json!({
            "at": trace.ops.len(),
            "fate": {"power_loss": {
                "profile": "posix",
                "rest": "kept",
                "except": [{"op": lost, "part": "whole"}],
            }},
        }));
        assert_eq!(trace.classify(&choice.unwrap()).unwrap().to_string(), due);
    };
    let write = |disk: &SimDisk, name: &str, at| disk.open(name)?.write_at(at, &[b'N'; 512]);
    check(
        &|disk| write(disk, "log", 0).and_then(|()| write(disk, "log", 512)),
        0,
        "write log: content not synced before later content",
    );
    check(
        &|disk| write(disk, "log", 0).and_then(|()| disk.create("b12c3").map(drop)),
        0,
        "write log: content not synced before the entry of another file",
    );
    check(
        &|disk| disk.create("b12c3").and_then(|_| write(disk, "log", 0)),
        0,
        "create b#c#: entry not synced before later content",
    );
    check(
        &|disk| disk.create("b").and_then(|_| disk.create("c").map(drop)),
        0,
        "create b: entry not synced before a later entry",
    );
    check(&|disk| disk.create("b").map(drop), 0, "create b: no sync missing");
}

#[test]
fn a_lost_entry_of_a_synced_file_is_no_state_of_ext4() {
    let trace = publication(true, false);
    let lost_rename = findings(&trace, Profile::Posix);
    assert!(!lost_rename.is_empty());
    for choice in &lost_rename {
        // The rename can be lost on ext4 too, but not the entry that the sync has covered.
        let entry_is_there = outcome(&trace.state(choice).unwrap().base).contains(".tmp=NN");
        assert_eq!(trace.legal_under(choice, Profile::Ext4).unwrap(), entry_is_there);
    }
    let disk = SimDisk::new();
    let file = disk.create("a").unwrap();
    file.write_at(0, b"content").unwrap();
    file.sync(SyncKind::Data).unwrap();
    let trace = disk.trace();
    let without_a = |state: &CrashState| state.at == 3 && outcome(&state.base) == "nothing";
    let mut lost = enumerate(&trace, Profile::Posix, Tiers::POWER_LOSS).filter(without_a);
    let choice = lost.next().unwrap().choice;
    assert!(!trace.legal_under(&choice, Profile::Ext4).unwrap());
    assert!(trace.legal_under(&choice, Profile::Posix).unwrap());
}

#[test]
fn garbage_is_legal_under_no_profile() {
    let trace = publication(false, true);
    for state in enumerate(&trace, Profile::Posix, Tiers::BAD_MEDIA) {
        assert!(!trace.legal_under(&state.choice, Profile::Posix).unwrap());
        let class = trace.classify(&state.choice).unwrap().to_string();
        assert!(class.ends_with(": garbage in sectors under way"), "{class}");
    }
}

proptest! {
    #![proptest_config(fixed(60))]

    #[test]
    fn every_state_is_legal_under_its_own_profile_and_has_a_class(
        program in programs(512, 6, 10),
    ) {
        let disk = SimDisk::new();
        run(&disk, &program);
        let trace = disk.trace();
        for profile in [Profile::Posix, Profile::Ext4] {
            for state in enumerate(&trace, profile, Tiers::ALL) {
                prop_assert!(trace.legal_under(&state.choice, profile).unwrap());
                prop_assert!(!trace.classify(&state.choice).unwrap().to_string().is_empty());
            }
        }
    }

    #[test]
    fn a_state_said_to_be_legal_is_allowed(program in programs(256, 6, 8)) {
        let disk = SimDisk::new();
        run(&disk, &program);
        let trace = disk.trace();
        for (own, other) in [(Profile::Posix, Profile::Ext4), (Profile::Ext4, Profile::Posix)] {
            let allowed: Vec<_> = (0..=trace.ops.len())
                .map(|at| crate::naive::allowed_under(other, &trace, at))
                .collect();
            for state in enumerate(&trace, own, Tiers::POWER_LOSS) {
                let allowed = &allowed[state.at];
                if allowed.ways < 2e3 && trace.legal_under(&state.choice, other).unwrap() {
                    prop_assert!(allowed.outcomes.contains(&outcome(&state.base)));
                }
            }
        }
    }
}
