//! Integers: every width of argument, from both sides.

use entidb_engine::codec::RejectClass;

use super::group::Group;
use super::literal::{hex, int};

pub(super) fn groups() -> Vec<Group> {
    vec![boundaries(), range(), non_shortest()]
}

fn boundaries() -> Group {
    let mut group = Group::new("integer-boundaries", "RFC 8949 §3.1, §4.2.1");
    let positive = [
        0,
        1,
        22,
        23,
        24,
        254,
        255,
        256,
        0xfffe,
        0xffff,
        0x1_0000,
        0xffff_fffe,
        0xffff_ffff,
        0x1_0000_0000,
        (1 << 53) + 1,
        i64::MAX - 1,
        i64::MAX,
    ];
    for argument in positive {
        group.accept(
            format!("{argument}"),
            "the non-negative integer of this argument, in the shortest head",
            int(argument),
        );
    }
    for argument in positive {
        let number = -1 - argument;
        group.accept(
            format!("{number}"),
            "the negative integer -1 - argument, in the shortest head",
            int(number),
        );
    }
    group
}

fn range() -> Group {
    let mut group =
        Group::new("integer-range", "RFC 8949 §3.1; values are i64, neither clamped nor widened");
    for (id, diagnostic, digits) in [
        ("2^63", "9223372036854775808", "1b 8000000000000000"),
        ("2^64-1", "18446744073709551615", "1b ffffffffffffffff"),
        ("-2^63-1", "-9223372036854775809", "3b 8000000000000000"),
        ("-2^64", "-18446744073709551616", "3b ffffffffffffffff"),
        ("in-an-array", "[0, 9223372036854775808]", "82 00 1b8000000000000000"),
        ("as-a-map-key", "{9223372036854775808: 0}", "a1 1b8000000000000000 00"),
        ("as-a-map-value", "{0: -9223372036854775809}", "a1 00 3b8000000000000000"),
    ] {
        let meaning = "an integer no i64 holds";
        group.reject(id, meaning, diagnostic, hex(digits), RejectClass::IntegerRange);
    }
    group
}

/// For each width of argument: the smallest and the largest argument that need less.
fn non_shortest() -> Group {
    let mut group = Group::new("integer-non-shortest", "RFC 8949 §4.2.1");
    for (width, argument, digits) in [
        (1, 0u64, "18 00"),
        (1, 23, "18 17"),
        (2, 0, "19 0000"),
        (2, 24, "19 0018"),
        (2, 255, "19 00ff"),
        (4, 0, "1a 00000000"),
        (4, 256, "1a 00000100"),
        (4, 0xffff, "1a 0000ffff"),
        (8, 0, "1b 0000000000000000"),
        (8, 0x1_0000, "1b 0000000000010000"),
        (8, 0xffff_ffff, "1b 00000000ffffffff"),
    ] {
        let meaning = format!("an argument in {width} bytes that needs fewer");
        let positive = hex(digits);
        let mut negative = positive.clone();
        negative[0] |= 1 << 5;
        let class = RejectClass::NonShortest;
        let value = i128::from(argument);
        group.reject(format!("{value}-in-{width}"), &meaning, value.to_string(), positive, class);
        let value = -1 - value;
        group.reject(format!("{value}-in-{width}"), &meaning, value.to_string(), negative, class);
    }
    group
}
