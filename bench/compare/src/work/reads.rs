//! Random gets and full scans of loaded stores, in memory.

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

use crate::data::{id, is_entity, number_of};
use crate::results::{Better, Row};
use crate::store::{Failure, Get, Id, Result, Session};
use crate::turn::{self, Turn, UNTIMED, to_f64};

use super::{Loaded, Rows, Setting, say};

/// Identities drawn ahead, so that drawing is no part of a get.
const DRAWN: usize = 1 << 16;

/// Measures gets and scans.
///
/// # Errors
/// Those of peers; an entity that is missing or wrong.
pub fn measure(setting: &Setting, stores: &[Loaded]) -> Result<Rows> {
    let mut rows = Vec::new();
    for threads in [1, 2] {
        for is_fresh in [true, false] {
            let how = if is_fresh { "a fresh" } else { "one reused" };
            let plural = if threads == 1 { "" } else { "s" };
            let name = format!("random get, {how} read transaction, {threads} thread{plural}");
            rows.push(rates(setting, stores, Row::new(name, "gets/s", Better::More), |store| {
                turn::take(&*store.store, threads, setting.turn, |session, at, turn| {
                    let order = draw(setting, at);
                    if is_fresh {
                        fresh(session, &order, turn)
                    } else {
                        reused(session, &order, turn)
                    }
                })
            })?);
        }
    }
    let scan = Row::new("full scan, every entity looked at", "entities/s", Better::More);
    rows.push(rates(setting, stores, scan, |store| {
        turn::take(&*store.store, 1, setting.turn, |session, _, turn| scans(setting, session, turn))
    })?);
    Ok(rows)
}

/// One row: a turn for every store in every round.
///
/// # Errors
/// Those of `take`.
pub fn rates(
    setting: &Setting,
    stores: &[Loaded],
    mut row: Row,
    take: impl Fn(&Loaded) -> Result<turn::Rate>,
) -> Result<Row> {
    say(&row.name);
    for at in setting.turns() {
        let loaded = &stores[at];
        let rate = take(loaded).map_err(|error| format!("{}: {error}", loaded.peer.name))?;
        let cell = row.cell(loaded.peer.name);
        cell.samples.push(rate.wall);
        cell.by_cpu.push(rate.cpu);
    }
    Ok(row)
}

fn draw(setting: &Setting, thread: usize) -> Vec<(u64, Id)> {
    let mut random = SmallRng::seed_from_u64(setting.seed ^ thread as u64);
    let mut number = || random.random_range(0..setting.entities);
    (0..DRAWN).map(|_| number()).map(|number| (number, id(number))).collect()
}

fn fresh(session: &mut dyn Session, order: &[(u64, Id)], turn: Turn) -> Result<u64> {
    let mut done = 0;
    for (number, id) in order.iter().cycle() {
        let mut is_right = false;
        session.get(id, &mut |content| is_right = is_entity(*number, content))?;
        if !is_right {
            return Err(wrong(*number));
        }
        done += 1;
        if done % UNTIMED == 0 && !turn.goes_on() {
            break;
        }
    }
    Ok(done)
}

fn reused(session: &mut dyn Session, order: &[(u64, Id)], turn: Turn) -> Result<u64> {
    let mut done = 0;
    session.reading(&mut |get: &mut Get<'_>| {
        for (number, id) in order.iter().cycle() {
            let mut is_right = false;
            get(id, &mut |content| is_right = is_entity(*number, content))?;
            if !is_right {
                return Err(wrong(*number));
            }
            done += 1;
            if done % UNTIMED == 0 && !turn.goes_on() {
                break;
            }
        }
        Ok(())
    })?;
    Ok(done)
}

fn scans(setting: &Setting, session: &mut dyn Session, turn: Turn) -> Result<u64> {
    let mut done = 0;
    while turn.goes_on() {
        let (mut right, mut seen) = (0, 0);
        session.scan(&mut |id, content| {
            seen += 1;
            right += u64::from(is_entity(number_of(id), content));
        })?;
        if (seen, right) != (setting.entities, setting.entities) {
            let all = to_f64(setting.entities);
            return Err(format!("a scan of {all} showed {seen}, {right} of them right").into());
        }
        done += seen;
    }
    Ok(done)
}

/// What a read says that did not show what was written.
pub fn wrong(number: u64) -> Failure {
    format!("entity {number} is missing or not what was written").into()
}
