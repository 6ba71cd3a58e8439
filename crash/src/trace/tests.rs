use crate::{Mark, SimDisk, SyncKind};

#[test]
fn listings_give_files_the_names_of_the_moment() {
    let disk = SimDisk::new();
    disk.create_dir("SEGMENTS").unwrap();
    disk.mark(Mark::Issue(1));
    let file = disk.create("MANIFEST.tmp").unwrap();
    file.write_at(0, &[1; 512]).unwrap();
    file.sync(SyncKind::Data).unwrap();
    disk.rename("MANIFEST.tmp", "MANIFEST").unwrap();
    disk.sync_dir(".").unwrap();
    disk.mark(Mark::Ack(1));
    file.set_len(4).unwrap();
    let segment = disk.create("SEGMENTS/seg-000001.dat").unwrap();
    segment.sync(SyncKind::Full).unwrap();
    disk.sync_dir("SEGMENTS").unwrap();
    disk.remove("SEGMENTS/seg-000001.dat").unwrap();
    segment.write_at(7, b"held").unwrap();
    disk.mark(Mark::Shown(1));
    insta::assert_snapshot!(disk.trace(), @r"
    #0 create_dir SEGMENTS
    #1 issue 1
    #2 create MANIFEST.tmp
    #3 write MANIFEST.tmp 0+512
    #4 sync_data MANIFEST.tmp
    #5 rename MANIFEST.tmp MANIFEST
    #6 sync_dir .
    #7 ack 1
    #8 set_len MANIFEST 4
    #9 create SEGMENTS/seg-000001.dat
    #10 sync SEGMENTS/seg-000001.dat
    #11 sync_dir SEGMENTS
    #12 remove SEGMENTS/seg-000001.dat
    #13 write SEGMENTS/seg-000001.dat 7+4
    #14 shown 1
    ");
}

#[test]
fn listings_number_what_was_carried_first() {
    let disk = SimDisk::new();
    disk.create("a").unwrap();
    let trace = disk.trace();
    let state =
        trace.state(&crate::Choice { at: 1, fate: crate::Fate::Kill { cut: None } }).unwrap();
    let next = SimDisk::from_state(&state);
    next.open("a").unwrap().write_at(0, b"x").unwrap();
    insta::assert_snapshot!(next.trace(), @r"
    #0 create a (carried)
    #1 write a 0+1
    ");
}
