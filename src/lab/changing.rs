//! A part of the world that operations change while the lab runs.

use std::sync::{Arc, Mutex, PoisonError};

/// Whoever looks gets it as it is at that moment, and keeps what they saw.
pub(super) struct Changing<T>(Mutex<Arc<T>>);

impl<T: Clone> Changing<T> {
    pub(super) fn new(value: T) -> Self {
        Changing(Mutex::new(Arc::new(value)))
    }

    /// As it is now.
    pub(super) fn now(&self) -> Arc<T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Changes it, for everybody who looks from now on.
    pub(super) fn change<R>(&self, change: impl FnOnce(&mut T) -> R) -> R {
        change(Arc::make_mut(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner)))
    }
}
