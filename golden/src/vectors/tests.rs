use std::sync::LazyLock;

use super::*;
use crate::generate;

static GENERATED: LazyLock<Files> = LazyLock::new(generate);

/// Loads the generated files after `damage` was done to them.
#[track_caller]
fn refusal(damage: impl FnOnce(&mut Files)) -> String {
    let mut files = GENERATED.clone();
    damage(&mut files);
    let read = |name: &str| {
        files.get(name).cloned().ok_or_else(|| VectorsError::Unreadable {
            file: name.to_owned(),
            source: std::io::ErrorKind::NotFound.into(),
        })
    };
    Vectors::read(&read).expect_err("damaged files are refused").to_string()
}

/// Replaces text in a file, and brings its digest in the index up to date.
fn replace(files: &mut Files, name: &str, from: &str, to: &str) {
    let before = files[name].clone();
    let text = String::from_utf8(before.clone()).unwrap();
    assert!(text.contains(from), "{name} has no {from}");
    let after = text.replacen(from, to, 1).into_bytes();
    let index = String::from_utf8(files[INDEX].clone()).unwrap();
    files.insert(INDEX.to_owned(), index.replace(&sha256(&before), &sha256(&after)).into_bytes());
    files.insert(name.to_owned(), after);
}

#[test]
fn undamaged_files_are_loaded_whole() {
    let vectors = Vectors::read(&|name| Ok(GENERATED[name].clone())).unwrap();
    assert!(vectors.cbor.len() >= 400, "{}", vectors.cbor.len());
    assert_eq!(vectors.entidb.len(), 10);
}

#[test]
fn every_class_of_refusal_has_a_vector() {
    let vectors = crate::embedded().unwrap();
    for class in RejectClass::ALL {
        let mut outcomes = vectors.cbor.iter().flat_map(|vector| &vector.expect);
        assert!(outcomes.any(|(_, outcome)| *outcome == Err(class)), "{class}");
    }
}

#[test]
fn a_missing_file_is_named_with_what_to_do() {
    for name in [INDEX, "cbor.json", "cbor/map-lengths-65536.bin", "golden_entidb.json"] {
        let message = refusal(|files| drop(files.remove(name)));
        assert!(message.starts_with(&format!("{name}: ")), "{message}");
        assert!(message.ends_with("restore it, or point to a complete vectors directory"));
    }
}

#[test]
fn a_missing_directory_is_named_by_its_path() {
    let dir = tempfile::tempdir().unwrap();
    let message = Vectors::load(dir.path()).unwrap_err().to_string();
    let index = dir.path().join(INDEX).display().to_string();
    assert!(message.starts_with(&index), "{message}");
}

#[test]
fn a_newer_format_is_not_read_further() {
    for name in [INDEX, "cbor.json"] {
        let (known, newer) = ("\"version\": 1", "\"version\": 2, \"new\": true");
        let message = refusal(|files| replace(files, name, known, newer));
        let expected =
            format!("{name}: format version 2, but 1 is the newest known; update Proofhouse");
        assert_eq!(message, expected);
    }
}

#[test]
fn a_version_is_an_integer_from_1_on() {
    for name in [INDEX, "cbor.json"] {
        for version in ["0", "-1", "0.5", "true", "null", "[1]", "\"1\""] {
            let known = "\"version\": 1";
            let other = format!("\"version\": {version}");
            let message = refusal(|files| replace(files, name, known, &other));
            assert!(message.starts_with(&format!("{name}: ")), "{version}: {message}");
            assert!(message.ends_with("; restore it, or write the vectors anew"), "{message}");
        }
    }
}

#[test]
fn an_unknown_family_is_named_with_its_file() {
    let message =
        refusal(|files| replace(files, INDEX, "\"golden-entidb\"", "\"write-ahead-logs\""));
    assert_eq!(
        message,
        "golden_entidb.json: unknown family \"write-ahead-logs\"; update Proofhouse, or remove it \
         from the index"
    );
}

#[test]
fn an_index_without_a_family_is_refused() {
    let empty = r#"{"format": "proofhouse-vectors", "version": 1, "families": []}"#;
    let message = refusal(|files| drop(files.insert(INDEX.to_owned(), empty.into())));
    assert_eq!(message, "index.json: family \"cbor\" is not listed; restore the index");
}

#[test]
fn a_changed_file_is_noticed_by_its_digest() {
    for name in ["cbor.json", "cbor/map-lengths-65535.bin"] {
        let message = refusal(|files| files.entry(name.to_owned()).or_default().push(b'\n'));
        assert!(message.starts_with(&format!("{name}: its SHA-256 is not")), "{message}");
    }
}

#[test]
fn vectors_that_cannot_be_understood_are_named() {
    let accepted = r#""bytes":"00","expect":{"floats":"accept","standard":"accept"}"#;
    let value = r#""value":{"int":"0"},"#;
    for (from, to, expected) in [
        (accepted, r#""bytes":"0","expect":{}"#, "bytes are not hexadecimal"),
        (accepted, r#""bytes":[{"file":"x.bin"}],"expect":{}"#, "x.bin is not listed"),
        (accepted, r#""bytes":"00","expect":{"floats":"accept"}"#, "no outcome for profile"),
        (
            accepted,
            r#""bytes":"00","expect":{"floats":{"reject":"odd"},"standard":"accept"}"#,
            "unknown class \"odd\"",
        ),
        (
            accepted,
            r#""bytes":"00","expect":{"floats":"accept","lax":"accept","standard":"accept"}"#,
            "unknown profile",
        ),
        (value, "", "a value is given exactly if"),
        (value, r#""value":{"int":"9223372036854775808"},"#, "is not an i64"),
        (value, r#""value":{"integer":"0"},"#, "is not the notation of a value"),
        ("appendix-a/01", "appendix-a/00", "the id is used twice"),
    ] {
        let message = refusal(|files| replace(files, "cbor.json", from, to));
        assert!(message.starts_with("cbor.json: vector \"appendix-a/00\": "), "{message}");
        assert!(message.contains(expected), "{message}");
    }
}

#[test]
fn files_that_contradict_the_index_are_refused() {
    for (name, from, to, expected) in [
        ("cbor.json", "proofhouse-vectors", "other", "format \"other\" is not"),
        ("cbor.json", "\"family\": \"cbor\"", "\"family\": \"bson\"", "holds family \"bson\""),
        ("cbor.json", "\"about\"", "\"above\"", "unknown field `above`"),
        ("cbor.json", "{", "", "at line 1 column"),
        (INDEX, "\"vectors\": 10", "\"vectors\": 11", "10 vectors, 11 in index.json"),
        (INDEX, "\"golden_entidb.json\": ", "\"cbor.json\": ", "SHA-256"),
    ] {
        let message = refusal(|files| replace(files, name, from, to));
        assert!(message.contains(expected), "{message}");
    }
}
