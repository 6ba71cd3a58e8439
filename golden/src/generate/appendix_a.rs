//! All examples of RFC 8949, appendix A, in its order and with its bytes; the ones that are not
//! canonical, or have no place in the value model, with the class of their refusal.

use entidb_engine::codec::{RejectClass, Value};

use super::group::Group;
use super::literal::{array, bytes, float, hex, int, map, text};

pub(super) fn groups() -> Vec<Group> {
    let mut group = Group::new("appendix-a", "RFC 8949 appendix A");
    for row in [integers(), floats(), simple_and_tagged(), strings(), containers(), indefinite()] {
        for (diagnostic, digits, outcome) in row {
            let meaning = format!("the example {diagnostic} of the standard");
            let id = digits.to_owned();
            match outcome {
                Outcome::Accept(value) => group.accept_bytes(id, meaning, value, hex(digits)),
                Outcome::Reject(class) => group.reject(id, meaning, diagnostic, hex(digits), class),
                Outcome::Float(class) => {
                    group.reject_float(id, meaning, diagnostic, hex(digits), class);
                }
            }
        }
    }
    vec![group]
}

enum Outcome {
    Accept(Value),
    Reject(RejectClass),
    /// Refused as a float by the standard profile, and for this class by the other.
    Float(RejectClass),
}

use Outcome::{Accept, Float, Reject};

/// Diagnostic notation, bytes, outcome.
type Row = (&'static str, &'static str, Outcome);

fn integers() -> Vec<Row> {
    use RejectClass::{IntegerRange, Tag};
    vec![
        ("0", "00", Accept(int(0))),
        ("1", "01", Accept(int(1))),
        ("10", "0a", Accept(int(10))),
        ("23", "17", Accept(int(23))),
        ("24", "1818", Accept(int(24))),
        ("25", "1819", Accept(int(25))),
        ("100", "1864", Accept(int(100))),
        ("1000", "1903e8", Accept(int(1000))),
        ("1000000", "1a000f4240", Accept(int(1_000_000))),
        ("1000000000000", "1b000000e8d4a51000", Accept(int(1_000_000_000_000))),
        ("18446744073709551615", "1bffffffffffffffff", Reject(IntegerRange)),
        ("18446744073709551616", "c249010000000000000000", Reject(Tag)),
        ("-18446744073709551616", "3bffffffffffffffff", Reject(IntegerRange)),
        ("-18446744073709551617", "c349010000000000000000", Reject(Tag)),
        ("-1", "20", Accept(int(-1))),
        ("-10", "29", Accept(int(-10))),
        ("-100", "3863", Accept(int(-100))),
        ("-1000", "3903e7", Accept(int(-1000))),
    ]
}

fn floats() -> Vec<Row> {
    use RejectClass::{NonShortest, NotANumber};
    let number = |number| Accept(float(number));
    vec![
        ("0.0", "f90000", number(0.0)),
        ("-0.0", "f98000", number(-0.0)),
        ("1.0", "f93c00", number(1.0)),
        ("1.1", "fb3ff199999999999a", number(1.1)),
        ("1.5", "f93e00", number(1.5)),
        ("65504.0", "f97bff", number(65504.0)),
        ("100000.0", "fa47c35000", number(100_000.0)),
        ("3.4028234663852886e+38", "fa7f7fffff", number(3.402_823_466_385_288_6e38)),
        ("1.0e+300", "fb7e37e43c8800759c", number(1.0e300)),
        ("5.960464477539063e-8", "f90001", number(5.960_464_477_539_063e-8)),
        ("0.00006103515625", "f90400", number(0.000_061_035_156_25)),
        ("-4.0", "f9c400", number(-4.0)),
        ("-4.1", "fbc010666666666666", number(-4.1)),
        ("Infinity", "f97c00", number(f64::INFINITY)),
        ("NaN", "f97e00", Float(NotANumber)),
        ("-Infinity", "f9fc00", number(f64::NEG_INFINITY)),
        ("Infinity", "fa7f800000", Float(NonShortest)),
        ("NaN", "fa7fc00000", Float(NotANumber)),
        ("-Infinity", "faff800000", Float(NonShortest)),
        ("Infinity", "fb7ff0000000000000", Float(NonShortest)),
        ("NaN", "fb7ff8000000000000", Float(NotANumber)),
        ("-Infinity", "fbfff0000000000000", Float(NonShortest)),
    ]
}

