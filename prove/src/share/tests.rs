use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use super::ledger::{FORMAT, Header, NAME, RunOf, VERSION, read, read_all};
use super::*;
use crate::driving::Driving;
use crate::profile::{Profile, Promise};

fn run(seed: u64) -> RunOf {
    RunOf {
        proofhouse: "1.2.3".to_owned(),
        build: "b".to_owned(),
        subject: "tiny".to_owned(),
        about: "a".to_owned(),
        profile: Profile::Quick,
        seed,
        criteria: vec!["AC-02".to_owned()],
        promise: Promise::Own,
        driving: Driving::default(),
    }
}

fn header(seed: u64, shard: Shard) -> Header {
    Header { format: FORMAT.to_owned(), version: VERSION, shard, run: run(seed) }
}

const CASES: u64 = 20;

/// Answers the cases of a unit, each with its square, in the shard whose ledger is in `dir`; how
/// many were asked, and the answers.
fn answer(dir: &Path, shard: Shard, budget: Budget) -> (u64, Vec<(u64, u64)>) {
    let (ledger, known) = Ledger::open(&dir.join(NAME), &header(1, shard)).unwrap();
    let ours = Share::of_shard(shard, ledger, known);
    let asked = AtomicU64::new(0);
    let answers = ours.cases("unit", (2, CASES), (budget, true), |case| {
        asked.fetch_add(1, Ordering::Relaxed);
        case * case
    });
    ours.finish().unwrap();
    (asked.into_inner(), answers)
}

fn shard(number: u32, of: u32) -> Shard {
    Shard { number, of }
}

#[test]
fn every_case_belongs_to_one_shard_and_every_shard_has_its_share() {
    for of in 1..=9 {
        for unit in ["crashes", "kills", ""] {
            let mut shares = vec![0; 9];
            for case in 0..100 {
                let owners: Vec<u32> =
                    (1..=of).filter(|number| shard(*number, of).owns(unit, case)).collect();
                assert_eq!(owners.len(), 1, "case {case} of {unit} in {of}");
                shares[owners[0] as usize - 1] += 1;
            }
            assert!(shares.iter().take(of as usize).all(|share| *share >= 100 / of), "{shares:?}");
        }
    }
}

#[test]
fn a_shard_is_named_by_two_numbers() {
    assert_eq!("2/4".parse(), Ok(shard(2, 4)));
    for wrong in ["", "2", "0/4", "5/4", "1/0", "1/1001", "-1/2", "a/b", "1/2/3"] {
        assert!(wrong.parse::<Shard>().is_err(), "{wrong}");
    }
}

#[test]
fn shards_answer_each_case_once_and_their_merger_all_of_them() {
    let dirs: Vec<_> = (1..=3).map(|_| tempfile::tempdir().unwrap()).collect();
    let mut asked = 0;
    for (number, dir) in (1..).zip(&dirs) {
        asked += answer(dir.path(), shard(number, 3), Budget::default()).0;
    }
    assert_eq!(asked, CASES);
    let paths: Vec<_> = dirs.iter().rev().map(|dir| dir.path().to_path_buf()).collect();
    let merged = Share::merged(read_all(&paths).unwrap().1);
    let never = |_| -> u64 { unreachable!("a merger asks nothing") };
    let all = merged.cases("unit", (1, CASES), (Budget::default(), false), never);
    assert!(all.into_iter().eq((0..CASES).map(|case| (case, case * case))));
    assert!(merged.finish().unwrap());
    // What no shard answered is never taken for answered.
    let more = merged.cases("unit", (1, CASES + 1), (Budget::default(), false), never);
    assert_eq!(more.len() as u64, CASES);
    assert!(matches!(merged.finish(), Err(LedgerError::Unanswered { case: CASES, .. })));
}

#[test]
fn what_was_answered_is_not_asked_again() {
    let dir = tempfile::tempdir().unwrap();
    let whole = shard(1, 1);
    let first = answer(dir.path(), whole, Budget::default());
    assert_eq!(first.0, CASES);
    assert_eq!(answer(dir.path(), whole, Budget::default()), (0, first.1.clone()));
    // As a kill leaves it: some lines, and a part of one.
    let path = dir.path().join(NAME);
    let bytes = fs::read(&path).unwrap();
    let lines: Vec<_> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
    fs::write(&path, [lines[..8].concat(), lines[8][..9].to_vec()].concat()).unwrap();
    assert!(!read(&path).unwrap().ended);
    assert_eq!(answer(dir.path(), whole, Budget::default()), (CASES - 7, first.1));
    assert!(read(&path).unwrap().ended);
}

