//! MANIFEST, as the engine's `format` module decodes it.

use entidb_engine::format::manifest::{Manifest, NoManifest};

use super::{Answer, notation};
use crate::entidb;
use crate::layout::{Generation, Hash, NewerMinor, SegmentInfo, StoreManifest};

pub(super) fn manifest(bytes: &[u8]) -> Answer {
    let manifest = Manifest::decode(bytes).map_err(|why| match why {
        NoManifest::Corrupt { .. } => "corrupt",
        NoManifest::Foreign => "foreign",
        NoManifest::Newer { .. } => "newer-version",
    })?;
    if manifest.encode() != bytes {
        return Err("encodes otherwise".to_owned());
    }
    Ok(notation(&fields(&manifest)))
}

fn fields(manifest: &Manifest) -> StoreManifest {
    let collections = manifest.collections.iter();
    let indexes = manifest.indexes.iter();
    let segments = manifest.trailer.segments.iter();
    StoreManifest {
        body: entidb::Manifest {
            next_collection_id: manifest.next_collection_id,
            collections: collections
                .map(|(name, id)| entidb::Collection { name: name.clone(), id: id.get() })
                .collect(),
            next_index_id: manifest.next_index_id,
            indexes: indexes
                .map(|(id, index)| entidb::Index {
                    id: *id,
                    collection: index.collection.get(),
                    path: index.path.clone(),
                    kind: index.kind,
                    unique: index.unique,
                    created_at: index.created_at,
                })
                .collect(),
            last_checkpoint: manifest.last_checkpoint,
        },
        next_segment_id: manifest.trailer.next_segment_id,
        next_generation: manifest.trailer.next_generation,
        segments: segments
            .map(|(id, segment)| SegmentInfo {
                id: *id,
                len: segment.len,
                records: segment.records,
                digest: Hash(segment.digest),
            })
            .collect(),
        wals: manifest.trailer.wals.iter().copied().map(Generation).collect(),
        newer: manifest.newer.as_ref().map(|newer| NewerMinor {
            format_minor: newer.format_minor,
            fields: newer.fields.clone(),
        }),
    }
}
