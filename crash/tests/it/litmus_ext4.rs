//! Each rule of the profile `ext4` in `docs/media.md`: a tiny program and the full set of what may
//! be found.

use proofhouse_crash::{Profile, SimDisk, SimFile, SyncKind};

use crate::litmus;

const BLOCK: u64 = 4096;
const HALF: u64 = 2048;

#[track_caller]
fn check(program: impl Fn(&SimDisk) -> std::io::Result<()>, allowed: &[&str]) {
    litmus::check_under(Profile::Ext4, program, allowed);
}

/// A durable file of so many bytes `O`.
fn old_file(disk: &SimDisk, name: &str, len: usize) -> std::io::Result<SimFile> {
    let file = disk.create(name)?;
    file.write_at(0, &vec![b'O'; len])?;
    file.sync(SyncKind::Full)?;
    disk.sync_dir(".")?;
    Ok(file)
}

#[test]
fn ext4_metadata_survives_as_a_prefix() {
    check(
        |disk| {
            disk.create("a")?;
            disk.create("b")?;
            disk.rename("a", "c")?;
            disk.remove("b")
        },
        &["nothing", "a=", "a= b=", "b= c=", "c="],
    );
}

#[test]
fn ext4_lengths_that_are_set_are_part_of_the_prefix() {
    check(
        |disk| {
            let file = disk.create("a")?;
            file.set_len(512)?;
            disk.create("b").map(drop)
        },
        &["nothing", "a=", "a=.", "a=. b="],
    );
}

#[test]
fn ext4_sectors_survive_independently() {
    check(
        |disk| {
            let file = old_file(disk, "a", 1024)?;
            file.write_at(0, &[b'N'; 1024])
        },
        &["a=OO", "a=ON", "a=NO", "a=NN"],
    );
}

#[test]
fn ext4_overwrites_are_not_ordered_with_metadata() {
    check(
        |disk| {
            let file = old_file(disk, "a", 512)?;
            file.write_at(0, &[b'N'; 512])?;
            disk.create("b").map(drop)
        },
        &["a=O", "a=N", "a=O b=", "a=N b="],
    );
}

#[test]
fn ext4_new_blocks_show_their_data_with_their_size() {
    check(
        |disk| {
            let file = disk.create("a")?;
            file.write_at(0, &[b'N'; 1024])
        },
        &["nothing", "a=", "a=NN"],
    );
}

#[test]
fn ext4_a_file_grows_block_by_block() {
    let file = |shown: &str| format!("a={}{shown}", "O".repeat(8));
    let allowed = [file(""), file("NNNNNNNN"), file("NNNNNNNNNN")];
    check(
        |disk| old_file(disk, "a", 4096)?.write_at(BLOCK, &[b'N'; 4096 + 1024]),
        &allowed.each_ref().map(String::as_str),
    );
}

#[test]
fn ext4_a_size_may_be_lost_whatever_metadata_came_later() {
    check(
        |disk| {
            let file = old_file(disk, "a", 4096)?;
            file.write_at(BLOCK, &[b'N'; 512])?;
            disk.create("b")?;
            disk.sync_dir(".")
        },
        &["a=OOOOOOOO b=", "a=OOOOOOOON b="],
    );
}

#[test]
fn ext4_a_size_needs_the_metadata_before_it() {
    check(
        |disk| {
            let file = old_file(disk, "a", 4096)?;
            disk.create("b")?;
            file.write_at(BLOCK, &[b'N'; 512])
        },
        &["a=OOOOOOOO", "a=OOOOOOOO b=", "a=OOOOOOOON b="],
    );
}

#[test]
fn ext4_the_tail_of_a_block_may_show_zeros() {
    check(
        |disk| old_file(disk, "a", 2048)?.write_at(HALF, &[b'N'; 1024]),
        &["a=OOOO", "a=OOOO..", "a=OOOON.", "a=OOOO.N", "a=OOOONN"],
    );
}

#[test]
fn ext4_a_prefix_append_ends_with_the_block_or_is_whole() {
    let tails = ["..", ".N", "N.", "NN"];
    let old = "OOOOOO";
    let mut allowed = vec![format!("a={old}")];
    for tail in tails {
        allowed.push(format!("a={old}{tail}"));
        allowed.push(format!("a={old}{tail}N"));
    }
    check(
        |disk| old_file(disk, "a", 3072)?.write_at(3072, &[b'N'; 1536]),
        &allowed.iter().map(String::as_str).collect::<Vec<_>>(),
    );
}

