//! Bytes that are not one whole item, and items no value is made of.

use entidb_engine::codec::RejectClass;

use super::group::Group;
use super::literal::hex;
use crate::file::Limits;

pub(super) fn groups() -> Vec<Group> {
    vec![
        truncated(),
        trailing(),
        size(),
        reserved(),
        indefinite(),
        breaks(),
        tags(),
        simple(),
        precedence(),
    ]
}

/// A group of bytes that are all refused alike: (id, diagnostic notation, bytes).
fn refused(
    (rule, source): (&'static str, &'static str),
    class: RejectClass,
    meaning: &str,
    rows: &[(&str, &str, &str)],
) -> Group {
    let mut group = Group::new(rule, source);
    for (id, diagnostic, digits) in rows {
        group.reject(*id, meaning, *diagnostic, hex(digits), class);
    }
    group
}

fn truncated() -> Group {
    refused(
        ("truncated", "RFC 8949 §5.3.1, appendix F"),
        RejectClass::Truncated,
        "the input ends inside an item",
        &[
            ("argument-of-1", "", "18"),
            ("argument-of-2", "", "19 01"),
            ("argument-of-4", "", "1a 010203"),
            ("argument-of-8", "", "1b 01020304050607"),
            ("negative", "", "38"),
            ("half", "", "f9 3c"),
            ("single", "", "fa 3f8000"),
            ("double", "", "fb 3ff19999999999"),
            ("simple-value", "", "f8"),
            ("tag", "", "d9 01"),
            ("length-of-bytes", "", "58"),
            ("bytes", "", "43 0102"),
            ("bytes-missing", "", "41"),
            ("text", "", "63 6162"),
            ("text-inside-a-character", "", "62 c3"),
            ("array", "", "82 01"),
            ("array-missing", "", "81"),
            ("array-inside-an-item", "", "82 00 18"),
            ("nested-array", "", "82 81 00"),
            ("map-missing", "", "a1"),
            ("map-without-value", "", "a1 00"),
            ("map-second-pair", "", "a2 00 00 01"),
            ("map-inside-a-value", "", "a1 00 19 01"),
        ],
    )
}

fn trailing() -> Group {
    refused(
        ("trailing-bytes", "RFC 8949 §5.1, §5.3.1"),
        RejectClass::TrailingBytes,
        "bytes follow the item",
        &[
            ("second-item", "", "00 00"),
            ("after-null", "", "f6 f6"),
            ("after-array", "", "81 00 00"),
            ("after-empty-array", "", "80 00"),
            ("after-map", "", "a0 00"),
            ("after-text", "", "61 61 00"),
            ("zero-bytes", "", "01 00000000"),
            ("break", "", "00 ff"),
            ("not-an-item", "", "00 1c"),
        ],
    )
}

fn size() -> Group {
    let mut group = Group::new("size", "RFC 8949 §5.1, §10; the limit is the caller's");
    let limit = Limits { max_depth: None, max_len: Some(4) };
    group.reject("empty", "no item at all", "", Vec::new(), RejectClass::Empty);
    group.accept("at-the-limit", "as long as allowed", super::literal::text("abc"));
    group.limit(limit);
    let long = hex("64 61626364");
    group.reject("above-the-limit", "one byte too long", "\"abcd\"", long, RejectClass::TooLarge);
    group.limit(limit);
    let bad = hex("ff ffffffff");
    group.reject("unread", "too long, and not read at all", "", bad, RejectClass::TooLarge);
    group.limit(limit);
    group
}

fn reserved() -> Group {
    let mut group = Group::new("reserved-info", "RFC 8949 §3, §3.2.1");
    let class = RejectClass::ReservedInfo;
    for major in 0..8u8 {
        for info in 28..31 {
            let meaning = "additional information 28 to 30 is reserved";
            let bytes = vec![major << 5 | info];
            group.reject(format!("major-{major}-info-{info}"), meaning, "", bytes, class);
        }
    }
    for major in [0u8, 1, 6] {
        let meaning = "additional information 31 has no meaning for integers and tags";
        group.reject(format!("major-{major}-info-31"), meaning, "", vec![major << 5 | 31], class);
    }
    group.reject("in-an-array", "reserved inside a container", "", hex("82 00 3c"), class);
    group
}

fn indefinite() -> Group {
    refused(
        ("indefinite-length", "RFC 8949 §3.2, §4.2.1"),
        RejectClass::IndefiniteLength,
        "an item of indefinite length",
        &[
            ("bytes-empty", "(_ )", "5f ff"),
            ("bytes-of-one-chunk", "(_ h'00')", "5f 4100 ff"),
            ("text-empty", "(_ )", "7f ff"),
            ("text-of-one-chunk", "(_ \"a\")", "7f 6161 ff"),
            ("array-empty", "[_ ]", "9f ff"),
            ("array", "[_ 0, 1]", "9f 00 01 ff"),
            ("map-empty", "{_ }", "bf ff"),
            ("map", "{_ 0: 1}", "bf 00 01 ff"),
            ("in-an-array", "[0, [_ ]]", "82 00 9f ff"),
            ("in-a-key", "{[_ ]: 0}", "a1 9f ff 00"),
            ("in-a-value", "{0: (_ \"a\")}", "a1 00 7f 6161 ff"),
            ("without-a-break", "", "9f 00"),
            ("head-alone", "", "5f"),
        ],
    )
}

