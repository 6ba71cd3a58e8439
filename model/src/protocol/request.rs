//! Requests: what the harness writes and a driver reads.

use serde::{Deserialize, Serialize};

use super::error::{LineError, need, parse_json};
use super::hex_bytes::Hex;
use crate::op::{Collection, Id, Op, Slot};
use crate::payload::Payload;
use crate::plan::Settings;

/// One line to a driver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Counts the requests of one process, from 0.
    pub n: u64,
    /// What is asked.
    pub ask: Ask,
}

/// What a driver can be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ask {
    /// Who are you? Comes first, once.
    Hello {
        /// The newest version that the harness understands.
        protocol: u32,
    },
    /// Opens the store in a directory, creating it if there is none. One store is open at a time.
    Open {
        /// The directory; it exists, and everything the store keeps belongs below it.
        dir: String,
        /// How to open it.
        settings: Settings,
    },
    /// The client goes and another comes: its transaction is abandoned, its snapshots released.
    Client,
    /// An operation on the open store, never [`Op::Reopen`].
    Op(Op),
    /// Closes the store cleanly.
    Close,
    /// Ends the conversation: the driver answers, then exits with code 0.
    Bye,
}

impl Ask {
    /// What is asked, as the request's `op` says it.
    pub const fn name(&self) -> &'static str {
        self.kind().name()
    }

    const fn kind(&self) -> Kind {
        let op = match self {
            Self::Hello { .. } => return Kind::Hello,
            Self::Open { .. } => return Kind::Open,
            Self::Client => return Kind::Client,
            Self::Close => return Kind::Close,
            Self::Bye => return Kind::Bye,
            Self::Op(op) => op,
        };
        match op {
            Op::CreateCollection { .. } => Kind::CreateCollection,
            Op::Begin => Kind::Begin,
            Op::Commit => Kind::Commit,
            Op::Abort => Kind::Abort,
            Op::Put { .. } => Kind::Put,
            Op::Insert { .. } => Kind::Insert,
            Op::Delete { .. } => Kind::Delete,
            Op::Get { .. } => Kind::Get,
            Op::GetMany { .. } => Kind::GetMany,
            Op::Scan { .. } => Kind::Scan,
            Op::ScanRange { .. } => Kind::ScanRange,
            Op::Snapshot { .. } => Kind::Snapshot,
            Op::SnapshotGet { .. } => Kind::SnapshotGet,
            Op::SnapshotScan { .. } => Kind::SnapshotScan,
            Op::SnapshotRelease { .. } => Kind::SnapshotRelease,
            Op::Checkpoint => Kind::Checkpoint,
            Op::Compact => Kind::Compact,
            Op::CompactStep => Kind::CompactStep,
            Op::Scrub => Kind::Scrub,
            Op::Reopen => Kind::Close,
        }
    }
}

impl Request {
    /// Appends the request to `out` as a line, with its line feed. [`Op::Reopen`], which travels
    /// as a close and an open, becomes its close.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let fields = Fields::new(self.n, &self.ask);
        // Writing numbers, text and lists of them to memory cannot fail.
        let _ = serde_json::to_writer(&mut *out, &fields);
        out.push(b'\n');
    }

    /// Reads a line, with or without its line feed. Unknown fields are ignored, so that later
    /// versions can add some. Contents become [`Payload::Raw`], said to be canonical: whether
    /// they are does not travel.
    ///
    /// # Errors
    /// [`LineError`] if it is no request of this version.
    pub fn parse(line: &[u8]) -> Result<Self, LineError> {
        let fields: Fields = parse_json(line)?;
        let n = need(fields.n, "request", "n")?;
        Ok(Self { n, ask: fields.into_ask()? })
    }
}

/// The value of `op`.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Hello,
    Open,
    Client,
    Close,
    Bye,
    CreateCollection,
    Begin,
    Commit,
    Abort,
    Put,
    Insert,
    Delete,
    Get,
    GetMany,
    Scan,
    ScanRange,
    Snapshot,
    SnapshotGet,
    SnapshotScan,
    SnapshotRelease,
    Checkpoint,
    Compact,
    CompactStep,
    Scrub,
}

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Self::Hello => "hello",
            Self::Open => "open",
            Self::Client => "client",
            Self::Close => "close",
            Self::Bye => "bye",
            Self::CreateCollection => "create_collection",
            Self::Begin => "begin",
            Self::Commit => "commit",
            Self::Abort => "abort",
            Self::Put => "put",
            Self::Insert => "insert",
            Self::Delete => "delete",
            Self::Get => "get",
            Self::GetMany => "get_many",
            Self::Scan => "scan",
            Self::ScanRange => "scan_range",
            Self::Snapshot => "snapshot",
            Self::SnapshotGet => "snapshot_get",
            Self::SnapshotScan => "snapshot_scan",
            Self::SnapshotRelease => "snapshot_release",
            Self::Checkpoint => "checkpoint",
            Self::Compact => "compact",
            Self::CompactStep => "compact_step",
            Self::Scrub => "scrub",
        }
    }
}

