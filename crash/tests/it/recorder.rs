//! Programs recorded call by call: what the trace leaves equals what they left.

mod calls;
mod cores;
mod ends;
mod marks;
mod parts;

use std::fs;
use std::path::PathBuf;

use proofhouse_crash::{RecordCommand, RecordOptions, Recorded, Session, record};
use tempfile::TempDir;

/// A watched directory with a directory of its own around it.
struct Place {
    around: TempDir,
    watched: PathBuf,
}

impl Place {
    fn new() -> Self {
        let around = tempfile::tempdir().unwrap();
        let watched = around.path().join("watched");
        fs::create_dir(&watched).unwrap();
        Self { around, watched }
    }

    /// Starts a part of [`parts`] in the watched directory.
    fn start(&self, part: &str, options: RecordOptions) -> Session {
        let program = std::env::current_exe().unwrap();
        let test = "recorder::parts::a_part_is_played_if_one_is_named";
        let argv = [program.to_str().unwrap(), "--exact", test, "--nocapture", "--test-threads=1"];
        let mut command = self.command(&argv);
        command.env.insert(parts::PART.into(), part.into());
        record(command, options).unwrap()
    }

    fn command(&self, argv: &[&str]) -> RecordCommand {
        let mut command = RecordCommand::new(argv, &self.watched).unwrap();
        command.cwd.clone_from(&self.watched);
        command
    }

    fn run(&self, part: &str, options: RecordOptions) -> Recorded {
        self.start(part, options).finish().unwrap()
    }

    /// Runs a shell script in the watched directory.
    fn script(&self, script: &str, options: RecordOptions) -> Recorded {
        record(self.command(&["/bin/sh", "-c", script]), options).unwrap().finish().unwrap()
    }

    #[track_caller]
    fn assert_replays(&self, recorded: &Recorded) {
        assert_eq!(recorded.compare(&self.watched).unwrap(), [], "{}", recorded.trace);
    }
}
