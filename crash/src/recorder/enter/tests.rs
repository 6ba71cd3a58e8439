use std::ffi::OsStr;

use super::split;

#[test]
fn a_path_is_a_directory_and_a_name() {
    for (path, expected) in [
        ("a", Some((".", "a"))),
        ("a/b", Some(("a/", "b"))),
        ("/a", Some(("/", "a"))),
        ("/a/b//", Some(("/a/", "b"))),
        ("", None),
        ("/", None),
        ("a/..", None),
        (".", None),
    ] {
        let expected = expected.map(|(dir, name)| (OsStr::new(dir), OsStr::new(name)));
        assert_eq!(split(OsStr::new(path)), expected, "{path}");
    }
}
