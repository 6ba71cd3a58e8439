use super::*;

const CRATES: [(&str, &str); 2] = [("one", "0.2.0"), ("two", "0.2.0")];

fn lock(one: &str, two: &str) -> String {
    format!(
        "[[package]]\nname = \"one\"\nversion = \"{one}\"\n\n\
         [[package]]\nname = \"two\"\nversion = \"{two}\"\n"
    )
}

#[track_caller]
fn check(changelog: &str, lock: &str, said: &str, due: &[&str]) {
    let wrong = disagreements("0.2.0", changelog, lock, &CRATES, said).unwrap();
    assert_eq!(wrong, due);
}

#[test]
fn whoever_says_another_version_is_named() {
    let (changelog, locked) =
        ("# C\n\n## 0.2.0 (unreleased)\n\n## 0.1.0\n", lock("0.2.0", "0.2.0"));
    let said = "proofhouse 0.2.0\n";
    check(changelog, &locked, said, &[]);
    let due = ["the first heading of CHANGELOG.md says 0.1.0, the workspace 0.2.0"];
    check("# C\n\n## 0.1.0\n", &locked, said, &due);
    let due = ["the first heading of CHANGELOG.md says no version, the workspace 0.2.0"];
    check("# C\n", &locked, said, &due);
    let due = ["Cargo.lock, of two, says 0.1.0, the workspace 0.2.0"];
    check(changelog, &lock("0.2.0", "0.1.0"), said, &due);
    let due = ["the packaged program says 0.1.0, the workspace 0.2.0"];
    check(changelog, &locked, "proofhouse 0.1.0\n", &due);
}

#[test]
fn a_crate_of_another_version_is_named() {
    let crates = [("one", "0.1.9")];
    let said = "proofhouse 0.2.0";
    let wrong = disagreements("0.2.0", "## 0.2.0", &lock("0.2.0", ""), &crates, said).unwrap();
    assert_eq!(wrong, ["one's Cargo.toml says 0.1.9, the workspace 0.2.0"]);
}

#[test]
fn a_version_that_is_not_released_yet_says_so() {
    assert_eq!(undated("# C\n\n## 0.2.0 (2026-12-01)\n\n## 0.1.0 (unreleased)\n"), None);
    let told = undated("# C\n\n## 0.2.0 (unreleased)\n").unwrap();
    assert!(told.contains("0.2.0 (unreleased): give it the day"), "{told}");
}
