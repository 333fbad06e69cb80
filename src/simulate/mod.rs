//! The demo: a simulated group whose devices do what real ones do, from a seed.
//!
//! [`cast()`] names the devices; each has a [`Script`], which tells what it does next and after which pause. No clock and
//! no randomness but the seed's is in it, so the same seed tells the same story.

mod cast;
mod hand;
mod line;
mod player;
mod script;
mod stage;
#[cfg(test)]
mod tests;
mod world;

pub use cast::{CastMember, Part, cast};
pub use hand::SimulatedPhone;
pub use line::ScriptLine;
pub use script::{Script, ScriptStep};
pub use stage::{Running, Stage, StageOptions, demo_secret};
