//! MANIFEST: `EntiDB`'s version-2 body, then this engine's trailer, then a CRC over both.
//!
//! ```text
//! body:    "EMFN" | manifest_version u16 = 2 | format_major u16 = 1 | format_minor u16 = 0
//!          | next_collection_id u32 | count u32 | { name_len u16, name, id u32 }* by name
//!          | next_index_id u64 | count u32 | { index }* by id
//!          | has_checkpoint u8 | [ last_checkpoint u64 ]
//! trailer: "EMFT" | trailer_version u16 = 1 | next_segment_id u64 | next_generation u32
//!          | count u32 | { segment_id u64, len u64, records u64, digest [32] }* by id
//!          | count u32 | { generation u32 }* ascending
//! crc u32
//! ```
//!
//! A newer minor version has a higher `format_minor`, may have other kinds of indexes, and further
//! fields between the trailer and the CRC. It changes nothing else.

use std::collections::BTreeMap;

use super::{CRC_LEN, Fields, crc, len_u16, len_u32, push_crc, segment};
use crate::ids::CollectionId;

const BODY_MAGIC: [u8; 4] = *b"EMFN";
const TRAILER_MAGIC: [u8; 4] = *b"EMFT";
const BODY_VERSION: u16 = 2;
const TRAILER_VERSION: u16 = 1;

/// The format version this engine reads and writes, (major, minor).
pub const FORMAT: (u16, u16) = (1, 0);

/// The greatest kind of index that this version knows.
const INDEX_KIND_MAX: u8 = 1;

/// The longest collection name, in bytes.
pub const NAME_LEN_MAX: usize = 255;

/// The longest MANIFEST, in bytes: a damaged one must not make an open take memory without bound.
/// A million segments fit, or a quarter of a million collections with names of the longest kind.
pub const LEN_MAX: usize = 64 << 20;

/// Everything the store consists of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// The number the next collection gets.
    pub next_collection_id: u32,
    /// Collections by name.
    pub collections: BTreeMap<String, CollectionId>,
    /// The number the next index gets.
    pub next_index_id: u64,
    /// Index definitions by number.
    pub indexes: BTreeMap<u64, Index>,
    /// The last sequence that is in segments; `None` before the first checkpoint.
    pub last_checkpoint: Option<u64>,
    /// What `EntiDB`'s own manifests lack.
    pub trailer: Trailer,
    /// What a newer minor version of the format added. Such a store is only read.
    pub newer: Option<NewerMinor>,
}

/// What this engine does not know of a MANIFEST that it may read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewerMinor {
    /// The minor version; above that of [`FORMAT`].
    pub format_minor: u16,
    /// The fields after the trailer.
    pub fields: Vec<u8>,
}

/// The part of a [`Manifest`] that only this engine writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trailer {
    /// Above every segment number ever listed.
    pub next_segment_id: u64,
    /// Above every WAL number ever listed.
    pub next_generation: u32,
    /// Sealed segments by number.
    pub segments: BTreeMap<u64, SegmentInfo>,
    /// Live WAL files, ascending: none if the store was closed cleanly.
    pub wals: Vec<u32>,
}

/// What a sealed segment must look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SegmentInfo {
    /// File length in bytes; below 4 GiB.
    pub len: u64,
    /// Number of records; at least 1.
    pub records: u64,
    /// SHA-256 over the records' CRCs.
    pub digest: [u8; 32],
}

/// An index definition of the version-2 body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Index {
    /// The collection it serves.
    pub collection: CollectionId,
    /// The field path.
    pub path: Vec<String>,
    /// 0 hash, 1 ordered; others only in a newer minor version.
    pub kind: u8,
    /// Whether keys are unique.
    pub unique: bool,
    /// The sequence at which it was created.
    pub created_at: u64,
}

