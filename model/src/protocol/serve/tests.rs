use std::path::{Path, PathBuf};
use std::sync::Mutex;

use super::serve;
use crate::op::{Collection, Id, Op};
use crate::oracle::{OraclePlace, OracleSubject};
use crate::outcome::ErrorClass;
use crate::plan::Settings;
use crate::protocol::{Ask, Request, VERSION};
use crate::subject::{About, Capabilities, Refusal, Store, Subject};

/// The oracle in directories that are only names.
struct Oracles {
    subject: OracleSubject,
    places: Mutex<Vec<(PathBuf, OraclePlace)>>,
}

impl Oracles {
    fn new() -> Self {
        let capabilities = Capabilities { canonical_payloads: false, ..Capabilities::ALL };
        Self { subject: OracleSubject::new(capabilities), places: Mutex::default() }
    }
}

impl Subject<Path> for Oracles {
    fn about(&self) -> &About {
        self.subject.about()
    }

    fn open(&self, dir: &Path, settings: &Settings) -> Result<Box<dyn Store>, Refusal> {
        if dir == Path::new("/nowhere") {
            let message = "no such directory".to_owned();
            return Err(Refusal { class: ErrorClass::NotFound, message });
        }
        let mut places = self.places.lock().unwrap();
        if !places.iter().any(|(known, _)| known == dir) {
            places.push((dir.to_owned(), OraclePlace::default()));
        }
        let place = places.iter().find(|(known, _)| known == dir).unwrap();
        self.subject.open(&place.1, settings)
    }
}

fn line(n: u64, ask: &Ask) -> String {
    let mut out = Vec::new();
    Request { n, ask: ask.clone() }.encode(&mut out);
    String::from_utf8(out).unwrap()
}

fn conversation(asks: &[Ask]) -> String {
    let requests: String = (0..).zip(asks).map(|(n, ask)| line(n, ask)).collect();
    let mut output = Vec::new();
    serve(&Oracles::new(), requests.as_bytes(), &mut output).unwrap();
    String::from_utf8(output).unwrap()
}

fn open(dir: &str) -> Ask {
    let entropy = vec![Id::nth(1)];
    let settings = Settings { wal_reserve: 4096, max_segment: 1024, entropy, max_payload: 5200 };
    Ask::Open { dir: dir.to_owned(), settings }
}

#[test]
fn one_process_reopens_many_directories() {
    let collection = Collection(0);
    let answers = conversation(&[
        Ask::Hello { protocol: VERSION },
        open("/a"),
        Ask::Op(Op::CreateCollection { collection }),
        Ask::Close,
        open("/b"),
        Ask::Op(Op::Scan { collection }),
        Ask::Close,
        open("/a"),
        Ask::Op(Op::Scan { collection }),
        Ask::Bye,
    ]);
    insta::assert_snapshot!(answers, @r#"
    {"n":0,"outcome":"hello","protocol":0,"name":"oracle","capabilities":["transactions","snapshots","checkpoint","compaction","ranges","scrub","insert","sequences"],"promises":{"commit":{"kill":"nothing","power_loss":"nothing"},"sync":{"kill":"nothing","power_loss":"nothing"},"close":{"kill":"nothing","power_loss":"nothing"},"open":{"kill":"nothing","power_loss":"nothing"},"atomic":true,"ordered":true}}
    {"n":1,"outcome":"done"}
    {"n":2,"outcome":"done"}
    {"n":3,"outcome":"done"}
    {"n":4,"outcome":"done"}
    {"n":5,"outcome":"failed","class":"not_found"}
    {"n":6,"outcome":"done"}
    {"n":7,"outcome":"done"}
    {"n":8,"outcome":"entities","entities":[]}
    {"n":9,"outcome":"done"}
    "#);
}

#[test]
fn what_does_not_fit_the_state_is_misuse() {
    let answers = conversation(&[
        Ask::Op(Op::Begin),
        Ask::Client,
        Ask::Close,
        open("/nowhere"),
        open("/a"),
        open("/a"),
        Ask::Bye,
        Ask::Op(Op::Begin),
    ]);
    insta::assert_snapshot!(answers, @r#"
    {"n":0,"outcome":"failed","class":"misuse"}
    {"n":1,"outcome":"failed","class":"misuse"}
    {"n":2,"outcome":"failed","class":"misuse"}
    {"n":3,"outcome":"failed","class":"not_found","message":"no such directory"}
    {"n":4,"outcome":"done"}
    {"n":5,"outcome":"failed","class":"misuse"}
    {"n":6,"outcome":"done"}
    "#);
}

#[test]
fn a_request_cut_short_by_the_end_of_input_is_not_answered() {
    let mut output = Vec::new();
    serve(&Oracles::new(), &br#"{"n":0,"op":"hello""#[..], &mut output).unwrap();
    assert!(output.is_empty());
}

#[test]
fn a_line_that_is_no_request_ends_the_conversation() {
    let ended = serve(&Oracles::new(), &b"hello\n"[..], Vec::new()).unwrap_err();
    assert_eq!(ended.to_string(), "not a request: expected value (column 1)");
}
