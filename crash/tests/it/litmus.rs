//! Each rule of `docs/media.md`: a tiny program and the full set of what may be found.

use std::collections::BTreeSet;

use proofhouse_crash::{Fate, Ino, MicroOp, Profile, SimDisk, SyncKind, Tiers, Trace, enumerate};

use crate::naive;
use crate::outcome::{every_outcome, outcome};

const S: u64 = 512;

#[track_caller]
fn check(program: impl Fn(&SimDisk) -> std::io::Result<()>, allowed: &[&str]) {
    check_under(Profile::Posix, program, allowed);
}

/// Holds the set written down against brute force, against the naive rules, and against the
/// tiers, which may leave some out but add none.
#[track_caller]
pub(crate) fn check_under(
    profile: Profile,
    program: impl Fn(&SimDisk) -> std::io::Result<()>,
    allowed: &[&str],
) {
    let disk = SimDisk::new();
    program(&disk).unwrap();
    check_trace(profile, &disk.trace(), allowed);
}

/// As [`check_under`], for what programs can do and the simulated disk cannot.
#[track_caller]
fn check_trace(profile: Profile, trace: &Trace, allowed: &[&str]) {
    let end = trace.ops.len();
    let allowed: BTreeSet<String> = allowed.iter().map(|&outcome| outcome.to_owned()).collect();
    assert_eq!(every_outcome(trace, profile, end), allowed, "brute force over\n{trace}");
    let naive = naive::allowed_under(profile, trace, end).outcomes;
    assert_eq!(naive, allowed, "naive rules over\n{trace}");
    for state in enumerate(trace, profile, Tiers::ALL).filter(|state| state.at == end) {
        let found = outcome(&state.visible());
        assert!(allowed.contains(&found), "{}: {found}", trace.explain(&state.choice));
    }
}

/// A file `a` of one sector `O` whose entry and content are durable.
fn old_file(disk: &SimDisk) -> std::io::Result<proofhouse_crash::SimFile> {
    let file = disk.create("a")?;
    file.write_at(0, &[b'O'; 512])?;
    file.sync(SyncKind::Full)?;
    disk.sync_dir(".")?;
    Ok(file)
}

#[test]
fn sync_makes_content_and_size_durable() {
    for kind in [SyncKind::Data, SyncKind::Full] {
        check(
            |disk| {
                let file = old_file(disk)?;
                file.write_at(0, &[b'N'; 1024])?;
                file.sync(kind)
            },
            &["a=NN"],
        );
    }
}

#[test]
fn sync_of_a_file_leaves_its_entry_pending() {
    check(
        |disk| {
            let file = disk.create("a")?;
            file.write_at(0, &[b'N'; 512])?;
            file.sync(SyncKind::Full)
        },
        &["nothing", "a=N"],
    );
}

#[test]
fn sync_of_one_file_leaves_others_pending() {
    check(
        |disk| {
            let file = old_file(disk)?;
            let other = disk.create("b")?;
            disk.sync_dir(".")?;
            file.write_at(0, &[b'N'; 512])?;
            other.sync(SyncKind::Full)
        },
        &["a=O b=", "a=N b="],
    );
}

#[test]
fn sync_covers_only_what_came_before() {
    check(
        |disk| {
            let file = old_file(disk)?;
            file.write_at(0, &[b'M'; 512])?;
            file.sync(SyncKind::Data)?;
            file.write_at(0, &[b'N'; 512])
        },
        &["a=M", "a=N"],
    );
}

#[test]
fn sync_dir_makes_entries_durable_but_no_content() {
    check(
        |disk| {
            let file = disk.create("a")?;
            file.write_at(0, &[b'N'; 512])?;
            disk.sync_dir(".")
        },
        &["a=", "a=.", "a=N"],
    );
}

#[test]
fn sync_dir_leaves_other_directories_pending() {
    check(
        |disk| {
            disk.create_dir("d")?;
            disk.sync_dir(".")?;
            disk.create("d/a")?;
            disk.sync_dir(".")
        },
        &["d/", "d/ d/a="],
    );
}

#[test]
fn neither_close_nor_rename_makes_content_durable() {
    check(
        |disk| {
            old_file(disk)?;
            let new = disk.create("b")?;
            new.write_at(0, &[b'N'; 512])?;
            drop(new);
            disk.rename("b", "a")?;
            disk.sync_dir(".")
        },
        &["a=", "a=.", "a=N"],
    );
}

#[test]
fn sectors_survive_independently() {
    check(
        |disk| {
            let file = disk.create("a")?;
            file.write_at(0, &[b'O'; 1536])?;
            file.sync(SyncKind::Data)?;
            disk.sync_dir(".")?;
            file.write_at(0, &[b'N'; 1536])
        },
        &["a=OOO", "a=OON", "a=ONO", "a=ONN", "a=NOO", "a=NON", "a=NNO", "a=NNN"],
    );
}

