//! Scripts as they are run: what is asked of a driver, and what is due.

use proofhouse_model::Outcome;
use proofhouse_model::protocol::{Answer, Ask, Reply, Request};
use serde::Deserialize;
use serde_json::{Value as Json, json};

use crate::file::{Entry, Expect};

#[cfg(test)]
mod tests;

/// The one setting of the family: the version of the protocol.
pub(crate) const SETTING: &str = "protocol-0";

/// What a driver must offer, or promise, that scripts may need.
const NEEDS: [&str; 9] = [
    "transactions",
    "snapshots",
    "checkpoint",
    "compaction",
    "ranges",
    "scrub",
    "insert",
    "canonical_payloads",
    "kill",
];

/// A script.
#[derive(Debug, Clone, PartialEq)]
pub struct Script {
    /// Unique within the family.
    pub id: String,
    /// The rule that it is about.
    pub rule: String,
    /// What a driver must offer to be asked all of it: names of capabilities, and `kill` for the
    /// promise to keep through a kill what was acknowledged.
    pub needs: Vec<String>,
    /// What happens, in this order, after the hello.
    pub steps: Vec<Step>,
}

/// One thing that happens in a script.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// The driver is asked. The directory of an [`Ask::Open`] is for the runner to name.
    Ask {
        /// What.
        ask: Ask,
        /// What it must answer.
        due: Outcome,
    },
    /// The driver's process is killed, and another one started.
    Kill,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Given {
    needs: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Steps {
    steps: Vec<StepFields>,
}

#[derive(Deserialize)]
#[serde(untagged, deny_unknown_fields)]
enum StepFields {
    Ask { ask: Json, due: Json },
    Kill { kill: bool },
}

/// The script that a line of the family's file stands for, or what is wrong with it.
pub(crate) fn script(entry: Entry) -> Result<Script, String> {
    if entry.bytes.is_some() || entry.files.is_some() {
        return Err("a script has no bytes".to_owned());
    }
    let Some((SETTING, Expect::Accept)) =
        entry.expect.first_key_value().map(|(name, due)| (name.as_str(), due))
    else {
        return Err(format!("anything but accepted under {SETTING:?} is unknown"));
    };
    let told = |error: serde_json::Error| error.to_string();
    let given: Given = serde_json::from_value(entry.given.unwrap_or_default()).map_err(told)?;
    if let Some(unknown) = given.needs.iter().find(|need| !NEEDS.contains(&need.as_str())) {
        return Err(format!("unknown need {unknown:?}"));
    }
    let steps: Steps = serde_json::from_value(entry.value.unwrap_or_default()).map_err(told)?;
    let steps = steps.steps.into_iter().map(step).collect::<Result<Vec<_>, _>>()?;
    if steps.is_empty() {
        return Err("no steps".to_owned());
    }
    Ok(Script { id: entry.id, rule: entry.rule, needs: given.needs, steps })
}

fn step(fields: StepFields) -> Result<Step, String> {
    let (mut ask, mut due) = match fields {
        StepFields::Ask { ask, due } => (ask, due),
        StepFields::Kill { kill: true } => return Ok(Step::Kill),
        StepFields::Kill { .. } => return Err("a kill that is none".to_owned()),
    };
    if !(ask.is_object() && due.is_object()) {
        return Err("a step asks an object, and an object is due".to_owned());
    }
    // What belongs to one run only.
    ask["n"] = json!(0);
    due["n"] = json!(0);
    if ask["op"] == "open" {
        ask["dir"] = json!("");
    }
    let ask = Request::parse(ask.to_string().as_bytes()).map_err(|error| error.to_string())?.ask;
    let due = Answer::parse(due.to_string().as_bytes()).map_err(|error| error.to_string())?;
    match (ask, due.reply) {
        (Ask::Hello { .. } | Ask::Bye, _) => Err("hello and bye are the runner's".to_owned()),
        (ask, Reply::Outcome(due)) => Ok(Step::Ask { ask, due }),
        (_, Reply::Hello(_)) => Err("a hello is due".to_owned()),
    }
}
