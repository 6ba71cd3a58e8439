//! Golden vectors: checked-in bytes that define what canonical CBOR and the on-disk layouts are,
//! independent of any implementation.
//!
//! `vectors/README.md` is the format; `vectors/` is data only, so that checkers in other languages
//! need nothing of this crate. Here the vectors are made ([`generate()`]), loaded ([`embedded()`],
//! [`Vectors::load`]) and held against a codec ([`check()`]):
//!
//! ```
//! let vectors = proofhouse_golden::embedded()?;
//! let report = proofhouse_golden::check(&vectors, &proofhouse_golden::EngineCodec);
//! assert!(report.passed(), "{:?}", report.failures);
//! # Ok::<(), proofhouse_golden::VectorsError>(())
//! ```
//!
//! The bytes are not written by the codec they are to check: they come from the standard's own
//! examples, from `EntiDB`'s files, and from [`Naive`], a second codec.

mod check;
mod codec;
mod embedded;
pub mod entidb;
mod error;
pub mod families;
mod file;
mod generate;
mod layout;
mod layouts;
mod naive;
mod notation;
mod publish;
mod reader;
mod readers;
mod sample;
mod script;
mod vectors;

pub use check::{Failure, Report, RuleCount, check, check_families, check_layouts};
pub use codec::{Codec, EngineCodec};
pub use embedded::{embedded, embedded_files};
pub use error::VectorsError;
pub use generate::generate;
pub use layouts::{EngineLayouts, Layouts};
pub use naive::Naive;
pub use publish::{PublishError, Published, publish, untold};
pub use reader::{EngineReader, Reader};
pub use readers::Language;
pub use sample::sample;
pub use script::{Script, Step};
pub use vectors::{CborVector, EntidbVector, Material, Vector, Vectors, sha256};
