//! Where and with what it was measured.

use std::path::Path;

use serde::Serialize;

use crate::store::{Peer, Result};

/// The machine, its state, and versions.
#[derive(Debug, Serialize)]
pub struct Machine {
    /// When the run began (UTC).
    pub date: String,
    /// Processor, as the kernel names it.
    pub processor: String,
    /// Processors that may be used.
    pub cores: usize,
    /// Kernel.
    pub kernel: String,
    /// File system of the stores.
    pub file_system: String,
    /// Compiler.
    pub rustc: &'static str,
    /// Processes that wanted to run before this one did, on average of a minute.
    pub load_before: f64,
    /// Whether others kept the machine busy: such figures are of that load as well.
    pub is_loaded: bool,
    /// Peers, their versions and settings.
    pub peers: Vec<Measured>,
}

/// A peer's version and settings.
#[derive(Debug, Serialize)]
pub struct Measured {
    /// The peer.
    pub peer: &'static str,
    /// Version of its package.
    pub version: String,
    /// What is not default.
    pub settings: &'static str,
}

impl Machine {
    /// This machine, as it is now.
    ///
    /// # Errors
    /// If the kernel or `Cargo.lock` cannot be understood.
    pub fn now(dir: &Path, peers: &[&'static Peer]) -> Result<Self> {
        let read = |path: &str| std::fs::read_to_string(path);
        let cpus = read("/proc/cpuinfo")?;
        let model = cpus.lines().find_map(|line| line.strip_prefix("model name"));
        let model = model.unwrap_or("unknown").trim_start_matches(['\t', ' ', ':']);
        let load_before = read("/proc/loadavg")?.split(' ').next().unwrap_or("0").parse()?;
        let cores = std::thread::available_parallelism()?.get();
        let lock: toml::Table = include_str!("../Cargo.lock").parse()?;
        let peers = peers.iter().map(|peer| Measured {
            peer: peer.name,
            version: version(&lock, peer.package).unwrap_or_else(|| "unknown".into()),
            settings: peer.settings,
        });
        Ok(Self {
            date: jiff::Timestamp::now().strftime("%Y-%m-%d %H:%M UTC").to_string(),
            processor: model.to_owned(),
            cores,
            kernel: read("/proc/sys/kernel/osrelease")?.trim().to_owned(),
            file_system: file_system(&dir.canonicalize()?, &read("/proc/mounts")?),
            rustc: env!("COMPARE_RUSTC"),
            load_before,
            is_loaded: load_before > 0.5 * f64::from(u32::try_from(cores)?),
            peers: peers.collect(),
        })
    }
}

fn version(lock: &toml::Table, package: &str) -> Option<String> {
    let packages = lock.get("package")?.as_array()?;
    let found = packages
        .iter()
        .find(|one| one.get("name").and_then(toml::Value::as_str) == Some(package))?;
    found.get("version")?.as_str().map(str::to_owned)
}

/// The type of the file system that holds a directory: that of the longest mount point above it.
fn file_system(dir: &Path, mounts: &str) -> String {
    let mounts = mounts.lines().filter_map(|line| {
        let mut fields = line.split(' ').skip(1);
        Some((Path::new(fields.next()?), fields.next()?))
    });
    let above = mounts.filter(|(point, _)| dir.starts_with(point));
    let nearest = above.max_by_key(|(point, _)| point.components().count());
    nearest.map_or("unknown", |(_, kind)| kind).to_owned()
}
