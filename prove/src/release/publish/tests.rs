use super::*;

#[track_caller]
fn check(uploads: &[&str], due: &[&str]) {
    let told = |name: &&str| format!("   Uploading {name} v0.1.0 (/x/{name})\nwarning: aborting");
    let said = uploads.iter().map(told).collect::<Vec<_>>().join("\n");
    let needs = [("leaf", vec![]), ("middle", vec!["leaf"]), ("top", vec!["leaf", "middle"])];
    let owned = |names: Vec<&str>| names.into_iter().map(str::to_owned).collect();
    let needs = needs.into_iter().map(|(name, needs)| (name.to_owned(), owned(needs))).collect();
    assert_eq!(disorder(&order(&said), &needs), due);
}

#[test]
fn a_crate_follows_those_that_it_needs() {
    check(&["leaf", "middle", "top"], &[]);
    check(&["leaf", "top", "middle"], &["top would be uploaded before middle"]);
    check(&["leaf", "middle"], &["top would not be uploaded"]);
    check(
        &["top"],
        &[
            "leaf would not be uploaded",
            "middle would not be uploaded",
            "top would be uploaded before leaf",
            "top would be uploaded before middle",
        ],
    );
}

#[test]
fn what_a_package_needs_is_what_its_manifest_says_but_for_tests() {
    let manifest = r#"
        [dependencies.leaf]
        version = "1"
        [dependencies.alias]
        package = "other"
        [build-dependencies]
        tool = "1"
        [dev-dependencies]
        check = "1"
        [target."cfg(unix)".dependencies.system]
        version = "1"
    "#;
    let manifest = manifest.parse().unwrap();
    let found = dependencies(&manifest);
    assert_eq!(found.collect::<Vec<_>>(), ["other", "leaf", "tool", "system"]);
}
