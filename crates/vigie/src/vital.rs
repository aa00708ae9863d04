//! Threads without which the program is no use: their panic is its end.
//!
//! Knows: nothing of what they do. An engine that is gone leaves callers without an answer, a media thread that is gone
//! leaves its calls mute, and nobody would notice. The program ends instead, and its next start takes the calls up again.

/// Lives as long as such a thread; see [`VitalThread::begin`].
pub(crate) struct VitalThread;

impl VitalThread {
    /// Call it first of all in the thread, and keep what it returns to the end.
    pub(crate) fn begin() -> Self {
        Self
    }
}

impl Drop for VitalThread {
    fn drop(&mut self) {
        if std::thread::panicking() {
            std::process::abort();
        }
    }
}
