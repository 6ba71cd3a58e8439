//! What surrounds the store: paths, permissions, space, other processes.

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;

use entidb_engine::ErrorClass::{InDoubt, Invalid, Io, Locked, NotFound, Poisoned};
use entidb_engine::storage::MemStorage;
use entidb_engine::{Database, Error, Options};

use super::Row;
use crate::support::faulty::Faulty;
use crate::support::{
    EXISTING, Files, READ_ONLY, SMALL, closed_store, crashed_store, doc, id, try_open,
};

const ENOSPC: i32 = 28;

pub(super) const ROWS: &[Row] = &[
    (
        "a file in place of the directory",
        || refused(a_file, SMALL),
        Invalid,
        "the store's path is not a directory; name the directory that holds MANIFEST",
    ),
    (
        "a file in place of an existing store",
        || refused(a_file, EXISTING),
        Invalid,
        "the store's path is not a directory; name the directory that holds MANIFEST",
    ),
    (
        "a path through a file",
        || through_a_file(),
        Invalid,
        "the store's path is not a directory; name the directory that holds MANIFEST",
    ),
    (
        "a path that leads nowhere",
        || nowhere(SMALL),
        Io,
        ".: cannot create directory: No such file or directory (os error 2); check \
         that the path exists",
    ),
    (
        "no directory where a store must be",
        || nowhere(EXISTING),
        NotFound,
        "no store in this directory; check the path, or open with `OpenMode::Create`",
    ),
    (
        "a file in place of SEGMENTS",
        || refused(|at| in_place_of(at, "SEGMENTS"), SMALL),
        Io,
        "SEGMENTS: cannot list directory: Not a directory (os error 20); move away \
         what has this name, it is not the store's",
    ),
    (
        "a directory in place of MANIFEST",
        || refused(|at| in_place_of(at, "MANIFEST"), SMALL),
        Io,
        "MANIFEST: cannot open: Is a directory (os error 21); move away what has this \
         name, it is not the store's",
    ),
    (
        "a directory in place of LOCK",
        || refused(|at| in_place_of(at, "LOCK"), SMALL),
        Io,
        "LOCK: cannot lock: Is a directory (os error 21); move away what has this \
         name, it is not the store's",
    ),
    (
        "a directory in place of wal.log",
        || refused(|at| in_place_of(at, "wal.log"), SMALL),
        Io,
        "wal.log: cannot open: Is a directory (os error 21); move away what has this \
         name, it is not the store's",
    ),
    (
        "a directory in place of a segment",
        || refused(|at| in_place_of(at, SEGMENT), SMALL),
        Io,
        "SEGMENTS/seg-000001.dat: cannot open segment: Is a directory (os error 21); \
         move away what has this name, it is not the store's",
    ),
    (
        "a MANIFEST beyond any length",
        || refused(long_manifest, SMALL),
        entidb_engine::ErrorClass::Corrupt,
        "MANIFEST: corrupt at offset 67108864: 1099511627776 bytes, above the limit \
         of 67108864; restore the store from a backup",
    ),
    (
        "a directory that may not be read",
        || forbidden("", 0o000, open_it),
        Io,
        "LOCK: cannot lock: Permission denied (os error 13); give this user read and \
         write permission for the directory and its files",
    ),
    (
        "a MANIFEST that may not be read",
        || forbidden("MANIFEST", 0o000, open_it),
        Io,
        "MANIFEST: cannot open: Permission denied (os error 13); give this user read \
         and write permission for the directory and its files",
    ),
    (
        "a segment that may not be read",
        || forbidden(SEGMENT, 0o000, open_it),
        Io,
        "SEGMENTS/seg-000001.dat: cannot open segment: Permission denied (os error \
         13); give this user read and write permission for the directory and its \
         files",
    ),
    (
        "a LOCK that may not be read",
        || forbidden("LOCK", 0o000, open_it),
        Io,
        "LOCK: cannot lock: Permission denied (os error 13); give this user read and \
         write permission for the directory and its files",
    ),
    (
        "a directory that may not be written",
        || forbidden("", 0o500, write_to_it),
        Io,
        "wal-000003.log: cannot create WAL: Permission denied (os error 13); give \
         this user read and write permission for the directory and its files",
    ),
    (
        "a directory that may not be written, unlocked",
        || forbidden_in(&unlocked(), "", 0o500, read_it),
        Io,
        "LOCK: cannot lock: Permission denied (os error 13); give this user read and \
         write permission for the directory and its files",
    ),
    (
        "a store to recover that may not be written",
        || forbidden_in(&crashed_store(), "SEGMENTS", 0o500, open_it),
        Io,
        "SEGMENTS/seg-000005.dat: cannot create segment: Permission denied (os error \
         13); give this user read and write permission for the directory and its \
         files",
    ),
    (
        "a parent that may not be written",
        || forbidden("", 0o500, create_inside),
        Io,
        ".: cannot create directory: Permission denied (os error 13); give this user \
         read and write permission for the directory and its files",
    ),
    (
        "a full disk at creation",
        full_at_creation,
        Io,
        "MANIFEST.tmp: cannot write: No space left on device (os error 28); free some \
         space",
    ),
    (
        "a full disk at the first write of a life",
        full_at_first_write,
        Io,
        "wal-000003.log: cannot create WAL: No space left on device (os error 28); \
         free some space",
    ),
    (
        "a full disk at a commit",
        || full_at_commit().0,
        InDoubt,
        "in doubt: the change may or may not survive (wal-000001.log: cannot append \
         to WAL: No space left on device (os error 28); free some space); open the \
         store again to see",
    ),
    (
        "a write after that commit",
        || full_at_commit().1,
        Poisoned,
        "writes are refused until the store is opened again, because: wal-000001.log: \
         cannot append to WAL: No space left on device (os error 28); free some space",
    ),
    (
        "a full disk at a checkpoint",
        full_at_checkpoint,
        Io,
        "wal-000002.log: cannot create WAL: No space left on device (os error 28); free some \
         space",
    ),
    (
        "a second handle in this process",
        second_handle,
        Locked,
        "LOCK: another handle or process has this store open; close it first",
    ),
    (
        "a second handle in another process",
        second_process,
        Locked,
        "LOCK: another handle or process has this store open; close it first",
    ),
];

