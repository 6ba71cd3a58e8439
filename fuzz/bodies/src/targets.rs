//! The register of fuzz targets.

use crate::{Checked, Under, case, cbor, directory, manifest, ops, protocol, reseal, segment};
use crate::{sidecar, trace, wal};

/// A check of an input.
pub type Body = fn(&[u8], Under) -> Checked;

/// Of so many inputs one gets the body where the others get a glance: which, its checksum says.
pub const SAMPLE: u32 = 32;

/// What one fuzz target runs.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Its name: of the target, its corpus, its dictionary and its regressions.
    pub name: &'static str,
    /// What it checks.
    pub body: Body,
    /// What most inputs get instead, where the body costs many times what it looks at: the decoder
    /// alone.
    pub glance: Option<Body>,
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
        glance: Some(cbor::bijection),
        len_max: 288,
        fault: "a decoder that accepts heads longer than need be",
    },
    Target {
        name: "cbor_structured",
        body: cbor::structured,
        glance: None,
        len_max: 288,
        fault: "an encoder that puts shorter keys first",
    },
    Target {
        name: "wal_bytes",
        body: wal::check,
        glance: Some(wal::records),
        len_max: 1280,
        fault: "a scan that takes a torn transaction for a whole one",
    },
    Target {
        name: "segment_bytes",
        body: segment::check,
        glance: Some(segment::records),
        len_max: 1024,
        fault: "a reader that believes whatever a record says",
    },
    Target {
        name: "manifest_bytes",
        body: manifest::check,
        glance: None,
        len_max: 512,
        fault: "a reader that ignores what follows the trailer",
    },
    Target {
        name: "sidecar_bytes",
        body: sidecar::check,
        glance: Some(sidecar::glance),
        len_max: 1281,
        fault: "a reader that does not look at a sidecar's checksums",
    },
    Target {
        name: "directory_open",
        body: directory::check,
        glance: None,
        len_max: 2304,
        fault: "a verification that looks at nothing",
    },
    Target {
        name: "ops_differential",
        body: ops::differential,
        glance: None,
        len_max: 128,
        fault: "a store that uses up a sequence number for each aborted transaction",
    },
    Target {
        name: "ops_crash",
        body: ops::crash,
        glance: None,
        len_max: 64,
        fault: "a store that acknowledges before it syncs",
    },
    Target {
        name: "trace_file",
        body: trace::check,
        glance: Some(trace::glance),
        len_max: 2048,
        fault: "a reader that does not look at a trace's checksums",
    },
    Target {
        name: "case_file",
        body: case::check,
        glance: None,
        len_max: 5120,
        fault: "a reader that takes any version for its own",
    },
    Target {
        name: "protocol_lines",
        body: protocol::check,
        glance: Some(protocol::lines),
        len_max: 4096,
        fault: "a reader that looks no further than a request's end",
    },
];

/// What a fuzzer's input gets: a glance, or the body if there is none, and for one input of
/// [`SAMPLE`]. Most inputs are never seen again; those that are kept get the body, too.
///
/// # Errors
/// What is broken.
pub fn look(body: Body, glance: Option<Body>, input: &[u8], under: Under) -> Checked {
    match glance {
        Some(glance) if !reseal::crc(input).is_multiple_of(SAMPLE) => glance(input, under),
        _ => body(input, under),
    }
}

/// The target of this name.
pub fn target(name: &str) -> Option<&'static Target> {
    TARGETS.iter().find(|target| target.name == name)
}
