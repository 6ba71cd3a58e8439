//! Maps: order of keys, and keys given twice.

use entidb_engine::codec::{RejectClass, Value};

use super::group::Group;
use super::literal::{array, bytes, float, hex, int, map, text};

pub(super) fn groups() -> Vec<Group> {
    vec![order(), disorder(), duplicates()]
}

/// Maps to null from these keys.
fn set(keys: &[Value]) -> Value {
    map(&keys.iter().map(|key| (key.clone(), Value::Null)).collect::<Vec<_>>())
}

fn order() -> Group {
    let mut group = Group::new("key-order", "RFC 8949 §4.2.1");
    let sorted = "keys in the bytewise order of their encodings";
    let trap = "bytewise order where length-first order (RFC 7049 §3.9) differs";
    group.accept_bytes(
        "256-before--1",
        trap,
        map(&[(int(256), int(1)), (int(-1), int(2))]),
        hex("a2 190100 01 20 02"),
    );
    group.accept_bytes("24-before--1", trap, set(&[int(24), int(-1)]), hex("a2 1818 f6 20 f6"));
    group.accept("integer-before-text", trap, set(&[int(1_000_000), text("")]));
    group.accept("integer-before-bytes", trap, set(&[int(1_000), bytes("")]));
    group.accept("bytes-before-text", trap, set(&[bytes("000102"), text("a")]));
    group.accept("long-text-before-array", trap, set(&[text("abc"), array(&[])]));
    group.accept("array-before-null", trap, set(&[array(&[int(1), int(2)]), Value::Null]));
    group.accept("map-before-false", trap, set(&[set(&[int(0)]), Value::Bool(false)]));
    let arrays = [array(&[int(24)]), array(&[int(-1)])];
    group.accept("arrays-by-their-items", trap, set(&arrays));
    group.accept_bytes(
        "the-example-of-the-standard",
        "the eight keys of the example",
        set(&[
            int(10),
            int(100),
            int(-1),
            text("z"),
            text("aa"),
            array(&[int(100)]),
            array(&[int(-1)]),
            Value::Bool(false),
        ]),
        hex("a8 0a f6 1864 f6 20 f6 617a f6 626161 f6 811864 f6 8120 f6 f4 f6"),
    );
    group.accept("negative-after-positive", sorted, set(&[int(-1), int(0), int(-2), int(1)]));
    group.accept("negative-away-from-zero", sorted, set(&[int(-1), int(-24), int(-25), int(-256)]));
    group.accept("widths", sorted, set(&[int(23), int(24), int(255), int(256), int(65536)]));
    group.accept("extremes", sorted, set(&[int(i64::MAX), int(i64::MIN), int(0)]));
    group.accept("shorter-text-first", sorted, set(&[text("b"), text("aa"), text("")]));
    group.accept("text-of-equal-length", sorted, set(&[text("ab"), text("aa"), text("ba")]));
    group.accept("text-across-head-widths", sorted, set(&[text(&"a".repeat(24)), text("z")]));
    group.accept("text-beyond-ascii", sorted, set(&[text("z"), text("é"), text("水"), text("zz")]));
    group.accept("bytes-are-unsigned", sorted, set(&[bytes("7f"), bytes("80"), bytes("ff")]));
    let simple = [Value::Null, Value::Bool(true), Value::Bool(false)];
    group.accept("simple-values", sorted, set(&simple));
    group.accept("arrays-by-count", sorted, set(&[array(&[int(-1)]), array(&[int(0), int(0)])]));
    group.accept("nested-maps", sorted, map(&[(text("m"), set(&[int(-1), int(256)]))]));
    let numbers = [float(1.0), float(1.1), float(-0.0), float(0.0), int(1), Value::Null];
    group.accept("floats-after-null", "floats sort by their bytes too", set(&numbers));
    group.accept("integer-and-float", "1 and 1.0 are different keys", set(&[int(1), float(1.0)]));
    group
}

