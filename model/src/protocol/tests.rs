use bytes::Bytes;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::{Answer, Ask, EventPromises, Hello, Keeps, Reply, Request, VERSION};
use crate::op::{Collection, Id, Op};
use crate::outcome::{ErrorClass, Outcome};
use crate::payload::Payload;
use crate::plan::Settings;
use crate::strategy;
use crate::subject::{Capabilities, Kept, Promises};

fn line(request: &Request) -> String {
    let mut out = Vec::new();
    request.encode(&mut out);
    String::from_utf8(out).unwrap()
}

fn answer_line(answer: Answer) -> String {
    let mut out = Vec::new();
    answer.encode(&mut out);
    String::from_utf8(out).unwrap()
}

/// What is left of an operation after the journey: contents, without the recipe.
fn travelled(mut op: Op) -> Op {
    if let Op::Put { payload, .. } | Op::Insert { payload, .. } = &mut op {
        *payload = Payload::Raw { bytes: payload.bytes(), canonical: true };
    }
    op
}

fn settings() -> Settings {
    Settings { wal_reserve: 4096, max_segment: 1024, entropy: vec![Id::nth(1)], max_payload: 5200 }
}

fn hello() -> Hello {
    Hello {
        protocol: VERSION,
        name: "tiny".to_owned(),
        capabilities: Capabilities { clients: false, insert: false, ..Capabilities::ALL },
        promises: EventPromises {
            commit: Keeps { kill: Kept::AllAcknowledged, power_loss: Kept::Prefix },
            atomic: true,
            ordered: true,
            ..EventPromises::default()
        },
    }
}

fn outcome() -> impl Strategy<Value = Outcome> {
    let bytes = || vec(any::<u8>(), 0..40).prop_map(Bytes::from);
    let id = strategy::id;
    prop_oneof![
        Just(Outcome::Done),
        any::<bool>().prop_map(Outcome::Existed),
        any::<Option<u64>>().prop_map(|sequence| Outcome::Committed { sequence }),
        (id(), any::<Option<u64>>()).prop_map(|(id, sequence)| Outcome::Inserted { id, sequence }),
        option::of(bytes()).prop_map(Outcome::Value),
        vec(option::of(bytes()), 0..4).prop_map(Outcome::Values),
        vec((id(), bytes()), 0..4).prop_map(Outcome::Entities),
        class().prop_map(Outcome::Failed),
    ]
}

fn class() -> impl Strategy<Value = ErrorClass> {
    use ErrorClass as E;
    let all = [
        E::NotFound,
        E::Conflict,
        E::Invalid,
        E::Misuse,
        E::Corrupt,
        E::Foreign,
        E::NewerVersion,
        E::Locked,
        E::Io,
        E::InDoubt,
        E::Poisoned,
        E::NeedsRecovery,
        E::ReadOnly,
        E::Unsupported,
    ];
    proptest::sample::select(all.to_vec())
}

fn kept() -> impl Strategy<Value = Kept> {
    let all = [Kept::Nothing, Kept::Prefix, Kept::UpToSync, Kept::AllAcknowledged];
    proptest::sample::select(all.to_vec())
}

fn promises() -> impl Strategy<Value = Promises> {
    (kept(), kept(), any::<[bool; 3]>()).prop_map(|(kill, power_loss, [atomic, shown, powered])| {
        Promises {
            after_kill: kill,
            after_power_loss: power_loss,
            atomic,
            shown_after_kill: shown,
            shown_after_power_loss: powered,
        }
    })
}

