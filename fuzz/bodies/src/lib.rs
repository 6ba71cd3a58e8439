//! What the fuzz targets check, as plain functions of bytes.
//!
//! A [`Target`] is a body, the inputs to begin with and the words of a dictionary. `fuzz/` hands
//! each body to libFuzzer; the tests of this crate run the same bodies on any compiler, over the
//! corpus that is checked in and over every input that once failed. A body answers what is broken,
//! in words; a panic in what it calls is a finding, too.
//!
//! Each target has a **planted fault** of its kind: [`Under::Planted`] puts a flawed wrapper or
//! subject in the place of what is checked, and the body must notice. A fuzzer that does not find
//! the fault in a minute would not find a real one.
//!
//! Whatever is checked against a checksum is also *resealed* on demand of the input's first byte, so
//! that what stands behind the checksum is reached; see [`reseal`].

/// Leaves the body with what is broken, unless the condition holds.
macro_rules! require {
    ($holds:expr, $($words:tt)*) => {
        if !$holds {
            return Err($crate::Broken(format!($($words)*)));
        }
    };
}

pub mod case;
pub mod cbor;
#[cfg(feature = "seeds")]
pub mod damage;
pub mod directory;
pub mod log;
pub mod manifest;
pub mod ops;
pub mod plan;
pub mod protocol;
pub mod reseal;
#[cfg(feature = "seeds")]
pub mod seeds;
pub mod segment;
pub mod sidecar;
pub mod store;
pub mod targets;
pub mod trace;
pub mod wal;

use std::fmt;

pub use targets::{TARGETS, Target, target};

/// What does not hold, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken(pub String);

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Broken {}

/// The result of a body.
pub type Checked = Result<(), Broken>;

/// What is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Under {
    /// The code as it is.
    Sound,
    /// The target's planted fault in its place.
    Planted,
}

/// An input's first byte, which says how the rest is taken, and the rest; nothing if it is empty.
fn flagged(input: &[u8]) -> (u8, &[u8]) {
    input.split_first().map_or((0, input), |(flags, rest)| (*flags, rest))
}

/// A little-endian number at an offset, as a length in memory.
fn len_at(bytes: &[u8], at: usize) -> Option<usize> {
    let field = bytes.get(at..)?.first_chunk().copied().map(u32::from_le_bytes)?;
    usize::try_from(field).ok()
}
