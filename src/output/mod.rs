//! What goes to standard output and standard error, and what the program says at its end.
//!
//! | file | makes |
//! |---|---|
//! | `ndjson` | lines for programs, a contract with scripts |
//! | `sentences` | lines for people on a terminal |
//! | `lines` | writes lines, also for readers that are slow or gone |
//! | `markdown` | pages of the manual as text |
//! | `columns`, `text_width` | the columns of a line, text that is cut or filled up to fit |
//! | `figures`, `times`, `clock` | spans, sizes, counts; times of day; until when a text about now stays true |
//! | `standing` | where a session stands, in a word |
//! | `filter_help` | what a filter can say |
//! | `export` | rows of the feed as a file |
//! | `device_order` | in which order devices are listed |
//! | `words` | what is said on standard error, and questions |
//! | `device_table` | the devices of a group for people, a line each |
//! | `round_trips` | what a series of probes comes to |
//! | `qr` | a QR code, as cells or as a picture |
//! | `advice`, `connecting` | what a person can do about a close, a refusal, or a connection that cannot be made |
//! | `port_file` | where a command says at which port it listens |
//! | `outcome` | how the program ends: words and exit code |

pub mod advice;
pub mod clock;
pub mod columns;
pub mod connecting;
pub mod device_order;
pub mod device_table;
pub mod export;
pub mod figures;
pub mod filter_help;
pub mod history_rows;
pub mod lines;
pub mod markdown;
pub mod mediator_log;
pub mod ndjson;
pub mod outcome;
pub mod port_file;
pub mod qr;
pub mod round_trips;
pub mod sentences;
pub mod standing;
pub mod text_width;
pub mod times;
pub mod words;

pub use lines::LineSink;
pub use outcome::{Failure, Outcome};
pub use sentences::Form;
