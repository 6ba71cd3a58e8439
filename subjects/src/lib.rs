//! Engines under test: the reference engine in process, and deliberately flawed ones.
//!
//! A subject is written once, over the engine's storage seam ([`OnStorage`]); [`Placed`] opens it on
//! a simulated disk, on real files and in memory alike.

pub mod command;
pub mod flawed;
pub mod kill;
pub mod place;
pub mod reference;
pub mod sim;
pub mod tiny;
pub mod watched;

pub use command::{CommandLine, CommandSubject, DriverError, check_command};
pub use kill::{KillPoint, KillStorage};
pub use place::{OnStorage, Placed};
pub use reference::Reference;
pub use sim::SimStorage;
pub use watched::Watched;