#[test]
fn a_later_version_of_a_sector_holds_the_earlier_bytes() {
    check(
        |disk| {
            let file = old_file(disk)?;
            file.write_at(0, &[b'M'; 512])?;
            file.write_at(0, &[b'N'; 256])
        },
        &["a=O", "a=M", "a=~"],
    );
}

#[test]
fn a_sector_is_never_torn() {
    check(
        |disk| {
            let file = old_file(disk)?;
            file.write_at(0, &[b'N'; 512])
        },
        &["a=O", "a=N"],
    );
}

#[test]
fn size_and_data_survive_independently() {
    check(
        |disk| {
            let file = old_file(disk)?;
            file.write_at(S, &[b'N'; 512])
        },
        &["a=O", "a=O.", "a=ON"],
    );
}

#[test]
fn sizes_survive_in_order_whatever_their_data() {
    check(
        |disk| {
            let file = old_file(disk)?;
            file.write_at(S, &[b'M'; 512])?;
            file.write_at(2 * S, &[b'N'; 512])
        },
        &["a=O", "a=O.", "a=OM", "a=O..", "a=OM.", "a=O.N", "a=OMN"],
    );
}

#[test]
fn bytes_within_a_reserved_file_need_no_size() {
    check(
        |disk| {
            let file = disk.create("a")?;
            file.set_len(3 * S)?;
            file.sync(SyncKind::Data)?;
            disk.sync_dir(".")?;
            file.write_at(S, &[b'N'; 512])
        },
        &["a=...", "a=.N."],
    );
}

#[test]
fn truncation_is_a_size_and_zeroed_sectors() {
    check(
        |disk| {
            let file = disk.create("a")?;
            file.write_at(0, &[b'O'; 1024])?;
            file.sync(SyncKind::Data)?;
            disk.sync_dir(".")?;
            file.set_len(S)
        },
        &["a=OO", "a=O", "a=O."],
    );
}

#[test]
fn truncation_within_a_sector_keeps_its_beginning() {
    check(
        |disk| {
            let file = old_file(disk)?;
            file.set_len(256)?;
            file.set_len(S)
        },
        &["a=O", "a=O(256)", "a=~"],
    );
}

#[test]
fn a_file_that_shrank_and_grew_may_show_its_old_bytes() {
    check(
        |disk| {
            let file = disk.create("a")?;
            file.write_at(0, &[b'O'; 1024])?;
            file.sync(SyncKind::Data)?;
            disk.sync_dir(".")?;
            file.set_len(S)?;
            file.set_len(3 * S)
        },
        &["a=OO", "a=O.", "a=O", "a=OO.", "a=O.."],
    );
}

#[test]
fn entries_of_different_names_are_independent() {
    check(
        |disk| {
            disk.create("a")?;
            disk.create("b").map(drop)
        },
        &["nothing", "a=", "b=", "a= b="],
    );
}

#[test]
fn operations_on_one_name_keep_their_order() {
    check(
        |disk| {
            let file = disk.create("a")?;
            file.write_at(0, &[b'M'; 512])?;
            file.sync(SyncKind::Data)?;
            disk.remove("a")?;
            let file = disk.create("a")?;
            file.write_at(0, &[b'N'; 512])?;
            file.sync(SyncKind::Data)
        },
        &["nothing", "a=M", "a=N"],
    );
}

#[test]
fn a_removal_may_be_undone_with_all_content() {
    check(
        |disk| {
            old_file(disk)?;
            disk.remove("a")
        },
        &["a=O", "nothing"],
    );
}

#[test]
fn rename_is_atomic() {
    check(
        |disk| {
            old_file(disk)?;
            let new = disk.create("b")?;
            new.write_at(0, &[b'N'; 512])?;
            new.sync(SyncKind::Full)?;
            disk.sync_dir(".")?;
            disk.rename("b", "a")
        },
        &["a=O b=N", "a=N"],
    );
}

#[test]
fn rename_needs_the_entry_it_moves() {
    check(
        |disk| {
            let new = disk.create("b")?;
            new.write_at(0, &[b'N'; 512])?;
            new.sync(SyncKind::Full)?;
            disk.rename("b", "a")
        },
        &["nothing", "b=N", "a=N"],
    );
}

#[test]
fn what_happens_to_a_renamed_file_needs_the_rename() {
    check(
        |disk| {
            old_file(disk)?;
            let new = disk.create("b")?;
            new.write_at(0, &[b'N'; 512])?;
            new.sync(SyncKind::Full)?;
            disk.sync_dir(".")?;
            disk.rename("b", "a")?;
            disk.remove("a")
        },
        &["a=O b=N", "a=N", "nothing"],
    );
}

#[test]
fn rename_across_directories_is_durable_with_either() {
    for dir in [".", "d"] {
        check(
            |disk| {
                old_file(disk)?;
                disk.create_dir("d")?;
                disk.sync_dir(".")?;
                disk.rename("a", "d/a")?;
                disk.sync_dir(dir)
            },
            &["d/ d/a=O"],
        );
    }
}

