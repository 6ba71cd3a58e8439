//! The locks the engine uses, in one place so that a schedule checker can take their place.

pub(crate) use parking_lot::{Condvar, Mutex, MutexGuard, RwLock};
