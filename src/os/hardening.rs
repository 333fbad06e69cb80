//! What keeps keys out of files that nobody asked for.

use std::sync::OnceLock;

use rustix::fs::Mode;
use rustix::process::umask;

const PRIVATE: Mode = Mode::RWXG.union(Mode::RWXO);

/// What the user has.
static INHERITED: OnceLock<Mode> = OnceLock::new();

/// Makes every file that this process creates private to its owner.
pub fn create_files_privately() {
    let inherited = umask(PRIVATE);
    let _ = INHERITED.set(inherited);
}

/// Starts another program, whose files are as private as the user wants them.
pub fn as_the_user_has_it<T>(start: impl FnOnce() -> T) -> T {
    let Some(inherited) = INHERITED.get() else { return start() };
    umask(*inherited);
    let started = start();
    umask(PRIVATE);
    started
}

/// Keeps the memory of this process out of core dumps and, on Linux, out of the reach of debuggers that are not root.
///
/// Best effort: a system that refuses this still runs the program.
pub fn deny_core_dumps() {
    use rustix::process::{Resource, Rlimit, setrlimit};
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
    // The limit alone does not hold: the kernel hands dumps to a program of the system whatever the limit says.
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
}
