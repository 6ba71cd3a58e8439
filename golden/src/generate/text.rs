//! Text strings: UTF-8 and nothing else, never normalised.

use entidb_engine::codec::RejectClass;

use super::group::Group;
use super::literal::{hex, map, text};

pub(super) fn groups() -> Vec<Group> {
    vec![valid(), invalid()]
}

fn valid() -> Group {
    let mut group = Group::new("utf8", "RFC 8949 §3.1; RFC 3629 §3");
    for (id, content) in [
        ("u+0000", "\u{0}"),
        ("u+007f", "\u{7f}"),
        ("u+0080", "\u{80}"),
        ("u+07ff", "\u{7ff}"),
        ("u+0800", "\u{800}"),
        ("u+d7ff", "\u{d7ff}"),
        ("u+e000", "\u{e000}"),
        ("u+feff", "\u{feff}"),
        ("u+ffff", "\u{ffff}"),
        ("u+10000", "\u{10000}"),
        ("u+10ffff", "\u{10ffff}"),
    ] {
        group.accept(id, "first or last character of a length or range", text(content));
    }
    let (composed, decomposed) = (text("\u{e9}"), text("e\u{301}"));
    let both = map(&[(composed, text("NFC")), (decomposed, text("NFD"))]);
    group.accept("not-normalised", "two spellings of one character are two keys", both);
    group
}

fn invalid() -> Group {
    let mut group = Group::new("utf8-invalid", "RFC 8949 §3.1, §5.3.1; RFC 3629 §3, §4");
    for (id, meaning, digits) in [
        ("overlong-2", "u+002f in two bytes", "62 c0af"),
        ("overlong-2-largest", "u+007f in two bytes", "62 c1bf"),
        ("overlong-3", "u+002f in three bytes", "63 e080af"),
        ("overlong-3-largest", "u+07ff in three bytes", "63 e09fbf"),
        ("overlong-4", "u+002f in four bytes", "64 f08080af"),
        ("overlong-4-largest", "u+ffff in four bytes", "64 f08fbfbf"),
        ("overlong-nul", "u+0000 in two bytes", "62 c080"),
        ("surrogate-first", "u+d800", "63 eda080"),
        ("surrogate-last", "u+dfff", "63 edbfbf"),
        ("surrogate-pair", "u+10000 as a surrogate pair", "66 eda080edb080"),
        ("above-10ffff", "u+110000", "64 f4908080"),
        ("five-bytes", "u+200000 in five bytes", "65 f888808080"),
        ("byte-f5", "a byte UTF-8 never has", "64 f5808080"),
        ("byte-fe", "a byte UTF-8 never has", "61 fe"),
        ("byte-ff", "a byte UTF-8 never has", "61 ff"),
        ("continuation-alone", "a continuation byte without a beginning", "61 80"),
        ("truncated-2", "one of two bytes", "61 c3"),
        ("truncated-3", "two of three bytes", "62 e6b0"),
        ("truncated-4", "three of four bytes", "63 f09085"),
        ("broken-off", "a character broken off by another", "63 e6b061"),
        ("latin-1", "u+00e9 in ISO 8859-1", "64 636166e9"),
        ("in-a-key", "a map key that is not UTF-8", "a1 61ff 00"),
    ] {
        group.reject(id, meaning, "", hex(digits), RejectClass::InvalidUtf8);
    }
    group
}
