//! The register of fuzz targets.

use crate::{Checked, Under, case, cbor, directory, manifest, ops, protocol, segment, sidecar};
use crate::{trace, wal};

/// What one fuzz target runs.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Its name: of the target, its corpus, its dictionary and its regressions.
    pub name: &'static str,
    /// What it checks.
    pub body: fn(&[u8], Under) -> Checked,
    /// The longest input that is worth trying, in bytes.
    pub len_max: usize,
    /// The planted fault, in words.
    pub fault: &'static str,
}

/// All targets.
pub const TARGETS: [Target; 12] = [
    Target {
        name: "cbor_decode",
        body: cbor::decoding,
        len_max: 288,
        fault: "a decoder that accepts heads longer than need be",
    },
    Target {
        name: "cbor_structured",
        body: cbor::structured,
        len_max: 288,
        fault: "an encoder that puts shorter keys first",
    },
    Target {
        name: "wal_bytes",
        body: wal::check,
        len_max: 1280,
        fault: "a scan that takes a torn transaction for a whole one",
    },
    Target {
        name: "segment_bytes",
        body: segment::check,
        len_max: 1024,
        fault: "a reader that believes whatever a record says",
    },
    Target {
        name: "manifest_bytes",
        body: manifest::check,
        len_max: 512,
        fault: "a reader that ignores what follows the trailer",
    },
    Target {
        name: "sidecar_bytes",
        body: sidecar::check,
        len_max: 1281,
        fault: "a reader that does not look at a sidecar's checksums",
    },
    Target {
        name: "directory_open",
        body: directory::check,
        len_max: 2304,
        fault: "a verification that looks at nothing",
    },
    Target {
        name: "ops_differential",
        body: ops::differential,
        len_max: 160,
        fault: "a store that uses up a sequence number for each aborted transaction",
    },
    Target {
        name: "ops_crash",
        body: ops::crash,
        len_max: 64,
        fault: "a store that acknowledges before it syncs",
    },
    Target {
        name: "trace_file",
        body: trace::check,
        len_max: 2048,
        fault: "a reader that does not look at a trace's checksums",
    },
    Target {
        name: "case_file",
        body: case::check,
        len_max: 5120,
        fault: "a reader that takes any version for its own",
    },
    Target {
        name: "protocol_lines",
        body: protocol::check,
        len_max: 4096,
        fault: "a reader that looks no further than a request's end",
    },
];

/// The target of this name.
pub fn target(name: &str) -> Option<&'static Target> {
    TARGETS.iter().find(|target| target.name == name)
}
