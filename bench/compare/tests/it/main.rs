//! The program as a whole, on tiny stores.

#![expect(clippy::expect_used, reason = "a test that cannot set up its work must stop")]

use std::path::Path;
use std::process::Command;

use serde_json::Value;

fn run(dir: &Path, arguments: &[&str]) -> (bool, String) {
    let mut program = Command::new(env!("CARGO_BIN_EXE_proofhouse-compare"));
    program.args(["--quick", "--dir"]).arg(dir).arg("--out").arg(dir.join("out")).args(arguments);
    let out = program.output().expect("the program runs");
    (out.status.success(), String::from_utf8_lossy(&out.stderr).into_owned())
}

fn results(dir: &Path) -> Value {
    let text = std::fs::read_to_string(dir.join("out/compare.json")).expect("results");
    serde_json::from_str(&text).expect("JSON")
}

#[test]
fn every_peer_is_measured_in_every_row_and_drawn() {
    let dir = tempfile::tempdir().expect("a directory");
    let (is_done, said) = run(dir.path(), &[]);
    assert!(is_done, "{said}");
    let report = results(dir.path());
    let peers = report["machine"]["peers"].as_array().expect("peers");
    assert!(peers.len() >= 7, "{peers:?}");
    let rows = report["rows"].as_array().expect("rows");
    assert!(rows.len() >= 20, "{}", rows.len());
    for row in rows {
        let cells = row["cells"].as_array().expect("cells");
        for peer in peers {
            let cell = cells.iter().find(|cell| cell["peer"] == peer["peer"]);
            let samples = cell.and_then(|cell| cell["samples"].as_array());
            assert!(samples.is_some_and(|samples| !samples.is_empty()), "{row} {peer}");
        }
    }
    let plots = std::fs::read_dir(dir.path().join("out")).expect("a listing");
    let plots = plots.filter_map(|entry| Some(entry.ok()?.path().extension()? == "svg"));
    assert_eq!(plots.filter(|is_plot| *is_plot).count(), rows.len());
    for calls in report["sync_calls"].as_array().expect("sync calls") {
        let is_known = calls["not_measured"].is_null();
        assert!(!is_known || calls["durable"] == (calls["peer"] != "sled"), "{calls}");
    }
    // Nothing but the results is left.
    assert_eq!(std::fs::read_dir(dir.path()).expect("a listing").count(), 1);
}

#[test]
fn a_part_of_one_peer_can_be_asked_for() {
    let dir = tempfile::tempdir().expect("a directory");
    let (is_done, said) = run(dir.path(), &["--only", "entidb", "--parts", "commits"]);
    assert!(is_done, "{said}");
    let report = results(dir.path());
    assert_eq!(report["rows"].as_array().map(Vec::len), Some(3));
    assert_eq!(report["machine"]["peers"].as_array().map(Vec::len), Some(1));
}

#[test]
fn an_unknown_peer_is_refused_by_name() {
    let dir = tempfile::tempdir().expect("a directory");
    let (is_done, said) = run(dir.path(), &["--only", "oracle"]);
    assert!(!is_done && said.contains("no peer is called oracle; there are EntiDB"), "{said}");
}
