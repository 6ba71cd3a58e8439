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
    let store = |major: u8, minor: u8| {
        let manifest = [b"EMFN".as_slice(), &[2, 0, major, 0, minor, 0], b"rest"].concat();
        let files = [("MANIFEST".to_owned(), manifest)].into();
        Vector {
            id: String::new(),
            rule: String::new(),
            given: serde_json::Value::Null,
            material: Material::Files(files),
            value: None,
            expect: [].into(),
        }
    };
    assert_eq!(format_of(&store(1, 0)), Some([1, 0, 0, 0]));
    assert_ne!(format_of(&store(1, 0)), format_of(&store(1, 1)));
}
