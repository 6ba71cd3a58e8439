use proptest::prelude::*;

use super::{Divergence, Got, Marks, Run, RunOptions, run};
use crate::generate::{GenerateProfile, generate};
use crate::liar::{Liar, Lie};
use crate::op::{Collection, Id, Op};
use crate::oracle::{OraclePlace, OracleSubject};
use crate::outcome::{ErrorClass, Outcome};
use crate::payload::Payload;
use crate::plan::{Plan, Settings};
use crate::strategy;
use crate::subject::{Capabilities, Refusal};

const C: Collection = Collection(0);
const CREATE: Op = Op::CreateCollection { collection: C };

fn put(n: u8) -> Op {
    Op::Put { collection: C, id: Id::nth(n), payload: Payload::Entity { tag: n.into(), size: 40 } }
}

fn plan(ops: &[Op]) -> Plan {
    let entropy = [1, 2, 3].map(Id::nth).to_vec();
    let settings = Settings { wal_reserve: 0, max_segment: 0, entropy, max_payload: 100 };
    Plan { seed: 0, settings, ops: ops.to_vec() }
}

fn run_liar(lie: Lie, ops: &[Op]) -> Result<Run, Box<Divergence>> {
    run(&Liar::new(lie), &OraclePlace::default(), &plan(ops), RunOptions::default(), &mut ())
}

/// What marks were called, as text.
#[derive(Default)]
struct Log(Vec<String>);

impl Marks for Log {
    fn step(&mut self, index: usize) {
        self.0.push(format!("step {index}"));
    }

    fn issue(&mut self, event: u64) {
        self.0.push(format!("issue {event}"));
    }

    fn ack(&mut self, event: u64) {
        self.0.push(format!("ack {event}"));
    }
}

#[test]
fn an_outcome_that_is_not_due_is_a_divergence() {
    let lie: Lie = |op, due| match op {
        Op::Get { .. } => Outcome::Value(Some(vec![0xa0; 40].into())),
        _ => due,
    };
    let get = Op::Get { collection: C, id: Id::nth(1) };
    let divergence = run_liar(lie, &[CREATE, put(2), get.clone(), put(3)]).unwrap_err();
    assert_eq!((divergence.index, &divergence.op), (2, &get));
    assert_eq!(divergence.due, Outcome::Value(None));
    let told = "operation 2, \
         {\"op\":\"get\",\"collection\":\"c0\",\"id\":\"01000000000000000000000000000000\"}: \
         due: absent; got: a0a0a0a0a0a0a0a0a0a0a0a0.. (40 bytes)";
    assert_eq!(divergence.to_string(), told);
}

#[test]
fn a_panic_is_a_divergence() {
    let lie: Lie = |op, due| {
        assert!(*op != Op::Checkpoint, "cannot do that");
        due
    };
    let divergence = run_liar(lie, &[CREATE, Op::Checkpoint]).unwrap_err();
    assert_eq!(divergence.got, Got::Panicked("cannot do that".to_owned()));
    assert_eq!(divergence.index, 1);
}

#[test]
fn a_refused_close_is_a_divergence_at_the_reopen_or_after_the_end() {
    let refusal = || Refusal { class: ErrorClass::Io, message: "no space".to_owned() };
    let close = || Err(Refusal { class: ErrorClass::Io, message: "no space".to_owned() });
    let liar = Liar { close, ..Liar::new(|_, due| due) };
    let close = RunOptions { history: false, close: true };
    for (ops, options, index) in [
        (vec![CREATE, Op::Reopen, put(1)], RunOptions::default(), 1),
        (vec![CREATE, put(1)], close, 2),
    ] {
        let divergence =
            run(&liar, &OraclePlace::default(), &plan(&ops), options, &mut ()).unwrap_err();
        assert_eq!((divergence.index, &divergence.op), (index, &Op::Reopen));
        assert_eq!(divergence.got, Got::Refused(refusal()));
    }
    let no_close =
        run(&liar, &OraclePlace::default(), &plan(&[CREATE]), RunOptions::default(), &mut ());
    assert!(no_close.is_ok());
}

#[test]
fn marks_surround_events_and_only_events() {
    let get = Op::Get { collection: C, id: Id::nth(1) };
    let ops = [CREATE, CREATE, Op::Begin, put(1), get, Op::Commit, Op::Reopen, put(2)];
    let mut log = Log::default();
    let subject = OracleSubject::new(Capabilities::ALL);
    let options = RunOptions { history: true, close: true };
    let run = run(&subject, &OraclePlace::default(), &plan(&ops), options, &mut log).unwrap();
    assert_eq!(
        log.0.join(", "),
        "step 0, issue 1, ack 1, step 1, step 2, step 3, step 4, step 5, \
        issue 2, ack 2, step 6, step 7, issue 3, ack 3, step 8"
    );
    let sequences: Vec<_> = (0..=4).map(|k| run.history.sequence(k)).collect();
    assert_eq!(sequences, [Some(0), Some(0), Some(1), Some(2), None]);
    assert_eq!(run.history.last(), run.oracle.state());
}

#[test]
fn an_event_that_was_not_acknowledged_is_only_issued() {
    let lie: Lie = |op, due| match op {
        Op::Put { .. } => Outcome::Failed(ErrorClass::InDoubt),
        _ => due,
    };
    let mut log = Log::default();
    let subject = Liar::new(lie);
    let ran = run(
        &subject,
        &OraclePlace::default(),
        &plan(&[CREATE, put(1)]),
        RunOptions::default(),
        &mut log,
    );
    assert!(ran.is_err());
    assert_eq!(log.0.join(", "), "step 0, issue 1, ack 1, step 1, issue 2");
}

#[test]
fn a_generated_plan_runs_the_same_every_time() {
    let subject = OracleSubject::new(Capabilities::ALL);
    let plan = generate(11, &GenerateProfile::differential());
    let options = RunOptions { history: true, close: true };
    let [first, second] = [(), ()]
        .map(|()| run(&subject, &OraclePlace::default(), &plan, options, &mut ()).unwrap().history);
    assert_eq!(first, second);
    assert!(first.events() > 20);
}

proptest! {
    #[test]
    fn the_oracle_agrees_with_itself_on_every_plan(plan in strategy::plan(0..60)) {
        let subject = OracleSubject::new(Capabilities::ALL);
        let options = RunOptions { history: true, close: true };
        let run = run(&subject, &OraclePlace::default(), &plan, options, &mut ());
        let run = run.map_err(|divergence| TestCaseError::fail(divergence.to_string()))?;
        prop_assert_eq!(run.history.events(), run.oracle.events());
        prop_assert_eq!(run.history.last(), run.oracle.state());
    }
}
