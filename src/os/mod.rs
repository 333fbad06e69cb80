//! What the operating system is asked for, each in one place. Knows no other room. Of these, the library needs the first alone.
//!
//! | file | asks for |
//! |---|---|
//! | `acceptor` | TCP connections, with a pause after the system has none to give |
//! | `clock` | the wall clock, and the clock that is never set |
//! | `database` | what databases of ours have in common |
//! | `event_loop` | a single-threaded event loop |
//! | `hangup` | the end of the terminal |
//! | `hardening` | private files and memory that is in no core dump |
//! | `latest_value_writer` | a thread that writes the newest of what it is given |
//! | `lock_file` | a file that one process has at a time |
//! | `logging` | the rolling log file |
//! | `private_files` | files that only their owner reads, written whole or not at all |
//! | `process_group` | child processes with all that they have started |
//! | `signals` | the signals that end or reload the program |
//! | `systemd` | readiness, status and watchdog of a service |
//! | `terminal` | which colours and characters the terminal has |
//! | `time_zone` | the local time zone |
//! | `user_command` | a command of the user's that shares the terminal with us |

pub mod acceptor;
pub mod unix_socket;

#[cfg(feature = "app")]
pub mod clock;
#[cfg(feature = "app")]
pub mod database;
#[cfg(feature = "app")]
pub mod event_loop;
#[cfg(feature = "app")]
pub mod hangup;
#[cfg(feature = "app")]
pub mod hardening;
#[cfg(feature = "app")]
pub mod latest_value_writer;
#[cfg(feature = "app")]
pub mod lock_file;
#[cfg(feature = "app")]
pub mod logging;
#[cfg(feature = "app")]
pub mod private_files;
#[cfg(feature = "app")]
pub mod process_group;
#[cfg(feature = "app")]
pub mod signals;
#[cfg(feature = "app")]
pub mod systemd;
#[cfg(feature = "app")]
pub mod terminal;
#[cfg(feature = "app")]
pub mod time_zone;
#[cfg(feature = "app")]
pub mod user_command;
