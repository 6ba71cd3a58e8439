use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::os::fd::AsRawFd;

use nix::libc;

use super::super::call::Call;
use super::super::descriptors::Descriptors;
use super::super::enter::{Enter, Entry, Role};
use super::super::report::Why;
use super::super::slab::Slab;
use super::super::tracee::{FileId, Tracee};
use super::super::world::World;
use super::{Effects, Leave};
use crate::trace::MicroOp;

/// A watched directory with a file in it; this process plays the one that is recorded.
struct Played {
    _dir: tempfile::TempDir,
    world: World,
    descriptors: Descriptors,
    file: File,
}

impl Played {
    fn new(content: &[u8]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("f");
        std::fs::write(&path, content).unwrap();
        let file = File::options().read(true).write(true).open(path).unwrap();
        let world = World::read(dir.path()).unwrap();
        Self { _dir: dir, world, descriptors: Descriptors::default(), file }
    }

    /// What a call by the file's descriptor is recorded as, if `acting` is what it does.
    fn call(
        &mut self,
        number: libc::c_long,
        args: [u64; 2],
        acting: impl FnOnce(&mut File) -> i64,
    ) -> Effects {
        let call = decoded(number, self.file.as_raw_fd(), args);
        let mut enter = Enter {
            world: &mut self.world,
            descriptors: &mut self.descriptors,
            tracee: Tracee::ourselves(),
            reply: FileId { dev: 0, ino: 0 },
            shared_mappings: false,
        };
        let Entry::Follow(role) = enter.look(&call) else { panic!("{call:?} is of no concern") };
        assert!(!matches!(role, Role::Refused(_)), "{role:?}");
        let mut leave = Leave {
            world: &mut self.world,
            descriptors: &mut self.descriptors,
            slab: &mut Slab::default(),
            tracee: Tracee::ourselves(),
            result: acting(&mut self.file),
            mapped: &[],
            outside: &mut false,
        };
        leave.effects(&call, &role)
    }
}

fn decoded(number: libc::c_long, fd: i32, [second, third]: [u64; 2]) -> Call {
    Call::decode(number, [u64::from(fd.unsigned_abs()), second, third, 0, 0, 0]).unwrap()
}

/// Where the operations, all of them writes, go, and what they write.
fn told(effects: Effects) -> Vec<(u64, String)> {
    let tell = |op| match op {
        MicroOp::Write { offset, data, .. } => {
            (offset, String::from_utf8_lossy(&data).into_owned())
        }
        other => panic!("{other:?}"),
    };
    effects.unwrap().into_iter().map(tell).collect()
}

/// Few file systems can clone, so the clone is made by hand here; its recording is the real one.
#[test]
fn a_clone_is_what_the_file_holds_then() {
    const FICLONE: u64 = 0x4004_9409;
    const FICLONERANGE: u64 = 0x4020_940d;
    let mut source = tempfile::tempfile().unwrap();
    source.write_all(b"the source").unwrap();
    let number = u64::from(source.as_raw_fd().unsigned_abs());
    let overwrite = |offset: u64, with: &'static [u8]| {
        move |file: &mut File| {
            file.seek(SeekFrom::Start(offset)).unwrap();
            file.write_all(with).unwrap();
            0
        }
    };
    for old in ["old", "older than the source"] {
        let mut played = Played::new(old.as_bytes());
        let act = overwrite(0, b"the source");
        let whole = played.call(libc::SYS_ioctl, [FICLONE, number], act);
        assert_eq!(told(whole), [(0, "the source".to_owned())]);
    }
    // struct file_clone_range: the source's descriptor, its offset, the length, our offset. No
    // length is all of it to the source's end.
    for (range, due) in [([number, 4, 3, 2], "sou"), ([number, 4, 0, 2], "source")] {
        let mut played = Played::new(b"0123456789");
        let args = [FICLONERANGE, range.as_ptr() as u64];
        let part = played.call(libc::SYS_ioctl, args, overwrite(2, due.as_bytes()));
        assert_eq!(told(part), [(2, due.to_owned())]);
        let failed = played.call(libc::SYS_ioctl, args, |_| -i64::from(libc::EOPNOTSUPP));
        assert_eq!(told(failed), []);
    }
}

#[test]
fn a_description_that_others_move_during_a_write_is_not_followed() {
    let bytes = b"bytes";
    let args = [bytes.as_ptr() as u64, bytes.len() as u64];
    let mut played = Played::new(b"");
    let write = |file: &mut File| {
        file.write_all(bytes).unwrap();
        5
    };
    assert_eq!(told(played.call(libc::SYS_write, args, write)), [(0, "bytes".to_owned())]);
    let moved = played.call(libc::SYS_write, args, |file| {
        file.seek(SeekFrom::Start(100)).unwrap();
        write(file)
    });
    assert_eq!(moved, Err(Why::Unseen("the description was moved during the call".to_owned())));
}
