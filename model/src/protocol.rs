//! The line protocol, version 0: how an engine in another process is asked, in any language.
//!
//! Requests and answers are JSON objects, one to a line; `docs/protocol.md` specifies them. Each
//! [`Request`] carries a running number, its [`Answer`] repeats it, answers come in the order of
//! the requests. An answer may be written only after the engine has returned: whoever reads it
//! takes it for the acknowledgement.
//!
//! The harness [encodes](Request::encode) requests and [parses](Answer::parse) answers. A driver
//! written in Rust calls [`serve()`] and does neither.

mod answer;
mod error;
mod hello;
mod hex_bytes;
mod request;
mod serve;

pub use answer::{Answer, Reply};
pub use error::LineError;
pub use hello::{EventPromises, Hello, Keeps};
pub use request::{Ask, Request};
pub use serve::{ServeError, serve};

/// The version that this crate speaks, and the newest that it understands.
pub const VERSION: u32 = 0;

/// The longest line, in bytes with its line feed. What is longer is refused unread, so that a
/// driver that never ends a line cannot take all memory.
pub const MAX_LINE: usize = 64 << 20;

#[cfg(test)]
mod tests;
