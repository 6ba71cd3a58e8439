use super::*;

#[track_caller]
fn check(reviewed: &str, found: &str, due: &[&str]) {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("api/x.txt");
    write(&file, reviewed).unwrap();
    let told = compare("x", &file, found);
    let (last, told) =
        told.split_last().map_or(("", &[][..]), |(last, rest)| (last.as_str(), rest));
    assert_eq!(told, due);
    assert_eq!(last.starts_with("x: once reviewed, `--bless-api` writes "), !due.is_empty());
}

#[test]
fn what_is_new_or_gone_is_told() {
    check("pub fn x::a()\npub fn x::b()\n", "pub fn x::b()\npub fn x::a()\n", &[]);
    let due = ["x: gone: pub fn x::a()", "x: new: pub fn x::a(u8)"];
    check("pub fn x::a()\npub fn x::b()\n", "pub fn x::a(u8)\npub fn x::b()\n", &due);
    let many = (0..12).map(|n| format!("pub fn x::f{n}()")).collect::<Vec<_>>().join("\n");
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("x.txt");
    write(&file, "").unwrap();
    let told = compare("x", &file, &many);
    assert_eq!((told.len(), told[TOLD].as_str()), (TOLD + 2, "x: and 2 more"));
}

#[test]
fn a_crate_without_a_reviewed_list_is_told() {
    let told = compare("x", Path::new("/nowhere/x.txt"), "pub mod x\n");
    assert!(told[0].starts_with("/nowhere/x.txt: "), "{told:?}");
}

#[test]
fn the_tool_is_missed_by_what_cargo_and_rustup_say() {
    assert!(is_missing("cargo +nightly public-api: error: no such command: `public-api`"));
    assert!(is_missing("error: toolchain 'nightly-x86_64-unknown-linux-gnu' is not installed"));
    assert!(!is_missing("error[E0308]: mismatched types"));
}
