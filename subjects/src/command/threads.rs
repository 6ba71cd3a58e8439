//! Drivers for tests: threads that serve a subject over pipes.

use std::io::{BufReader, pipe};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::Duration;

use proofhouse_model::Subject;
use proofhouse_model::protocol::serve;

use super::{DriverError, Hook, Launch, Launched, Pipes, Process, ProcessEnd};

type Build = dyn Fn() -> Box<dyn Subject<Path>> + Send + Sync;

/// Starts a thread for each driver. Clones count together.
#[derive(Clone)]
pub(super) struct Threads {
    build: Arc<Build>,
    hook: fn(&Threads) -> Box<dyn Hook>,
    /// Whether a thread keeps its end of the answers open after a bye.
    pub(super) stays: bool,
    /// The code with which drivers exit.
    pub(super) code: i32,
    pub(super) launched: Arc<AtomicUsize>,
    /// What hooks wrote down.
    pub(super) log: Arc<parking_lot::Mutex<Vec<String>>>,
}

impl Threads {
    pub(super) fn new<S: Subject<Path> + 'static>(
        build: impl Fn() -> S + Send + Sync + 'static,
    ) -> Self {
        Self {
            build: Arc::new(move || Box::new(build())),
            hook: |_| Box::new(()),
            stays: false,
            code: 0,
            launched: Arc::default(),
            log: Arc::default(),
        }
    }

    pub(super) fn with_hook(self, hook: fn(&Self) -> Box<dyn Hook>) -> Self {
        Self { hook, ..self }
    }

    pub(super) fn launched(&self) -> usize {
        self.launched.load(Ordering::SeqCst)
    }
}

impl Launch for Threads {
    fn launch(&self) -> Result<Launched, DriverError> {
        let (requests_in, requests_out) = pipe().unwrap();
        let (answers_in, answers_out) = pipe().unwrap();
        let (build, stays) = (Arc::clone(&self.build), self.stays);
        let (ended, ends) = mpsc::channel();
        let (leave, told_to_leave) = mpsc::channel::<()>();
        thread::spawn(move || {
            let subject = build();
            // A conversation that is cut off ends with an error, as it should.
            let _ = serve(subject.as_ref(), BufReader::new(requests_in), &answers_out);
            if stays {
                let _ = told_to_leave.recv();
            }
            drop(answers_out);
            let _ = ended.send(());
        });
        self.launched.fetch_add(1, Ordering::SeqCst);
        Ok(Launched {
            pipes: Pipes::new(requests_out, answers_in),
            process: Box::new(Thread { ends, code: self.code, leave: Some(leave) }),
            hook: (self.hook)(self),
        })
    }
}

struct Thread {
    ends: Receiver<()>,
    code: i32,
    /// Tells the thread to leave when this is dropped.
    leave: Option<Sender<()>>,
}

/// As with a process, nothing of a driver is left once it is dropped: no store that is open, and
/// no lock of one.
impl Drop for Thread {
    fn drop(&mut self) {
        drop(self.leave.take());
        // Its pipes are closed by now, so it ends; if it has ended before, there is nobody to hear.
        let _ = self.ends.recv();
    }
}

impl Process for Thread {
    /// A thread that answers has not ended, and nobody else answers for it.
    fn has_ended(&mut self) -> bool {
        false
    }

    fn ended_within(&mut self, patience: Duration) -> Option<ProcessEnd> {
        self.ends.recv_timeout(patience).ok().map(|()| ProcessEnd::Exited(self.code))
    }
}