fn disorder() -> Group {
    let mut group = Group::new("key-disorder", "RFC 8949 §4.2.1");
    let length_first = "length-first order (RFC 7049 §3.9) is not bytewise order";
    let alphabetic = "the order of the text is not the order of its encoding";
    let numeric = "the order of the numbers is not the order of their encodings";
    let swapped = "two keys swapped";
    for (id, meaning, diagnostic, digits) in [
        ("-1-before-256", length_first, "{-1: 2, 256: 1}", "a2 20 02 190100 01"),
        ("-1-before-24", length_first, "{-1: null, 24: null}", "a2 20 f6 1818 f6"),
        ("text-before-integer", length_first, "{\"\": 0, 1000000: 0}", "a2 60 00 1a000f4240 00"),
        ("text-before-bytes", length_first, "{\"a\": 0, h'000102': 0}", "a2 6161 00 43000102 00"),
        ("null-before-array", length_first, "{null: 0, [1, 2]: 0}", "a2 f6 00 820102 00"),
        ("arrays-by-length", length_first, "{[-1]: 0, [24]: 0}", "a2 8120 00 811818 00"),
        ("aa-before-b", alphabetic, "{\"aa\": 0, \"b\": 0}", "a2 626161 00 6162 00"),
        ("a-before-empty", alphabetic, "{\"a\": 0, \"\": 0}", "a2 6161 00 60 00"),
        ("-1-before-0", numeric, "{-1: 0, 0: 0}", "a2 20 00 00 00"),
        ("-2-before--1", numeric, "{-2: 0, -1: 0}", "a2 21 00 20 00"),
        ("true-before-false", swapped, "{true: 0, false: 0}", "a2 f5 00 f4 00"),
        ("2-before-1", swapped, "{2: 0, 1: 0}", "a2 02 00 01 00"),
        ("last-of-three", swapped, "{1: 0, 3: 0, 2: 0}", "a3 01 00 03 00 02 00"),
        (
            "equal-but-apart",
            "a key again, not next to itself",
            "{1: 0, 2: 0, 1: 0}",
            "a3 01 00 02 00 01 00",
        ),
        ("in-a-value", swapped, "{0: {2: 0, 1: 0}}", "a1 00 a2 02 00 01 00"),
        ("in-a-key", swapped, "{{2: 0, 1: 0}: 0}", "a1 a2 02 00 01 00 00"),
        ("before-a-bad-value", "the key is judged before its value", "", "a2 02 00 01 f7"),
    ] {
        group.reject(id, meaning, diagnostic, hex(digits), RejectClass::KeyOrder);
    }
    let floats = hex("a2 f93c00 00 f90000 00");
    group.reject_float("floats", swapped, "{1.0: 0, 0.0: 0}", floats, RejectClass::KeyOrder);
    group
}

fn duplicates() -> Group {
    let mut group = Group::new("duplicate-keys", "RFC 8949 §5.6, §4.2.1");
    for (id, diagnostic, digits) in [
        ("integer", "{1: 0, 1: 1}", "a2 01 00 01 01"),
        ("negative", "{-1: 0, -1: 0}", "a2 20 00 20 00"),
        ("text", "{\"a\": 0, \"a\": 1}", "a2 6161 00 6161 01"),
        ("empty-text", "{\"\": 0, \"\": 0}", "a2 60 00 60 00"),
        ("bytes", "{h'00': 0, h'00': 0}", "a2 4100 00 4100 00"),
        ("null", "{null: 0, null: 0}", "a2 f6 00 f6 00"),
        ("array", "{[1]: 0, [1]: 0}", "a2 8101 00 8101 00"),
        ("map", "{{}: 0, {}: 0}", "a2 a0 00 a0 00"),
        ("last-of-three", "{0: 0, 1: 0, 1: 0}", "a3 00 00 01 00 01 00"),
        ("in-a-value", "{0: {1: 0, 1: 0}}", "a1 00 a2 01 00 01 00"),
    ] {
        group.reject(id, "a key given twice", diagnostic, hex(digits), RejectClass::DuplicateKey);
    }
    let twice = hex("a2 f93c00 00 f93c00 00");
    let class = RejectClass::DuplicateKey;
    group.reject_float("float", "a key given twice", "{1.0: 0, 1.0: 0}", twice, class);
    group
}
