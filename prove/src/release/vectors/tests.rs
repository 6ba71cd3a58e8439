use std::os::unix::fs::PermissionsExt;

use super::*;

/// A program that writes one more file over the vectors, and finds nothing wrong with them.
#[test]
fn a_file_that_the_program_writes_otherwise_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let (vectors, copy) = (dir.path().join("vectors"), dir.path().join("copy"));
    write(&vectors, &[("a.json".to_owned(), b"1".to_vec())].into()).unwrap();
    let program = dir.path().join("program");
    for (script, due) in [
        ("echo engine: 1 of 1 vectors agree", vec![]),
        (
            "[ $2 = check ] || { echo 2 >$3/a.json; mkdir $3/b; echo >$3/b/c; }",
            vec![
                "vectors/a.json is not what the package writes",
                "vectors/b/c is not what the package writes",
            ],
        ),
        (
            "echo error: no >&2; exit 1",
            vec!["vectors check: error: no", "vectors generate: error: no"],
        ),
    ] {
        fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        let (_, wrong) = look(&vectors, &copy, &program).unwrap();
        let told: Vec<_> = wrong
            .iter()
            .map(|it| it.rsplit_once("program ").map_or(it.as_str(), |(_, rest)| rest))
            .collect();
        assert_eq!(told, due);
        fs::remove_dir_all(&copy).unwrap();
    }
}
