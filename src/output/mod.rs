//! What goes to standard output and standard error, and what the program says at its end.
//!
//! | file | makes |
//! |---|---|
//! | `ndjson` | lines for programs, a contract with scripts |
//! | `sentences` | lines for people on a terminal |
//! | `lines` | writes lines, also for readers that are slow or gone |
//! | `markdown` | pages of the manual as text |
//! | `columns`, `times` | sizes, spans, names that fit a column, times of day |
//! | `words` | what is said on standard error, and questions |
//! | `device_table` | the devices of a group for people, a line each |
//! | `round_trips` | what a series of probes comes to |
//! | `qr` | a QR code, as cells or as a picture |
//! | `advice` | what a person can do about a close or a refusal |
//! | `port_file` | where a command says at which port it listens |
//! | `outcome` | how the program ends: words and exit code |

pub mod advice;
pub mod columns;
pub mod device_table;
pub mod lines;
pub mod markdown;
pub mod ndjson;
pub mod outcome;
pub mod port_file;
pub mod qr;
pub mod round_trips;
pub mod sentences;
pub mod times;
pub mod words;

pub use lines::LineSink;
pub use outcome::{Failure, Outcome};
pub use sentences::Form;
