//! What each call becomes.

use std::fs;

use proofhouse_crash::{NotMeasured, RecordEnd, RecordOptions, Recorded, Why};

use super::Place;

/// Records a part; it must end well, be fully measured and replay to what it left.
#[track_caller]
fn measured(part: &str) -> Recorded {
    let place = Place::new();
    let recorded = place.run(part, RecordOptions::default());
    let output = String::from_utf8_lossy(&recorded.output);
    assert_eq!(recorded.end, RecordEnd::Exited(0), "{output}");
    assert_eq!(recorded.not_measured, [], "{}", recorded.trace);
    assert!(!recorded.calls.is_empty());
    place.assert_replays(&recorded);
    recorded
}

/// Records a part that cannot be measured: the call and the reason must be named.
#[track_caller]
fn refused(part: &str, call: &'static str, why: &Why) {
    let recorded = Place::new().run(part, RecordOptions::default());
    let due = NotMeasured { call, why: why.clone() };
    assert!(recorded.not_measured.contains(&due), "{:?}", recorded.not_measured);
}

#[test]
fn writes_are_recorded_where_they_went() {
    insta::assert_snapshot!(measured("writes").trace);
}

#[test]
fn opens_create_and_cut_files_and_make_writes_durable() {
    insta::assert_snapshot!(measured("opens").trace);
}

#[test]
fn names_come_go_and_move() {
    insta::assert_snapshot!(measured("names").trace);
}

#[test]
fn a_file_without_a_name_is_recorded_before_it_gets_one() {
    insta::assert_snapshot!(measured("unnamed").trace);
}

#[test]
fn sizes_and_holes_are_recorded() {
    measured("sizes");
}

#[test]
fn syncs_cover_a_file_a_directory_or_all_that_changed() {
    insta::assert_snapshot!(measured("syncs").trace);
}

#[test]
fn bytes_that_never_were_in_memory_are_read_back() {
    insta::assert_snapshot!(measured("transfers").trace);
}

#[test]
fn calls_of_threads_have_one_order() {
    let recorded = measured("threads");
    let threads: std::collections::BTreeSet<usize> =
        recorded.calls.iter().map(|call| call.thread).collect();
    assert_eq!(threads.len(), 5);
}

#[test]
fn a_call_that_waits_for_another_thread_holds_nobody() {
    let recorded = measured("waiting");
    assert_eq!(recorded.replayed().file("spliced").unwrap().len(), 6);
    measured("waiting_to_open");
}