/// Why bytes are not a MANIFEST of this engine.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoManifest {
    /// Damaged.
    #[error("{what}")]
    Corrupt {
        /// Where it shows, in bytes.
        offset: usize,
        /// What shows.
        what: &'static str,
    },
    /// A whole version-1 or version-2 body without our trailer.
    #[error("the file ends at EntiDB's own body, without this engine's trailer")]
    Foreign,
    /// Verifies, but is newer in more than its minor version.
    #[error("{what} {found} is newer than this engine's {known}")]
    Newer {
        /// Which version number.
        what: &'static str,
        /// The number found.
        found: u16,
        /// The newest number known.
        known: u16,
    },
}

impl Default for Manifest {
    fn default() -> Self {
        Self {
            next_collection_id: 1,
            collections: BTreeMap::new(),
            next_index_id: 1,
            indexes: BTreeMap::new(),
            last_checkpoint: None,
            trailer: Trailer::default(),
            newer: None,
        }
    }
}

impl Default for Trailer {
    fn default() -> Self {
        Self { next_segment_id: 1, next_generation: 1, segments: BTreeMap::new(), wals: vec![] }
    }
}

impl SegmentInfo {
    /// Whether a segment of this length can hold so many records: at least one, each of at least
    /// [`segment::OVERHEAD`] bytes, at offsets of four bytes.
    fn is_possible(&self) -> bool {
        let records_max = self.len / segment::OVERHEAD as u64;
        (1..=records_max).contains(&self.records) && self.len <= u32::MAX.into()
    }
}

impl Manifest {
    /// The whole file.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = self.encode_body();
        self.trailer.push(&mut out);
        if let Some(newer) = &self.newer {
            out.extend_from_slice(&newer.fields);
        }
        push_crc(&mut out, 0);
        out
    }

    /// `EntiDB`'s version-2 body.
    pub fn encode_body(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(256);
        out.extend_from_slice(&BODY_MAGIC);
        let minor = self.newer.as_ref().map_or(FORMAT.1, |newer| newer.format_minor);
        for version in [BODY_VERSION, FORMAT.0, minor] {
            out.extend(version.to_le_bytes());
        }
        out.extend(self.next_collection_id.to_le_bytes());
        push_count(&mut out, self.collections.len());
        for (name, id) in &self.collections {
            push_text(&mut out, name);
            out.extend(id.get().to_le_bytes());
        }
        out.extend(self.next_index_id.to_le_bytes());
        push_count(&mut out, self.indexes.len());
        for (id, index) in &self.indexes {
            index.push(*id, &mut out);
        }
        out.push(u8::from(self.last_checkpoint.is_some()));
        if let Some(sequence) = self.last_checkpoint {
            out.extend(sequence.to_le_bytes());
        }
        out
    }

    /// Decodes a whole file.
    ///
    /// # Errors
    /// [`NoManifest`]: damaged, foreign or newer.
    pub fn decode(bytes: &[u8]) -> Result<Self, NoManifest> {
        let verified = bytes.split_last_chunk::<CRC_LEN>().and_then(|(covered, sum)| {
            (crc(covered) == u32::from_le_bytes(*sum)).then_some(covered)
        });
        let Some(covered) = verified else {
            return Err(unverified(bytes));
        };
        let mut fields = Fields::new(covered);
        let mut manifest = decode_body(&mut fields, BODY_VERSION)
            .and_then(|body| Ok(Self { trailer: Trailer::decode(&mut fields)?, ..body }))?;
        if let Some(newer) = &mut manifest.newer {
            newer.fields = fields.rest().to_vec();
        } else if !fields.is_done() {
            return Err(NoManifest::Corrupt {
                offset: fields.at(),
                what: "bytes after the trailer",
            });
        }
        manifest.check_consistent()?;
        Ok(manifest)
    }

    /// Rules between fields: numbers are below their successors, names have a permitted length.
    fn check_consistent(&self) -> Result<(), NoManifest> {
        let broken = |what| Err(NoManifest::Corrupt { offset: 0, what });
        let ids: std::collections::BTreeSet<_> = self.collections.values().collect();
        if ids.len() != self.collections.len() {
            return broken("two collections share a number");
        }
        if ids.last().is_some_and(|id| id.get() >= self.next_collection_id) {
            return broken("a collection is numbered above next_collection_id");
        }
        if self.collections.keys().any(|name| name.is_empty() || name.len() > NAME_LEN_MAX) {
            return broken("a collection's name is empty or too long");
        }
        if self.indexes.last_key_value().is_some_and(|(id, _)| *id >= self.next_index_id) {
            return broken("an index is numbered above next_index_id");
        }
        let trailer = &self.trailer;
        if trailer.segments.last_key_value().is_some_and(|(id, _)| *id >= trailer.next_segment_id) {
            return broken("a segment is numbered above next_segment_id");
        }
        if !trailer.segments.values().all(SegmentInfo::is_possible) {
            return broken("a segment's length does not fit its number of records");
        }
        if trailer.wals.last().is_some_and(|wal| *wal >= trailer.next_generation) {
            return broken("a WAL is numbered above next_generation");
        }
        if trailer.wals.len() > 2 {
            return broken("more than two live WAL files");
        }
        Ok(())
    }
}

