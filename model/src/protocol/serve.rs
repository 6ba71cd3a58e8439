//! The driver's side for engines that are subjects in Rust already.

use std::io::{self, BufRead, Read, Write};
use std::path::Path;

use super::{Answer, Ask, Hello, LineError, MAX_LINE, Reply, Request};
use crate::outcome::{ErrorClass, Outcome};
use crate::subject::{Refusal, Store, Subject};

/// Why a conversation ended before its time.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// Reading a request or writing an answer failed.
    #[error("reading or writing failed: {0}")]
    Io(#[from] io::Error),
    /// A line was no request.
    #[error("not a request: {0}")]
    Line(#[from] LineError),
}

/// Answers requests from `input` on `output` until a bye or the end of input, one at a time and
/// in order. Each answer is flushed when the subject has returned.
///
/// # Errors
/// [`ServeError`]: there is nobody left to talk to.
pub fn serve(
    subject: &dyn Subject<Path>,
    input: impl BufRead,
    output: impl Write,
) -> Result<(), ServeError> {
    let mut wire = Wire { input, output, line: Vec::new() };
    while let Some(Request { n, ask }) = wire.request()? {
        match ask {
            Ask::Hello { .. } => wire.hello(n, subject)?,
            Ask::Open { dir, settings } => match subject.open(Path::new(&dir), &settings) {
                Ok(store) => {
                    wire.outcome(n, Outcome::Done)?;
                    if life(subject, store, &mut wire)? == End::Conversation {
                        return Ok(());
                    }
                }
                Err(refusal) => wire.refusal(n, refusal)?,
            },
            Ask::Client | Ask::Op(_) | Ask::Close => wire.misuse(n)?,
            Ask::Bye => return wire.outcome(n, Outcome::Done),
        }
    }
    Ok(())
}

/// What ended with a store's life.
#[derive(PartialEq)]
enum End {
    Life,
    Conversation,
}

/// Answers requests as long as a store is open. A bye or the end of input while it is drops the
/// store without a clean close.
fn life<I: BufRead, O: Write>(
    subject: &dyn Subject<Path>,
    store: Box<dyn Store>,
    wire: &mut Wire<I, O>,
) -> Result<End, ServeError> {
    let mut client = store.client();
    while let Some(Request { n, ask }) = wire.request()? {
        match ask {
            Ask::Hello { .. } => wire.hello(n, subject)?,
            Ask::Open { .. } => wire.misuse(n)?,
            Ask::Client => {
                drop(client);
                client = store.client();
                wire.outcome(n, Outcome::Done)?;
            }
            Ask::Op(op) => {
                let outcome = client.apply(&op);
                wire.outcome(n, outcome)?;
            }
            Ask::Close => {
                drop(client);
                match store.close() {
                    Ok(()) => wire.outcome(n, Outcome::Done)?,
                    Err(refusal) => wire.refusal(n, refusal)?,
                }
                return Ok(End::Life);
            }
            Ask::Bye => {
                wire.outcome(n, Outcome::Done)?;
                return Ok(End::Conversation);
            }
        }
    }
    Ok(End::Conversation)
}

struct Wire<I, O> {
    input: I,
    output: O,
    /// A line's bytes, kept from line to line for their space only.
    line: Vec<u8>,
}

impl<I: BufRead, O: Write> Wire<I, O> {
    /// The next request; `None` at the end of input. A line cut short by it was never sent whole.
    fn request(&mut self) -> Result<Option<Request>, ServeError> {
        self.line.clear();
        (&mut self.input).take(MAX_LINE as u64).read_until(b'\n', &mut self.line)?;
        match self.line.last() {
            Some(b'\n') => Ok(Some(Request::parse(&self.line)?)),
            _ if self.line.len() == MAX_LINE => {
                let what = format!("longer than {MAX_LINE} bytes");
                Err(LineError::Malformed { what, column: MAX_LINE }.into())
            }
            _ => Ok(None),
        }
    }

    fn answer(&mut self, answer: Answer) -> Result<(), ServeError> {
        self.line.clear();
        answer.encode(&mut self.line);
        self.output.write_all(&self.line)?;
        Ok(self.output.flush()?)
    }

    fn outcome(&mut self, n: u64, outcome: Outcome) -> Result<(), ServeError> {
        self.answer(Answer::new(n, Reply::Outcome(outcome)))
    }

    fn hello(&mut self, n: u64, subject: &dyn Subject<Path>) -> Result<(), ServeError> {
        self.answer(Answer::new(n, Reply::Hello(Hello::of(subject.about()))))
    }

    fn misuse(&mut self, n: u64) -> Result<(), ServeError> {
        self.outcome(n, Outcome::Failed(ErrorClass::Misuse))
    }

    fn refusal(&mut self, n: u64, refusal: Refusal) -> Result<(), ServeError> {
        let reply = Reply::Outcome(Outcome::Failed(refusal.class));
        self.answer(Answer { n, reply, message: Some(refusal.message) })
    }
}

#[cfg(test)]
mod tests;