#[test]
fn children_are_followed() {
    measured("forks");
    insta::assert_snapshot!(measured("sessions").trace, @r"
    #0 create own
    #1 write own 0+4
    #2 create after
    ");
}

#[test]
fn an_exec_from_another_thread_is_followed() {
    measured("exec_from_thread");
}

#[test]
fn a_file_is_known_by_whatever_descriptor() {
    insta::assert_snapshot!(measured("passed_descriptors").trace);
}

#[test]
fn signals_pass_through() {
    measured("signals");
}

#[test]
fn a_mapping_for_reading_is_harmless_and_its_sync_counts() {
    insta::assert_snapshot!(measured("read_mapping").trace);
}

#[test]
fn a_private_mapping_is_no_concern() {
    measured("private_mapping");
}

#[test]
fn appending_follows_the_description_and_the_flags_of_the_call() {
    insta::assert_snapshot!(measured("appends").trace, @r"
    #0 create plain
    #1 write plain 8+4
    #2 write plain 12+4
    #3 write plain 16+4
    #4 write plain 20+4
    #5 create log
    #6 write log 0+4
    #7 write log 4+4
    #8 write log 1+4
    ");
}

#[test]
fn a_path_is_followed_as_the_program_means_it() {
    insta::assert_snapshot!(measured("paths").trace, @r"
    #0 create_dir d
    #1 create d/by_links
    #2 write d/by_links 0+3
    #3 rename d/by_links d/renamed
    #4 create d/by_descriptor
    #5 write d/by_descriptor 0+3
    #6 set_len d/by_descriptor 0
    #7 write d/by_descriptor 0+3
    #8 set_len d/by_descriptor 0
    #9 write d/by_descriptor 0+3
    #10 create_dir by_cwd
    #11 remove d/by_descriptor
    #12 remove by_cwd
    #13 set_len d/renamed 2
    ");
    insta::assert_snapshot!(measured("through_the_root_of_a_path").trace, @r"
    #0 create_dir d
    #1 create d/f
    #2 write d/f 0+4
    ");
}

#[test]
fn working_directories_change_and_differ_by_thread() {
    measured("own_directories");
}

#[test]
fn names_elsewhere_change_nothing() {
    insta::assert_snapshot!(measured("names_elsewhere").trace, @r"
    #0 create f
    #1 write f 0+3
    #2 write f 3+4
    #3 write f 3+5
    ");
}

#[test]
fn a_number_of_a_removed_file_can_be_of_another() {
    let recorded = measured("numbers_that_come_back");
    assert_eq!(recorded.calls.len(), 12, "{}", recorded.trace);
}

#[test]
fn a_descriptor_can_be_of_another_file_after_an_exec() {
    insta::assert_snapshot!(measured("closed_by_exec").trace, @r"
    #0 create before
    #1 write before 0+3
    #2 write before 3+3
    #3 create after
    #4 write after 0+6
    ");
}

#[test]
fn children_in_their_parents_memory_are_followed() {
    insta::assert_snapshot!(measured("borrowed_memory").trace, @r"
    #0 create output
    #1 write output 0+15
    #2 create_dir d
    #3 create d/f
    #4 write d/f 0+15
    ");
}

#[test]
fn requests_that_change_nothing_are_harmless() {
    measured("requests");
}

#[test]
fn asynchronous_writes_are_recorded_when_they_are_complete() {
    insta::assert_snapshot!(measured("asynchronous").trace, @r"
    #0 create f
    #1 create g
    #2 sync f
    #3 write f 10+12
    #4 write g 0+16
    #5 write f 0+7
    #6 sync_data f
    #7 set_len g 5
    ");
    assert_eq!(measured("many_asynchronously").trace.ops.len(), 2001);
}

#[test]
fn io_uring_does_not_exist() {
    measured("io_uring");
}

#[test]
fn nobody_is_made_who_cannot_be_followed() {
    measured("untraced");
}

#[test]
fn a_writable_mapping_is_refused_unless_its_file_is_allowed() {
    refused("writable_mapping", "mmap", &Why::WritableMapping);
    refused("mapping_made_writable", "mprotect", &Why::WritableMapping);
    let place = Place::new();
    let options = RecordOptions { mapped: vec!["-shm".to_owned()], ..RecordOptions::default() };
    let recorded = place.run("writable_mapping", options);
    assert_eq!(recorded.not_measured, []);
    place.assert_replays(&recorded);
}

#[test]
fn what_a_trace_cannot_say_is_refused_by_name() {
    let loops = std::io::Error::from_raw_os_error(nix::libc::ELOOP).to_string();
    for (part, call, why) in [
        ("part_of_a_mapping_synced", "msync", Why::Unsupported),
        ("hole_by_a_mapping", "madvise", Why::Unsupported),
        ("symlink", "symlink", Why::Unsupported),
        ("fifo", "mknodat", Why::Unsupported),
        ("exchange", "renameat2", Why::Unsupported),
        ("collapse", "fallocate", Why::Unsupported),
        ("socket", "bind", Why::Unsupported),
        ("request", "ioctl", Why::Unsupported),
        ("memory_as_a_reply", "vmsplice", Why::Unsupported),
        ("pipe_as_a_reply", "tee", Why::Unsupported),
        ("appended_asynchronously", "io_submit", Why::Unsupported),
        ("overlapping_asynchronously", "io_submit", Why::Unsupported),
        ("from_outside", "rename", Why::Border),
        ("through_a_link", "openat", Why::Border),
        ("through_another_name", "openat", Why::Border),
        ("through_own_descriptors", "openat", Why::Unseen(loops)),
        ("root_replaced", "rename", Why::Border),
        ("root_removed", "rmdir", Why::Border),
        ("around_renamed", "rename", Why::Border),
    ] {
        refused(part, call, &why);
    }
}

#[test]
fn what_not_every_system_allows_is_refused_where_it_is_allowed() {
    for (part, call) in [("root_changed", "chroot"), ("hole_by_another_process", "process_madvise")]
    {
        let recorded = Place::new().run(part, RecordOptions::default());
        let allowed = String::from_utf8_lossy(&recorded.output).contains("the call was allowed");
        let due = NotMeasured { call, why: Why::Unsupported };
        assert_eq!(recorded.not_measured, if allowed { vec![due] } else { Vec::new() }, "{part}");
    }
}

#[test]
fn calls_of_other_architectures_end_the_run() {
    for part in ["x32_call", "i386_call"] {
        refused(part, "syscall", &Why::ForeignArchitecture);
    }
}

#[test]
fn writes_elsewhere_are_counted() {
    let place = Place::new();
    let script = "echo one > ../out; echo two >> ../out; echo three > in; echo > /dev/null";
    let recorded = place.script(script, RecordOptions::default());
    let due = [("openat", 1), ("write", 2)];
    assert_eq!(recorded.changes_outside, due.into(), "the first write's file is made, too");
    assert_eq!(recorded.calls.len(), 2, "{:?}", recorded.calls);
    assert_eq!(fs::read(place.around.path().join("out")).unwrap(), b"one\ntwo\n");
    place.assert_replays(&recorded);
}

/// Runs something beside two files and a directory outside: so many of its calls change those.
#[track_caller]
fn check_outside(run: impl Fn(&Place) -> Recorded, named: &str, due: u64) {
    let place = Place::new();
    let around = place.around.path();
    fs::write(around.join("old"), b"old").unwrap();
    fs::write(around.join("empty"), b"").unwrap();
    fs::create_dir(around.join("dir")).unwrap();
    let recorded = run(&place);
    assert_eq!(recorded.end, RecordEnd::Exited(0), "{named}");
    assert_eq!(recorded.not_measured, [], "{named}");
    let changes: u64 = recorded.changes_outside.values().sum();
    assert_eq!(changes, due, "{named}");
    place.assert_replays(&recorded);
}

#[test]
fn changes_elsewhere_are_counted_call_by_call() {
    for (script, due) in [
        (": > ../new", 1),
        (": > ../old", 1),
        (": > ../empty", 0),
        (": >> ../old", 0),
        ("truncate -s 9 ../old", 1),
        ("fallocate -l 9 ../old", 1),
        ("mkdir ../made", 1),
        ("! mkdir ../dir 2> /dev/null", 0),
        ("rmdir ../dir", 1),
        ("rm ../old", 1),
        ("mv ../old ../moved", 1),
        ("ln ../old ../name", 1),
        ("ln -s old ../link", 1),
        ("mkfifo ../pipe", 1),
        ("echo one | cat > in", 0),
    ] {
        check_outside(|place| place.script(script, RecordOptions::default()), script, due);
    }
    for (part, due) in [
        ("mapped_elsewhere", 1),
        ("cut_by_path_elsewhere", 1),
        ("bound_elsewhere", 1),
        ("asynchronous_elsewhere", 2),
        ("nameless_elsewhere", 0),
        ("of_the_kernel_elsewhere", 0),
    ] {
        check_outside(|place| place.run(part, RecordOptions::default()), part, due);
    }
}

#[test]
fn what_was_there_is_the_durable_beginning() {
    let place = Place::new();
    fs::create_dir(place.watched.join("d")).unwrap();
    fs::write(place.watched.join("d/f"), b"there").unwrap();
    let recorded = place.script("echo more >> d/f; rm d/f; rmdir d", RecordOptions::default());
    assert_eq!(recorded.trace.base.file("d/f").unwrap().len(), 5);
    insta::assert_snapshot!(recorded.trace, @r"
    #0 write d/f 5+5
    #1 remove d/f
    #2 remove d
    ");
    place.assert_replays(&recorded);
}

#[test]
fn a_directory_with_links_in_it_cannot_be_watched() {
    for script in ["ln -s x link", "echo > a; ln a b"] {
        let place = Place::new();
        let made = std::process::Command::new("/bin/sh")
            .args(["-c", script])
            .current_dir(&place.watched)
            .status();
        assert!(made.unwrap().success());
        let refused =
            proofhouse_crash::record(place.command(&["/bin/true"]), RecordOptions::default());
        assert_eq!(refused.unwrap_err().kind(), std::io::ErrorKind::InvalidData);
    }
}
