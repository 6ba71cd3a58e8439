//! Bytes on the medium.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::store::Result;

/// Bytes that a directory's files take on the medium: holes take none.
///
/// # Errors
/// The file system's.
pub fn bytes_of(dir: &Path) -> Result<u64> {
    let mut bytes = 0;
    for entry in std::fs::read_dir(dir)? {
        let entry = entry?;
        let facts = entry.metadata()?;
        bytes += if facts.is_dir() { bytes_of(&entry.path())? } else { facts.blocks() * 512 };
    }
    Ok(bytes)
}

/// Bytes this process has had written to the medium so far, by the kernel's account
/// (`write_bytes` of `/proc/self/io`): pages made dirty, mapped ones and metadata included.
///
/// # Errors
/// The file system's.
pub fn written() -> Result<u64> {
    let io = std::fs::read_to_string("/proc/self/io")?;
    let field = io.lines().find_map(|line| line.strip_prefix("write_bytes: "));
    Ok(field.ok_or("/proc/self/io has no write_bytes")?.parse()?)
}

/// Copies a directory, and syncs the copies: what follows must not pay for writing them.
///
/// # Errors
/// The file system's.
pub fn copy(from: &Path, to: &Path) -> Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let to = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &to)?;
        } else {
            std::fs::copy(entry.path(), &to)?;
            std::fs::File::open(to)?.sync_all()?;
        }
    }
    Ok(())
}
