//! Calls, in virtual time.
