//! Digests of a tree: by names, and by inode identity.

use xxhash_rust::xxh3::xxh3_128;

use super::{Ino, Tree};

impl Tree {
    /// A digest of every name that can be reached and of what is in the files: equal for trees
    /// that look the same, whatever their inode numbers.
    pub fn digest(&self) -> u128 {
        let mut seen = Vec::with_capacity(512);
        self.digest_into(Ino::ROOT, &mut seen);
        xxh3_128(&seen)
    }

    fn digest_into(&self, dir: Ino, seen: &mut Vec<u8>) {
        let Some(entries) = self.entries(dir) else { return };
        seen.extend((entries.len() as u64).to_le_bytes());
        for (name, ino) in entries {
            push_name(seen, name);
            if let Some(content) = self.content(*ino) {
                seen.push(b'f');
                seen.extend(content.digest().to_le_bytes());
            } else {
                seen.push(b'd');
                self.digest_into(*ino, seen);
            }
        }
    }

    /// A digest that also tells inodes apart and covers those no name reaches: what pending
    /// operations can still bring to light.
    pub(crate) fn identity_digest(&self) -> u128 {
        let mut seen = Vec::with_capacity(512);
        seen.extend((self.files.len() as u64).to_le_bytes());
        for (ino, content) in &self.files {
            seen.extend(ino.0.to_le_bytes());
            seen.extend(content.digest().to_le_bytes());
        }
        for (ino, entries) in &self.dirs {
            seen.extend(ino.0.to_le_bytes());
            seen.extend((entries.len() as u64).to_le_bytes());
            for (name, target) in entries.iter() {
                push_name(&mut seen, name);
                seen.extend(target.0.to_le_bytes());
            }
        }
        xxh3_128(&seen)
    }
}

fn push_name(seen: &mut Vec<u8>, name: &str) {
    seen.extend((name.len() as u64).to_le_bytes());
    seen.extend(name.as_bytes());
}
