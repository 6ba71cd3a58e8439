//! Says what a driver does wrong: `check_subject COMMAND [ARGUMENT...]`.
//!
//! Exits with 0 if all is well, 1 if it could not be tried, 10 if there are complaints.

use std::io;
use std::process::ExitCode;

use proofhouse_subjects::command::{CommandLine, WATCHDOG, check_command};

fn main() -> io::Result<ExitCode> {
    let mut arguments = std::env::args_os().skip(1);
    let Some(program) = arguments.next() else {
        eprintln!("usage: check_subject COMMAND [ARGUMENT...]");
        return Ok(ExitCode::from(1));
    };
    let scratch = tempfile::tempdir()?;
    let command = CommandLine::new(program, arguments);
    let complaints = check_command(&command, scratch.path(), WATCHDOG)?;
    for complaint in &complaints {
        println!("{complaint}");
    }
    if complaints.is_empty() {
        println!("nothing to complain of");
        return Ok(ExitCode::SUCCESS);
    }
    Ok(ExitCode::from(10))
}
