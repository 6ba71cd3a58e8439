//! The story of a crash, step by step: each operation that was asked, the calls it made, what the
//! crash made of each of them.
//!
//! Of simulated disks and recorded programs alike: a life is a trace, with the moments when
//! something new was asked.

#[cfg(test)]
mod tests;

use std::fmt::{self, Write as _};

use proofhouse_crash::{BadChoice, Choice, Fared, MicroOp, Profile, Trace, Tree};
use proofhouse_model::{Capabilities, Op, Oracle, Plan, Window};
use serde_json::Value;

/// What was being done from some moment of a life on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// How many operations of the trace had happened in this life.
    pub at: usize,
    /// What came then.
    pub act: Act,
}

/// Something that was asked of a store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// To open, and show everything.
    Open,
    /// To open once more.
    OpenAgain,
    /// An operation.
    Ask(Op),
    /// To commit something.
    Commit,
    /// Several operations; which of them made which call is not known.
    AskAll(Vec<Op>),
    /// To close.
    Close,
}

/// A life that a kill from outside ended, of which there is nothing but its plan, how far it had
/// come, and the files that it left: a line for each operation and each file.
pub fn of_kill(plan: &Plan, capabilities: Capabilities, window: Window, left: &Tree) -> String {
    let mut oracle = Oracle::new(&plan.settings, capabilities);
    let mut text = "life 1\n  open\n".to_owned();
    for op in &plan.ops {
        let before = oracle.events();
        oracle.step(op);
        let event = oracle.events();
        // Whether what comes between two events was asked is not known after the last one.
        if event > window.issued || (event == before && event == window.issued) {
            break;
        }
        // Writing to a string cannot fail, here and below.
        let _ = match (event == before, event <= window.acknowledged) {
            (true, _) => writeln!(text, "  {}", words(op)),
            (false, true) => writeln!(text, "  {}: event {event}, acknowledged", words(op)),
            (false, false) => writeln!(text, "  {}: event {event}", words(op)),
        };
    }
    let _ = writeln!(text, "  process kill, which left");
    for (path, content) in left.files() {
        let _ = writeln!(text, "    {path}: {} bytes", content.len());
    }
    text
}

/// One life of a store, and how it ended.
#[derive(Debug, Clone, Copy)]
pub struct Life<'a> {
    /// What happened.
    pub trace: &'a Trace,
    /// What was asked meanwhile, in order.
    pub steps: &'a [Step],
    /// How it ended.
    pub crash: &'a Choice,
    /// Whose rules say what was durable when a process was killed.
    pub medium: Profile,
}

impl Step {
    /// The steps of a plan whose trace only tells when events were issued and acknowledged: what
    /// was asked between two events is one step.
    pub fn by_events(plan: &Plan, capabilities: Capabilities, trace: &Trace) -> Vec<Self> {
        let mut oracle = Oracle::new(&plan.settings, capabilities);
        let mut steps = vec![Self { at: 0, act: Act::Open }];
        let mut between = Vec::new();
        let mut from = 0;
        for op in &plan.ops {
            let before = oracle.events();
            oracle.step(op);
            let event = oracle.events();
            if event == before {
                between.push(op.clone());
                continue;
            }
            let Some(at) = place(trace, &MicroOp::Issue { event }) else { break };
            if !between.is_empty() {
                steps.push(Self { at: from, act: Act::AskAll(std::mem::take(&mut between)) });
            }
            steps.push(Self { at, act: Act::Ask(op.clone()) });
            from = place(trace, &MicroOp::Ack { event }).map_or(trace.ops.len(), |ack| ack + 1);
        }
        if !between.is_empty() {
            steps.push(Self { at: from, act: Act::AskAll(between) });
        }
        steps
    }

    /// The steps of a life of which nothing is known but its trace: a step for each event.
    pub fn by_marks(trace: &Trace) -> Vec<Self> {
        let events = trace.ops.iter().enumerate();
        let events = events.filter(|(_, op)| matches!(op, MicroOp::Issue { .. }));
        let events = events.map(|(at, _)| Self { at, act: Act::Commit });
        [Self { at: 0, act: Act::Open }].into_iter().chain(events).collect()
    }
}

