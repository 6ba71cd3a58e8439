use super::*;

fn tree(json: &str) -> Result<Tree, String> {
    serde_json::from_str(json).map_err(|error| error.to_string())
}

const IMAGE: &str = concat!(
    r#"{"dirs":["d"],"files":{"a":{"len":3,"extents":[{"at":0,"hex":"616263"}]},"#,
    r#""d/b":{"len":9000,"extents":[{"at":8192,"hex":"ff00ee"}]}}}"#,
);

#[test]
fn an_image_reads_as_it_was_written() {
    let read = tree(IMAGE).unwrap();
    assert_eq!(serde_json::to_string(&read).unwrap(), IMAGE);
    let mut bytes = [1; 5];
    assert!(read.file("d/b").unwrap().read(8191, &mut bytes) && bytes == [0, 0xff, 0, 0xee, 0]);
    let padded = IMAGE.replace(r#""at":8192,"hex":"ff00ee"#, r#""at":8190,"hex":"0000ff00ee0000"#);
    assert_eq!(serde_json::to_string(&tree(&padded).unwrap()).unwrap(), IMAGE);
}

#[test]
fn images_that_are_no_tree_are_refused() {
    let check = |json: &str, due: &str| {
        let error = tree(json).unwrap_err();
        assert!(error.starts_with(due), "{error}");
    };
    let file = |path: &str, extents: &str| {
        format!(r#"{{"dirs":["d"],"files":{{"{path}":{{"len":3,"extents":[{extents}]}}}}}}"#)
    };
    check(&file("x/a", ""), "x/a: no such directory");
    check(&file("d", ""), "d: not a name, or taken");
    check(&file("d/..", ""), "d/..: not a name, or taken");
    check(&file("d/", ""), "d/: not a name, or taken");
    check(&file("a", r#"{"at":2,"hex":"0000"}"#), "a: extent at 2 ends past 3");
    check(
        &file("a", r#"{"at":18446744073709551615,"hex":"00"}"#),
        "a: extent at 18446744073709551615 ends past 3",
    );
    check(&file("a", r#"{"at":0,"hex":"0"}"#), "Odd number of digits");
}

#[test]
fn digests_tell_names_contents_and_kinds_apart() {
    let seen: std::collections::BTreeSet<u128> = [
        r#"{"dirs":[],"files":{}}"#,
        r#"{"dirs":["a"],"files":{}}"#,
        r#"{"dirs":["b"],"files":{}}"#,
        r#"{"dirs":["a","a/b"],"files":{}}"#,
        r#"{"dirs":["a","b"],"files":{}}"#,
        r#"{"dirs":[],"files":{"a":{"len":0,"extents":[]}}}"#,
        r#"{"dirs":[],"files":{"a":{"len":1,"extents":[]}}}"#,
        r#"{"dirs":[],"files":{"b":{"len":1,"extents":[]}}}"#,
        r#"{"dirs":["a"],"files":{"a/b":{"len":1,"extents":[]}}}"#,
    ]
    .iter()
    .map(|json| tree(json).unwrap().digest())
    .collect();
    assert_eq!(seen.len(), 9);
}

#[test]
fn inodes_without_a_name_show_in_no_listing() {
    let mut tree = tree(IMAGE).unwrap();
    let digest = tree.digest();
    let hidden = tree.next_ino();
    tree.content_mut(hidden).write(0, b"no name");
    assert_eq!((tree.files().count(), tree.digest()), (2, digest));
    assert!(tree.content(hidden).is_some());
    tree.retain_reachable([hidden].into_iter());
    assert!(tree.content(hidden).is_some());
    tree.retain_reachable(std::iter::empty());
    assert!(tree.content(hidden).is_none());
    assert_eq!((tree.files().count(), tree.digest()), (2, digest));
}