/// Every field that a request can have.
#[derive(Default, Serialize, Deserialize)]
struct Fields {
    n: Option<u64>,
    op: Option<Kind>,
    #[serde(skip_serializing_if = "Option::is_none")]
    protocol: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dir: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    settings: Option<Settings>,
    #[serde(skip_serializing_if = "Option::is_none")]
    slot: Option<Slot>,
    #[serde(skip_serializing_if = "Option::is_none")]
    collection: Option<Collection>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<Id>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ids: Option<Vec<Id>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<Id>,
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<Id>,
    #[serde(skip_serializing_if = "Option::is_none")]
    descending: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payload: Option<Hex>,
}

impl Fields {
    fn new(n: u64, ask: &Ask) -> Self {
        let fields = match ask {
            Ask::Hello { protocol } => Self { protocol: Some(*protocol), ..Self::default() },
            Ask::Open { dir, settings } => {
                Self { dir: Some(dir.clone()), settings: Some(settings.clone()), ..Self::default() }
            }
            Ask::Op(op) => Self::from_op(op),
            Ask::Client | Ask::Close | Ask::Bye => Self::default(),
        };
        Self { n: Some(n), op: Some(ask.kind()), ..fields }
    }

    fn from_op(op: &Op) -> Self {
        let none = Self::default();
        let at =
            |collection: &Collection| Self { collection: Some(*collection), ..Self::default() };
        let one = |collection, id: &Id| Self { id: Some(*id), ..at(collection) };
        let content = |payload: &Payload| Some(Hex(payload.bytes()));
        match op {
            Op::CreateCollection { collection } | Op::Scan { collection } => at(collection),
            Op::Put { collection, id, payload } => {
                Self { payload: content(payload), ..one(collection, id) }
            }
            Op::Insert { collection, payload } => {
                Self { payload: content(payload), ..at(collection) }
            }
            Op::Delete { collection, id } | Op::Get { collection, id } => one(collection, id),
            Op::GetMany { collection, ids } => Self { ids: Some(ids.clone()), ..at(collection) },
            Op::ScanRange { collection, from, to, descending } => {
                Self { from: *from, to: *to, descending: Some(*descending), ..at(collection) }
            }
            Op::Snapshot { slot } | Op::SnapshotRelease { slot } => {
                Self { slot: Some(*slot), ..none }
            }
            Op::SnapshotGet { slot, collection, id } => {
                Self { slot: Some(*slot), ..one(collection, id) }
            }
            Op::SnapshotScan { slot, collection } => Self { slot: Some(*slot), ..at(collection) },
            Op::Begin
            | Op::Commit
            | Op::Abort
            | Op::Checkpoint
            | Op::Compact
            | Op::CompactStep
            | Op::Scrub
            | Op::Reopen => none,
        }
    }

    fn into_ask(self) -> Result<Ask, LineError> {
        let op = need(self.op, "request", "op")?;
        let name = op.name();
        Ok(match op {
            Kind::Hello => Ask::Hello { protocol: need(self.protocol, name, "protocol")? },
            Kind::Open => Ask::Open {
                dir: need(self.dir, name, "dir")?,
                settings: need(self.settings, name, "settings")?,
            },
            Kind::Client => Ask::Client,
            Kind::Close => Ask::Close,
            Kind::Bye => Ask::Bye,
            Kind::Begin => Ask::Op(Op::Begin),
            Kind::Commit => Ask::Op(Op::Commit),
            Kind::Abort => Ask::Op(Op::Abort),
            Kind::Checkpoint => Ask::Op(Op::Checkpoint),
            Kind::Compact => Ask::Op(Op::Compact),
            Kind::CompactStep => Ask::Op(Op::CompactStep),
            Kind::Scrub => Ask::Op(Op::Scrub),
            Kind::Snapshot => Ask::Op(Op::Snapshot { slot: self.slot(name)? }),
            Kind::SnapshotRelease => Ask::Op(Op::SnapshotRelease { slot: self.slot(name)? }),
            _ => Ask::Op(self.into_collection_op(op, name)?),
        })
    }

    /// The operations that name a collection.
    fn into_collection_op(self, op: Kind, name: &'static str) -> Result<Op, LineError> {
        let collection = need(self.collection, name, "collection")?;
        let (slot, id) = (self.slot(name), need(self.id, name, "id"));
        let payload = need(self.payload, name, "payload")
            .map(|Hex(bytes)| Payload::Raw { bytes, canonical: true });
        Ok(match op {
            Kind::CreateCollection => Op::CreateCollection { collection },
            Kind::Put => Op::Put { collection, id: id?, payload: payload? },
            Kind::Insert => Op::Insert { collection, payload: payload? },
            Kind::Delete => Op::Delete { collection, id: id? },
            Kind::Get => Op::Get { collection, id: id? },
            Kind::GetMany => Op::GetMany { collection, ids: need(self.ids, name, "ids")? },
            Kind::ScanRange => {
                let descending = need(self.descending, name, "descending")?;
                Op::ScanRange { collection, from: self.from, to: self.to, descending }
            }
            Kind::SnapshotGet => Op::SnapshotGet { slot: slot?, collection, id: id? },
            Kind::SnapshotScan => Op::SnapshotScan { slot: slot?, collection },
            _ => Op::Scan { collection },
        })
    }

    fn slot(&self, name: &'static str) -> Result<Slot, LineError> {
        need(self.slot, name, "slot")
    }
}
