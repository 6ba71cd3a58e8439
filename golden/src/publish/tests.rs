use tempfile::TempDir;

use super::*;
use crate::embedded;
use crate::vectors::{Vectors, sha256};

/// A directory with the vectors in it.
fn fresh() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    publish(dir.path(), None).unwrap();
    dir
}

/// Changes a file, and brings the index up to date: as if other vectors had been published.
fn replace(dir: &Path, name: &str, from: &str, to: &str) {
    let path = dir.join(name);
    let before = fs::read(&path).unwrap();
    let after = String::from_utf8(before.clone()).unwrap().replacen(from, to, 1).into_bytes();
    assert!(before != after, "{name} has no {from}");
    let index = fs::read_to_string(dir.join(INDEX)).unwrap();
    fs::write(dir.join(INDEX), index.replace(&sha256(&before), &sha256(&after))).unwrap();
    fs::write(path, after).unwrap();
}

#[track_caller]
fn refusal(dir: &Path, blessing: Option<&str>, expected: &str) {
    let message = publish(dir, blessing).unwrap_err().to_string();
    assert!(message.contains(expected), "{message}");
}

#[test]
fn an_empty_directory_gets_all_vectors() {
    let dir = tempfile::tempdir().unwrap();
    let below = dir.path().join("not/there/yet");
    let published = publish(&below, None).unwrap();
    assert!(published.added > 1500 && published.kept == 0, "{published:?}");
    assert!(Vectors::load(&below).unwrap() == embedded().unwrap());
}

#[test]
fn vectors_stay_what_they_are() {
    let dir = fresh();
    let again = publish(dir.path(), None).unwrap();
    assert_eq!((again.added, again.changed.len(), again.removed.len()), (0, 0, 0));
    assert!(!dir.path().join(CHANGELOG).exists());
}

#[test]
fn a_published_vector_changes_only_with_a_reason_that_is_kept() {
    let dir = fresh();
    let path = dir.path();
    replace(path, "hash.json", "a known answer", "a known answer, once");
    refusal(path, None, "would change: hash published/empty; if that is meant");
    refusal(path, Some(" \n"), "--bless needs a reason");
    for end in LINE_ENDS {
        let forged = format!("why{end}{end}- changed: hash published/abc");
        refusal(path, Some(&forged), "line break");
    }
    assert!(!path.join(CHANGELOG).exists());
    let published = publish(path, Some("the meaning was wrong")).unwrap();
    assert_eq!(published.changed, ["hash published/empty"]);
    replace(path, "name.json", "five digits", "5 digits");
    publish(path, Some("numbers are words")).unwrap();
    let story = fs::read_to_string(path.join(CHANGELOG)).unwrap();
    let entries = story.strip_prefix(HEADING).unwrap();
    assert_eq!(
        entries,
        "\n## numbers are words\n\n- changed: name file-name/short-number\n\n\
         ## the meaning was wrong\n\n- changed: hash published/empty\n"
    );
    assert!(Vectors::load(path).unwrap() == embedded().unwrap());
}

#[test]
fn a_published_vector_does_not_go_without_a_blessing() {
    let dir = fresh();
    replace(dir.path(), "hash.json", "\"published/abc\"", "\"published/abcd\"");
    refusal(dir.path(), None, "hash published/abcd");
    let published = publish(dir.path(), Some("it was never meant")).unwrap();
    assert_eq!((published.added, published.removed.len()), (1, 1));
}

#[test]
fn a_changed_binary_counts_as_a_change_of_its_vectors() {
    let dir = fresh();
    let name = "cbor/map-lengths-65536.bin";
    let before = fs::read(dir.path().join(name)).unwrap();
    let after = [&before[..], &[0]].concat();
    fs::write(dir.path().join(name), &after).unwrap();
    refusal(dir.path(), None, "its SHA-256 is not");
    let index = fs::read_to_string(dir.path().join(INDEX)).unwrap();
    let index = index.replace(&sha256(&before), &sha256(&after));
    fs::write(dir.path().join(INDEX), index).unwrap();
    refusal(dir.path(), None, "would change: cbor map-lengths/65536");
}

#[test]
fn a_directory_with_something_else_in_it_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("thesis.tex"), "").unwrap();
    refusal(dir.path(), None, "thesis.tex: no file of the vectors");
    assert!(!dir.path().join(INDEX).exists());
    let dir = fresh();
    fs::write(dir.path().join("cbor/notes.txt"), "").unwrap();
    refusal(dir.path(), Some("whatever"), "cbor/notes.txt: no file of the vectors");
}

#[test]
fn what_may_stand_beside_an_index_may_not_stand_without_one() {
    for beside in BESIDE {
        let foreign = tempfile::tempdir().unwrap();
        let path = foreign.path().join(beside);
        fs::write(&path, "of another project").unwrap();
        for blessing in [None, Some("whatever")] {
            refusal(foreign.path(), blessing, &format!("{beside}: no file of the vectors"));
        }
        assert_eq!(fs::read(path).unwrap(), b"of another project");
        // Vectors that were removed, so that all would count as added.
        let dir = fresh();
        fs::write(dir.path().join(beside), "").unwrap();
        for name in generate().keys().filter(|name| *name != beside) {
            fs::remove_file(dir.path().join(name)).unwrap();
        }
        refusal(dir.path(), None, &format!("{beside}: no file of the vectors"));
    }
}

#[test]
fn vectors_of_a_newer_version_are_left_alone() {
    let dir = fresh();
    let index = fs::read_to_string(dir.path().join(INDEX)).unwrap();
    let index = index.replace("\"version\": 1", "\"version\": 2");
    fs::write(dir.path().join(INDEX), index).unwrap();
    refusal(dir.path(), Some("whatever"), "format version 2");
}

#[test]
fn a_change_since_a_release_is_told_or_named() {
    let (before, after) = (fresh(), fresh());
    assert_eq!(untold(before.path(), after.path()).unwrap(), Vec::<String>::new());
    replace(before.path(), "hash.json", "a known answer", "a known answer, once");
    replace(before.path(), "name.json", "five digits", "5 digits");
    let named = untold(before.path(), after.path()).unwrap();
    assert_eq!(named.len(), 2, "{named:?}");
    assert_eq!(named[0], "changed: hash published/empty");
    let story = format!("{HEADING}\n## why\n\n- {}\n", named[0]);
    fs::write(after.path().join(CHANGELOG), story).unwrap();
    assert_eq!(untold(before.path(), after.path()).unwrap(), named[1..]);
}

#[test]
fn a_change_that_an_earlier_release_told_does_not_tell_of_another_one() {
    let (before, after) = (fresh(), fresh());
    replace(before.path(), "hash.json", "a known answer", "a known answer, once");
    let line = "changed: hash published/empty";
    let told = format!("{HEADING}\n## why\n\n- {line}\n");
    for (earlier, later, expected) in [
        (None, told.clone(), vec![]),
        (Some(&told), told.clone(), vec![line]),
        (Some(&told), format!("{told}\n## again\n\n- {line}\n"), vec![]),
    ] {
        if let Some(earlier) = earlier {
            fs::write(before.path().join(CHANGELOG), earlier).unwrap();
        }
        fs::write(after.path().join(CHANGELOG), later).unwrap();
        assert_eq!(untold(before.path(), after.path()).unwrap(), expected);
    }
}
