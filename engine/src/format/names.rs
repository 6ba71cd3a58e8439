//! File names of a store.

/// The advisory lock.
pub const LOCK: &str = "LOCK";
/// The file that names everything else.
pub const MANIFEST: &str = "MANIFEST";
/// The next MANIFEST before its rename.
pub const MANIFEST_TMP: &str = "MANIFEST.tmp";
/// `EntiDB`'s version-1 log: stays in place, always empty.
pub const LEGACY_WAL: &str = "wal.log";
/// Where segments live.
pub const SEGMENTS: &str = "SEGMENTS";
/// Where sidecars live.
pub const INDEX: &str = "INDEX";

/// The WAL of a generation.
pub fn wal(generation: u32) -> String {
    format!("wal-{generation:06}.log")
}

/// A segment, relative to [`SEGMENTS`].
pub fn segment(id: u64) -> String {
    format!("seg-{id:06}.dat")
}

/// A segment, relative to the store.
pub fn segment_path(id: u64) -> String {
    format!("{SEGMENTS}/{}", segment(id))
}

/// The generation of a WAL name; `None` for any other name.
pub fn parse_wal(name: &str) -> Option<u32> {
    let generation = name.strip_prefix("wal-")?.strip_suffix(".log")?.parse().ok()?;
    (wal(generation) == name).then_some(generation)
}

/// The number of a segment name; `None` for any other name.
pub fn parse_segment(name: &str) -> Option<u64> {
    let id = name.strip_prefix("seg-")?.strip_suffix(".dat")?.parse().ok()?;
    (segment(id) == name).then_some(id)
}

/// The sidecar of a segment, relative to [`INDEX`].
pub fn sidecar(segment: u64) -> String {
    format!("seg-{segment:06}.idx")
}

/// The sidecar of a segment, relative to the store.
pub fn sidecar_path(segment: u64) -> String {
    format!("{INDEX}/{}", sidecar(segment))
}

/// The segment whose sidecar has this name; `None` for any other name.
pub fn parse_sidecar(name: &str) -> Option<u64> {
    let id = name.strip_prefix("seg-")?.strip_suffix(".idx")?.parse().ok()?;
    (sidecar(id) == name).then_some(id)
}

/// Whether a name is that of a file that was never published.
pub fn is_temporary(name: &str) -> bool {
    name == MANIFEST_TMP
}
