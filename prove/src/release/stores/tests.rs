use proofhouse_golden::embedded;
use serde_json::{Value as Json, json};

use super::*;

fn stores() -> Vec<Vector> {
    embedded().unwrap().families.remove(families::RELEASE).unwrap()
}

#[test]
fn a_value_that_is_no_state_is_told() {
    let mut store = stores().remove(0);
    store.value = Some(json!({ "sequence": "x", "collections": [] }));
    let work = tempfile::tempdir().unwrap();
    let program = Path::new("/bin/false");
    let told = shows(program, &store, Access::Written, work.path()).unwrap_err();
    assert!(told.starts_with(&format!("{}: ", store.id)), "{told}");
    store.value = Some(Json::Null);
    let told = shows(program, &store, Access::Written, work.path()).unwrap_err();
    assert!(told.contains("invalid type: null"), "{told}");
    assert_eq!(fs::read_dir(work.path()).unwrap().count(), 0);
}

#[test]
fn every_kind_of_store_is_kept_of_this_release() {
    let version = env!("CARGO_PKG_VERSION");
    let kept: Vec<_> = stores().into_iter().filter(|it| it.rule == version).collect();
    let logs = |store: &Vector| match &store.material {
        Material::Files(files) => files.keys().filter(|name| name.starts_with("wal-")).count(),
        Material::Bytes(_) | Material::Nothing => 0,
    };
    let found: BTreeMap<_, _> =
        kept.iter().filter_map(|store| Some((store.id.split_once('/')?.1, logs(store)))).collect();
    let due = [("clean", 0), ("compacted", 0), ("empty", 0), ("killed", 1), ("two-logs", 2)];
    assert_eq!(found, BTreeMap::from(due));
}
