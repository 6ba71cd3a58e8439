//! YCSB's mixes A, B, C and F over a zipfian choice, every update durable.

use std::sync::atomic::{AtomicU64, Ordering};

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use rand_distr::{Distribution, Zipf};

use crate::data::{id, is_entity, version};
use crate::results::{Better, Row};
use crate::store::{Result, Session};
use crate::turn::{self, Turn, to_f64};

use super::reads::{rates, wrong};
use super::{Loaded, Rows, Setting};

/// A mix: what it is called, per cent of updates, and whether an update reads first.
const MIXES: [(&str, u32, bool); 4] = [
    ("C, reads only", 0, false),
    ("B, 5 % updates", 5, false),
    ("A, 50 % updates", 50, false),
    ("F, 50 % read-modify-write", 50, true),
];
const THREADS: [usize; 2] = [1, 8];
/// YCSB's own constant (Cooper et al. 2010).
const SKEW: f64 = 0.99;
/// Operations drawn ahead.
const DRAWN: usize = 1 << 15;

/// Measures the mixes. Reads are in read transactions of their own.
///
/// # Errors
/// Those of peers; an entity that is missing or wrong.
pub fn measure(setting: &Setting, stores: &[Loaded]) -> Result<Rows> {
    let mut rows = Vec::new();
    // Each turn of each thread writes versions of its own.
    let versions = AtomicU64::new(1 << 32);
    for (mix, updates, reads_first) in MIXES {
        for threads in THREADS {
            let plural = if threads == 1 { "" } else { "s" };
            let name = format!("YCSB {mix}, {threads} thread{plural}");
            let zipf = Zipf::new(to_f64(setting.entities), SKEW)?;
            rows.push(rates(
                setting,
                stores,
                Row::new(name, "operations/s", Better::More),
                |store| {
                    turn::take(&*store.store, threads, setting.turn, |session, at, turn| {
                        let random = SmallRng::seed_from_u64(setting.seed ^ at as u64);
                        let first = versions.fetch_add(1 << 32, Ordering::Relaxed);
                        run(session, &draw(random, &zipf, updates), reads_first, first, turn)
                    })
                },
            )?);
        }
    }
    Ok(rows)
}

/// Numbers of entities, and whether each is updated. Ranks are identities' numbers: those are
/// scattered already.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "1 to entities")]
fn draw(mut random: SmallRng, zipf: &Zipf<f64>, updates: u32) -> Vec<(u64, bool)> {
    let rank = |random: &mut SmallRng| zipf.sample(random) as u64 - 1;
    (0..DRAWN).map(|_| (rank(&mut random), random.random_range(0..100) < updates)).collect()
}

fn run(
    session: &mut dyn Session,
    order: &[(u64, bool)],
    reads_first: bool,
    first: u64,
    turn: Turn,
) -> Result<u64> {
    let mut done = 0;
    for (number, is_update) in order.iter().cycle() {
        if !is_update || reads_first {
            let mut is_right = false;
            session.get(&id(*number), &mut |content| is_right = is_entity(*number, content))?;
            if !is_right {
                return Err(wrong(*number));
            }
        }
        if *is_update {
            session.put(&[(id(*number), version(*number, first + done))])?;
        }
        done += 1;
        // An update takes far longer than a look at the clock, and so do sixteen reads.
        if (*is_update || done % 16 == 0) && !turn.goes_on() {
            break;
        }
    }
    Ok(done)
}