#[test]
fn requests_are_lines_that_people_can_read() {
    let (collection, id) = (Collection(0), Id::nth(5));
    let payload = Payload::Raw { bytes: vec![0xa0].into(), canonical: true };
    let asks = [
        Ask::Hello { protocol: VERSION },
        Ask::Open { dir: "/tmp/store".to_owned(), settings: settings() },
        Ask::Client,
        Ask::Op(Op::Put { collection, id, payload: payload.clone() }),
        Ask::Op(Op::Insert { collection, payload }),
        Ask::Op(Op::GetMany { collection, ids: vec![id] }),
        Ask::Op(Op::SnapshotGet { slot: 1, collection, id }),
        Ask::Op(Op::Commit),
        Ask::Close,
        Ask::Bye,
    ];
    let lines = (0..).zip(asks).map(|(n, ask)| line(&Request { n, ask }));
    insta::assert_snapshot!(lines.collect::<String>(), @r#"
    {"n":0,"op":"hello","protocol":0}
    {"n":1,"op":"open","dir":"/tmp/store","settings":{"wal_reserve":4096,"max_segment":1024,"entropy":["01000000000000000000000000000000"],"max_payload":5200}}
    {"n":2,"op":"client"}
    {"n":3,"op":"put","collection":"c0","id":"01000000000000000000000000000001","payload":"a0"}
    {"n":4,"op":"insert","collection":"c0","payload":"a0"}
    {"n":5,"op":"get_many","collection":"c0","ids":["01000000000000000000000000000001"]}
    {"n":6,"op":"snapshot_get","slot":1,"collection":"c0","id":"01000000000000000000000000000001"}
    {"n":7,"op":"commit"}
    {"n":8,"op":"close"}
    {"n":9,"op":"bye"}
    "#);
}

#[test]
fn answers_are_lines_that_people_can_read() {
    let id = Id::nth(5);
    let bytes = Bytes::from_static(&[0xa0]);
    let outcomes = [
        Outcome::Done,
        Outcome::Existed(true),
        Outcome::Committed { sequence: Some(7) },
        Outcome::Committed { sequence: None },
        Outcome::Inserted { id, sequence: None },
        Outcome::Value(Some(bytes.clone())),
        Outcome::Value(None),
        Outcome::Values(vec![Some(bytes.clone()), None]),
        Outcome::Entities(vec![(id, bytes)]),
    ];
    let outcomes = (1..).zip(outcomes).map(|(n, outcome)| Answer::new(n, Reply::Outcome(outcome)));
    let reply = Reply::Outcome(Outcome::Failed(ErrorClass::NotFound));
    let failed = Answer { n: 10, reply, message: Some("no such table: c0".to_owned()) };
    let hello = Answer::new(0, Reply::Hello(hello()));
    let lines = [hello].into_iter().chain(outcomes).chain([failed]).map(answer_line);
    insta::assert_snapshot!(lines.collect::<String>(), @r#"
    {"n":0,"outcome":"hello","protocol":0,"name":"tiny","capabilities":["transactions","snapshots","checkpoint","compaction","ranges","scrub","sequences","canonical_payloads"],"promises":{"commit":{"kill":"all_acknowledged","power_loss":"prefix"},"sync":{"kill":"nothing","power_loss":"nothing"},"close":{"kill":"nothing","power_loss":"nothing"},"open":{"kill":"nothing","power_loss":"nothing"},"atomic":true,"ordered":true}}
    {"n":1,"outcome":"done"}
    {"n":2,"outcome":"existed","existed":true}
    {"n":3,"outcome":"committed","sequence":7}
    {"n":4,"outcome":"committed"}
    {"n":5,"outcome":"inserted","id":"01000000000000000000000000000001"}
    {"n":6,"outcome":"value","value":"a0"}
    {"n":7,"outcome":"value","value":null}
    {"n":8,"outcome":"values","values":["a0",null]}
    {"n":9,"outcome":"entities","entities":[["01000000000000000000000000000001","a0"]]}
    {"n":10,"outcome":"failed","class":"not_found","message":"no such table: c0"}
    "#);
}

#[test]
fn a_wrong_line_is_refused_with_what_is_wrong_and_where() {
    let refused = |line: &str| Answer::parse(line.as_bytes()).unwrap_err().to_string();
    let lines = [
        "hello",
        r#"{"n":1,"outcome":"done""#,
        r#"{"n":"1","outcome":"done"}"#,
        r#"{"n":1,"outcome":"ok"}"#,
        r#"{"n":1,"outcome":"committed","seqence":2}"#,
        r#"{"outcome":"done"}"#,
        r#"{"n":1}"#,
        r#"{"n":1,"outcome":"value"}"#,
        r#"{"n":1,"outcome":"value","value":"0"}"#,
        r#"{"n":1,"outcome":"done","sequence":2}"#,
        r#"{"n":1,"outcome":"failed"}"#,
        r#"{"n":0,"outcome":"hello","protocol":0,"name":"x","capabilities":["speed"]}"#,
    ];
    let refusals: Vec<String> = lines.into_iter().map(refused).collect();
    insta::assert_snapshot!(refusals.join("\n"), @r#"
    expected value (column 1)
    EOF while parsing an object (column 23)
    invalid type: string "1", expected u64 (column 8)
    unknown variant `ok`, expected one of `hello`, `done`, `existed`, `committed`, `inserted`, `value`, `values`, `entities`, `failed` (column 21)
    unknown field `seqence`, expected one of `n`, `outcome`, `protocol`, `name`, `capabilities`, `promises`, `existed`, `id`, `sequence`, `value`, `values`, `entities`, `class`, `message` (column 38)
    "answer" needs a field "n"
    "answer" needs a field "outcome"
    "value" needs a field "value"
    not hex: Odd number of digits (column 36)
    "done" has a field that belongs to another kind of answer
    "failed" needs a field "class"
    unknown variant `speed`, expected one of `transactions`, `snapshots`, `checkpoint`, `compaction`, `ranges`, `scrub`, `insert`, `sequences`, `canonical_payloads` (column 72)
    "#);
}

#[test]
fn a_wrong_request_is_refused_with_what_is_wrong_and_where() {
    let refused = |line: &str| Request::parse(line.as_bytes()).unwrap_err().to_string();
    let lines = [
        "",
        r#"{"n":1,"op":"sync"}"#,
        r#"{"op":"bye"}"#,
        r#"{"n":1,"op":"get","collection":"c0"}"#,
        r#"{"n":1,"op":"snapshot_scan","collection":"c0"}"#,
        r#"{"n":1,"op":"put","collection":"0","id":"00","payload":""}"#,
    ];
    let refusals: Vec<String> = lines.into_iter().map(refused).collect();
    insta::assert_snapshot!(refusals.join("\n"), @r#"
    EOF while parsing a value (column 0)
    unknown variant `sync`, expected one of `hello`, `open`, `client`, `close`, `bye`, `create_collection`, `begin`, `commit`, `abort`, `put`, `insert`, `delete`, `get`, `get_many`, `scan`, `scan_range`, `snapshot`, `snapshot_get`, `snapshot_scan`, `snapshot_release`, `checkpoint`, `compact`, `compact_step`, `scrub` (column 18)
    "request" needs a field "n"
    "get" needs a field "id"
    "snapshot_scan" needs a field "slot"
    not a collection (c0 to c255): "0" (column 34)
    "#);
}

#[test]
fn drivers_ignore_fields_of_later_versions() {
    let request = Request::parse(br#"{"n":3,"op":"begin","deadline":7}"#);
    assert_eq!(request, Ok(Request { n: 3, ask: Ask::Op(Op::Begin) }));
}

#[test]
fn a_line_is_utf8_even_in_fields_of_later_versions() {
    let request = Request::parse(b"{\"n\":3,\"op\":\"begin\",\"later\":\"\xff\"}");
    let refused = request.unwrap_err().to_string();
    assert_eq!(refused, "not UTF-8 (column 30)");
}

#[test]
fn promises_that_are_not_given_are_not_made() {
    let hello = br#"{"n":0,"outcome":"hello","protocol":0,"name":"x","capabilities":[],
        "promises":{"commit":{"kill":"prefix"}}}"#;
    let Ok(Answer { reply: Reply::Hello(hello), .. }) = Answer::parse(hello) else {
        panic!("not a hello")
    };
    let commit = Keeps { kill: Kept::Prefix, power_loss: Kept::Nothing };
    assert_eq!(hello.promises, EventPromises { commit, ..EventPromises::default() });
    // A prefix without order is no promise that could be broken.
    assert_eq!(Promises::from(hello.promises).after_kill, Kept::Nothing);
}

#[test]
fn a_prefix_that_syncs_make_whole_reaches_up_to_the_last_sync() {
    let promises = EventPromises {
        commit: Keeps::both(Kept::Prefix),
        sync: Keeps { kill: Kept::Prefix, power_loss: Kept::AllAcknowledged },
        ordered: true,
        ..EventPromises::default()
    };
    let judged = Promises::from(promises);
    assert_eq!((judged.after_kill, judged.after_power_loss), (Kept::Prefix, Kept::UpToSync));
    assert!(!judged.shown_after_kill && !judged.shown_after_power_loss);
}

proptest! {
    #[test]
    fn requests_survive_the_journey(n in any::<u64>(), op in strategy::op()) {
        prop_assume!(op != Op::Reopen);
        let request = Request { n, ask: Ask::Op(op.clone()) };
        let due = Request { n, ask: Ask::Op(travelled(op)) };
        prop_assert_eq!(Request::parse(line(&request).as_bytes()), Ok(due));
    }

    #[test]
    fn answers_survive_the_journey(
        n in any::<u64>(),
        outcome in outcome(),
        message in any::<Option<String>>(),
    ) {
        let answer = Answer { n, reply: Reply::Outcome(outcome), message };
        let line = answer_line(answer.clone());
        prop_assert_eq!(line.matches('\n').count(), 1);
        prop_assert_eq!(Answer::parse(line.as_bytes()), Ok(answer));
    }

    #[test]
    fn promises_survive_the_journey(promises in promises()) {
        let promises_told = EventPromises::from(promises);
        prop_assert_eq!(Promises::from(promises_told), promises);
        let reply = Reply::Hello(Hello { promises: promises_told, ..hello() });
        let line = answer_line(Answer::new(0, reply.clone()));
        prop_assert_eq!(Answer::parse(line.as_bytes()), Ok(Answer::new(0, reply)));
    }

    #[test]
    fn arbitrary_bytes_are_refused_or_mean_what_they_encode_to(line in vec(any::<u8>(), 0..80)) {
        prop_assert!(is_refused_or_stable(&line));
    }

    #[test]
    fn injured_lines_are_refused_or_mean_what_they_encode_to(
        outcome in outcome(),
        op in strategy::op(),
        at in any::<proptest::sample::Index>(),
        byte in any::<u8>(),
    ) {
        let answer = answer_line(Answer::new(1, Reply::Outcome(outcome)));
        let request = line(&Request { n: 1, ask: Ask::Op(op) });
        for line in [answer, request] {
            let mut line = line.into_bytes();
            let at = at.index(line.len());
            line[at] = byte;
            prop_assert!(is_refused_or_stable(&line));
            prop_assert!(is_refused_or_stable(&line[..at]));
        }
    }
}

fn is_refused_or_stable(bytes: &[u8]) -> bool {
    let answer = Answer::parse(bytes);
    let request = Request::parse(bytes);
    let answer_is_stable = answer.is_err()
        || answer.clone().is_ok_and(|told| Answer::parse(answer_line(told).as_bytes()) == answer);
    let request_is_stable = request.is_err()
        || request.clone().is_ok_and(|told| Request::parse(line(&told).as_bytes()) == request);
    answer_is_stable && request_is_stable
}
