//! A script as it grows, with the oracle beside it.

use std::collections::{BTreeMap, BTreeSet};

use proofhouse_model::protocol::{Answer, Ask, Reply, Request};
use proofhouse_model::{
    Capabilities, Collection, ErrorClass, Id, Op, Oracle, Outcome, Payload, Settings,
};
use serde_json::{Value as Json, json};

use crate::file::{Entry, Expect};
use crate::script::SETTING;

const SOURCE: &str = "docs/protocol.md; model/src/op.rs";
/// The longest content, in bytes, where a script does not say otherwise.
pub(super) const MAX_PAYLOAD: u32 = 5200;
/// A collection that nothing creates.
pub(super) const UNKNOWN: Collection = Collection(255);
pub(super) const C: Collection = Collection(0);
pub(super) const D: Collection = Collection(1);

/// The scripts about one rule.
pub(super) struct Rule {
    name: &'static str,
    entries: Vec<Entry>,
}

impl Rule {
    pub(super) fn new(name: &'static str) -> Self {
        Self { name, entries: Vec::new() }
    }

    pub(super) fn add(&mut self, id: impl AsRef<str>, meaning: &str, acts: Acts) {
        let Acts { steps, needs, .. } = acts;
        self.entries.push(Entry {
            id: format!("{}/{}", self.name, id.as_ref()),
            rule: self.name.to_owned(),
            meaning: meaning.to_owned(),
            source: SOURCE.to_owned(),
            value: Some(json!({ "steps": steps })),
            diagnostic: None,
            given: Some(json!({ "needs": needs })),
            bytes: None,
            files: None,
            expect: BTreeMap::from([(SETTING.to_owned(), Expect::Accept)]),
        });
    }

    /// A script of operations on two new collections.
    pub(super) fn ops(&mut self, id: &str, meaning: &str, ops: &[Op]) {
        let mut acts = Acts::on_two();
        acts.ops(ops);
        self.add(id, meaning, acts);
    }

    pub(super) fn finish(self) -> Vec<Entry> {
        self.entries
    }
}

/// One script.
pub(super) struct Acts {
    settings: Settings,
    oracle: Oracle,
    steps: Vec<Json>,
    needs: BTreeSet<&'static str>,
}

impl Acts {
    /// Nothing is open yet.
    pub(super) fn new(settings: Settings) -> Self {
        let oracle = Oracle::new(&settings, Capabilities::ALL);
        Self { settings, oracle, steps: Vec::new(), needs: BTreeSet::new() }
    }

    /// A new store is open.
    pub(super) fn open(settings: Settings) -> Self {
        let mut acts = Self::new(settings);
        acts.open_again();
        acts
    }

    /// A new store with the collections [`C`] and [`D`].
    pub(super) fn on_two() -> Self {
        let mut acts = Self::open(settings());
        acts.ops(&[C, D].map(|collection| Op::CreateCollection { collection }));
        acts
    }

    pub(super) fn ops(&mut self, ops: &[Op]) {
        for op in ops {
            self.op(op);
        }
    }

    pub(super) fn op(&mut self, op: &Op) {
        self.need(op);
        let due = self.oracle.step(op);
        self.ask(Ask::Op(op.clone()), due);
    }

    pub(super) fn open_again(&mut self) {
        let settings = self.settings.after_draws(self.oracle.draws());
        self.ask(Ask::Open { dir: String::new(), settings }, Outcome::Done);
    }

    /// Another client on the same store.
    pub(super) fn client(&mut self) {
        self.oracle.step(&Op::Reopen);
        self.ask(Ask::Client, Outcome::Done);
    }

    pub(super) fn close(&mut self) {
        self.oracle.step(&Op::Reopen);
        self.ask(Ask::Close, Outcome::Done);
    }

    pub(super) fn reopen(&mut self) {
        self.close();
        self.open_again();
    }

    /// The process is killed; another one opens the store.
    pub(super) fn kill(&mut self) {
        self.needs.insert("kill");
        self.oracle.step(&Op::Reopen);
        self.steps.push(json!({ "kill": true }));
        self.open_again();
    }

