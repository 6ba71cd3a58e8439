//! The simulated disk against a real directory.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use proofhouse_crash::{SimDisk, SyncKind, Tree};
use proptest::prelude::*;

use crate::acts::{Act, FILES, fixed, programs};

fn open(root: &Path, file: usize) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).open(root.join(FILES[file]))
}

fn act_for_real(root: &Path, act: &Act) -> io::Result<()> {
    match act {
        Act::Create(file) => File::create_new(root.join(FILES[*file])).map(drop),
        Act::MakeDir => match fs::create_dir(root.join("d")) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            made => made,
        },
        Act::Write { file, offset, len, byte } => {
            open(root, *file)?.write_all_at(&vec![*byte; *len], *offset)
        }
        Act::SetLen { file, len } => open(root, *file)?.set_len(*len),
        Act::Remove(file) => fs::remove_file(root.join(FILES[*file])),
        Act::Rename(from, to) => fs::rename(root.join(FILES[*from]), root.join(FILES[*to])),
        Act::Sync(file) => open(root, *file).map(drop),
        Act::SyncDir(dir) => fs::read_dir(root.join(dir)).map(drop),
        Act::Mark(_) => Ok(()),
    }
}

fn act_simulated(disk: &SimDisk, act: &Act) -> io::Result<()> {
    let open = |file: &usize| disk.open(FILES[*file]);
    match act {
        Act::Create(file) => disk.create(FILES[*file]).map(drop),
        Act::MakeDir => disk.create_dir("d"),
        Act::Write { file, offset, len, byte } => open(file)?.write_at(*offset, &vec![*byte; *len]),
        Act::SetLen { file, len } => open(file)?.set_len(*len),
        Act::Remove(file) => disk.remove(FILES[*file]),
        Act::Rename(from, to) => disk.rename(FILES[*from], FILES[*to]),
        Act::Sync(file) => open(file)?.sync(SyncKind::Full),
        Act::SyncDir(dir) => disk.sync_dir(dir),
        Act::Mark(_) => Ok(()),
    }
}

proptest! {
    #![proptest_config(fixed(60))]

    #[test]
    fn the_simulated_disk_agrees_with_a_real_directory(program in programs(1500, 8, 40)) {
        let root = tempfile::tempdir().unwrap();
        let disk = SimDisk::new();
        for act in &program {
            let due = act_for_real(root.path(), act).map_err(|error| error.kind());
            let got = act_simulated(&disk, act).map_err(|error| error.kind());
            prop_assert_eq!(due, got, "{:?}", act);
        }
        let real = Tree::read_from(root.path()).unwrap();
        prop_assert_eq!(disk.tree().digest(), real.digest());
        for dir in [".", "d"] {
            let due = fs::read_dir(root.path().join(dir)).map(|entries| {
                let mut names: Vec<String> = entries
                    .map(|entry| entry.unwrap().file_name().into_string().unwrap())
                    .collect();
                names.sort();
                names
            });
            prop_assert_eq!(
                due.map_err(|error| error.kind()),
                disk.list(dir).map_err(|error| error.kind())
            );
        }
        let copy = tempfile::tempdir().unwrap();
        disk.tree().write_to(copy.path()).unwrap();
        prop_assert_eq!(Tree::read_from(copy.path()).unwrap().digest(), real.digest());
    }
}

#[test]
fn a_reserved_file_takes_no_space() {
    use std::os::unix::fs::MetadataExt;
    let disk = SimDisk::new();
    let file = disk.create("wal").unwrap();
    file.set_len(64 << 20).unwrap();
    file.write_at(32 << 20, b"one record").unwrap();
    assert_eq!(disk.tree().file("wal").unwrap().extents().count(), 1);
    let root = tempfile::tempdir().unwrap();
    disk.tree().write_to(root.path()).unwrap();
    let real = fs::metadata(root.path().join("wal")).unwrap();
    assert_eq!(real.len(), 64 << 20);
    assert!(real.blocks() * 512 < 1 << 20, "{} blocks", real.blocks());
    assert_eq!(Tree::read_from(root.path()).unwrap().digest(), disk.tree().digest());
}

#[test]
fn what_is_neither_file_nor_directory_is_refused() {
    let root = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink("nowhere", root.path().join("link")).unwrap();
    let error = Tree::read_from(root.path()).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    assert_eq!(error.to_string(), "link: neither file nor directory");
}
