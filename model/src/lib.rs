//! What must be true of an embedded storage engine, and how to tell.
//!
//! A [`Plan`] is a list of [operations](Op) with the settings under which they run; a seed
//! [generates](generate()) one, proptest [strategies](strategy) another, and either is a file that
//! people can read. The [`Oracle`] says which [`Outcome`] is due for each operation. [`run()`]
//! drives a [`Subject`] through a plan with the oracle beside it, and answers the first
//! [`Divergence`]. After a crash there is no outcome to compare, only a state: [`observe()`] reads it
//! by every access path, and [`accept()`] tells whether some `k` events with
//! `acknowledged <= k <= issued` explain it, or names the [`Violation`]. [`shrink()`] makes a failing
//! plan small.
//!
//! This crate knows no engine and no disk. An engine becomes a subject by implementing three small
//! traits:
//!
//! ```
//! use proofhouse_model::{Capabilities, OraclePlace, OracleSubject, RunOptions};
//! use proofhouse_model::{GenerateProfile, generate, run};
//!
//! // The oracle is a subject itself, and must agree with the oracle.
//! let subject = OracleSubject::new(Capabilities::ALL);
//! let plan = generate(7, &GenerateProfile::differential());
//! let run = run(&subject, &OraclePlace::default(), &plan, RunOptions::default(), &mut ())?;
//! assert!(run.oracle.events() > 0);
//! # Ok::<(), Box<proofhouse_model::Divergence>>(())
//! ```

pub mod accept;
pub mod generate;
pub mod history;
#[cfg(test)]
mod liar;
pub mod life;
pub mod mechanism;
pub mod observe;
pub mod op;
pub mod oracle;
pub mod outcome;
pub mod payload;
pub mod plan;
pub mod protocol;
pub mod rng;
pub mod run;
pub mod shrink;
pub mod state;
pub mod strategy;
pub mod subject;

pub use accept::{Disagreement, Violation, ViolationKind, Window, accept};
pub use generate::{GenerateProfile, generate};
pub use history::History;
pub use life::{Recovered, life_two};
pub use mechanism::{Mechanism, Mechanisms};
pub use observe::{Universe, observe};
pub use op::{Collection, Entities, Id, Op, Slot};
pub use oracle::{Oracle, OraclePlace, OracleSubject};
pub use outcome::{ErrorClass, Outcome};
pub use payload::Payload;
pub use plan::{Entropy, Plan, PlanError, Settings};
pub use run::{Divergence, Got, Marks, Run, RunOptions, panic_message, run};
pub use shrink::shrink;
pub use state::{Change, Difference, State};
pub use subject::{About, Capabilities, Client, Kept, Promises, Refusal, Store, Subject};