const SEGMENT: &str = "SEGMENTS/seg-000001.dat";
const OTHER_PROCESS: &str = "ENTIDB_TEST_HOLDS_LOCK_OF";

/// Every file below a directory with its content; a directory with nothing.
fn tree(root: &Path) -> BTreeMap<String, Option<Vec<u8>>> {
    let mut found = BTreeMap::new();
    if root.is_file() {
        found.insert(String::new(), Some(fs::read(root).unwrap()));
        return found;
    }
    for entry in fs::read_dir(root).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if path.is_dir() {
            found.insert(name.clone(), None);
            found
                .extend(tree(&path).into_iter().map(|(below, to)| (format!("{name}/{below}"), to)));
        } else {
            // Sparse files of absurd length are not read.
            let len = fs::metadata(&path).unwrap().len();
            found.insert(name, (len < 1 << 20).then(|| fs::read(&path).unwrap()));
        }
    }
    found
}

fn lay_out(root: &Path, files: &Files) {
    for dir in ["SEGMENTS", "INDEX"] {
        fs::create_dir_all(root.join(dir)).unwrap();
    }
    for (name, bytes) in files {
        fs::write(root.join(name), bytes).unwrap();
    }
}

/// The error of an open. The next open shows the same, and nothing below the path has changed.
fn refused(arrange: fn(&Path), options: Options) -> Error {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("store");
    arrange(&root);
    let before = tree(&root);
    let [first, second] = [(); 2].map(|()| Database::open(&root, options).err().unwrap());
    assert_eq!(first.to_string(), second.to_string());
    assert_eq!(tree(&root), before, "{first}");
    first
}

fn a_file(root: &Path) {
    fs::write(root, "not a directory").unwrap();
}

fn through_a_file() -> Error {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    a_file(&file);
    Database::open(file.join("store"), SMALL).err().unwrap()
}

fn nowhere(options: Options) -> Error {
    let dir = tempfile::tempdir().unwrap();
    let error = Database::open(dir.path().join("no/store"), options).err().unwrap();
    assert_eq!(tree(dir.path()), BTreeMap::new(), "nothing was created");
    error
}

/// A closed store with a directory where a file should be, or the other way round.
fn in_place_of(root: &Path, name: &str) {
    lay_out(root, &closed_store());
    let path = root.join(name);
    if path.is_dir() {
        fs::remove_dir_all(&path).unwrap();
        fs::write(path, "").unwrap();
    } else {
        fs::remove_file(&path).unwrap();
        fs::create_dir(path).unwrap();
    }
}

fn long_manifest(root: &Path) {
    lay_out(root, &closed_store());
    let manifest = fs::OpenOptions::new().write(true).open(root.join("MANIFEST")).unwrap();
    manifest.set_len(1 << 40).unwrap();
}

/// Runs on a thread that is an ordinary user's, whoever runs the tests.
fn as_ordinary_user<T: Send>(act: impl FnOnce() -> T + Send) -> T {
    let act = || {
        if rustix::process::geteuid().is_root() {
            let nobody = 65_534;
            let group = rustix::process::Gid::from_raw(nobody);
            let user = rustix::process::Uid::from_raw(nobody);
            rustix::thread::set_thread_res_gid(group, group, group).unwrap();
            rustix::thread::set_thread_res_uid(user, user, user).unwrap();
        }
        act()
    };
    thread::scope(|scope| scope.spawn(act).join().unwrap())
}

/// What an ordinary user meets in a closed store with less permission for part of it.
fn forbidden(name: &str, mode: u32, act: fn(&Path) -> Error) -> Error {
    forbidden_in(&closed_store(), name, mode, act)
}

