//! The `proofhouse` binary: everything is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    proofhouse::cli::main()
}
