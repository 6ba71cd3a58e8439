//! What the engine is to reach against its peers, and whether it does.

use serde::Serialize;

use crate::results::{Better, Cell, Row, Spread, ratio};

/// The engine's name in rows.
const ENGINE: &str = "EntiDB";
/// Who promises nothing after a power loss, and so is no measure for commits.
const NOT_DURABLE: &str = "sled";

/// What the engine is compared with.
#[derive(Clone, Copy)]
enum Against {
    /// One cell of the same row.
    Cell(&'static str),
    /// The best peer of the same row.
    Best,
    /// The engine itself in the row of this name.
    Itself(&'static str),
}

/// A goal: rows whose names begin so, the ratio to reach, against whom.
struct Goal(&'static str, f64, Against);

const GOALS: &[Goal] = &[
    Goal("durable commits, 1 thread", 0.95, Against::Cell("bare loop, reserved")),
    Goal("durable commits, 1 thread", 1.0, Against::Best),
    Goal("durable commits, 8 threads", 2.2, Against::Itself("durable commits, 1 thread")),
    Goal("durable commits, 8 threads", 1.0, Against::Best),
    Goal("durable commits, 32 threads", 4.0, Against::Itself("durable commits, 1 thread")),
    Goal("durable commits, 32 threads", 1.0, Against::Best),
    Goal("bulk load", 1.2, Against::Best),
    Goal("random get", 1.2, Against::Cell("LMDB")),
    Goal("random get", 1.0, Against::Best),
    Goal("full scan", 0.6, Against::Cell("LMDB")),
    Goal("YCSB", 1.0, Against::Best),
];

/// What became of a goal in one row.
#[derive(Debug, Serialize)]
pub struct Verdict {
    /// The row's name.
    pub row: String,
    /// Whom the engine is compared with.
    pub against: String,
    /// The ratio to reach.
    pub goal: f64,
    /// The middle of the ratios, round by round.
    pub ratio: f64,
    /// Their lower quartile.
    pub low: f64,
    /// Their upper quartile.
    pub high: f64,
    /// The middle of the ratios by processor time, where that says something: other work on the
    /// machine moves it less.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by_cpu: Option<f64>,
}

impl Verdict {
    /// In words: a ratio whose quartiles lie on both sides of the goal tells nothing.
    pub fn word(&self) -> &'static str {
        match (self.low >= self.goal, self.high < self.goal) {
            (true, _) => "reached",
            (_, true) => "missed",
            _ => "within the spread",
        }
    }
}

/// What became of every goal that was measured.
pub fn verdicts(rows: &[Row]) -> Vec<Verdict> {
    let of_goal = |goal: &'static Goal| {
        let rows_of_goal = rows.iter().filter(|row| row.name.starts_with(goal.0));
        rows_of_goal.filter_map(|row| verdict(rows, row, goal))
    };
    GOALS.iter().flat_map(of_goal).collect()
}

fn verdict(rows: &[Row], row: &Row, Goal(_, goal, against): &Goal) -> Option<Verdict> {
    debug_assert_eq!(row.better, Better::More, "ratios above one are good");
    let engine = cell(row, ENGINE)?;
    let (name, others) = match against {
        Against::Cell(name) => ((*name).to_owned(), cell(row, name)?),
        Against::Itself(name) => {
            let other = rows.iter().find(|row| row.name == *name)?;
            ((*name).to_owned(), cell(other, ENGINE)?)
        }
        Against::Best => {
            let is_peer = |name: &str| {
                name != ENGINE
                    && !name.starts_with("bare")
                    && (name != NOT_DURABLE || !row.writes())
            };
            let peers = row.cells.iter().filter(|cell| is_peer(&cell.peer));
            let median = |samples: &[f64]| Spread::of(samples).map(|spread| spread.median);
            let best = peers.max_by(|a, b| {
                let (a, b) = (median(&a.samples), median(&b.samples));
                a.partial_cmp(&b).unwrap_or(std::cmp::Ordering::Equal)
            })?;
            (best.peer.clone(), best)
        }
    };
    let Spread { median, low, high } = ratio(&engine.samples, &others.samples)?;
    let by_cpu = ratio(&engine.by_cpu, &others.by_cpu).map(|spread| spread.median);
    let (row, against) = (row.name.clone(), name);
    Some(Verdict { row, against, goal: *goal, ratio: median, low, high, by_cpu })
}

fn cell<'a>(row: &'a Row, peer: &str) -> Option<&'a Cell> {
    row.cells.iter().find(|cell| cell.peer == peer)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, cells: &[(&str, f64)], expected: &[(&str, &str)]) {
        let mut row = Row::new(name, "x/s", Better::More);
        for (peer, rate) in cells {
            row.cell(peer).samples.extend([*rate; 3]);
        }
        let verdicts = verdicts(&[row]);
        let told: Vec<_> = verdicts.iter().map(|one| (one.against.as_str(), one.word())).collect();
        assert_eq!(told, expected, "{name}");
    }

    #[test]
    fn the_best_durable_peer_is_the_measure() {
        let cells = [("EntiDB", 10.0), ("redb", 9.0), ("LMDB", 5.0), ("sled", 99.0)];
        check("bulk load, x", &cells, &[("redb", "missed")]);
        check("YCSB A, x", &cells, &[("redb", "reached")]);
        let reads = [("LMDB", "reached"), ("sled", "missed")];
        check("random get, x", &cells, &reads);
        check("YCSB C, reads only", &cells, &[("sled", "missed")]);
    }
}
