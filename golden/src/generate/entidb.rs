//! The golden files of `EntiDB` 2.0.0-alpha.3: one collection `users`, one transaction that puts
//! entity 1, one that deletes it; then a hash index on `name` and a checkpoint.

use crate::entidb::{Collection, Index, Layout, Manifest, SegmentRecord, WalRecord};
use crate::file::{Bytes, Entry, Expect};
use crate::vectors::ENTIDB_SETTING;

const ENTITY: [u8; 16] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
/// `{"v": 1, "name": "n1"}`.
const PAYLOAD: &[u8] = b"\xa2\x61v\x01\x64name\x62n1";

pub(super) fn entries() -> Vec<Entry> {
    [wal(), segments(), manifests()].concat().into_iter().map(Row::finish).collect()
}

#[derive(Clone)]
struct Row {
    id: &'static str,
    meaning: &'static str,
    layout: Layout,
    bytes: &'static str,
}

impl Row {
    fn finish(self) -> Entry {
        let (rule, source) = match self.layout {
            Layout::WalRecord(_) => ("wal-record", "EntiDB file format §3.2, §3.3"),
            Layout::SegmentRecord(_) => ("segment-record", "EntiDB file format §4.2"),
            Layout::Manifest(_) => ("manifest", "EntiDB file format §2.1"),
        };
        Entry {
            id: format!("{rule}/{}", self.id),
            rule: rule.to_owned(),
            meaning: self.meaning.to_owned(),
            source: source.to_owned(),
            value: serde_json::to_value(&self.layout).ok(),
            diagnostic: None,
            given: None,
            bytes: Some(Bytes::Hex(self.bytes.replace(' ', ""))),
            files: None,
            expect: [(ENTIDB_SETTING.to_owned(), Expect::Accept)].into(),
        }
    }
}

fn wal() -> Vec<Row> {
    let row =
        |id, meaning, record, bytes| Row { id, meaning, layout: Layout::WalRecord(record), bytes };
    vec![
        row(
            "1-begin",
            "transaction 1 begins",
            WalRecord::Begin { txid: 1 },
            "4557414c 0100 01 08000000 0100000000000000 6971fd21",
        ),
        row(
            "2-put",
            "it puts entity 1",
            WalRecord::Put { txid: 1, collection: 1, entity: ENTITY, after: PAYLOAD.to_vec() },
            "4557414c 0100 02 2d000000 0100000000000000 01000000 00000000000000000000000000000001 \
             00 0c000000 a2617601646e616d65626e31 0adeb7f6",
        ),
        row(
            "3-commit",
            "and commits as sequence 1",
            WalRecord::Commit { txid: 1, sequence: 1 },
            "4557414c 0100 04 10000000 0100000000000000 0100000000000000 3949a089",
        ),
        row(
            "4-begin",
            "transaction 2 begins",
            WalRecord::Begin { txid: 2 },
            "4557414c 0100 01 08000000 0200000000000000 8a7672af",
        ),
        row(
            "5-delete",
            "it deletes entity 1",
            WalRecord::Delete { txid: 2, collection: 1, entity: ENTITY },
            "4557414c 0100 03 1d000000 0200000000000000 01000000 00000000000000000000000000000001 \
             00 ee0b7e0b",
        ),
        row(
            "6-commit",
            "and commits as sequence 2",
            WalRecord::Commit { txid: 2, sequence: 2 },
            "4557414c 0100 04 10000000 0200000000000000 0200000000000000 28fae72e",
        ),
    ]
}

fn segments() -> Vec<Row> {
    let record = |sequence, payload: &[u8]| {
        Layout::SegmentRecord(SegmentRecord {
            collection: 1,
            entity: ENTITY,
            sequence,
            payload: payload.to_vec(),
            tombstone: payload.is_empty(),
        })
    };
    vec![
        Row {
            id: "1-put",
            meaning: "entity 1 as of sequence 1",
            layout: record(1, PAYLOAD),
            bytes: "31000000 01000000 00000000000000000000000000000001 00 0100000000000000 \
                    a2617601646e616d65626e31 68bf899c",
        },
        Row {
            id: "2-tombstone",
            meaning: "entity 1 is deleted as of sequence 2",
            layout: record(2, &[]),
            bytes: "25000000 01000000 00000000000000000000000000000001 01 0200000000000000 \
                    b3493826",
        },
    ]
}

fn manifests() -> Vec<Row> {
    let manifest = |next_index_id, indexes, last_checkpoint| {
        let collections = vec![Collection { name: "users".to_owned(), id: 1 }];
        let next_collection_id = 2;
        Layout::Manifest(Manifest {
            next_collection_id,
            collections,
            next_index_id,
            indexes,
            last_checkpoint,
        })
    };
    let index = Index {
        id: 1,
        collection: 1,
        path: vec!["name".to_owned()],
        kind: 0,
        unique: false,
        created_at: 2,
    };
    vec![
        Row {
            id: "1-collection",
            meaning: "one collection, never checkpointed",
            layout: manifest(1, vec![], None),
            bytes: "454d464e 0200 0100 0000 02000000 01000000 0500 7573657273 01000000 \
                    0100000000000000 00000000 00",
        },
        Row {
            id: "2-index-and-checkpoint",
            meaning: "a hash index created at sequence 2, checkpointed at sequence 2",
            layout: manifest(2, vec![index], Some(2)),
            bytes: "454d464e 0200 0100 0000 02000000 01000000 0500 7573657273 01000000 \
                    0200000000000000 01000000 0100000000000000 01000000 0100 0400 6e616d65 00 00 \
                    0200000000000000 01 0200000000000000",
        },
    ]
}