/// A file whose CRC does not match: `EntiDB`'s own if it is exactly a body, else damaged.
fn unverified(bytes: &[u8]) -> NoManifest {
    let mut fields = Fields::new(bytes);
    let version = if bytes.get(4..6) == Some(&[1, 0]) { 1 } else { BODY_VERSION };
    match decode_body(&mut fields, version) {
        // Nothing vouches for a newer body: it has a CRC, which does not match.
        Ok(body) if fields.is_done() && body.newer.is_none() => NoManifest::Foreign,
        Ok(_) => NoManifest::Corrupt { offset: bytes.len() - CRC_LEN, what: "CRC mismatch" },
        Err(NoManifest::Corrupt { offset, what }) => NoManifest::Corrupt { offset, what },
        Err(_) => NoManifest::Corrupt { offset: 4, what: "CRC mismatch, unknown version" },
    }
}

fn decode_body(fields: &mut Fields<'_>, version: u16) -> Result<Manifest, NoManifest> {
    if fields.array() != Some(BODY_MAGIC) {
        return Err(NoManifest::Corrupt { offset: 0, what: "does not begin with EMFN" });
    }
    require_version(fields, "manifest version", version)?;
    require_version(fields, "format major version", FORMAT.0)?;
    let newer = newer_minor(fields)?;
    let parsed = parse_body(fields, version >= 2, newer);
    parsed.ok_or(NoManifest::Corrupt { offset: fields.at(), what: "malformed body" })
}

/// The minor version, if it is newer than ours: that alone is no reason to refuse.
fn newer_minor(fields: &mut Fields<'_>) -> Result<Option<NewerMinor>, NoManifest> {
    match require_version(fields, "format minor version", FORMAT.1) {
        Err(NoManifest::Newer { found, .. }) => {
            Ok(Some(NewerMinor { format_minor: found, fields: Vec::new() }))
        }
        ours => ours.map(|()| None),
    }
}

fn require_version(
    fields: &mut Fields<'_>,
    what: &'static str,
    known: u16,
) -> Result<(), NoManifest> {
    let offset = fields.at();
    match fields.u16() {
        Some(found) if found == known => Ok(()),
        Some(found) if found > known => Err(NoManifest::Newer { what, found, known }),
        _ => Err(NoManifest::Corrupt { offset, what: "unknown version number" }),
    }
}

fn parse_body(
    fields: &mut Fields<'_>,
    has_indexes: bool,
    newer: Option<NewerMinor>,
) -> Option<Manifest> {
    let kinds = if newer.is_some() { u8::MAX } else { INDEX_KIND_MAX };
    let mut manifest = Manifest { next_collection_id: fields.u32()?, newer, ..Manifest::default() };
    for _ in 0..fields.u32()? {
        let name = parse_text(fields)?;
        let id = CollectionId::new(fields.u32()?);
        insert_last(&mut manifest.collections, name, id)?;
    }
    if has_indexes {
        manifest.next_index_id = fields.u64()?;
        for _ in 0..fields.u32()? {
            let id = fields.u64()?;
            insert_last(&mut manifest.indexes, id, Index::parse(fields, kinds)?)?;
        }
    }
    if fields.flag()? {
        manifest.last_checkpoint = Some(fields.u64()?);
    }
    Some(manifest)
}

