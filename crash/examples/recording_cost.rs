//! What recording costs: the same loop of writes and syncs alone, recorded, and under `strace`.
//!
//! ```text
//! cargo run --release -p proofhouse-crash --example recording_cost -- DIR [WRITES [EVERY]]
//! ```
//!
//! `DIR` decides the file system; `WRITES` (20,000) writes of 4 KiB are made into a file of 1 MiB
//! there, with an `fdatasync` after `EVERY` (10) of them. The rounds of the contenders alternate
//! and the median of each is printed; the difference to the bare loop, divided by the recorded
//! calls, is the cost of one. `strace` runs twice: as people run it, discarding what it says, and
//! keeping what a recording keeps (all data, and the file of each descriptor). With everything pinned to one core the switch between program and
//! recorder is cheapest; the second table is measured so.

use std::error::Error;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use proofhouse_crash::{RecordCommand, RecordEnd, RecordOptions, record};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

type Outcome<T> = Result<T, Box<dyn Error>>;

/// What `strace` is asked to see: what the recorder sees of this loop, and more of the like.
const TRACED: &str = "trace=write,pwrite64,writev,openat,rename,unlink,ftruncate,fsync,fdatasync";

const ROUNDS: usize = 5;

fn main() -> Outcome<()> {
    let args: Vec<String> = std::env::args().collect();
    let number = |index: usize, default: u64| args.get(index).map_or(Ok(default), |n| n.parse());
    if args.get(1).is_some_and(|arg| arg == "loop") {
        return write_and_sync(number(2, 0)?, number(3, 1)?);
    }
    let dir = args.get(1).ok_or("a directory is needed")?;
    let (writes, every) = (number(2, 20_000)?, number(3, 10)?);
    let work = Work { writes, every, dir: tempfile::tempdir_in(dir)? };
    println!("on all cores");
    work.compare()?;
    let mut one = CpuSet::new();
    let all = sched_getaffinity(None)?;
    let core = (0..CpuSet::MAX_CPU).find(|core| all.is_set(*core)).ok_or("no core")?;
    one.set(core);
    sched_setaffinity(None, &one)?;
    println!("pinned to core {core}");
    work.compare()
}

fn write_and_sync(writes: u64, every: u64) -> Outcome<()> {
    let file = File::create("data")?;
    file.set_len(1 << 20)?;
    file.sync_all()?;
    for number in 0..writes {
        file.write_all_at(&[7; 4096], number % 256 * 4096)?;
        if number % every == every - 1 {
            file.sync_data()?;
        }
    }
    Ok(())
}

struct Work {
    writes: u64,
    every: u64,
    dir: tempfile::TempDir,
}

impl Work {
    fn argv(&self) -> Outcome<Vec<String>> {
        let program = std::env::current_exe()?.to_str().ok_or("not UTF-8")?.to_owned();
        Ok(vec![program, "loop".to_owned(), self.writes.to_string(), self.every.to_string()])
    }

    fn compare(&self) -> Outcome<()> {
        let strace = Command::new("strace").arg("-V").stdout(Stdio::null()).status().is_ok();
        let mut alone = Vec::new();
        let mut recorded = Vec::new();
        let mut straced = Vec::new();
        let mut complete = Vec::new();
        let outside = tempfile::NamedTempFile::new_in("/dev/shm")?;
        let out = outside.path().to_str().ok_or("not UTF-8")?;
        let mut calls = 0;
        for _ in 0..ROUNDS {
            alone.push(self.run(&[])?);
            let (time, count) = self.record()?;
            recorded.push(time);
            calls = count;
            if strace {
                let prefix = ["strace", "--seccomp-bpf", "-f", "-e", TRACED, "-o"];
                straced.push(self.run(&[&prefix[..], &["/dev/null"]].concat())?);
                let all = ["-xx", "-y", "-s", "4096"];
                complete.push(self.run(&[&prefix[..], &[out], &all].concat())?);
            }
        }
        let base = median(alone);
        print_line("alone", base, base, calls);
        print_line("recorded", median(recorded), base, calls);
        if strace {
            print_line("strace --seccomp-bpf", median(straced), base, calls);
            print_line("strace, all data kept", median(complete), base, calls);
        }
        Ok(())
    }

    /// Runs the loop, under another program if there is one.
    fn run(&self, prefix: &[&str]) -> Outcome<Duration> {
        let argv: Vec<String> =
            prefix.iter().map(ToString::to_string).chain(self.argv()?).collect();
        let begin = Instant::now();
        let status = Command::new(&argv[0]).args(&argv[1..]).current_dir(&self.dir).status()?;
        let time = begin.elapsed();
        if status.success() { Ok(time) } else { Err(format!("{argv:?}: {status}").into()) }
    }

    /// Records the loop into an empty directory; checks that the recording is complete.
    fn record(&self) -> Outcome<(Duration, u32)> {
        let watched: &Path = self.dir.path();
        std::fs::remove_file(watched.join("data"))?;
        let mut command = RecordCommand::new(self.argv()?, watched)?;
        watched.clone_into(&mut command.cwd);
        let begin = Instant::now();
        let recorded = record(command, RecordOptions::default())?.finish()?;
        let time = begin.elapsed();
        let complete = recorded.end == RecordEnd::Exited(0)
            && recorded.not_measured.is_empty()
            && recorded.compare(watched)?.is_empty();
        if complete {
            Ok((time, u32::try_from(recorded.calls.len())?))
        } else {
            Err("a wrong recording".into())
        }
    }
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

fn print_line(name: &str, time: Duration, base: Duration, calls: u32) {
    let ratio = time.as_secs_f64() / base.as_secs_f64();
    let cost = (time.as_secs_f64() - base.as_secs_f64()) * 1e6 / f64::from(calls);
    println!(
        "  {name:22} {:9.1} ms  {ratio:5.2} x  {cost:6.1} µs a call",
        time.as_secs_f64() * 1e3
    );
}
