//! Runs in shards: what they come to is what the whole run comes to.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use proofhouse::report::SCHEMA;
use serde_json::Value;

use super::{proofhouse, stdout};

/// A report without what does not repeat.
fn report(dir: &Path) -> Value {
    let bytes = fs::read(dir.join("report.json")).unwrap();
    let mut report: Value = serde_json::from_slice(&bytes).unwrap();
    report.as_object_mut().unwrap().remove("observed").unwrap();
    report
}

/// The case files of a run, by name.
fn cases(dir: &Path) -> BTreeMap<String, String> {
    let files = fs::read_dir(dir.join("cases")).unwrap().map(Result::unwrap);
    let named = files.map(|file| file.file_name().into_string().unwrap());
    named
        .map(|name| (name.clone(), fs::read_to_string(dir.join("cases").join(name)).unwrap()))
        .collect()
}

/// Cases done, by claim.
fn done(report: &Value) -> BTreeMap<String, u64> {
    let criteria = report["criteria"].as_array().unwrap().iter();
    let evidence = criteria.flat_map(|one| one["evidence"].as_array().unwrap());
    evidence
        .map(|one| (one["claim"].as_str().unwrap().to_owned(), one["done"].as_u64().unwrap()))
        .collect()
}

/// The shards of a run merge to its report, its cases and its exit; each checks a part, and says
/// so.
fn check(subject: &str, criteria: &str, exit: i32) {
    let [whole, parts] = [(), ()].map(|()| tempfile::tempdir().unwrap());
    let args = ["prove", "--subject", subject, "--criteria", criteria];
    let output = proofhouse(whole.path(), &args);
    assert_eq!(output.status.code(), Some(exit), "{}", stdout(&output));
    let due = report(&whole.path().join("proofhouse-out"));
    let schema = jsonschema::draft202012::new(&serde_json::from_str(SCHEMA).unwrap()).unwrap();
    let (mut sum, mut merge) = (BTreeMap::<String, u64>::new(), vec!["merge".to_owned()]);
    for number in 1..=3 {
        let output =
            proofhouse(parts.path(), &[&args[..], &["--shard", &format!("{number}/3")]].concat());
        let told = stdout(&output);
        assert!(told.contains(&format!("PARTIAL: shard {number}/3")), "{told}");
        assert!(told.contains(&format!("shard {number}/3 is complete")), "{told}");
        let place = format!("proofhouse-out/shard-{number}-of-3");
        let bytes = fs::read(parts.path().join(&place).join("report.json")).unwrap();
        let report: Value = serde_json::from_slice(&bytes).unwrap();
        let errors: Vec<_> = schema.iter_errors(&report).map(|error| error.to_string()).collect();
        assert_eq!(errors, Vec::<String>::new());
        assert_eq!(report["shard"]["number"], number);
        let verdicts = report["criteria"].as_array().unwrap().iter().map(|one| &one["verdict"]);
        assert!(verdicts.filter(|verdict| *verdict == "PASS").count() == 0, "{told}");
        for (claim, done) in done(&report) {
            *sum.entry(claim).or_default() += done;
        }
        merge.push(place);
    }
    assert_eq!(sum, done(&due), "shards of {subject} check each case once");
    let merge: Vec<&str> = merge.iter().map(String::as_str).collect();
    let output = proofhouse(parts.path(), &merge);
    assert_eq!(output.status.code(), Some(exit), "{}", stdout(&output));
    let [whole, parts] = [&whole, &parts].map(|dir| dir.path().join("proofhouse-out"));
    assert_eq!(report(&parts), due);
    assert_eq!(cases(&parts), cases(&whole));
}

#[test]
fn shards_of_a_sound_store_merge_to_its_report() {
    check("tiny", "AC-02,AC-04,AC-09", 0);
}

#[test]
fn shards_of_a_flawed_store_merge_to_its_findings() {
    check("flawed:ack-before-sync", "AC-02,AC-04", 11);
    check("flawed:torn-tail-left", "AC-02", 11);
}

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
#[test]
fn shards_of_a_command_merge_to_its_report() {
    let driver = format!("{} driver flawed:ack-before-sync", env!("CARGO_BIN_EXE_proofhouse"));
    check(&driver, "AC-02,AC-04", 11);
}

#[test]
fn a_run_that_was_cut_short_goes_on_where_it_was() {
    let [whole, parts] = [(), ()].map(|()| tempfile::tempdir().unwrap());
    let args = ["prove", "--subject", "tiny", "--criteria", "AC-04"];
    proofhouse(whole.path(), &args);
    let shard = [&args[..], &["--shard", "1/1"]].concat();
    let cut = proofhouse(parts.path(), &[&shard[..], &["--budget", "1ms"]].concat());
    assert!(stdout(&cut).contains("shard 1/1 is not complete"), "{}", stdout(&cut));
    let place = parts.path().join("proofhouse-out/shard-1-of-1");
    let refused = proofhouse(parts.path(), &["merge", place.to_str().unwrap()]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(stdout(&proofhouse(parts.path(), &shard)).contains("shard 1/1 is complete"));
    // As a kill leaves it: half of the lines, and a part of one.
    let path = place.join("answers.jsonl");
    let answers = fs::read_to_string(&path).unwrap();
    let lines: Vec<&str> = answers.split_inclusive('\n').collect();
    let kept = lines[..lines.len() / 2].concat();
    fs::write(&path, format!("{kept}{}", &lines[lines.len() / 2][..20])).unwrap();
    let again = proofhouse(parts.path(), &shard);
    assert!(stdout(&again).contains("shard 1/1 is complete"), "{}", stdout(&again));
    let answers = fs::read_to_string(&path).unwrap();
    assert!(answers.starts_with(&kept), "what was answered is not asked again");
    assert_eq!(answers.lines().count(), lines.len());
    assert_eq!(report(&place), report(&whole.path().join("proofhouse-out")));
}
