//! placeholder
pub mod codec;
mod ids;
pub mod storage;
mod sync;
pub use ids::{CollectionId, EntityId, IdSource};
