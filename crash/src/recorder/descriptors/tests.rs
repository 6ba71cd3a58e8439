use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::os::fd::AsRawFd;

use super::super::tracee::Tracee;
use super::{Descriptors, Info, KNOWN_MAX};

fn own() -> Tracee {
    Tracee(i32::try_from(std::process::id()).unwrap())
}

#[test]
fn fields_of_fdinfo_are_read() {
    let text = "pos:\t42\nflags:\t02102001\nmnt_id:\t30\nino:\t7\nlock:\t1: FLOCK\n";
    let info = Info { position: 42, flags: 0o2_102_001, mount: 30, inode: 7 };
    assert_eq!(Info::parse(text), Some(info));
    assert_eq!(Info::parse("pos:\t1\nflags:\t0\nmnt_id:\t3\n").unwrap().inode, 0);
    assert_eq!(Info::parse("pos:\tx\nflags:\t0\nmnt_id:\t3\n"), None);
}

#[test]
fn a_descriptor_is_followed_as_it_moves() {
    let mut file = tempfile::tempfile().unwrap();
    let mut descriptors = Descriptors::default();
    for position in [0, 5, 10] {
        let seen = descriptors.look(own(), file.as_raw_fd()).unwrap();
        assert_eq!(seen.position, position);
        assert!(seen.regular);
        file.write_all(b"bytes").unwrap();
    }
    file.seek(SeekFrom::Start(1)).unwrap();
    assert_eq!(descriptors.look(own(), file.as_raw_fd()).unwrap().position, 1);
}

#[test]
fn a_number_that_stands_for_another_file_is_noticed() {
    let mut descriptors = Descriptors::default();
    let (one, two) = (tempfile::tempfile().unwrap(), tempfile::tempfile().unwrap());
    // A number far from those that other tests of this process use meanwhile.
    let number = 900;
    let mut slot = None;
    let mut ids = Vec::new();
    for file in [&one, &two, &one] {
        drop(slot.take());
        slot = Some(rustix::io::fcntl_dupfd_cloexec(file, number).unwrap());
        let fd = slot.as_ref().map(AsRawFd::as_raw_fd).unwrap();
        ids.push(descriptors.look(own(), fd).unwrap().id);
    }
    assert_eq!(ids[0], ids[2]);
    assert_ne!(ids[0], ids[1]);
}

#[test]
fn few_descriptors_are_remembered_and_none_of_the_dead() {
    let mut descriptors = Descriptors::default();
    let files: Vec<File> = (0..=KNOWN_MAX).map(|_| tempfile::tempfile().unwrap()).collect();
    for file in &files {
        descriptors.look(own(), file.as_raw_fd()).unwrap();
        assert!(descriptors.0.len() <= KNOWN_MAX);
    }
    descriptors.forget(own());
    assert!(descriptors.0.is_empty());
}
