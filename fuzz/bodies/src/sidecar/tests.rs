use super::*;

/// How a glance takes what was found where this was asked for, the damage of one bit at a place.
#[track_caller]
fn check(asked: Option<usize>, found: Option<usize>, held: bool) {
    let fixture = fixture().unwrap();
    let damaged = |at: Option<usize>| {
        let mut sidecar = fixture.genuine().to_vec();
        if let Some(byte) = at.and_then(|at| sidecar.get_mut(at)) {
            *byte ^= 1;
        }
        sidecar
    };
    let led = led(&damaged(asked), damaged(found), fixture);
    assert_eq!(led.is_ok(), held, "asked {asked:?}, found {found:?}: {led:?}");
}

#[test]
fn the_genuine_sidecar_must_verify_as_a_whole_and_lead_where_it_did() {
    let len = fixture().unwrap().genuine().len();
    check(None, None, true);
    for at in 0..len {
        check(None, Some(at), false);
    }
}

#[test]
fn a_damaged_sidecar_must_not_verify_as_a_whole() {
    let len = fixture().unwrap().genuine().len();
    for at in 0..len {
        check(Some(at), Some(at), true);
        check(Some(at), None, false);
    }
}

#[test]
fn a_store_of_other_than_one_segment_is_no_fixture() {
    let files = fixture().unwrap().files().clone();
    let mut manifest = Manifest::decode(&files[names::MANIFEST]).unwrap();
    let info = manifest.trailer.segments[&1];
    manifest.trailer.segments.insert(2, info);
    manifest.trailer.next_segment_id = 3;
    let mut two = files.clone();
    two.insert(names::MANIFEST.to_owned(), manifest.encode());
    assert!(Fixture::of(files).is_some());
    assert!(Fixture::of(two).is_none());
}
