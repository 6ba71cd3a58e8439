use proptest::prelude::*;

use super::{Entropy, Plan, PlanError, PlanProblem, Settings};
use crate::generate::{GenerateProfile, generate};
use crate::op::{Id, Op};
use crate::strategy;
use crate::subject::Capabilities;

fn settings(entropy: &[u8]) -> Settings {
    let entropy = entropy.iter().copied().map(Id::nth).collect();
    Settings { wal_reserve: 4096, max_segment: 2048, entropy, max_payload: 5200 }
}

fn small() -> Plan {
    let mut plan = generate(3, &GenerateProfile::crash());
    plan.ops.truncate(8);
    plan.settings.entropy.truncate(2);
    plan
}

#[test]
fn a_plan_is_a_readable_file() {
    insta::assert_snapshot!(small(), @r#"
    {"format":"proofhouse-plan","version":1,"seed":3,"settings":{"wal_reserve":8192,"max_segment":2048,"entropy":["01000000000000000000000000000001","01000000000000000000000000000001"],"max_payload":5200}}
    {"op":"create_collection","collection":"c0"}
    {"op":"begin"}
    {"op":"commit"}
    {"op":"put","collection":"c0","id":"00000000000000000000000000000001","payload":{"entity":{"tag":1,"size":86}}}
    {"op":"begin"}
    {"op":"put","collection":"c1","id":"02000000000000000000000000000000","payload":{"entity":{"tag":2,"size":61}}}
    {"op":"commit"}
    {"op":"insert","collection":"c0","payload":{"entity":{"tag":3,"size":87}}}
    "#);
}

#[track_caller]
fn refused(file: &str, line: usize, problem: &str) {
    let error = Plan::parse(file.as_bytes()).unwrap_err();
    assert_eq!((error.line, error.problem.to_string().as_str()), (line, problem));
}

#[test]
fn other_files_are_foreign() {
    let foreign = PlanProblem::Foreign.to_string();
    for file in ["", "\n", "{}\n", "[1]\n", "{\"format\":\"proofhouse-case\",\"version\":1}\n"] {
        refused(file, 1, &foreign);
    }
    assert_eq!(
        Plan::parse(&[0x7f, b'E', b'L', b'F', 0]),
        Err(PlanError { line: 1, problem: PlanProblem::Foreign })
    );
}

#[test]
fn a_newer_version_is_told_as_such_whatever_else_it_says() {
    let file = r#"{"format":"proofhouse-plan","version":2,"clients":3}"#;
    refused(file, 1, "plan version 2 is newer than 1: use a newer proofhouse");
}

#[test]
fn damage_is_told_with_its_line_and_column() {
    let file = small().to_string();
    let header = file.lines().next().unwrap();
    refused(&header.replace("version\":1", "version\":0"), 1, "there is no version 0");
    refused(
        &header.replace("\"seed\"", "\"sead\""),
        1,
        "unknown field `sead`, expected one of `format`, `version`, `seed`, `settings` (column 46)",
    );
    refused(&format!("{header}\n\n"), 2, "EOF while parsing a value");
    let create = r#"{"op":"create_collection","collection":"c0"}"#;
    let misspelt = create.replace("c0", "k0");
    refused(
        &format!("{header}\n{create}\n{misspelt}\n"),
        3,
        "not a collection (c0 to c255): \"k0\"",
    );
    refused(&format!("{header}\n{create}"), 2, "the file ends within this line");
}

#[test]
fn only_what_the_subject_offers_stays_in_its_plan() {
    let plan = generate(1, &GenerateProfile::differential());
    let none = Capabilities {
        transactions: false,
        snapshots: false,
        checkpoint: false,
        compaction: false,
        ranges: false,
        scrub: false,
        insert: false,
        ..Capabilities::ALL
    };
    let kept = plan.for_capabilities(none);
    let offered = |op: &Op| {
        matches!(
            op,
            Op::CreateCollection { .. }
                | Op::Put { .. }
                | Op::Delete { .. }
                | Op::Get { .. }
                | Op::GetMany { .. }
                | Op::Scan { .. }
                | Op::Reopen
        )
    };
    assert!(kept.ops.iter().eq(plan.ops.iter().filter(|op| offered(op))));
    assert_eq!(plan.for_capabilities(Capabilities::ALL), plan);
}

#[test]
fn entropy_goes_on_in_a_later_life_where_it_was_left() {
    let settings = settings(&[1, 2, 3]);
    let first = Entropy::new(&settings);
    let drawn: Vec<_> = (0..5).map(|_| first.draw()).collect();
    assert_eq!(drawn, [1, 2, 3, 1, 2].map(|n| Some(Id::nth(n))));
    let second = Entropy::new(&settings.after_draws(5));
    assert_eq!(second.draw(), Some(Id::nth(3)));
    assert_eq!(second.draw(), first.draw().and(Some(Id::nth(1))));
}

#[test]
fn there_is_nothing_to_draw_from_no_entropy() {
    let settings = settings(&[]);
    assert_eq!(Entropy::new(&settings).draw(), None);
    assert_eq!(settings.after_draws(5), settings);
}

proptest! {
    #[test]
    fn every_plan_is_read_as_it_was_written(plan in strategy::plan(0..30)) {
        prop_assert_eq!(Plan::parse(plan.to_string().as_bytes()), Ok(plan));
    }

    #[test]
    fn arbitrary_bytes_are_refused_without_panic(bytes: Vec<u8>) {
        prop_assert!(Plan::parse(&bytes).is_err());
    }

    #[test]
    fn a_mutated_plan_is_read_or_refused_within_its_lines(
        plan in strategy::plan(1..6),
        place: prop::sample::Index,
        byte: u8,
    ) {
        let mut file = plan.to_string().into_bytes();
        let place = place.index(file.len());
        file[place] = byte;
        match Plan::parse(&file) {
            Ok(read) => prop_assert_eq!(Plan::parse(read.to_string().as_bytes()), Ok(read)),
            Err(error) => {
                let lines = file.split(|byte| *byte == b'\n').count();
                prop_assert!((1..=lines).contains(&error.line), "{}", error);
            }
        }
    }
}