    /// What is refused because there is no store for it, or one already.
    pub(super) fn misuse(&mut self, ask: Ask) {
        if let Ask::Op(op) = &ask {
            self.need(op);
        }
        self.ask(ask, Outcome::Failed(ErrorClass::Misuse));
    }

    /// The settings that it is opened with.
    pub(super) fn settings(&self) -> Settings {
        self.settings.clone()
    }

    /// Everything that is there, by every access path.
    pub(super) fn read_all(&mut self) {
        for collection in (0..=u8::MAX).map(Collection) {
            if self.oracle.state().has(collection) {
                let ids = [3, 0, 3].map(Id::nth).to_vec();
                self.op(&Op::Scan { collection });
                self.op(&Op::GetMany { collection, ids });
                self.op(&Op::Get { collection, id: Id::nth(0) });
            }
        }
    }

    /// What a driver must offer to be asked this.
    fn need(&mut self, op: &Op) {
        let all = Capabilities::ALL;
        let without = [
            ("transactions", Capabilities { transactions: false, ..all }),
            ("snapshots", Capabilities { snapshots: false, ..all }),
            ("checkpoint", Capabilities { checkpoint: false, ..all }),
            ("compaction", Capabilities { compaction: false, ..all }),
            ("ranges", Capabilities { ranges: false, ..all }),
            ("scrub", Capabilities { scrub: false, ..all }),
            ("insert", Capabilities { insert: false, ..all }),
        ];
        self.needs.extend(without.iter().filter(|(_, it)| !it.offer(op)).map(|(name, _)| *name));
        if let Op::Put { payload, .. } | Op::Insert { payload, .. } = op
            && !payload.is_canonical()
        {
            self.needs.insert("canonical_payloads");
        }
    }

    fn ask(&mut self, ask: Ask, due: Outcome) {
        let (mut asked, mut answered) = (Vec::new(), Vec::new());
        Request { n: 0, ask }.encode(&mut asked);
        Answer::new(0, Reply::Outcome(due)).encode(&mut answered);
        let [ask, due] = [asked, answered].map(|line| {
            let mut fields: Json = serde_json::from_slice(&line).unwrap_or_default();
            for of_one_run in ["n", "dir"] {
                fields.as_object_mut().and_then(|fields| fields.remove(of_one_run));
            }
            fields
        });
        self.steps.push(json!({ "ask": ask, "due": due }));
    }
}

/// Settings small enough that a few commits meet every mechanism.
pub(super) fn settings() -> Settings {
    Settings {
        wal_reserve: 4096,
        max_segment: 2048,
        entropy: [6, 7, 6, 8].map(Id::nth).to_vec(),
        max_payload: MAX_PAYLOAD,
    }
}

pub(super) fn entity(tag: u32, size: u32) -> Payload {
    Payload::Entity { tag, size }
}

pub(super) fn put(collection: Collection, id: u8, tag: u32, size: u32) -> Op {
    Op::Put { collection, id: Id::nth(id), payload: entity(tag, size) }
}

pub(super) fn insert(collection: Collection, tag: u32) -> Op {
    Op::Insert { collection, payload: entity(tag, 40) }
}

pub(super) fn get(collection: Collection, id: u8) -> Op {
    Op::Get { collection, id: Id::nth(id) }
}

pub(super) fn get_many(collection: Collection, ids: &[u8]) -> Op {
    Op::GetMany { collection, ids: ids.iter().copied().map(Id::nth).collect() }
}

pub(super) fn delete(collection: Collection, id: u8) -> Op {
    Op::Delete { collection, id: Id::nth(id) }
}

pub(super) fn scan(collection: Collection) -> Op {
    Op::Scan { collection }
}

/// From the first identity on and before the second one; the same in both orders.
pub(super) fn ranges(collection: Collection, from: Option<u8>, to: Option<u8>) -> [Op; 2] {
    let [from, to] = [from, to].map(|id| id.map(Id::nth));
    [false, true].map(|descending| Op::ScanRange { collection, from, to, descending })
}

pub(super) fn snapshot_get(slot: u8, collection: Collection, id: u8) -> Op {
    Op::SnapshotGet { slot, collection, id: Id::nth(id) }
}

pub(super) fn snapshot_scan(slot: u8, collection: Collection) -> Op {
    Op::SnapshotScan { slot, collection }
}
