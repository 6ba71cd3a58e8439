//! The vectors of the source tree, carried in the binary so that it can check them anywhere.

use std::io;

use crate::error::VectorsError;
use crate::vectors::Vectors;

#[cfg(test)]
mod tests;

macro_rules! files {
    ($($name:literal),* $(,)?) => {
        /// Every file the index leads to, and the index.
        const FILES: &[(&str, &[u8])] =
            &[$(($name, include_bytes!(concat!("../vectors/", $name)))),*];
    };
}

files![
    "COVERAGE.md",
    "index.json",
    "cbor.json",
    "cbor/map-lengths-65535.bin",
    "cbor/map-lengths-65536.bin",
    "golden_entidb.json",
    "hash.json",
    "manifest.json",
    "name.json",
    "script.json",
    "segment.json",
    "segment_record.json",
    "store.json",
    "stores/releases.json",
    "wal_log.json",
    "wal_record.json",
];

/// The vectors as they were when this was compiled.
///
/// # Errors
/// As [`Vectors::load`]; a test of this crate holds that there is none.
pub fn embedded() -> Result<Vectors, VectorsError> {
    Vectors::read(&embedded_file)
}

/// The content of one of the files.
pub(crate) fn embedded_file(name: &str) -> Result<Vec<u8>, VectorsError> {
    let file = FILES.iter().find(|(known, _)| *known == name);
    file.map(|(_, bytes)| bytes.to_vec()).ok_or_else(|| VectorsError::Unreadable {
        file: name.to_owned(),
        source: io::Error::from(io::ErrorKind::NotFound),
    })
}

/// The files that [`embedded`] reads, by name: enough for a reader in another language.
pub fn embedded_files() -> impl Iterator<Item = (&'static str, &'static [u8])> {
    FILES.iter().copied()
}
