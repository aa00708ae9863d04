//! Ports, hold, silence, reports, early media.
