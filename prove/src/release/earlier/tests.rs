use super::*;
use crate::profile::Profile;

fn asked(dir: &Path) -> Asked {
    Asked {
        tree: Path::new(env!("CARGO_MANIFEST_DIR")).join(".."),
        releases: Some(dir.join("releases")),
        out: dir.to_owned(),
        work: dir.to_owned(),
        profile: Profile::Quick,
        required: Vec::new(),
        allow_unreleased: true,
        allow_dirty: true,
        only: Vec::new(),
        bless_api: false,
    }
}

#[test]
fn no_earlier_release_is_not_a_pass() {
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(compare(&asked(dir.path()), &[]).state, State::NothingEarlier);
}

#[test]
fn a_release_that_cannot_be_built_from_its_packages_fails() {
    let dir = tempfile::tempdir().unwrap();
    let releases = dir.path().join("releases");
    fs::create_dir(&releases).unwrap();
    fs::write(releases.join("proofhouse-0.0.1.crate"), "no archive").unwrap();
    let line = compare(&asked(dir.path()), &["0.0.1".to_owned()]);
    assert_eq!(line.state, State::Fail);
    assert!(line.told[0].starts_with("0.0.1 cannot be had: tar "), "{:?}", line.told);
}

#[test]
fn stores_are_covered_by_their_format_version() {
    let format = |major, minor, is_closed| Format { major, minor, is_closed };
    let own = format(1, 1, true);
    for (later, due) in [
        (format(1, 1, true), Some(Access::Written)),
        (format(1, 1, false), Some(Access::Written)),
        (format(1, 2, true), Some(Access::Read)),
        (format(1, 2, false), None),
        (format(1, 0, true), None),
        (format(2, 1, true), None),
    ] {
        assert_eq!(own.access(later), due, "{later:?}");
    }
}
