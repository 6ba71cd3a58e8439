//! `driver`: a built-in subject as a program like any other engine's.

use std::io::{stdin, stdout};
use std::process::ExitCode;

use proofhouse_model::protocol::serve;

use super::Problem;
use crate::finding::Exit;
use crate::subject;

/// Answers requests until a bye or the end of input.
pub(super) fn run(name: &str) -> Result<ExitCode, Problem> {
    let subject = subject::named(name).ok_or_else(|| Problem::Subject(name.to_owned()))?;
    serve(&subject, stdin().lock(), stdout().lock())
        .map_err(|error| Problem::Other(error.to_string()))?;
    Ok(Exit::Clean.into())
}
