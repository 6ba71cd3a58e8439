use super::{Universe, observe};
use crate::accept::{Violation, ViolationKind};
use crate::liar::{Liar, Lie};
use crate::life::{COLLECTION, IDS};
use crate::op::{Collection, Id, Op};
use crate::oracle::OraclePlace;
use crate::outcome::{ErrorClass, Outcome};
use crate::payload::Payload;
use crate::plan::{Plan, Settings};
use crate::state::State;
use crate::subject::{Capabilities, Subject};

const C: Collection = Collection(0);
const D: Collection = Collection(1);

fn plan() -> Plan {
    let put = |collection, n: u8| Op::Put {
        collection,
        id: Id::nth(n),
        payload: Payload::Entity { tag: n.into(), size: 40 },
    };
    let settings =
        Settings { wal_reserve: 0, max_segment: 0, entropy: vec![Id::nth(7)], max_payload: 100 };
    let ops = vec![
        Op::CreateCollection { collection: C },
        put(C, 1),
        put(C, 2),
        Op::Delete { collection: C, id: Id::nth(3) },
        Op::Scan { collection: D },
    ];
    Plan { seed: 0, settings, ops }
}

/// What a store shows that ran the plan truthfully and lies only when it is observed.
fn shown(lie: Lie, capabilities: Capabilities) -> Result<State, Violation> {
    let place = OraclePlace::default();
    let plan = plan();
    let settings = &plan.settings;
    let truthful = Liar::new(|_, due| due).open(&place, settings).unwrap();
    for op in &plan.ops {
        truthful.client().apply(op);
    }
    let store = Liar::new(lie).open(&place, settings).unwrap();
    let mut client = store.client();
    observe(client.as_mut(), &Universe::of(&plan), capabilities)
}

#[track_caller]
fn check(lie: Lie, kind: ViolationKind) -> Violation {
    let violation = shown(lie, Capabilities::ALL).unwrap_err();
    assert_eq!(violation.kind(), kind, "{violation}");
    violation
}

#[test]
fn the_universe_is_all_that_can_be_there() {
    let universe = Universe::of(&plan());
    assert_eq!(universe.collections, [C, D]);
    let mut ids = [1, 2, 3, 7].map(Id::nth).to_vec();
    ids.extend(IDS);
    ids.sort_unstable();
    assert_eq!(universe.ids, ids);
    let nothing = Plan { ops: Vec::new(), ..plan() };
    assert_eq!(Universe::of(&nothing).collections, [COLLECTION]);
}

#[test]
fn a_truthful_store_shows_its_state() {
    let mut due = State::default();
    for n in [1, 2] {
        let payload = Payload::Entity { tag: n, size: 40 };
        due.put(C, Id::nth(u8::try_from(n).unwrap()), payload.bytes());
    }
    assert_eq!(shown(|_, due| due, Capabilities::ALL), Ok(due.clone()));
    let plain = Capabilities { snapshots: false, ..Capabilities::ALL };
    assert_eq!(shown(|_, due| due, plain), Ok(due));
}

#[test]
fn each_access_path_is_compared() {
    let hides_from_get: Lie = |op, due| match op {
        Op::Get { .. } if due != Outcome::Failed(ErrorClass::NotFound) => Outcome::Value(None),
        _ => due,
    };
    let hides_from_get_many: Lie = |op, due| match (op, due) {
        (Op::GetMany { .. }, Outcome::Values(values)) => Outcome::Values(vec![None; values.len()]),
        (_, due) => due,
    };
    let hides_from_scan: Lie = |op, due| match (op, due) {
        (Op::Scan { .. }, Outcome::Entities(_)) => Outcome::Entities(Vec::new()),
        (_, due) => due,
    };
    let hides_from_snapshot_get: Lie = |op, due| match op {
        Op::SnapshotGet { collection: C, .. } => Outcome::Value(None),
        _ => due,
    };
    let hides_from_snapshot_scan: Lie = |op, due| match op {
        Op::SnapshotScan { collection: C, .. } => Outcome::Entities(Vec::new()),
        _ => due,
    };
    let lies = [
        hides_from_get,
        hides_from_get_many,
        hides_from_scan,
        hides_from_snapshot_get,
        hides_from_snapshot_scan,
    ];
    for lie in lies {
        check(lie, ViolationKind::PathsDisagree);
    }
}

#[test]
fn an_unknown_collection_must_be_unknown_on_every_path() {
    let empty_instead: Lie = |op, due| match op {
        Op::Scan { collection: D } => Outcome::Entities(Vec::new()),
        _ => due,
    };
    let known_to_get: Lie = |op, due| match op {
        Op::Get { collection: D, .. } => Outcome::Value(None),
        _ => due,
    };
    check(empty_instead, ViolationKind::PathsDisagree);
    check(known_to_get, ViolationKind::PathsDisagree);
}

#[test]
fn a_scan_out_of_order_or_with_strangers_is_told() {
    let reversed: Lie = |_, due| match due {
        Outcome::Entities(mut entities) => {
            entities.reverse();
            Outcome::Entities(entities)
        }
        due => due,
    };
    let stranger: Lie = |_, due| match due {
        Outcome::Entities(mut entities) => {
            entities.push((Id([0xff; 16]), vec![0xa0].into()));
            Outcome::Entities(entities)
        }
        due => due,
    };
    check(reversed, ViolationKind::PathsDisagree);
    let violation = check(stranger, ViolationKind::PathsDisagree);
    let told = "access paths disagree: {\"op\":\"scan\",\"collection\":\"c0\"} answered \
         ffffffffffffffffffffffffffffffff next, but the order of the identities ever \
         written implies another one, or none";
    assert_eq!(violation.to_string(), told);
}

#[test]
fn a_failing_read_is_a_refusal() {
    let corrupt: Lie = |op, due| match op {
        Op::Get { .. } => Outcome::Failed(ErrorClass::Corrupt),
        _ => due,
    };
    let no_scan: Lie = |op, due| match op {
        Op::Scan { .. } => Outcome::Failed(ErrorClass::Io),
        _ => due,
    };
    check(no_scan, ViolationKind::Refused);
    let violation = check(corrupt, ViolationKind::Refused);
    let told = "refused: corrupt: in answer to \
         {\"op\":\"get\",\"collection\":\"c0\",\"id\":\"01000000000000000000000000000000\"}";
    assert_eq!(violation.to_string(), told);
}
