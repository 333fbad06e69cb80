//! What was reflected.

mod columns;
mod highlight;
mod row;
mod title;

pub use row::{draw, rows_in};
pub use title::title;
