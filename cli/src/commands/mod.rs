//! One file for each command.

mod audit;
mod explain;
mod migrate;
mod outbox;
mod status;
mod verify;

pub(crate) use audit::audit;
pub(crate) use explain::explain;
pub(crate) use migrate::migrate;
pub(crate) use outbox::{drain, outbox_status};
pub(crate) use status::status;
pub(crate) use verify::verify;
