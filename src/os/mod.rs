//! What the operating system is asked for, each in one place. Knows no other room.
//!
//! | file | asks for |
//! |---|---|
//! | `acceptor` | TCP connections, with a pause after the system has none to give |
//! | `clock` | the wall clock, and the clock that is never set |
//! | `event_loop` | a single-threaded event loop |
//! | `hardening` | private files and memory that is in no core dump |
//! | `lock_file` | a file that one process has at a time |
//! | `logging` | the rolling log file |
//! | `private_files` | files that only their owner reads, written whole or not at all |
//! | `process_group` | child processes with all that they have started |
//! | `signals` | the signals that end or reload the program |
//! | `systemd` | readiness, status and watchdog of a service |

pub mod acceptor;
pub mod clock;
pub mod event_loop;
pub mod hardening;
pub mod lock_file;
pub mod logging;
pub mod private_files;
pub mod process_group;
pub mod signals;
pub mod systemd;
