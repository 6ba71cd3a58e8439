//! The smallest crash that still fails.

use proofhouse_crash::{
    Choice, CrashState, Fate, Profile, Random, SimDisk, Tiers, enumerate, minimise,
};
use proptest::prelude::*;

use crate::acts::{fixed, programs, run};
use crate::outcome::outcome;

#[test]
fn a_minimal_crash_loses_only_what_matters() {
    let disk = SimDisk::new();
    let log = disk.create("log").unwrap();
    log.set_len(16384).unwrap();
    disk.settle();
    for record in 0..20 {
        log.write_at(record * 512, &[b'R'; 512]).unwrap();
    }
    log.write_at(10240, &[b'W'; 4096]).unwrap();
    let trace = disk.trace();
    // Fails if the sixth record is gone and a sector in the middle of the last write is not.
    let sector = |state: &CrashState, at: usize| {
        outcome(&state.visible()).trim_start_matches("log=").as_bytes()[at]
    };
    let mut fails = |state: &CrashState| sector(state, 5) == b'.' && sector(state, 23) == b'W';
    let tiers = Tiers { random: Random { count: 200, seed: 7 }, ..Tiers::POWER_LOSS };
    let all: Vec<Choice> = enumerate(&trace, Profile::Posix, tiers)
        .filter(|state| state.at == trace.ops.len() && fails(state))
        .map(|state| state.choice)
        .collect();
    assert!(all.len() > 20);
    for choice in all {
        let least = minimise(&trace, &choice, &mut fails).unwrap();
        assert!(fails(&trace.state(&least).unwrap()));
        let story = trace.explain(&least).to_string();
        assert_eq!(
            story,
            "power loss (posix) before #21: lost #5 write log 2560+512, kept all other pending"
        );
    }
    let choice = Choice { at: 3, fate: Fate::Kill { cut: None } };
    assert_eq!(minimise(&trace, &choice, &mut fails).unwrap(), choice, "it does not fail");
}

#[test]
fn a_minimal_tear_names_one_sector() {
    let disk = SimDisk::new();
    let log = disk.create("log").unwrap();
    log.set_len(8192).unwrap();
    disk.settle();
    log.write_at(0, &[b'R'; 512]).unwrap();
    log.write_at(1024, &[b'W'; 4096]).unwrap();
    let trace = disk.trace();
    let mut fails = |state: &CrashState| {
        let shown = outcome(&state.visible());
        shown.contains('W') && shown.as_bytes()["log=".len() + 5] == b'.'
    };
    for state in enumerate(&trace, Profile::Posix, Tiers::POWER_LOSS).filter(|s| s.at == 2) {
        if fails(&state) {
            let least = minimise(&trace, &state.choice, &mut fails).unwrap();
            let story = trace.explain(&least).to_string();
            let lost = "lost sector 3 of #1 write log 1024+4096, kept all other pending";
            let kept = "sector 0 of #1 write log 1024+4096, lost all other pending";
            assert!(story.ends_with(lost) || story.ends_with(kept), "{story}");
        }
    }
}

proptest! {
    #![proptest_config(fixed(60))]

    #[test]
    fn minimising_keeps_the_failure(program in programs(512, 6, 10), letter in b'A'..=b'F') {
        let disk = SimDisk::new();
        run(&disk, &program);
        let trace = disk.trace();
        let mut fails = |state: &CrashState| {
            let shown = outcome(&state.visible());
            shown.contains(char::from(letter)) && shown.contains('.')
        };
        for state in enumerate(&trace, Profile::Ext4, Tiers::ALL) {
            if fails(&state) {
                let least = minimise(&trace, &state.choice, &mut fails).unwrap();
                let again = trace.state_under(&least, Profile::Ext4).unwrap();
                prop_assert!(fails(&again), "{} became {}", state.choice, least);
            }
        }
    }
}
