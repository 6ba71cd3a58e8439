use std::path::PathBuf;

use super::*;
use crate::proof::tests::{lost, lost_with_power, sample};

#[test]
fn a_run_reads_like_this() {
    let cases = [Some(PathBuf::from("out/cases/AC-02.kill-boundaries-lost.json"))];
    insta::assert_snapshot!(render(&sample(vec![lost()]), &cases));
}

#[test]
fn a_finding_with_many_causes_reads_like_this() {
    let mut text = String::new();
    write_finding(&mut text, &lost_with_power());
    insta::assert_snapshot!(text, @r"

    FAIL AC-04.power-loss: lost acknowledged commit, strongest medium ext4
      power loss (ext4) before #4: lost all pending
      lost: shows the state after 1 events
      cause 1: 6 states: write log-6: content pending at acknowledgement
      cause 2: 5 states: write log-5: content pending at acknowledgement
      cause 3: 4 states: write log-4: content pending at acknowledgement
      cause 4: 3 states: write log-3: content pending at acknowledgement
      cause 5: 2 states: write log-2: content pending at acknowledgement
      more causes in the case file: 1
    ");
}

#[test]
fn digits_are_grouped_by_three() {
    for (number, due) in
        [(0, "0"), (999, "999"), (1_000, "1,000"), (12_345, "12,345"), (1_234_567, "1,234,567")]
    {
        assert_eq!(grouped(number), due);
    }
}

#[test]
fn the_line_to_paste_survives_a_shell() {
    for (path, due) in [
        ("out/cases/a-b.case.json", "proofhouse replay out/cases/a-b.case.json"),
        ("my out/it's.json", r"proofhouse replay 'my out/it'\''s.json'"),
    ] {
        assert_eq!(replay_line(&PathBuf::from(path)), due);
    }
}
