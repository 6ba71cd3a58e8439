//! What making a crash state costs, with nobody to judge it: states a second, of a small log and
//! of one in a file of 64 MiB reserved before.
//!
//! `cargo run --release -p proofhouse-crash --example enumeration_cost`

use std::io;
use std::time::{Duration, Instant};

use proofhouse_crash::{
    Dedup, Mark, PowerLoss, Profile, SimDisk, SyncKind, Tiers, Trace, enumerate,
};

/// Commits of three records each to a log of `reserved` bytes, with a checkpoint now and then.
fn log(reserved: u64) -> io::Result<Trace> {
    let disk = SimDisk::new();
    let log = disk.create("log")?;
    log.set_len(reserved)?;
    log.sync(SyncKind::Full)?;
    disk.sync_dir(".")?;
    disk.settle();
    let mut at = 0;
    for commit in 1..=60 {
        disk.mark(Mark::Issue(commit));
        for record in 0..3_u8 {
            let bytes = [record + 1; 700];
            log.write_at(at, &bytes)?;
            at += bytes.len() as u64;
        }
        log.sync(SyncKind::Data)?;
        disk.mark(Mark::Ack(commit));
        if commit % 10 == 0 {
            let table = disk.create("table.tmp")?;
            table.write_at(0, &[b'T'; 9000])?;
            table.sync(SyncKind::Full)?;
            disk.rename("table.tmp", "table")?;
            disk.sync_dir(".")?;
        }
    }
    Ok(disk.trace())
}

fn per_second(states: usize, time: Duration) -> u128 {
    states as u128 * 1_000_000 / time.as_micros().max(1)
}

fn main() -> io::Result<()> {
    let tiers = Tiers { power_loss: PowerLoss::Pairs, ..Tiers::ALL };
    for (name, reserved) in [("small", 0), ("64 MiB reserved", 64 << 20)] {
        let trace = log(reserved)?;
        for profile in [Profile::Posix, Profile::Ext4] {
            let begin = Instant::now();
            let made = (0..10).map(|_| enumerate(&trace, profile, tiers).count()).sum::<usize>();
            let making = begin.elapsed();
            let begin = Instant::now();
            let mut seen = Dedup::default();
            let states = enumerate(&trace, profile, tiers).map(|state| seen.insert(&state));
            let states = states.count();
            println!(
                "{name}, {profile}: {} states/s made, {} states/s made and compared \
                 ({states} states, {} distinct)",
                per_second(made, making),
                per_second(states, begin.elapsed()),
                seen.len(),
            );
        }
    }
    Ok(())
}
