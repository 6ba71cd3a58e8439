//! Floats: refused in the standard profile; in the other, the shortest width that preserves them.

use entidb_engine::codec::RejectClass;

use super::group::Group;
use super::literal::{array, float, hex, map};

pub(super) fn groups() -> Vec<Group> {
    vec![shortest(), non_shortest(), not_a_number()]
}

fn shortest() -> Group {
    let mut group = Group::new("float-shortest", "RFC 8949 §4.2.1, §4.2.2; IEEE 754");
    for (id, meaning, number, digits) in [
        ("0.0", "zero", 0.0, "f90000"),
        ("-0.0", "negative zero is another value than zero", -0.0, "f98000"),
        ("1.0", "an integral float stays a float", 1.0, "f93c00"),
        ("-1.0", "an integral float stays a float", -1.0, "f9bc00"),
        ("0.5", "half", 0.5, "f93800"),
        ("2048.0", "all significand bits of a half", 2048.0, "f96800"),
        ("2047.0", "all significand bits of a half, set", 2047.0, "f967ff"),
        ("2049.0", "one significand bit more than a half has", 2049.0, "fa45001000"),
        ("65504.0", "largest finite half", 65504.0, "f97bff"),
        ("65505.0", "next to the largest half", 65505.0, "fa477fe100"),
        ("65519.0", "would round down to a half", 65519.0, "fa477fef00"),
        ("65520.0", "would round to a half that is infinite", 65520.0, "fa477ff000"),
        ("65536.0", "first exponent beyond halves", 65536.0, "fa47800000"),
        ("2^-14", "smallest normal half", 2f64.powi(-14), "f90400"),
        ("1023*2^-24", "largest subnormal half", 1023.0 * 2f64.powi(-24), "f903ff"),
        ("3*2^-24", "a subnormal half", 3.0 * 2f64.powi(-24), "f90003"),
        ("2^-24", "smallest half", 2f64.powi(-24), "f90001"),
        ("-2^-24", "smallest half, negative", -(2f64.powi(-24)), "f98001"),
        ("3*2^-25", "between two subnormal halves", 3.0 * 2f64.powi(-25), "fa33c00000"),
        ("2^-25", "below the smallest half", 2f64.powi(-25), "fa33000000"),
        ("16777215.0", "all significand bits of a single", 16_777_215.0, "fa4b7fffff"),
        ("16777216.0", "a power of two a single holds", 16_777_216.0, "fa4b800000"),
        ("16777217.0", "one bit more than a single has", 16_777_217.0, "fb4170000010000000"),
        ("2^-126", "smallest normal single", 2f64.powi(-126), "fa00800000"),
        ("2^-149", "smallest single", 2f64.powi(-149), "fa00000001"),
        ("2^-150", "below the smallest single", 2f64.powi(-150), "fb3690000000000000"),
        ("largest-single", "largest finite single", f64::from(f32::MAX), "fa7f7fffff"),
        ("2^128", "first exponent beyond singles", 2f64.powi(128), "fb47f0000000000000"),
        ("0.1", "a fraction no width holds exactly", 0.1, "fb3fb999999999999a"),
        ("single-0.1", "the single nearest to 0.1", f64::from(0.1f32), "fa3dcccccd"),
        ("2^53+2", "an integer beyond 2^53", 9_007_199_254_740_994.0, "fb4340000000000001"),
        ("largest", "largest finite double", f64::MAX, "fb7fefffffffffffff"),
        ("smallest-normal", "smallest normal double", f64::MIN_POSITIVE, "fb0010000000000000"),
        ("smallest", "smallest double", f64::from_bits(1), "fb0000000000000001"),
        ("infinity", "infinity is kept", f64::INFINITY, "f97c00"),
        ("-infinity", "negative infinity is kept", f64::NEG_INFINITY, "f9fc00"),
    ] {
        group.accept_bytes(id, meaning, float(number), hex(digits));
    }
    let nested = "a float inside a container";
    group.accept("in-an-array", nested, array(&[float(1.5)]));
    group.accept("as-a-map-key", nested, map(&[(float(1.5), float(-1.5))]));
    group
}

fn non_shortest() -> Group {
    let mut group = Group::new("float-non-shortest", "RFC 8949 §4.2.1, §4.2.2");
    for (id, diagnostic, digits) in [
        ("0.0-in-4", "0.0", "fa00000000"),
        ("0.0-in-8", "0.0", "fb0000000000000000"),
        ("-0.0-in-4", "-0.0", "fa80000000"),
        ("-0.0-in-8", "-0.0", "fb8000000000000000"),
        ("1.0-in-4", "1.0", "fa3f800000"),
        ("1.0-in-8", "1.0", "fb3ff0000000000000"),
        ("65504.0-in-4", "65504.0", "fa477fe000"),
        ("2^-24-in-4", "5.960464477539063e-8", "fa33800000"),
        ("2^-24-in-8", "5.960464477539063e-8", "fb3e70000000000000"),
        ("2^-14-in-4", "0.00006103515625", "fa38800000"),
        ("65505.0-in-8", "65505.0", "fb40effc2000000000"),
        ("16777216.0-in-8", "16777216.0", "fb4170000000000000"),
        ("2^-149-in-8", "1.401298464324817e-45", "fb36a0000000000000"),
        ("largest-single-in-8", "3.4028234663852886e+38", "fb47efffffe0000000"),
        ("infinity-in-4", "Infinity", "fa7f800000"),
        ("infinity-in-8", "Infinity", "fb7ff0000000000000"),
        ("-infinity-in-4", "-Infinity", "faff800000"),
        ("-infinity-in-8", "-Infinity", "fbfff0000000000000"),
    ] {
        let meaning = "a float that a narrower width preserves";
        group.reject_float(id, meaning, diagnostic, hex(digits), RejectClass::NonShortest);
    }
    group
}

fn not_a_number() -> Group {
    let mut group =
        Group::new("not-a-number", "RFC 8949 §4.2.2; a value with many encodings has none");
    for (id, digits) in [
        ("half-quiet", "f97e00"),
        ("half-quiet-negative", "f9fe00"),
        ("half-signalling", "f97c01"),
        ("half-signalling-negative", "f9fc01"),
        ("half-largest-payload", "f97fff"),
        ("single-quiet", "fa7fc00000"),
        ("single-quiet-negative", "faffc00000"),
        ("single-signalling", "fa7f800001"),
        ("single-largest-payload", "fa7fffffff"),
        ("double-quiet", "fb7ff8000000000000"),
        ("double-quiet-negative", "fbfff8000000000000"),
        ("double-signalling", "fb7ff0000000000001"),
        ("double-payload-beyond-a-single", "fb7ff8000000000001"),
        ("double-largest-payload", "fbffffffffffffffff"),
        ("in-an-array", "81 f97e00"),
        ("as-a-map-key", "a1 f97e00 00"),
        ("as-a-map-value", "a1 00 f97e00"),
    ] {
        let meaning = "not a number, whatever its width, sign and payload";
        group.reject_float(id, meaning, "", hex(digits), RejectClass::NotANumber);
    }
    group
}
