//! A model of the protocol that keeps cache and database agreed, explored state
//! by state.

mod check;
mod configuration;
mod database;
mod delivery;
mod drainer;
mod holding;
mod mutations;
mod properties;
mod protocol;
mod reader;
mod server;
mod state;
mod writer;
