//! Strings, arrays and maps: lengths, claims and nesting.

use entidb_engine::codec::{MAX_DEPTH, RejectClass, Value};

use super::group::Group;
use super::literal::{hex, int, map};
use crate::file::Limits;
use crate::naive::head;
use crate::notation::numbered;

pub(super) fn groups() -> Vec<Group> {
    let mut groups = lengths();
    groups.extend([non_shortest(), claims(), depth()]);
    groups
}

/// Lengths at which the head changes its width.
const LENGTHS: [usize; 8] = [0, 1, 23, 24, 255, 256, 65535, 65536];

fn lengths() -> Vec<Group> {
    let source = "RFC 8949 §3.1, §4.2.1";
    let mut bytes = Group::new("byte-lengths", source);
    let mut text = Group::new("text-lengths", source);
    let mut arrays = Group::new("array-lengths", source);
    let mut maps = Group::new("map-lengths", source);
    for len in LENGTHS {
        let id = len.to_string();
        bytes.accept(&id, "a byte string of this length", Value::Bytes(vec![0xa5; len]));
        text.accept(&id, "a text string of this length", Value::Text("a".repeat(len)));
        arrays.accept(&id, "an array of this length", Value::Array(vec![Value::Null; len]));
        let entries = numbered(len).unwrap_or_default();
        maps.accept(&id, "a map of this many pairs, from 0 up to null each", map(&entries));
    }
    vec![bytes, text, arrays, maps]
}

/// Kinds of items with a length: major type, name, and the bytes of one part.
const KINDS: [(u8, &str, &[u8]); 4] =
    [(2, "bytes", &[0xa5]), (3, "text", b"a"), (4, "array", &[0xf6]), (5, "map", &[0, 0xf6])];

/// Lengths of 0 and 1 in each width that is too wide, the content being there.
fn non_shortest() -> Group {
    let mut group = Group::new("length-non-shortest", "RFC 8949 §4.2.1");
    for (major, kind, part) in KINDS {
        for (info, width) in [(24, 1), (25, 2), (26, 4), (27, 8)] {
            for len in [0, 1] {
                let mut bytes = vec![major << 5 | info];
                bytes.extend(vec![0; width - 1]);
                bytes.push(len);
                bytes.extend(part.repeat(usize::from(len)));
                group.reject(
                    format!("{kind}-{len}-in-{width}"),
                    format!("a length in {width} bytes that needs none beyond the initial byte"),
                    "",
                    bytes,
                    RejectClass::NonShortest,
                );
            }
        }
    }
    group
}

/// Lengths that no input of their size holds: refused before anything is reserved for them.
fn claims() -> Group {
    let mut group = Group::new("length-claims", "RFC 8949 §3.1, §5.3.1, §10");
    let claims = [
        ("2^8", 1 << 8),
        ("2^16", 1 << 16),
        ("2^32-1", 0xffff_ffff),
        ("2^32", 1 << 32),
        ("2^63", 1 << 63),
        ("2^64-1", u64::MAX),
    ];
    for (major, kind, part) in KINDS {
        for (name, len) in claims {
            group.reject(
                format!("{kind}-{name}"),
                "a length beyond the end of the input, with one part there",
                "",
                [&head(major, len), part].concat(),
                RejectClass::Truncated,
            );
        }
    }
    group
}

fn depth() -> Group {
    let mut group = Group::new("depth", "RFC 8949 §5.3.1, §10; the limit is 128 open containers");
    let nested = |len| (0..len).fold(Value::Null, |inner, _| Value::Array(vec![inner]));
    let mapped = |len| (0..len).fold(Value::Null, |inner, _| map(&[(int(0), inner)]));
    let keyed = |len| (0..len).fold(Value::Null, |inner, _| map(&[(inner, int(0))]));
    let too_deep = |opening: &[u8], closing: &[u8], len: usize| {
        [opening.repeat(len), vec![0xf6], closing.repeat(len)].concat()
    };
    let deepest = MAX_DEPTH;
    group.accept("arrays-128", "as many arrays as may be open at once", nested(deepest));
    group.accept("maps-128", "as many maps as may be open at once", mapped(deepest));
    group.accept("keys-128", "as many maps as may be open at once, in keys", keyed(deepest));
    let class = RejectClass::TooDeep;
    let meaning = "one more container than may be open at once";
    group.reject("arrays-129", meaning, "", too_deep(&[0x81], &[], deepest + 1), class);
    group.reject("maps-129", meaning, "", too_deep(&[0xa1, 0x00], &[], deepest + 1), class);
    group.reject("keys-129", meaning, "", too_deep(&[0xa1], &[0x00], deepest + 1), class);
    let empty = [vec![0x81; deepest], vec![0x80]].concat();
    group.reject("empty-array-129", "an empty container counts too", "", empty, class);
    let unfinished = "the limit is met before the end of the input is";
    group.reject("arrays-4096", unfinished, "", vec![0x81; 4096], class);
    let limit = |depth| Limits { max_depth: Some(depth), max_len: None };
    group.accept("limit-1", "the limit is the caller's", nested(1));
    group.limit(limit(1));
    group.reject("limit-1-exceeded", "the limit is the caller's", "[[]]", hex("81 80"), class);
    group.limit(limit(1));
    group.accept("limit-0", "a value without containers has no depth", int(0));
    group.limit(limit(0));
    group.reject("limit-0-exceeded", "an empty array has depth 1", "[]", hex("80"), class);
    group.limit(limit(0));
    group
}
