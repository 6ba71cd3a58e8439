//! What was measured.

use serde::Serialize;

/// Which end of a scale is the good one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Better {
    /// More is better.
    More,
    /// Less is better.
    Less,
}

/// One row of the table: a workload with every peer's samples.
#[derive(Debug, Serialize)]
pub struct Row {
    /// What was done.
    pub name: String,
    /// What a sample counts.
    pub unit: &'static str,
    /// Which end of the scale is the good one.
    pub better: Better,
    /// By peer, in the order measured.
    pub cells: Vec<Cell>,
}

/// A peer's samples of one workload.
#[derive(Debug, Serialize)]
pub struct Cell {
    /// The peer's name.
    pub peer: String,
    /// One a round.
    pub samples: Vec<f64>,
    /// The same by processor time of the calling threads, where that says something.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub by_cpu: Vec<f64>,
    /// Why there are no samples.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_measured: Option<String>,
}

/// Median and quartiles.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spread {
    /// Half of the samples are below.
    pub median: f64,
    /// A quarter is below.
    pub low: f64,
    /// A quarter is above.
    pub high: f64,
}

impl Spread {
    /// Of these samples; `None` if there are none.
    pub fn of(samples: &[f64]) -> Option<Self> {
        let mut sorted = samples.to_vec();
        sorted.sort_by(f64::total_cmp);
        let last = sorted.len().checked_sub(1)?;
        let at = |part: usize| sorted[last * part / 4];
        Some(Self { median: at(2), low: at(1), high: at(3) })
    }
}

impl Row {
    /// A row without cells.
    pub fn new(name: impl Into<String>, unit: &'static str, better: Better) -> Self {
        Self { name: name.into(), unit, better, cells: Vec::new() }
    }

    /// Whether it needs durable commits, which not every peer has.
    pub fn writes(&self) -> bool {
        let reads = ["random get", "full scan", "YCSB C"];
        !reads.iter().any(|read| self.name.starts_with(read))
    }

    /// The cell of a peer, made if it is not there.
    pub fn cell(&mut self, peer: &str) -> &mut Cell {
        let at = self.cells.iter().position(|cell| cell.peer == peer).unwrap_or_else(|| {
            let peer = peer.to_owned();
            let (samples, by_cpu) = (Vec::new(), Vec::new());
            self.cells.push(Cell { peer, samples, by_cpu, not_measured: None });
            self.cells.len() - 1
        });
        &mut self.cells[at]
    }
}

/// The middle of the ratios of neighbouring samples: they met the same machine.
pub fn ratio(of: &[f64], to: &[f64]) -> Option<Spread> {
    let ratios: Vec<f64> = of.iter().zip(to).map(|(of, to)| of / to).collect();
    Spread::of(&ratios)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_is_not_moved_by_one_wild_sample() {
        let spread = Spread::of(&[3.0, 900.0, 1.0, 2.0, 4.0]);
        assert_eq!(spread, Some(Spread { median: 3.0, low: 2.0, high: 4.0 }));
        assert_eq!(Spread::of(&[]), None);
    }
}
