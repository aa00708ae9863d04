//! Restored from records at any step.