#[test]
fn what_is_in_a_lost_directory_is_unreachable() {
    check(
        |disk| {
            disk.create_dir("d")?;
            let file = disk.create("d/a")?;
            file.write_at(0, &[b'N'; 512])?;
            file.sync(SyncKind::Full)?;
            disk.sync_dir("d")
        },
        &["nothing", "d/ d/a=N"],
    );
}

#[test]
fn what_is_durable_stays() {
    check(
        |disk| {
            let file = disk.create("a")?;
            file.write_at(0, &[b'O'; 1024])?;
            file.sync(SyncKind::Data)?;
            disk.sync_dir(".")?;
            file.write_at(S, &[b'N'; 512])?;
            disk.open("a").map(drop)
        },
        &["a=OO", "a=ON"],
    );
}

#[test]
fn a_kill_cuts_a_write_only_at_page_borders() {
    let disk = SimDisk::new();
    disk.create("a").unwrap().write_at(4000, &[b'N'; 9000]).unwrap();
    let trace = disk.trace();
    let cuts: Vec<u64> = enumerate(&trace, Profile::Posix, Tiers::KILLS)
        .filter_map(|state| match state.choice.fate {
            Fate::Kill { cut } => cut,
            Fate::PowerLoss { .. } | Fate::BadMedia { .. } => None,
        })
        .collect();
    assert_eq!(cuts, [96, 96 + 4096, 96 + 8192]);
}

/// What a recorded program did after a beginning that the simulated disk can make.
fn recorded(
    before: impl Fn(&SimDisk) -> std::io::Result<()>,
    ops: impl IntoIterator<Item = MicroOp>,
) -> Trace {
    let disk = SimDisk::new();
    before(&disk).unwrap();
    let mut trace = disk.trace();
    trace.ops.extend(ops);
    trace
}

/// The file or directory of that beginning that was made first, and second.
const FIRST: Ino = Ino(1);
const SECOND: Ino = Ino(2);

fn link(dir: Ino, name: &str, ino: Ino) -> MicroOp {
    MicroOp::Link { dir, name: name.into(), ino }
}

#[test]
fn names_of_one_file_are_entries_of_their_own() {
    let write = MicroOp::Write { ino: FIRST, offset: 0, data: vec![b'N'; 512].into() };
    let unlink = MicroOp::Unlink { dir: Ino::ROOT, name: "a".into(), ino: FIRST };
    let moved = recorded(|disk| old_file(disk).map(drop), [link(Ino::ROOT, "b", FIRST), unlink]);
    check_trace(Profile::Posix, &moved, &["a=O", "a=O b=O", "b=O", "nothing"]);
    check_trace(Profile::Ext4, &moved, &["a=O", "a=O b=O", "b=O"]);
    let sync = MicroOp::Sync { ino: FIRST, kind: SyncKind::Data };
    let shared =
        recorded(|disk| old_file(disk).map(drop), [link(Ino::ROOT, "b", FIRST), write, sync]);
    check_trace(Profile::Posix, &shared, &["a=N", "a=N b=N"]);
}

#[test]
fn a_file_without_a_name_keeps_what_was_synced_until_it_gets_one() {
    let write = || MicroOp::Write { ino: FIRST, offset: 0, data: vec![b'N'; 512].into() };
    let sync = MicroOp::Sync { ino: FIRST, kind: SyncKind::Full };
    let sync_dir = MicroOp::SyncDir { dir: Ino::ROOT };
    let synced = recorded(|_| Ok(()), [write(), sync, link(Ino::ROOT, "a", FIRST)]);
    check_trace(Profile::Posix, &synced, &["a=N", "nothing"]);
    let unsynced = recorded(|_| Ok(()), [write(), link(Ino::ROOT, "a", FIRST), sync_dir]);
    check_trace(Profile::Posix, &unsynced, &["a=", "a=.", "a=N"]);
}

#[test]
fn a_renamed_directory_takes_along_what_is_in_it() {
    let rename = MicroOp::Rename {
        from_dir: Ino::ROOT,
        from: "d".into(),
        to_dir: Ino::ROOT,
        to: "e".into(),
        ino: FIRST,
    };
    let before = |disk: &SimDisk| {
        disk.create_dir("d")?;
        let file = disk.create("d/a")?;
        file.write_at(0, &[b'O'; 512])?;
        file.sync(SyncKind::Full)?;
        disk.sync_dir("d")?;
        disk.sync_dir(".")
    };
    let trace = recorded(before, [rename, link(FIRST, "b", Ino(SECOND.0 + 1))]);
    check_trace(
        Profile::Posix,
        &trace,
        &["d/ d/a=O", "d/ d/a=O d/b=", "e/ e/a=O", "e/ e/a=O e/b="],
    );
    check_trace(Profile::Ext4, &trace, &["d/ d/a=O", "e/ e/a=O", "e/ e/a=O e/b="]);
}