/// Inserts a key that must be above all keys there are: one order, no duplicates.
fn insert_last<K: Ord, V>(map: &mut BTreeMap<K, V>, key: K, value: V) -> Option<()> {
    if map.last_key_value().is_some_and(|(last, _)| *last >= key) {
        return None;
    }
    map.insert(key, value);
    Some(())
}

impl Trailer {
    fn push(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&TRAILER_MAGIC);
        out.extend(TRAILER_VERSION.to_le_bytes());
        out.extend(self.next_segment_id.to_le_bytes());
        out.extend(self.next_generation.to_le_bytes());
        push_count(out, self.segments.len());
        for (id, segment) in &self.segments {
            out.extend(id.to_le_bytes());
            out.extend(segment.len.to_le_bytes());
            out.extend(segment.records.to_le_bytes());
            out.extend_from_slice(&segment.digest);
        }
        push_count(out, self.wals.len());
        for generation in &self.wals {
            out.extend(generation.to_le_bytes());
        }
    }

    fn decode(fields: &mut Fields<'_>) -> Result<Self, NoManifest> {
        let offset = fields.at();
        if fields.array() != Some(TRAILER_MAGIC) {
            return Err(NoManifest::Corrupt { offset, what: "no trailer after the body" });
        }
        require_version(fields, "trailer version", TRAILER_VERSION)?;
        let parsed = Self::parse(fields);
        parsed.ok_or(NoManifest::Corrupt { offset: fields.at(), what: "malformed trailer" })
    }

    fn parse(fields: &mut Fields<'_>) -> Option<Self> {
        let mut trailer = Self {
            next_segment_id: fields.u64()?,
            next_generation: fields.u32()?,
            ..Self::default()
        };
        for _ in 0..fields.u32()? {
            let id = fields.u64()?;
            let segment =
                SegmentInfo { len: fields.u64()?, records: fields.u64()?, digest: fields.array()? };
            insert_last(&mut trailer.segments, id, segment)?;
        }
        for _ in 0..fields.u32()? {
            let generation = fields.u32()?;
            if trailer.wals.last().is_some_and(|last| *last >= generation) {
                return None;
            }
            trailer.wals.push(generation);
        }
        Some(trailer)
    }
}

impl Index {
    fn push(&self, id: u64, out: &mut Vec<u8>) {
        out.extend(id.to_le_bytes());
        out.extend(self.collection.get().to_le_bytes());
        out.extend(len_u16(self.path.len()).to_le_bytes());
        for step in &self.path {
            push_text(out, step);
        }
        out.extend([self.kind, u8::from(self.unique)]);
        out.extend(self.created_at.to_le_bytes());
    }

    fn parse(fields: &mut Fields<'_>, kinds: u8) -> Option<Self> {
        let collection = CollectionId::new(fields.u32()?);
        let mut path = Vec::new();
        for _ in 0..fields.u16()? {
            path.push(parse_text(fields)?);
        }
        let kind = fields.u8().filter(|kind| *kind <= kinds)?;
        Some(Self { collection, path, kind, unique: fields.flag()?, created_at: fields.u64()? })
    }
}

fn push_count(out: &mut Vec<u8>, count: usize) {
    out.extend(len_u32(count).to_le_bytes());
}

fn push_text(out: &mut Vec<u8>, text: &str) {
    out.extend(len_u16(text.len()).to_le_bytes());
    out.extend_from_slice(text.as_bytes());
}

fn parse_text(fields: &mut Fields<'_>) -> Option<String> {
    let len = fields.u16()?;
    Some(std::str::from_utf8(fields.take(len.into())?).ok()?.to_owned())
}
