use super::*;
use crate::{Ino, MicroOp, Profile, SimDisk, Tiers, Trace, Tree, enumerate};

fn bytes(content: &Content) -> Vec<u8> {
    let mut bytes = vec![0xee; usize::try_from(content.len()).unwrap()];
    assert!(content.read(0, &mut bytes));
    bytes
}

#[test]
fn zeros_stored_or_absent_have_one_digest() {
    let mut stored = Content::default();
    stored.write(0, &[0; 9000]);
    let mut absent = Content::default();
    absent.set_len(9000);
    assert_eq!(stored.digest(), absent.digest());
    absent.set_len(9001);
    assert_ne!(stored.digest(), absent.digest());
}

#[test]
fn every_change_changes_the_digest_and_no_clone() {
    let mut content = Content::default();
    content.write(100, b"first");
    let before = content.clone();
    let digest = before.digest();
    content.write(102, b"S");
    assert_ne!(content.digest(), digest);
    assert_eq!((before.digest(), &bytes(&before)[100..]), (digest, &b"first"[..]));
    content.write(102, b"r");
    assert_eq!(content.digest(), digest);
}

#[test]
fn a_file_that_grows_again_shows_zeros() {
    let mut content = Content::default();
    content.write(0, &[b'x'; 10_000]);
    content.set_len(5000);
    content.set_len(10_000);
    let shown = bytes(&content);
    assert!(shown[..5000].iter().all(|byte| *byte == b'x'));
    assert!(shown[5000..].iter().all(|byte| *byte == 0));
}

#[test]
fn reads_past_the_end_are_refused() {
    let mut content = Content::default();
    content.write(0, b"four");
    let mut buf = [0; 2];
    assert!(content.read(2, &mut buf) && &buf == b"ur");
    assert!(!content.read(3, &mut buf));
    assert!(!content.read(u64::MAX, &mut buf));
    assert!(content.read(4, &mut []));
    assert!(!content.read(5, &mut []));
}

#[test]
fn extents_end_with_the_file_and_leave_zero_pages_out() {
    let mut content = Content::default();
    content.write(3 * PAGE, b"tail");
    content.write(0, &[0; 10]);
    let extents: Vec<_> = content.extents().collect();
    assert_eq!(extents, [(3 * PAGE, &b"tail"[..])]);
}

#[test]
fn sectors_with_data_are_found_from_any_byte() {
    let mut content = Content::default();
    content.write(700, b"x");
    content.write(5000, b"y");
    let check = |from, due: &[u64]| assert_eq!(content.sectors_from(from), due, "from {from}");
    check(0, &[1, 9]);
    check(700, &[1, 9]);
    check(701, &[9]);
    check(5001, &[]);
}

/// Pages of `content` that it does not share with `base`: what making it took.
fn pages_of_its_own(content: &Content, base: &Content) -> usize {
    let shared = |number: &u64, page: &Arc<Page>| {
        base.pages.get(number).is_some_and(|other| Arc::ptr_eq(page, other))
    };
    content.pages.iter().filter(|(number, page)| !shared(number, page)).count()
}

/// Pages whose bytes a digest would read.
fn pages_not_digested(content: &Content) -> usize {
    content.pages.values().filter(|page| page.digest.get().is_none()).count()
}

/// A file of 64 MiB with one page of data in the middle, durable; then a write across the border
/// of two pages, and one into a third.
fn reserved() -> Trace {
    let disk = SimDisk::new();
    let file = disk.create("log").unwrap();
    file.set_len(64 << 20).unwrap();
    file.write_at(32 << 20, &[b'O'; 4096]).unwrap();
    disk.settle();
    file.write_at(PAGE - 512, &[b'N'; 1024]).unwrap();
    file.write_at(63 << 20, &[b'N'; 512]).unwrap();
    disk.trace()
}

#[test]
fn states_of_a_reserved_file_touch_only_the_pages_that_were_written() {
    let trace = reserved();
    let base = trace.base.file("log").unwrap();
    assert_eq!((base.len(), base.pages.len()), (64 << 20, 1));
    trace.base.digest();
    let mut states = 0;
    for profile in [Profile::Posix, Profile::Ext4] {
        for state in enumerate(&trace, profile, Tiers::ALL) {
            let content = state.base.file("log").unwrap();
            let own = pages_of_its_own(content, base);
            assert!(own <= 3 && content.pages.len() == own + 1, "{}", state.choice);
            assert_eq!(pages_not_digested(content), own, "{}", state.choice);
            state.key();
            assert_eq!(pages_not_digested(content), 0);
            states += 1;
        }
    }
    assert!(states > 20);
}

#[test]
fn a_reserved_file_costs_its_data_in_a_directory_and_in_a_case() {
    let mut tree = trace_end(&reserved());
    let content = tree.file("log").unwrap();
    assert_eq!(content.extents().map(|(_, bytes)| bytes.len()).sum::<usize>(), 4 * 4096);
    assert!(serde_json::to_string(&tree).unwrap().len() < 5 * 2 * 4096);
    let dir = tempfile::tempdir().unwrap();
    tree.write_to(dir.path()).unwrap();
    let found = std::fs::metadata(dir.path().join("log")).unwrap();
    assert_eq!(found.len(), 64 << 20);
    assert!(std::os::unix::fs::MetadataExt::blocks(&found) * SECTOR <= 1 << 20, "not sparse");
    let again = Tree::read_from(dir.path()).unwrap();
    assert!(again.file("log").unwrap().pages.len() < 256);
    assert_eq!(again.digest(), tree.digest());
    let file = tree.entry(Ino::ROOT, "log").unwrap();
    tree.apply(&MicroOp::SetLen { ino: file, len: 0 });
    assert!(tree.file("log").unwrap().pages.is_empty());
}

fn trace_end(trace: &Trace) -> Tree {
    let mut tree = trace.base.clone();
    trace.ops.iter().for_each(|op| tree.apply(op));
    tree
}