fn simple_and_tagged() -> Vec<Row> {
    use RejectClass::{SimpleValue, Tag, Undefined};
    vec![
        ("false", "f4", Accept(Value::Bool(false))),
        ("true", "f5", Accept(Value::Bool(true))),
        ("null", "f6", Accept(Value::Null)),
        ("undefined", "f7", Reject(Undefined)),
        ("simple(16)", "f0", Reject(SimpleValue)),
        ("simple(255)", "f8ff", Reject(SimpleValue)),
        (
            "0(\"2013-03-21T20:04:00Z\")",
            "c074323031332d30332d32315432303a30343a30305a",
            Reject(Tag),
        ),
        ("1(1363896240)", "c11a514b67b0", Reject(Tag)),
        ("1(1363896240.5)", "c1fb41d452d9ec200000", Reject(Tag)),
        ("23(h'01020304')", "d74401020304", Reject(Tag)),
        ("24(h'6449455446')", "d818456449455446", Reject(Tag)),
        (
            "32(\"http://www.example.com\")",
            "d82076687474703a2f2f7777772e6578616d706c652e636f6d",
            Reject(Tag),
        ),
    ]
}

fn strings() -> Vec<Row> {
    vec![
        ("h''", "40", Accept(bytes(""))),
        ("h'01020304'", "4401020304", Accept(bytes("01020304"))),
        ("\"\"", "60", Accept(text(""))),
        ("\"a\"", "6161", Accept(text("a"))),
        ("\"IETF\"", "6449455446", Accept(text("IETF"))),
        ("\"\\\"\\\\\"", "62225c", Accept(text("\"\\"))),
        ("\"\\u00fc\"", "62c3bc", Accept(text("\u{fc}"))),
        ("\"\\u6c34\"", "63e6b0b4", Accept(text("\u{6c34}"))),
        ("\"\\ud800\\udd51\"", "64f0908591", Accept(text("\u{10151}"))),
    ]
}

/// The integers 1 to `last`.
fn count_to(last: i64) -> Value {
    array(&(1..=last).map(int).collect::<Vec<_>>())
}

fn containers() -> Vec<Row> {
    let pair = |first, second| array(&[int(first), int(second)]);
    let letters = [("a", "A"), ("b", "B"), ("c", "C"), ("d", "D"), ("e", "E")]
        .map(|(k, v)| (text(k), text(v)));
    vec![
        ("[]", "80", Accept(array(&[]))),
        ("[1, 2, 3]", "83010203", Accept(count_to(3))),
        (
            "[1, [2, 3], [4, 5]]",
            "8301820203820405",
            Accept(array(&[int(1), pair(2, 3), pair(4, 5)])),
        ),
        (
            "[1, 2, 3, ..., 25]",
            "98190102030405060708090a0b0c0d0e0f101112131415161718181819",
            Accept(count_to(25)),
        ),
        ("{}", "a0", Accept(map(&[]))),
        ("{1: 2, 3: 4}", "a201020304", Accept(map(&[(int(1), int(2)), (int(3), int(4))]))),
        (
            "{\"a\": 1, \"b\": [2, 3]}",
            "a26161016162820203",
            Accept(map(&[(text("a"), int(1)), (text("b"), pair(2, 3))])),
        ),
        (
            "[\"a\", {\"b\": \"c\"}]",
            "826161a161626163",
            Accept(array(&[text("a"), map(&[(text("b"), text("c"))])])),
        ),
        (
            "{\"a\": \"A\", \"b\": \"B\", \"c\": \"C\", \"d\": \"D\", \"e\": \"E\"}",
            "a56161614161626142616361436164614461656145",
            Accept(map(&letters)),
        ),
    ]
}

fn indefinite() -> Vec<Row> {
    let rows = [
        ("(_ h'0102', h'030405')", "5f42010243030405ff"),
        ("(_ \"strea\", \"ming\")", "7f657374726561646d696e67ff"),
        ("[_ ]", "9fff"),
        ("[_ 1, [2, 3], [_ 4, 5]]", "9f018202039f0405ffff"),
        ("[_ 1, [2, 3], [4, 5]]", "9f01820203820405ff"),
        ("[1, [2, 3], [_ 4, 5]]", "83018202039f0405ff"),
        ("[1, [_ 2, 3], [4, 5]]", "83019f0203ff820405"),
        ("[_ 1, 2, 3, ..., 25]", "9f0102030405060708090a0b0c0d0e0f101112131415161718181819ff"),
        ("{_ \"a\": 1, \"b\": [_ 2, 3]}", "bf61610161629f0203ffff"),
        ("[\"a\", {_ \"b\": \"c\"}]", "826161bf61626163ff"),
        ("{_ \"Fun\": true, \"Amt\": -2}", "bf6346756ef563416d7421ff"),
    ];
    let outcome =
        |(diagnostic, digits)| (diagnostic, digits, Reject(RejectClass::IndefiniteLength));
    rows.into_iter().map(outcome).collect()
}
