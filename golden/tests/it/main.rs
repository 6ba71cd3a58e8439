//! The directory `vectors/` as it stands in the source tree.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail the test")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use proofhouse_golden::{Vectors, embedded, families, generate};

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../vectors")
}

/// Every file below `dir`, by its name with `/`.
fn files(dir: &Path, prefix: &str, found: &mut BTreeMap<String, Vec<u8>>) {
    for entry in fs::read_dir(dir).unwrap() {
        let entry = entry.unwrap();
        let name = format!("{prefix}{}", entry.file_name().to_str().unwrap());
        if entry.file_type().unwrap().is_dir() {
            files(&entry.path(), &format!("{name}/"), found);
        } else {
            found.insert(name, fs::read(entry.path()).unwrap());
        }
    }
}

#[test]
fn checked_in_files_are_the_generated_ones_and_a_readme() {
    let mut found = BTreeMap::new();
    files(&directory(), "", &mut found);
    for beside in ["README.md", "CHANGELOG.md"] {
        assert!(found.remove(beside).is_some(), "{beside}");
    }
    let generated = generate();
    let names = |files: &BTreeMap<String, _>| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&found), names(&generated));
    for (name, bytes) in generated {
        assert!(
            found[&name] == bytes,
            "{name} differs; write it anew with `proofhouse vectors generate`"
        );
    }
}

#[test]
fn embedded_vectors_are_those_of_the_directory() {
    assert!(embedded().unwrap() == Vectors::load(&directory()).unwrap());
}

#[test]
fn the_readme_names_every_class_and_every_family() {
    let readme = fs::read_to_string(directory().join("README.md")).unwrap();
    for class in entidb_engine::codec::RejectClass::ALL {
        assert!(readme.contains(&format!("| `{class}` |")), "{class}");
    }
    for family in families::all() {
        assert!(readme.contains(&format!("# Family `{family}`\n")), "{family}");
    }
}
