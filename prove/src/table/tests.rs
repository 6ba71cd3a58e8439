use std::path::PathBuf;

use super::*;
use crate::proof::tests::{lost, sample};

#[test]
fn a_run_reads_like_this() {
    let cases = [Some(PathBuf::from("out/cases/AC-02.kill-boundaries-lost.json"))];
    insta::assert_snapshot!(render(&sample(vec![lost()]), &cases));
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