#[test]
fn what_the_budget_cut_is_answered_anew() {
    let dir = tempfile::tempdir().unwrap();
    let spent = Budget { until: Some(Instant::now()) };
    assert_eq!(answer(dir.path(), shard(1, 1), spent).0, CASES);
    let path = dir.path().join(NAME);
    assert!(!read(&path).unwrap().ended);
    assert!(matches!(read_all(&[path]), Err(LedgerError::Unfinished { .. })));
    assert_eq!(answer(dir.path(), shard(1, 1), Budget::default()).0, CASES);
}

/// What is said of shards, of which `make` makes some in a directory.
#[track_caller]
fn check(due: &str, make: impl FnOnce(&dyn Fn(&str, Header) -> PathBuf) -> Vec<PathBuf>) {
    let dir = tempfile::tempdir().unwrap();
    let paths = make(&|name, header| {
        let path = dir.path().join(name);
        let (mut ledger, _) = Ledger::open(&path, &header).unwrap();
        ledger.end().unwrap();
        path
    });
    let error = read_all(&paths).unwrap_err().to_string();
    let place = format!("{}/", dir.path().display());
    assert_eq!(error.replace(&place, ""), due);
}

#[test]
fn shards_that_are_not_of_one_run_or_not_all_are_refused() {
    let of = |number, of| header(1, shard(number, of));
    check("a: shard 2/3 of this run is missing", |make| {
        vec![make("a", of(1, 3)), make("b", of(3, 3))]
    });
    check("b: shard 1/2 again; it is in a, too", |make| {
        vec![make("a", of(1, 2)), make("b", of(1, 2))]
    });
    check("b: shard 2/3, and the first file is one of 2", |make| {
        vec![make("a", of(1, 2)), make("b", of(2, 3))]
    });
    check("b: of another run: its seed is 2, not 1", |make| {
        vec![make("a", of(1, 2)), make("b", header(2, shard(2, 2)))]
    });
    for (differs, change) in [
        ("version is 1.2.4, not 1.2.3", (|run| run.proofhouse = "1.2.4".into()) as fn(&mut RunOf)),
        ("build is c, not b", |run| run.build = "c".into()),
        ("subject is reference, not tiny", |run| run.subject = "reference".into()),
        ("profile is deep, not quick", |run| run.profile = Profile::Deep),
        ("criteria is AC-02,AC-04, not AC-02", |run| run.criteria.push("AC-04".into())),
        ("promise is All, not Own", |run| run.promise = Promise::All),
        ("watchdog is 1s, not 10s", |run| run.driving.watchdog = Duration::from_secs(1)),
    ] {
        check(&format!("b: of another run: its {differs}"), |make| {
            let mut other = of(2, 2);
            change(&mut other.run);
            vec![make("a", of(1, 2)), make("b", other)]
        });
    }
}

#[test]
fn damaged_and_foreign_ledgers_are_refused_with_the_position() {
    let dir = tempfile::tempdir().unwrap();
    answer(dir.path(), shard(1, 2), Budget::default());
    let path = dir.path().join(NAME);
    let whole = fs::read_to_string(&path).unwrap();
    let first = whole.find('\n').unwrap() + 1;
    let foreign = "not a shard: its first line has no \"format\": \"proofhouse-shard\"";
    let mine = whole.lines().nth(1).unwrap();
    let case_in = |line: &str| -> u64 {
        line.split("\"case\":").nth(1).unwrap().split(',').next().unwrap().parse().unwrap()
    };
    let (case, other) = (case_in(mine), case_in(whole.lines().nth(2).unwrap()));
    let at = |case: u64| format!("\"case\":{case},");
    for (content, due) in [
        (String::new(), foreign.to_owned()),
        ("{\"format\": 1}\n".to_owned(), foreign.to_owned()),
        (whole[..first - 1].to_owned(), foreign.to_owned()),
        (whole.replacen("\"version\":1", "\"version\":2", 1), "version 2 is newer than 1".into()),
        (whole.replacen("took", "tock", 1), format!("damaged at byte {first}, line 2: unknown")),
        (whole.replacen(&at(case), &at(case + 1), 1), "belongs to another shard".to_owned()),
        (whole.replacen(&at(case), &at(other), 1), "is answered already".to_owned()),
        (whole.replacen(&format!("{mine}\n"), "", 1), "answers are due".to_owned()),
        (format!("{whole}{mine}\n"), "a line after the end".to_owned()),
    ] {
        fs::write(&path, &content).unwrap();
        let error = read(&path).unwrap_err().to_string();
        assert!(error.contains(&due), "{error}\nis not: {due}");
    }
}
