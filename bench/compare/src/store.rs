//! What every store must do to be measured.

use std::error::Error;
use std::path::Path;

/// Whatever a peer says went wrong.
pub type Failure = Box<dyn Error + Send + Sync>;
/// An answer, or a peer's failure.
pub type Result<T> = std::result::Result<T, Failure>;

/// An entity's identity.
pub type Id = [u8; 16];
/// One get within a read transaction: hands the content to the second argument, and answers
/// whether there is any.
pub type Get<'a> = dyn FnMut(&Id, &mut dyn FnMut(&[u8])) -> Result<bool> + 'a;

/// A storage engine, and how it is used here.
pub struct Peer {
    /// Its name in tables.
    pub name: &'static str,
    /// The package that `Cargo.lock` has the version of.
    pub package: &'static str,
    /// Whether a commit is covered by a sync that a power loss cannot undo, by its own account.
    pub durable: bool,
    /// What is not default.
    pub settings: &'static str,
    /// Opens the store in a directory, creating it if it is not there.
    pub open: fn(&Path) -> Result<Box<dyn Store>>,
}

/// An open store with one collection.
pub trait Store: Send + Sync {
    /// What one thread works with.
    ///
    /// # Errors
    /// The peer's.
    fn session(&self) -> Result<Box<dyn Session + '_>>;

    /// Does what its manual offers after much was written: a checkpoint, a compaction.
    ///
    /// # Errors
    /// The peer's.
    fn settle(&mut self) -> Result<()> {
        Ok(())
    }

    /// Closes the store as its manual says.
    ///
    /// # Errors
    /// The peer's.
    fn close(self: Box<Self>) -> Result<()>;
}

/// One thread's access to a store.
pub trait Session {
    /// Writes all of these in one transaction, durable when this returns.
    ///
    /// # Errors
    /// The peer's.
    fn put(&mut self, entries: &[(Id, Vec<u8>)]) -> Result<()>;

    /// One get in a read transaction of its own.
    ///
    /// # Errors
    /// The peer's.
    fn get(&mut self, id: &Id, seen: &mut dyn FnMut(&[u8])) -> Result<bool>;

    /// Has `work` make any number of gets in one read transaction.
    ///
    /// # Errors
    /// The peer's, and those of `work`.
    fn reading(&mut self, work: &mut dyn FnMut(&mut Get<'_>) -> Result<()>) -> Result<()>;

    /// Hands every entity to `seen`, in the order of identities if the peer has one.
    ///
    /// # Errors
    /// The peer's.
    fn scan(&mut self, seen: &mut dyn FnMut(&[u8], &[u8])) -> Result<()>;
}
