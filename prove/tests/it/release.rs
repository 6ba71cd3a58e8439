//! `release-check` and the scripts, through the program itself.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use entidb_engine::format::manifest::{FORMAT, Manifest, NewerMinor};
use proofhouse::release::{Access, ask, shows};
use proofhouse_golden::{Material, embedded, families};

use super::{proofhouse, stdout};

fn write(dir: &Path, name: &str, text: &str) {
    let path = dir.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// A workspace as small as can be: a program that includes a file, and the crate that it needs.
fn toy(dir: &Path) {
    let shared = "version.workspace = true\nlicense.workspace = true\nreadme.workspace = true\n";
    write(
        dir,
        "Cargo.toml",
        "[workspace]\nresolver = \"3\"\nmembers = [\"leaf\", \"top\"]\n\
         [workspace.package]\nversion = \"0.2.0\"\nlicense = \"MIT\"\nreadme = \"README.md\"\n",
    );
    write(dir, "README.md", "toy\n");
    write(dir, "CHANGELOG.md", "# Changelog\n\n## 0.2.0 (2026-11-29)\n");
    for (name, rest) in [
        ("leaf", String::new()),
        (
            "top",
            "[dependencies]\nproofhouse-toy-leaf = { path = \"../leaf\", version = \"0.2.0\" }\n"
                .to_owned(),
        ),
    ] {
        let crate_name = if name == "top" { "proofhouse" } else { "proofhouse-toy-leaf" };
        write(
            dir,
            &format!("{name}/Cargo.toml"),
            &format!(
                "[package]\nname = \"{crate_name}\"\ndescription = \"x\"\nedition = \"2024\"\n{shared}{rest}"
            ),
        );
        for license in ["LICENSE-MIT", "LICENSE-APACHE"] {
            write(dir, &format!("{name}/{license}"), "text\n");
        }
    }
    write(dir, "leaf/src/lib.rs", "pub const SAID: &str = \"proofhouse 0.2.0\";\n");
    write(dir, "top/src/data.txt", "\n");
    write(
        dir,
        "top/src/main.rs",
        "fn main() { print!(\"{}{}\", proofhouse_toy_leaf::SAID, include_str!(\"data.txt\")); }\n",
    );
    let lock = Command::new("cargo").arg("generate-lockfile").current_dir(dir).output().unwrap();
    assert!(lock.status.success());
}

/// Replaces in a file of the tree; the text must be there.
fn replace(dir: &Path, name: &str, from: &str, to: &str) {
    let text = fs::read_to_string(dir.join(name)).unwrap();
    assert!(text.contains(from), "{name}: {text}");
    fs::write(dir.join(name), text.replacen(from, to, 1)).unwrap();
}

fn release_check(tree: &Path, only: &str) -> (String, Option<i32>) {
    let out = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_proofhouse"));
    command.args(["release-check", "--only", only, "--out", "out", "--tree"]).arg(tree);
    // All that the toy needs is in it.
    command.current_dir(out.path()).env("CARGO_NET_OFFLINE", "true").env_remove("CARGO_TARGET_DIR");
    let output = command.output().unwrap();
    let page = fs::read_to_string(out.path().join("out/release.json")).unwrap();
    let page: serde_json::Value = serde_json::from_str(&page).unwrap();
    assert_eq!(page["lines"].as_array().unwrap().len(), 9);
    (stdout(&output), output.status.code())
}

/// What is left out keeps a page from being green, so 17 is the best that a part of it can get.
#[test]
fn a_tree_is_packed_built_and_compared_and_each_fault_is_seen() {
    let dir = tempfile::tempdir().unwrap();
    let tree = dir.path();
    let checks = "versions,packages,build";
    toy(tree);
    let (said, code) = release_check(tree, checks);
    assert_eq!(code, Some(17), "{said}");
    assert_eq!(said.matches(" PASS ").count(), 3, "{said}");

    replace(tree, "CHANGELOG.md", "0.2.0", "0.1.9");
    let (said, code) = release_check(tree, checks);
    assert!(
        said.contains("the first heading of CHANGELOG.md says 0.1.9, the workspace 0.2.0"),
        "{said}"
    );
    assert_eq!(code, Some(10));
    replace(tree, "CHANGELOG.md", "0.1.9 (2026-11-29)", "0.2.0 (unreleased)");
    let (said, code) = release_check(tree, checks);
    assert!(said.contains("says 0.2.0 (unreleased): give it the day"), "{said}");
    assert_eq!(code, Some(10));
    replace(tree, "CHANGELOG.md", "unreleased", "2026-11-29");

    replace(tree, "leaf/src/lib.rs", "proofhouse 0.2.0", "proofhouse 0.2.1");
    let (said, _) = release_check(tree, checks);
    assert!(said.contains("the packaged program says 0.2.1, the workspace 0.2.0"), "{said}");
    replace(tree, "leaf/src/lib.rs", "proofhouse 0.2.1", "proofhouse 0.2.0");

    replace(tree, "top/Cargo.toml", "description = \"x\"\n", "");
    fs::remove_file(tree.join("leaf/LICENSE-MIT")).unwrap();
    let (said, code) = release_check(tree, checks);
    assert!(said.contains("proofhouse: no description in its Cargo.toml"), "{said}");
    assert!(said.contains("proofhouse-toy-leaf: its package lacks LICENSE-MIT"), "{said}");
    assert_eq!(code, Some(10));

    // What is in the tree and not in the package is missed by the packages alone.
    replace(tree, "top/Cargo.toml", "edition", "exclude = [\"src/data.txt\"]\nedition");
    let (said, code) = release_check(tree, checks);
    assert!(said.contains("build: cargo build --release: error: couldn't read"), "{said}");
    assert_eq!(code, Some(10));
}

/// The vectors of the tree with one store's content changed, and all digests brought up to date.
fn damaged(dir: &Path) -> PathBuf {
    let copy = dir.join("vectors");
    let generate = proofhouse(dir, &["vectors", "generate", "vectors"]);
    assert!(generate.status.success());
    let (name, index) = (copy.join("stores/releases.json"), copy.join("index.json"));
    let before = fs::read_to_string(&name).unwrap();
    let manifest = before.find("\"MANIFEST\":\"454d464e").unwrap() + "\"MANIFEST\":\"".len();
    let mut after = before.clone();
    after.replace_range(manifest..manifest + 8, "454d464f");
    fs::write(&name, &after).unwrap();
    let listed = fs::read_to_string(&index).unwrap();
    let digest = |text: &str| proofhouse_golden::sha256(text.as_bytes());
    fs::write(&index, listed.replace(&digest(&before), &digest(&after))).unwrap();
    copy
}

#[test]
fn a_damaged_store_and_a_changed_vector_are_seen() {
    let dir = tempfile::tempdir().unwrap();
    let copy = damaged(dir.path());
    let checked = proofhouse(dir.path(), &["vectors", "check", copy.to_str().unwrap()]);
    assert_eq!(checked.status.code(), Some(10));
    let told = String::from_utf8(checked.stderr).unwrap();
    assert!(told.contains("release-store 0.1.0/"), "{told}");
    let over = proofhouse(dir.path(), &["vectors", "generate", copy.to_str().unwrap()]);
    assert_eq!(over.status.code(), Some(1));
    let told = String::from_utf8(over.stderr).unwrap();
    assert!(told.contains("published vectors would change: release-store 0.1.0/"), "{told}");
}

#[test]
fn a_program_is_held_to_what_a_store_must_show() {
    let program = Path::new(env!("CARGO_BIN_EXE_proofhouse"));
    let work = tempfile::tempdir().unwrap();
    let stores = embedded().unwrap().families.remove(families::RELEASE).unwrap();
    for store in &stores {
        assert_eq!(shows(program, store, Access::Written, work.path()), Ok(()));
        let mut damaged = store.clone();
        let Material::Files(files) = &mut damaged.material else { panic!("{}", store.id) };
        files.get_mut("MANIFEST").unwrap()[12] ^= 1;
        let told = shows(program, &damaged, Access::Written, work.path()).unwrap_err();
        assert!(told.starts_with(&format!("{}: opened: ", store.id)), "{told}");
        let mut other = store.clone();
        other.value.as_mut().unwrap()["sequence"] = "99".into();
        let told = shows(program, &other, Access::Written, work.path()).unwrap_err();
        assert!(told.contains("a commit, due as number 100: committed, sequence "), "{told}");
        let mut other = store.clone();
        let more = serde_json::json!([["00ffffffffffffffffffffffffffffff", "a0"]]);
        other.value.as_mut().unwrap()["collections"][1]["entities"] = more;
        let told = shows(program, &other, Access::Written, work.path()).unwrap_err();
        assert!(told.contains("opened: c1: due: "), "{told}");
    }
    assert_eq!(fs::read_dir(work.path()).unwrap().count(), 0);
}

/// The stores of this release as the next minor version would write them.
#[test]
fn a_program_reads_closed_stores_of_the_next_minor_version_and_changes_none() {
    let program = Path::new(env!("CARGO_BIN_EXE_proofhouse"));
    let work = tempfile::tempdir().unwrap();
    let stores = embedded().unwrap().families.remove(families::RELEASE).unwrap();
    for mut store in stores {
        let Material::Files(files) = &mut store.material else { panic!("{}", store.id) };
        let mut manifest = Manifest::decode(&files["MANIFEST"]).unwrap();
        let is_closed = manifest.trailer.wals.is_empty();
        manifest.newer = Some(NewerMinor { format_minor: FORMAT.1 + 1, fields: vec![7] });
        files.insert("MANIFEST".to_owned(), manifest.encode());
        let read = shows(program, &store, Access::Read, work.path());
        assert_eq!(read.is_ok(), is_closed, "{read:?}");
        let written = shows(program, &store, Access::Written, work.path()).unwrap_err();
        let due = if is_closed { "opened: a commit, due as number " } else { "opened: " };
        assert!(written.contains(due), "{written}");
    }
    let store = &embedded().unwrap().families[families::RELEASE][0];
    let told = shows(program, store, Access::Read, work.path()).unwrap_err();
    assert!(told.contains("a commit to a later format, due as refused: committed"), "{told}");
}

/// This program in the part of an earlier release of the same format.
#[test]
fn an_earlier_release_is_asked_what_it_opens_and_what_it_published() {
    let program = Path::new(env!("CARGO_BIN_EXE_proofhouse"));
    let dir = tempfile::tempdir().unwrap();
    let vectors = Path::new(env!("CARGO_MANIFEST_DIR")).join("../vectors");
    let version = env!("CARGO_PKG_VERSION");
    let answers = ask(&vectors, [version, version], program, dir.path()).unwrap();
    assert_eq!((answers.stores, answers.not_covered), (5, 0));
    assert_eq!(answers.faults, Vec::<String>::new());
    let copy = damaged(dir.path());
    let answers = ask(&copy, [version, version], program, dir.path()).unwrap();
    let told = answers.faults.join("\n");
    assert!(told.contains("0.1.0/empty: opened: "), "{told}");
    assert!(told.contains("changed: release-store 0.1.0/empty"), "{told}");
    let none = ask(&vectors, ["0.0.1", version], program, dir.path()).unwrap_err();
    assert_eq!(none, "no store of 0.0.1 in vectors/stores");
}

fn run_scripts(subject: &str) -> Output {
    let dir = tempfile::tempdir().unwrap();
    let program = env!("CARGO_BIN_EXE_proofhouse");
    let output = proofhouse(
        dir.path(),
        &["vectors", "run-scripts", "--dir", ".", "--", program, "driver", subject],
    );
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    output
}

#[test]
fn the_reference_engine_follows_every_script() {
    let output = run_scripts("reference");
    let said = stdout(&output);
    assert_eq!(output.status.code(), Some(0), "{said}");
    let scripts = embedded().unwrap().scripts;
    let all = format!("driver: {} of {0} scripts agree\n", scripts.len());
    assert!(said.ends_with(&all) && !said.contains("left out"), "{said}");
    let mut rules = BTreeMap::new();
    for script in &scripts {
        *rules.entry(&script.rule).or_insert(0) += 1;
    }
    assert_eq!(said.lines().count(), rules.len() + 1);
}

#[test]
fn flawed_engines_fail_scripts_of_their_kind() {
    for (flaw, rule) in [
        ("insert-overwrites-live", "insert/live-is-skipped"),
        ("key-without-collection", "plan/mixed-08"),
        ("range-ends-early", "range/from"),
        ("snapshot-broken-by-checkpoint", "snapshot/checkpoint"),
        ("compaction-ignores-snapshots", "snapshot/compaction"),
        ("sequence-skips-on-abort", "transaction/abort"),
    ] {
        let output = run_scripts(&format!("flawed:{flaw}"));
        assert_eq!(output.status.code(), Some(10), "{flaw}: {}", stdout(&output));
        let told = String::from_utf8(output.stderr).unwrap();
        assert!(told.contains(&format!("script {rule}, step ")), "{flaw}: {told}");
    }
}
