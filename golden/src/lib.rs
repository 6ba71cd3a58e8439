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
//! examples, from `EntiDB`'s files, and from [`Naive`], a second codec. That codec is all that
//! remains without the feature `vectors`, which is on by default: fuzz targets build this much.

#[cfg(feature = "vectors")]
mod check;
mod codec;
#[cfg(feature = "vectors")]
mod embedded;
#[cfg(feature = "vectors")]
pub mod entidb;
#[cfg(feature = "vectors")]
mod error;
#[cfg(feature = "vectors")]
pub mod families;
#[cfg(feature = "vectors")]
mod file;
#[cfg(feature = "vectors")]
mod generate;
#[cfg(feature = "vectors")]
mod layout;
#[cfg(feature = "vectors")]
mod layouts;
mod naive;
#[cfg(feature = "vectors")]
mod notation;
#[cfg(feature = "vectors")]
mod publish;
#[cfg(feature = "vectors")]
mod reader;
#[cfg(feature = "vectors")]
mod readers;
#[cfg(feature = "vectors")]
mod sample;
#[cfg(feature = "vectors")]
mod script;
#[cfg(feature = "vectors")]
mod vectors;

#[cfg(feature = "vectors")]
pub use check::{Failure, Report, RuleCount, check, check_families, check_layouts};
pub use codec::{Codec, EngineCodec};
#[cfg(feature = "vectors")]
pub use embedded::{embedded, embedded_files};
#[cfg(feature = "vectors")]
pub use error::VectorsError;
#[cfg(feature = "vectors")]
pub use generate::generate;
#[cfg(feature = "vectors")]
pub use layouts::{EngineLayouts, Layouts};
pub use naive::Naive;
#[cfg(feature = "vectors")]
pub use publish::{PublishError, Published, publish, untold};
#[cfg(feature = "vectors")]
pub use reader::{EngineReader, Reader};
#[cfg(feature = "vectors")]
pub use readers::Language;
#[cfg(feature = "vectors")]
pub use sample::sample;
#[cfg(feature = "vectors")]
pub use script::{Script, Step};
#[cfg(feature = "vectors")]
pub use vectors::{CborVector, EntidbVector, Material, Vector, Vectors, sha256};
