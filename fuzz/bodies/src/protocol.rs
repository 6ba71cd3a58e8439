//! `protocol_lines`: what harness and driver say to each other.

use std::collections::BTreeMap;
use std::path::Path;

use entidb_engine::storage::MemStorage;
use proofhouse_model::protocol::{Answer, LineError, Request, serve};
use proofhouse_model::{About, Refusal, Settings, Store, Subject};
use proofhouse_subjects::{Placed, Reference};
use serde_json::Value as Json;
use serde_json::value::RawValue;

use crate::{Broken, Checked, Under};

/// Lines that are looked at one by one.
const LINES: usize = 32;

/// Of them, those that get a glance.
const GLANCED: usize = 4;

/// `protocol_lines`: any lines. Invariants:
/// - a line is refused, or it is one JSON object with the number that was read;
/// - what is read encodes to one line that reads as the same;
/// - a refusal's column is within the line;
/// - a driver answers the requests it could read, each with its number and in order, in lines that
///   are answers, and ends without an answer to what is no request.
///
/// # Errors
/// What is broken.
pub fn check(input: &[u8], under: Under) -> Checked {
    let numbers = read(input, under)?;
    converse(input, &numbers)
}

/// What most inputs get: a few lines are looked at, and put to no driver. A line that is read is one
/// JSON text, and what is read encodes to one line that reads as the same; a refusal's column is within
/// the line.
///
/// # Errors
/// What is broken.
pub fn lines(input: &[u8], under: Under) -> Checked {
    for line in input.split_inclusive(|byte| *byte == b'\n').take(GLANCED) {
        let (request, answer) = (request(line, under), Answer::parse(line));
        if request.is_ok() || answer.is_ok() {
            let text: Result<&RawValue, _> = serde_json::from_slice(line);
            require!(text.is_ok(), "{request:?}, {answer:?} of a line that is no JSON: {text:?}");
        }
        let told = |request: &Request| encoded(|out| request.encode(out));
        repeated(line, &request, told, Request::parse)?;
        let told = |answer: &Answer| encoded(|out| answer.clone().encode(out));
        repeated(line, &answer, told, Answer::parse)?;
    }
    Ok(())
}

fn encoded(encode: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut out = Vec::new();
    encode(&mut out);
    out
}

/// Looks at the lines; the numbers of the requests before the first line that is none.
fn read(input: &[u8], under: Under) -> Result<Vec<u64>, Broken> {
    let mut numbers = Vec::new();
    let mut readable = true;
    for line in input.split_inclusive(|byte| *byte == b'\n').take(LINES) {
        let request = request(line, under);
        let told = |request: &Request| encoded(|out| request.encode(out));
        readable &= request.is_ok() && line.ends_with(b"\n");
        if readable {
            numbers.extend(request.as_ref().map(|request| request.n));
        }
        faithful(line, &request, |it| it.n, told, Request::parse)?;
        let answer = Answer::parse(line);
        let told = |answer: &Answer| encoded(|out| answer.clone().encode(out));
        faithful(line, &answer, |it| it.n, told, Answer::parse)?;
    }
    Ok(numbers)
}

/// A request, read as it is or by the planted fault: a reader that looks no further than the
/// object's end, so that two requests in a line are one.
fn request(line: &[u8], under: Under) -> Result<Request, LineError> {
    let answer = Request::parse(line);
    if under == Under::Sound || answer.is_ok() {
        return answer;
    }
    let mut objects = serde_json::Deserializer::from_slice(line).into_iter::<Json>();
    let first = objects.next().and_then(Result::ok).map(|_| objects.byte_offset());
    first.map_or(answer, |end| Request::parse(&line[..end]))
}

fn faithful<T: PartialEq + std::fmt::Debug>(
    line: &[u8],
    read: &Result<T, LineError>,
    number: impl Fn(&T) -> u64,
    told: impl Fn(&T) -> Vec<u8>,
    parse: impl Fn(&[u8]) -> Result<T, LineError>,
) -> Checked {
    if let Ok(read) = read {
        // Raw, for what an unknown field holds may be no number or character of this program's.
        let json: BTreeMap<String, &RawValue> = serde_json::from_slice(line)
            .map_err(|error| Broken(format!("{read:?} of a line that is no JSON: {error}")))?;
        let n = json.get("n").and_then(|n| n.get().parse().ok());
        require!(n == Some(number(read)), "{read:?} of {json:?}");
    }
    repeated(line, read, told, parse)
}

/// What was read is told in one line that reads as the same; a refusal's column is within its line.
fn repeated<T: PartialEq + std::fmt::Debug>(
    line: &[u8],
    read: &Result<T, LineError>,
    told: impl Fn(&T) -> Vec<u8>,
    parse: impl Fn(&[u8]) -> Result<T, LineError>,
) -> Checked {
    match read {
        Ok(read) => {
            let line = told(read);
            let lines = line.split_inclusive(|byte| *byte == b'\n').count();
            require!(lines == 1 && line.ends_with(b"\n"), "{read:?} is told in {lines} lines");
            let again = parse(&line);
            require!(again.as_ref() == Ok(read), "{read:?} is told as {again:?}");
        }
        Err(LineError::Malformed { column, what }) => {
            require!(*column <= line.len(), "{what} at column {column} of {}", line.len());
        }
        Err(_) => {}
    }
    Ok(())
}

/// Puts the lines to a driver of the reference engine, in memory.
fn converse(input: &[u8], numbers: &[u64]) -> Checked {
    let lines: Vec<&[u8]> = input.split_inclusive(|byte| *byte == b'\n').take(LINES).collect();
    let mut output = Vec::new();
    let subject = Anywhere::new(MemStorage::new());
    // A line that is no request ends the conversation, as it should.
    let _ = serve(&subject, lines.concat().as_slice(), &mut output);
    let mut answered = Vec::new();
    for line in output.split_inclusive(|byte| *byte == b'\n') {
        let answer = Answer::parse(line).map_err(|error| Broken(format!("answered: {error}")))?;
        answered.push(answer.n);
    }
    require!(numbers.starts_with(&answered), "{numbers:?} asked, {answered:?} answered");
    Ok(())
}

/// The engine in memory, whatever directory is asked for, and never with a larger reserve than an
/// input deserves.
pub(crate) struct Anywhere {
    engine: Placed,
    memory: MemStorage,
}

impl Anywhere {
    pub(crate) fn new(memory: MemStorage) -> Self {
        Self { engine: Placed::new(Reference::new()), memory }
    }
}

impl Subject<Path> for Anywhere {
    fn about(&self) -> &About {
        self.engine.about()
    }

    fn open(&self, _: &Path, settings: &Settings) -> Result<Box<dyn Store>, Refusal> {
        let wal_reserve = settings.wal_reserve.min(4096);
        self.engine.open(&self.memory, &Settings { wal_reserve, ..settings.clone() })
    }
}