fn breaks() -> Group {
    refused(
        ("break", "RFC 8949 §3.2.1, appendix F"),
        RejectClass::Break,
        "a break that ends nothing",
        &[
            ("alone", "", "ff"),
            ("in-an-array", "", "81 ff"),
            ("as-a-second-item", "", "82 00 ff"),
            ("as-a-key", "", "a1 ff 00"),
            ("as-a-value", "", "a1 00 ff"),
        ],
    )
}

fn tags() -> Group {
    refused(
        ("tag", "RFC 8949 §3.4; values carry no tags"),
        RejectClass::Tag,
        "a tag",
        &[
            ("date", "0(\"\")", "c0 60"),
            ("epoch", "1(0)", "c1 00"),
            ("bignum", "2(h'01')", "c2 4101"),
            ("negative-bignum", "3(h'00')", "c3 4100"),
            ("decimal-fraction", "4([-2, 27315])", "c4 82 21 196ab3"),
            ("embedded", "24(h'00')", "d818 4100"),
            ("self-described", "55799(0)", "d9d9f7 00"),
            ("four-byte-number", "4294967295(0)", "daffffffff 00"),
            ("eight-byte-number", "18446744073709551615(0)", "dbffffffffffffffff 00"),
            ("in-an-array", "[1(0)]", "81 c1 00"),
            ("as-a-key", "{1(0): 0}", "a1 c1 00 00"),
            ("twice", "1(1(0))", "c1 c1 00"),
            ("without-content", "", "c1"),
        ],
    )
}

fn simple() -> Group {
    let mut group = refused(
        ("simple-value", "RFC 8949 §3.3; false, true and null are the simple values used"),
        RejectClass::SimpleValue,
        "a simple value without a meaning here, or in two bytes",
        &[
            ("0", "simple(0)", "e0"),
            ("16", "simple(16)", "f0"),
            ("19", "simple(19)", "f3"),
            ("32", "simple(32)", "f820"),
            ("255", "simple(255)", "f8ff"),
            ("0-in-two-bytes", "", "f800"),
            ("false-in-two-bytes", "", "f814"),
            ("true-in-two-bytes", "", "f815"),
            ("null-in-two-bytes", "", "f816"),
            ("undefined-in-two-bytes", "", "f817"),
            ("24-in-two-bytes", "", "f818"),
            ("31-in-two-bytes", "", "f81f"),
            ("in-an-array", "[simple(0)]", "81 e0"),
            ("as-a-key", "{simple(0): 0}", "a1 e0 00"),
        ],
    );
    for (id, diagnostic, digits) in [
        ("undefined", "undefined", "f7"),
        ("undefined-in-an-array", "[undefined]", "81 f7"),
        ("undefined-as-a-value", "{0: undefined}", "a1 00 f7"),
    ] {
        let meaning = "undefined is not null";
        group.reject(id, meaning, diagnostic, hex(digits), RejectClass::Undefined);
    }
    group
}

/// Bytes that break several rules: which one is reported.
fn precedence() -> Group {
    use RejectClass as Class;
    let mut group = Group::new("precedence", "vectors/README.md, \"Which class is reported\"");
    for (id, meaning, digits, class) in [
        (
            "first-item-first",
            "the first broken rule in reading order",
            "82 1800 f7",
            Class::NonShortest,
        ),
        ("item-before-trailing", "an item before what follows it", "1800 00", Class::NonShortest),
        (
            "range-before-truncation",
            "an item before the missing next one",
            "82 1bffffffffffffffff 18",
            Class::IntegerRange,
        ),
        ("head-before-kind", "a head cut short before its kind", "d8", Class::Truncated),
        ("kind-before-shortest", "a tag before its number's width", "d800 00", Class::Tag),
        (
            "shortest-before-content",
            "a length's width before missing content",
            "5801",
            Class::NonShortest,
        ),
        ("shortest-before-range", "a wide head before UTF-8", "7801 ff", Class::NonShortest),
        ("content-before-utf8", "missing content before UTF-8", "62 ff", Class::Truncated),
        (
            "count-before-items",
            "a count beyond the input before a bad item",
            "82 f7",
            Class::Truncated,
        ),
        (
            "pairs-before-items",
            "a count of pairs, two items each, before a bad item",
            "a2 f7 00",
            Class::Truncated,
        ),
        ("key-before-value", "a key before a value", "a1 f7 1800", Class::Undefined),
        (
            "bad-key-before-order",
            "a bad key before its order",
            "a2 01 00 1800 00",
            Class::NonShortest,
        ),
        (
            "value-before-next-key",
            "a value before the next key",
            "a2 01 f7 00 00",
            Class::Undefined,
        ),
    ] {
        group.reject(id, meaning, "", hex(digits), class);
    }
    group
}
