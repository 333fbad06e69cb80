//! Faults on purpose, in debug builds only: a panic must give the terminal back, and only a panic can prove it.

/// Panics if `D2MTOP_PANIC_IN` names this thread.
#[cfg(debug_assertions)]
#[allow(clippy::panic, reason = "the test of what a panic does needs one")]
pub(super) fn point() {
    if let (Ok(wanted), Some(name)) = (std::env::var("D2MTOP_PANIC_IN"), std::thread::current().name())
        && wanted == name
    {
        panic!("a fault on purpose in the thread {name}");
    }
}

/// Nothing, in release builds.
#[cfg(not(debug_assertions))]
pub(super) const fn point() {}
