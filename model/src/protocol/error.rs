//! Why a line is not one of the protocol.

use serde::Deserialize;

/// What is wrong with a line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LineError {
    /// Not a JSON object with the fields and types of the protocol.
    #[error("{what} (column {column})")]
    Malformed {
        /// What is wrong.
        what: String,
        /// The byte of the line at which it shows, counted from 1; 0 if it concerns all of it.
        column: usize,
    },
    /// A field that this kind of line must have is not there.
    #[error("\"{kind}\" needs a field \"{field}\"")]
    Lacks {
        /// The value of `op` or `outcome`, or the field that tells it.
        kind: &'static str,
        /// The field that is not there.
        field: &'static str,
    },
    /// A field that other kinds of answers have.
    #[error("\"{kind}\" has a field that belongs to another kind of answer")]
    Misplaced {
        /// The value of `outcome`.
        kind: &'static str,
    },
}

/// Reads one JSON object; a line feed at its end is blank space to JSON. The parser skips what a
/// field of a later version holds without a look at its characters, so they are looked at here.
pub(super) fn parse_json<'de, T: Deserialize<'de>>(line: &'de [u8]) -> Result<T, LineError> {
    let text = std::str::from_utf8(line).map_err(|error| LineError::Malformed {
        what: "not UTF-8".to_owned(),
        column: error.valid_up_to() + 1,
    })?;
    serde_json::from_str(text).map_err(|error| {
        let text = error.to_string();
        let what = text.split(" at line ").next().unwrap_or_default().to_owned();
        LineError::Malformed { what, column: error.column() }
    })
}

/// The field, or that it is not there.
pub(super) fn need<T>(
    field: Option<T>,
    kind: &'static str,
    name: &'static str,
) -> Result<T, LineError> {
    field.ok_or(LineError::Lacks { kind, field: name })
}
