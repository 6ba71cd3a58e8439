//! `subjects`: what is built in.

use std::process::ExitCode;

use crate::finding::Exit;
use crate::subject;

/// Prints every subject's name and a sentence on it.
pub(super) fn run() -> ExitCode {
    for (name, sentence) in subject::names() {
        println!("{name:<40} {sentence}");
    }
    Exit::Clean.into()
}
