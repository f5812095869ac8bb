//! What the harness and the peers that run as processes of their own share: the
//! rows, the loop that measures, and the lines they talk in.

#![forbid(unsafe_code)]

pub mod contestant;
pub mod drive;
pub mod item;
pub mod mix;
pub mod near_item;
pub mod remote;

/// What goes wrong ends the run: a figure without a right answer is worth nothing.
pub type Result<T, E = Box<dyn std::error::Error + Send + Sync>> = std::result::Result<T, E>;
