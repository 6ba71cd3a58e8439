//! `subjects`: what is built in.

use std::process::ExitCode;

use super::show;
use crate::finding::Exit;
use crate::subject;

/// Prints every subject's name and a sentence on it.
pub(super) fn run() -> ExitCode {
    for (name, sentence) in subject::names() {
        show(&format!("{name:<40} {sentence}\n"));
    }
    Exit::Clean.into()
}
