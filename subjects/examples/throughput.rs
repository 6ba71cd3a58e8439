//! Measures the protocol: `throughput COMMAND [ARGUMENT...]`.
//!
//! Asks a driver for one entity again and again, lock-step and with 64 requests unanswered, and
//! prints operations per second. Reads, so that pipes and parsers are measured and not a disk.

use std::error::Error;
use std::num::NonZeroUsize;
use std::time::Instant;

use proofhouse_model::{Collection, Id, Op, Outcome, Payload, Settings};
use proofhouse_subjects::command::{CommandLine, CommandSubject, WATCHDOG};

const OPERATIONS: u32 = 50_000;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args_os().skip(1);
    let program = arguments.next().ok_or("usage: throughput COMMAND [ARGUMENT...]")?;
    let subject = CommandSubject::new(CommandLine::new(program, arguments), WATCHDOG)?;
    let dir = tempfile::tempdir()?;
    let settings =
        Settings { wal_reserve: 1 << 20, max_segment: 1 << 20, entropy: vec![], max_payload: 5200 };
    let store = subject.open_store(dir.path(), &settings)?;
    let (collection, id) = (Collection(0), Id::nth(0));
    let payload = Payload::Entity { tag: 0, size: 150 };
    let value = Outcome::Value(Some(payload.bytes()));
    let one = NonZeroUsize::MIN;
    let writes = [Op::CreateCollection { collection }, Op::Put { collection, id, payload }];
    store.apply_window(&writes, one)?;
    let ops = vec![Op::Get { collection, id }; OPERATIONS as usize];
    for window in [one, one.saturating_add(63)] {
        let start = Instant::now();
        let outcomes = store.apply_window(&ops, window)?;
        let seconds = start.elapsed().as_secs_f64();
        if outcomes.iter().any(|outcome| *outcome != value) {
            return Err("the driver does not find what was put".into());
        }
        println!("window {window}: {:.0} operations/s", f64::from(OPERATIONS) / seconds);
    }
    Ok(())
}
