use super::*;

const TWO: &str = r#"
    [package]
    name = "engine"
    [dependencies]
    bytes = "1"
    memmap2 = { version = "0.9" }
    [dev-dependencies]
    rusqlite = "1"
"#;

fn check(lock: &str, due: Option<&str>) {
    let audit = audit(TWO, lock).unwrap();
    assert_eq!(audit.problem.as_deref(), due);
}

#[test]
fn the_engine_as_it_is_passes() {
    let audit = audit(MANIFEST, LOCK).unwrap();
    assert_eq!(audit.problem, None);
    assert!(audit.packages >= 8, "{} packages", audit.packages);
}

#[test]
fn a_database_deep_in_the_graph_is_found() {
    check(
        r#"
        [[package]]
        name = "memmap2"
        dependencies = ["libc 0.2.1"]
        [[package]]
        name = "libc"
        dependencies = ["libsqlite3-sys"]
        "#,
        Some("engine -> memmap2 -> libc -> libsqlite3-sys: this is a database"),
    );
}

#[test]
fn an_unreviewed_package_is_found() {
    check(
        r#"
        [[package]]
        name = "bytes"
        dependencies = ["left-pad"]
        "#,
        Some("engine -> bytes -> left-pad: not on the list of reviewed dependencies"),
    );
}

#[test]
fn dependencies_of_tests_do_not_count() {
    check(
        r#"
        [[package]]
        name = "engine"
        dependencies = ["bytes", "memmap2", "rusqlite"]
        "#,
        None,
    );
}

#[test]
fn documented_names_are_known_and_others_not() {
    let names = ["LOCK", "MANIFEST", "MANIFEST.tmp", "wal-000001.log"];
    for path in names.into_iter().chain(["SEGMENTS/seg-000001.dat", "INDEX/seg-000001.idx"]) {
        assert!(is_known(path), "{path}");
    }
    for path in [
        "data.db",
        "SEGMENTS/data.db",
        "INDEX/seg-000001.dat",
        "wal-1.log",
        "../other",
        "/etc/passwd",
    ] {
        assert!(!is_known(path), "{path}");
    }
}
