//! The locks, flags and threads the engine uses, in one place so that a schedule checker can take
//! theirs.

#[cfg(not(shuttle))]
mod newest;
#[cfg(shuttle)]
mod scheduled;

#[cfg(not(shuttle))]
pub(crate) use newest::Newest;
#[cfg(not(shuttle))]
pub(crate) use parking_lot::{Condvar, Mutex, MutexGuard, RwLock};
#[cfg(not(shuttle))]
pub(crate) use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
#[cfg(not(shuttle))]
pub(crate) use std::thread;

#[cfg(shuttle)]
pub(crate) use scheduled::{Condvar, Mutex, MutexGuard, Newest, RwLock};
#[cfg(shuttle)]
pub(crate) use shuttle::sync::atomic::{AtomicBool, AtomicU64, Ordering};
#[cfg(shuttle)]
pub(crate) use shuttle::thread;
