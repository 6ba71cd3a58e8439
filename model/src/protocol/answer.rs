//! Answers: what a driver writes and the harness reads.

use serde::{Deserialize, Deserializer, Serialize};

use super::error::{LineError, need, parse_json};
use super::hello::{Capability, EventPromises, Hello, capabilities, names};
use super::hex_bytes::Hex;
use crate::op::Id;
use crate::outcome::{ErrorClass, Outcome};

/// One line from a driver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The number of the request that it answers.
    pub n: u64,
    /// What it answers.
    pub reply: Reply,
    /// The engine's own words on a failure, for people; never compared.
    pub message: Option<String>,
}

/// What a driver can answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// To a hello.
    Hello(Hello),
    /// To everything else: [`Outcome::Done`] or a failure if the request was no operation.
    Outcome(Outcome),
}

impl Reply {
    /// Of which kind it is, as the answer's `outcome` says it.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Hello(_) => Kind::Hello.name(),
            Self::Outcome(outcome) => Kind::of(outcome).name(),
        }
    }
}

impl Answer {
    /// An answer without a message.
    pub const fn new(n: u64, reply: Reply) -> Self {
        Self { n, reply, message: None }
    }

    /// Appends the answer to `out` as a line, with its line feed.
    pub fn encode(self, out: &mut Vec<u8>) {
        // Writing numbers, text and lists of them to memory cannot fail.
        let _ = serde_json::to_writer(&mut *out, &Fields::new(self));
        out.push(b'\n');
    }

    /// Reads a line, with or without its line feed. Fields that the protocol does not have are
    /// refused: they are misspelt.
    ///
    /// # Errors
    /// [`LineError`] if it is no answer of this version.
    pub fn parse(line: &[u8]) -> Result<Self, LineError> {
        let mut fields: Fields = parse_json(line)?;
        let n = need(fields.n.take(), "answer", "n")?;
        let kind = need(fields.outcome.take(), "answer", "outcome")?;
        let reply = fields.take_reply(kind)?;
        let message = fields.message.take();
        // Whatever was not taken is not of this kind.
        if fields != Fields::default() {
            return Err(LineError::Misplaced { kind: kind.name() });
        }
        Ok(Self { n, reply, message })
    }
}

/// The value of `outcome`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Hello,
    Done,
    Existed,
    Committed,
    Inserted,
    Value,
    Values,
    Entities,
    Failed,
}

impl Kind {
    const fn of(outcome: &Outcome) -> Self {
        match outcome {
            Outcome::Done => Self::Done,
            Outcome::Existed(_) => Self::Existed,
            Outcome::Committed { .. } => Self::Committed,
            Outcome::Inserted { .. } => Self::Inserted,
            Outcome::Value(_) => Self::Value,
            Outcome::Values(_) => Self::Values,
            Outcome::Entities(_) => Self::Entities,
            Outcome::Failed(_) => Self::Failed,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Hello => "hello",
            Self::Done => "done",
            Self::Existed => "existed",
            Self::Committed => "committed",
            Self::Inserted => "inserted",
            Self::Value => "value",
            Self::Values => "values",
            Self::Entities => "entities",
            Self::Failed => "failed",
        }
    }
}

/// Every field that an answer can have.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Fields {
    n: Option<u64>,
    outcome: Option<Kind>,
    #[serde(skip_serializing_if = "Option::is_none")]
    protocol: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    capabilities: Option<Vec<Capability>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    promises: Option<EventPromises>,
    #[serde(skip_serializing_if = "Option::is_none")]
    existed: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<Id>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sequence: Option<u64>,
    /// `null` says that there is no entity; no field at all says nothing.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    value: Option<Nullable>,
    #[serde(skip_serializing_if = "Option::is_none")]
    values: Option<Vec<Option<Hex>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    entities: Option<Vec<(Id, Hex)>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    class: Option<ErrorClass>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
}

/// A field that may be `null`, as against one that is not there.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
struct Nullable(Option<Hex>);

fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Nullable>, D::Error> {
    Nullable::deserialize(deserializer).map(Some)
}

impl Fields {
    fn new(answer: Answer) -> Self {
        let (kind, fields) = match answer.reply {
            Reply::Hello(hello) => {
                let fields = Self {
                    protocol: Some(hello.protocol),
                    name: Some(hello.name),
                    capabilities: Some(names(hello.capabilities)),
                    promises: Some(hello.promises),
                    ..Self::default()
                };
                (Kind::Hello, fields)
            }
            Reply::Outcome(outcome) => (Kind::of(&outcome), Self::from_outcome(outcome)),
        };
        Self { n: Some(answer.n), outcome: Some(kind), message: answer.message, ..fields }
    }

    fn from_outcome(outcome: Outcome) -> Self {
        let none = Self::default();
        match outcome {
            Outcome::Done => none,
            Outcome::Existed(existed) => Self { existed: Some(existed), ..none },
            Outcome::Committed { sequence } => Self { sequence, ..none },
            Outcome::Inserted { id, sequence } => Self { id: Some(id), sequence, ..none },
            Outcome::Value(value) => Self { value: Some(Nullable(value.map(Hex))), ..none },
            Outcome::Values(values) => {
                let values = values.into_iter().map(|value| value.map(Hex)).collect();
                Self { values: Some(values), ..none }
            }
            Outcome::Entities(entities) => {
                let entities = entities.into_iter().map(|(id, bytes)| (id, Hex(bytes))).collect();
                Self { entities: Some(entities), ..none }
            }
            Outcome::Failed(class) => Self { class: Some(class), ..none },
        }
    }

    /// Takes out what belongs to this kind.
    fn take_reply(&mut self, kind: Kind) -> Result<Reply, LineError> {
        let name = kind.name();
        Ok(Reply::Outcome(match kind {
            Kind::Hello => return self.take_hello(name).map(Reply::Hello),
            Kind::Done => Outcome::Done,
            Kind::Existed => Outcome::Existed(need(self.existed.take(), name, "existed")?),
            Kind::Committed => Outcome::Committed { sequence: self.sequence.take() },
            Kind::Inserted => Outcome::Inserted {
                id: need(self.id.take(), name, "id")?,
                sequence: self.sequence.take(),
            },
            Kind::Value => {
                let Nullable(value) = need(self.value.take(), name, "value")?;
                Outcome::Value(value.map(|Hex(bytes)| bytes))
            }
            Kind::Values => {
                let values = need(self.values.take(), name, "values")?;
                let bytes = values.into_iter().map(|value| value.map(|Hex(bytes)| bytes));
                Outcome::Values(bytes.collect())
            }
            Kind::Entities => {
                let entities = need(self.entities.take(), name, "entities")?;
                Outcome::Entities(entities.into_iter().map(|(id, Hex(b))| (id, b)).collect())
            }
            Kind::Failed => Outcome::Failed(need(self.class.take(), name, "class")?),
        }))
    }

    fn take_hello(&mut self, name: &'static str) -> Result<Hello, LineError> {
        Ok(Hello {
            protocol: need(self.protocol.take(), name, "protocol")?,
            name: need(self.name.take(), name, "name")?,
            capabilities: capabilities(&need(self.capabilities.take(), name, "capabilities")?),
            promises: need(self.promises.take(), name, "promises")?,
        })
    }
}
