use nix::errno::Errno;
use nix::libc;
use seccompiler::{apply_filter, sock_filter};

use super::{number_guards, statement};

/// The error of a call whose arguments are no descriptor, no address and no flags.
fn error_of(number: libc::c_long) -> Errno {
    // SAFETY: whatever the call is, it fails at its first argument.
    let answer = unsafe { libc::syscall(number, -1, 0, 0, 0, 0, 0) };
    assert_eq!(answer, -1);
    Errno::last()
}

#[test]
fn calls_newer_than_those_looked_at_do_not_exist() {
    let (older, newer) = (libc::SYS_faccessat2, libc::SYS_process_madvise);
    assert_eq!(older + 1, newer);
    // A filter is of the thread that installs it.
    let errors = std::thread::spawn(move || {
        let before = [error_of(older), error_of(newer)];
        let allow = statement(libc::BPF_RET | libc::BPF_K, libc::SECCOMP_RET_ALLOW);
        let guards = number_guards(u32::try_from(newer).unwrap());
        let filter: Vec<sock_filter> = guards.into_iter().chain([allow]).collect();
        apply_filter(&filter).unwrap();
        (before, [error_of(older), error_of(newer)])
    });
    let (before, after) = errors.join().unwrap();
    assert_eq!(before, [Errno::EFAULT, Errno::EBADF]);
    assert_eq!(after, [Errno::EFAULT, Errno::ENOSYS]);
}

#[test]
fn of_io_uring_no_call_exists_and_its_neighbours_do() {
    let numbers = [libc::SYS_pidfd_send_signal, libc::SYS_io_uring_setup, libc::SYS_io_uring_enter]
        .into_iter()
        .chain([libc::SYS_io_uring_register, libc::SYS_open_tree]);
    assert_eq!(numbers.clone().collect::<Vec<_>>(), (424..=428).collect::<Vec<_>>());
    let errors = std::thread::spawn(move || {
        let allow = statement(libc::BPF_RET | libc::BPF_K, libc::SECCOMP_RET_ALLOW);
        let filter: Vec<sock_filter> = number_guards(470).into_iter().chain([allow]).collect();
        apply_filter(&filter).unwrap();
        numbers.map(error_of).collect::<Vec<_>>()
    });
    let [before, setup, enter, register, after] = errors.join().unwrap()[..] else { panic!() };
    assert_eq!([setup, enter, register], [Errno::ENOSYS; 3]);
    assert!(before != Errno::ENOSYS && after != Errno::ENOSYS, "{before} {after}");
}
