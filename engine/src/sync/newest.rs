//! The newest of values that are replaced as a whole.

use std::ops::Deref;
use std::sync::Arc;

use arc_swap::ArcSwap;

/// Shows the newest value. Who looks waits for nobody and writes nothing that other threads read,
/// so that any number of threads look as fast as one.
pub(crate) struct Newest<T>(ArcSwap<T>);

impl<T> Newest<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(ArcSwap::from_pointee(value))
    }

    /// The value as of now; it stays while it is looked at.
    pub(crate) fn look(&self) -> impl Deref<Target = Arc<T>> {
        self.0.load()
    }

    /// From now on, this is the value.
    pub(crate) fn replace(&self, value: T) {
        self.0.store(Arc::new(value));
    }
}
