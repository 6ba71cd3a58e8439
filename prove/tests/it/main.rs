//! The binary, as people and CI call it.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking, like tests")]

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod commands;
#[cfg(target_os = "linux")]
mod drivers;
mod house;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod interrupts;
mod prove;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod recorded;
mod release;
mod shards;
mod usage;

use std::path::Path;
use std::process::{Command, Output};

/// Runs `proofhouse` in `dir`.
fn proofhouse(dir: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_proofhouse"));
    command.current_dir(dir).args(args).output().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}