#[test]
fn ext4_what_was_cut_off_never_comes_back() {
    check(
        |disk| {
            let file = old_file(disk, "a", 1024)?;
            file.set_len(512)?;
            file.set_len(1536)
        },
        &["a=OO", "a=O.", "a=O", "a=O.."],
    );
}

#[test]
fn ext4_what_was_overwritten_and_cut_off_never_comes_back() {
    check(
        |disk| {
            let file = old_file(disk, "a", 1024)?;
            file.write_at(512, &[0; 512])?;
            file.set_len(512)?;
            file.set_len(1536)
        },
        &["a=OO", "a=O.", "a=O", "a=O.."],
    );
}

#[test]
fn ext4_a_length_set_over_unwritten_data_shows_zeros() {
    check(
        |disk| {
            let file = disk.create("a")?;
            disk.sync_dir(".")?;
            file.write_at(0, &[b'N'; 512])?;
            file.set_len(1024)
        },
        &["a=", "a=N", "a=..", "a=N."],
    );
}

#[test]
fn ext4_a_durable_length_ends_what_was_written_before() {
    check(
        |disk| {
            let file = old_file(disk, "a", 512)?;
            file.write_at(512, &[b'N'; 1024])?;
            file.set_len(1024)?;
            disk.create("b")?;
            disk.sync_dir(".")
        },
        &["a=O. b=", "a=ON b="],
    );
}

#[test]
fn ext4_sync_of_a_new_file_makes_its_entry_durable() {
    for kind in [SyncKind::Data, SyncKind::Full] {
        check(
            |disk| {
                disk.create("b")?;
                let file = disk.create("a")?;
                file.write_at(0, &[b'N'; 512])?;
                file.sync(kind)
            },
            &["a=N b="],
        );
    }
}

#[test]
fn ext4_sync_of_data_covers_no_rename() {
    let program = |kind| {
        move |disk: &SimDisk| {
            let file = old_file(disk, "a", 512)?;
            disk.rename("a", "b")?;
            file.write_at(0, &[b'N'; 512])?;
            file.sync(kind)
        }
    };
    check(program(SyncKind::Data), &["a=N", "b=N"]);
    check(program(SyncKind::Full), &["b=N"]);
}

#[test]
fn ext4_sync_after_a_pure_overwrite_commits_no_metadata() {
    for kind in [SyncKind::Data, SyncKind::Full] {
        check(
            |disk| {
                let file = old_file(disk, "a", 512)?;
                disk.create("b")?;
                file.write_at(0, &[b'N'; 512])?;
                file.sync(kind)
            },
            &["a=N", "a=N b="],
        );
    }
}

#[test]
fn ext4_sync_commits_up_to_the_last_change_of_what_is_synced() {
    check(
        |disk| {
            disk.create("a")?;
            let file = disk.create("b")?;
            disk.create("c")?;
            file.sync(SyncKind::Full)
        },
        &["a= b=", "a= b= c="],
    );
    check(
        |disk| {
            disk.create_dir("d")?;
            disk.create("a")?;
            disk.create("d/a")?;
            disk.sync_dir(".")
        },
        &["a= d/", "a= d/ d/a="],
    );
}

#[test]
fn ext4_sync_dir_commits_what_came_before_in_any_directory() {
    check(
        |disk| {
            disk.create_dir("d")?;
            disk.create("d/a")?;
            disk.create("b")?;
            disk.sync_dir(".")
        },
        &["b= d/ d/a="],
    );
    check(
        |disk| {
            disk.create("b")?;
            disk.create_dir("d")?;
            disk.sync_dir("d")
        },
        &["b= d/"],
    );
}

#[test]
fn ext4_rename_is_no_sync() {
    check(
        |disk| {
            old_file(disk, "a", 512)?;
            let new = disk.create("b")?;
            new.write_at(0, &[b'N'; 512])?;
            disk.rename("b", "a")?;
            disk.sync_dir(".")
        },
        &["a=", "a=N"],
    );
}
