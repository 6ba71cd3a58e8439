//! What the crate promises, through its public face only.
#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

mod acts;
mod causes;
mod fared;
mod laws;
mod litmus;
mod litmus_ext4;
mod minimal;
mod mutation;
mod naive;
mod naive_ext4;
mod nested;
mod outcome;
mod real;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod recorder;
mod rules;
mod tiers;
mod tracefile;