/// Twice the same, and nothing has changed.
fn forbidden_in(files: &Files, name: &str, mode: u32, act: fn(&Path) -> Error) -> Error {
    as_ordinary_user(|| {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("store");
        lay_out(&root, files);
        let path = root.join(name);
        let (before, permissions) = (tree(&root), fs::metadata(&path).unwrap().permissions());
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        let [first, second] = [(); 2].map(|()| act(&root));
        fs::set_permissions(&path, permissions).unwrap();
        assert_eq!(first.to_string(), second.to_string());
        assert_eq!(tree(&root), before, "{first}");
        first
    })
}

fn unlocked() -> Files {
    let mut files = closed_store();
    files.remove("LOCK").unwrap();
    files
}

fn read_it(root: &Path) -> Error {
    Database::open(root, READ_ONLY).err().unwrap()
}

fn open_it(root: &Path) -> Error {
    Database::open(root, SMALL).err().unwrap()
}

fn write_to_it(root: &Path) -> Error {
    let db = Database::open(root, SMALL).unwrap();
    let users = db.collection("users").unwrap();
    assert_eq!(db.get(users, id(2)).unwrap(), Some(doc(2)), "it can be read");
    db.put(users, id(1), doc(1)).unwrap_err()
}

fn create_inside(root: &Path) -> Error {
    Database::open(root.join("new"), SMALL).err().unwrap()
}

fn full_at_creation() -> Error {
    let clean = Faulty::new(MemStorage::new());
    drop(try_open(clean.clone(), SMALL).unwrap());
    let calls = clean.take_calls();
    let write = calls.iter().position(|call| call == "write MANIFEST.tmp").unwrap();
    let storage = Faulty::new(MemStorage::new());
    storage.fail_once_after(write, ENOSPC);
    let error = try_open(storage.clone(), SMALL).err().unwrap();
    assert!(try_open(storage, SMALL).unwrap().collections().is_empty());
    error
}

fn full_at_first_write() -> Error {
    let storage = Faulty::new(MemStorage::restore(&closed_store()));
    let db = try_open(storage.clone(), SMALL).unwrap();
    let users = db.collection("users").unwrap();
    storage.fail_once_after(0, ENOSPC);
    let error = db.put(users, id(1), doc(1)).unwrap_err();
    assert_eq!(db.put(users, id(1), doc(1)).unwrap(), 9, "once there is space, it goes on");
    error
}

fn full_at_commit() -> (Error, Error) {
    let storage = Faulty::new(MemStorage::new());
    let db = try_open(storage.clone(), SMALL).unwrap();
    let users = db.create_collection("users").unwrap();
    storage.fail_from_now_on(ENOSPC);
    let in_doubt = db.put(users, id(1), doc(1)).unwrap_err();
    storage.mend();
    (in_doubt, db.put(users, id(1), doc(1)).unwrap_err())
}

fn full_at_checkpoint() -> Error {
    let storage = Faulty::new(MemStorage::new());
    let db = try_open(storage.clone(), SMALL).unwrap();
    let users = db.create_collection("users").unwrap();
    db.put(users, id(1), doc(1)).unwrap();
    storage.fail_from_now_on(ENOSPC);
    let error = db.checkpoint().unwrap_err();
    storage.mend();
    db.put(users, id(2), doc(2)).unwrap();
    db.checkpoint().unwrap();
    error
}

fn second_handle() -> Error {
    let dir = tempfile::tempdir().unwrap();
    let db = Database::open(dir.path(), SMALL).unwrap();
    let locked = Database::open(dir.path(), READ_ONLY).err().unwrap();
    db.close().unwrap();
    Database::open(dir.path(), READ_ONLY).unwrap();
    locked
}

/// Another process opens the store, commits, and is killed: meanwhile nobody else may open it,
/// afterwards everybody may, and finds the commit.
fn second_process() -> Error {
    let dir = tempfile::tempdir().unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "bad_input::every_bad_input_has_a_typed_error_that_says_what_to_do"])
        .arg("--nocapture")
        .env(OTHER_PROCESS, dir.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let said = BufReader::new(child.stdout.take().unwrap());
    assert!(said.lines().any(|line| line.unwrap().ends_with("holding")));
    let locked = Database::open(dir.path(), SMALL).err().unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    let db = Database::open(dir.path(), EXISTING).unwrap();
    assert_eq!(db.get(db.collection("users").unwrap(), id(1)).unwrap(), Some(doc(1)));
    locked
}

pub(super) fn is_other_process() -> bool {
    std::env::var_os(OTHER_PROCESS).is_some()
}

pub(super) fn hold_the_lock_until_killed() {
    let root = std::env::var_os(OTHER_PROCESS).unwrap();
    let db = Database::open(root, SMALL).unwrap();
    let users = db.create_collection("users").unwrap();
    db.put(users, id(1), doc(1)).unwrap();
    println!("holding");
    // The other end is never written to: this returns only if the parent is gone.
    std::io::stdin().lines().count();
}
