//! The reference engine behind the line protocol: all that a driver in Rust needs to be.

use std::io::{stdin, stdout};

use proofhouse_model::protocol::{ServeError, serve};
use proofhouse_subjects::{Placed, Reference};

fn main() -> Result<(), ServeError> {
    serve(&Placed::new(Reference::new()), stdin().lock(), stdout().lock())
}