/// How many operations of this life come before a mark.
fn place(trace: &Trace, mark: &MicroOp) -> Option<usize> {
    trace.ops.iter().position(|op| op == mark)
}

impl Life<'_> {
    /// The life up to its end, a line for each step and each call.
    ///
    /// # Errors
    /// [`BadChoice`] if the crash does not fit the trace.
    pub fn tell(&self) -> Result<String, BadChoice> {
        let fared = self.trace.fared(self.crash, self.medium)?;
        let carried = self.trace.carried.len();
        let mut text = String::new();
        if carried > 0 {
            text.push_str("  from the life before\n");
            self.write_calls(&mut text, 0..carried, &fared);
        }
        for (index, step) in self.steps.iter().enumerate() {
            if step.at >= self.crash.at && index > 0 {
                break;
            }
            let next = self.steps.get(index + 1).map_or(usize::MAX, |next| next.at);
            let end = next.min(self.end());
            let marks = self.trace.ops.get(step.at..end.min(self.crash.at)).unwrap_or_default();
            // Writing to a string cannot fail, here and below.
            let _ = writeln!(text, "  {}{}", step.act, Events(marks));
            self.write_calls(&mut text, carried + step.at..carried + end, &fared);
        }
        let _ = writeln!(text, "  {}", self.trace.explain(self.crash));
        Ok(text)
    }

    /// How many operations of this life there is something to tell of: one more than had happened,
    /// if a kill came inside it.
    fn end(&self) -> usize {
        (self.crash.at + usize::from(self.crash.is_cut())).min(self.trace.ops.len())
    }

    fn write_calls(&self, text: &mut String, range: std::ops::Range<usize>, fared: &[Fared]) {
        let described = self.trace.describe();
        let calls = self.trace.numbered().zip(described).zip(fared);
        for (((number, op), described), fared) in calls.skip(range.start).take(range.len()) {
            if !matches!(op, MicroOp::Issue { .. } | MicroOp::Ack { .. } | MicroOp::Shown { .. }) {
                let _ = writeln!(text, "    #{number} {described}: {fared}");
            }
        }
    }
}

/// Which events were issued and acknowledged, of those among some operations.
struct Events<'a>(&'a [MicroOp]);

impl fmt::Display for Events<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for op in self.0 {
            match op {
                MicroOp::Issue { event } => write!(f, ": event {event}")?,
                MicroOp::Ack { .. } => f.write_str(", acknowledged")?,
                MicroOp::Shown { .. } => f.write_str(": shown")?,
                _ => {}
            }
        }
        Ok(())
    }
}

impl fmt::Display for Act {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open => f.write_str("open"),
            Self::OpenAgain => f.write_str("open again"),
            Self::Commit => f.write_str("commit"),
            Self::Ask(op) => f.write_str(&words(op)),
            Self::AskAll(ops) => f.write_str(&ops.iter().map(words).collect::<Vec<_>>().join("; ")),
            Self::Close => f.write_str("close"),
        }
    }
}

/// An operation as one reads it out: `put c0 00…01 entity size 40 tag 7`.
fn words(op: &Op) -> String {
    let Ok(Value::Object(mut fields)) = serde_json::to_value(op) else { return op.to_string() };
    let name = fields.remove("op").and_then(|name| Some(name.as_str()?.replace('_', " ")));
    name.into_iter()
        .chain(fields.iter().map(|(key, value)| field(key, value)))
        .collect::<Vec<_>>()
        .join(" ")
}

fn field(key: &str, value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => {
            items.iter().map(|item| field("", item)).collect::<Vec<_>>().join(" ")
        }
        Value::Object(fields) => {
            let fields: Vec<_> = fields.iter().map(|(key, value)| field(key, value)).collect();
            format!("{key} {}", fields.join(" "))
        }
        scalar => format!("{key} {scalar}"),
    }
}
