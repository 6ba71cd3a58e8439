//! The readers in other languages, carried in the binary so that it can run them anywhere.

use crate::families::{self, CBOR, HASH, SCRIPT, SEGMENT_RECORD, WAL_RECORD};

/// A language that a reader of the format is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// Python, standard library only: everything.
    Python,
    /// JavaScript for Node, its own modules only: everything.
    JavaScript,
    /// C, libc only: canonical CBOR, checksums, single records.
    C,
}

macro_rules! sources {
    ($dir:literal, $($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("../readers/", $dir, "/", $name)))),*]
    };
}

impl Language {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Python, Self::JavaScript, Self::C];

    /// Its name, as the reader's last line begins with it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Python => "python",
            Self::JavaScript => "javascript",
            Self::C => "c",
        }
    }

    /// What runs its reader, or compiles it.
    pub const fn tool(self) -> &'static str {
        match self {
            Self::Python => "python3",
            Self::JavaScript => "node",
            Self::C => "cc",
        }
    }

    /// The families whose vectors its reader reads. Scripts are for drivers.
    pub fn covers(self) -> Vec<&'static str> {
        match self {
            Self::Python | Self::JavaScript => {
                families::all().filter(|family| *family != SCRIPT).collect()
            }
            Self::C => vec![CBOR, HASH, WAL_RECORD, SEGMENT_RECORD],
        }
    }

    /// The files of its reader by name; the first is the program.
    pub const fn sources(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Python => {
                sources![
                    "python",
                    "check.py",
                    "canonical.py",
                    "layout.py",
                    "store.py",
                    "vectors.py"
                ]
            }
            Self::JavaScript => sources![
                "javascript",
                "check.mjs",
                "canonical.mjs",
                "layout.mjs",
                "store.mjs",
                "vectors.mjs",
            ],
            Self::C => sources!["c", "reader.c"],
        }
    }
}
