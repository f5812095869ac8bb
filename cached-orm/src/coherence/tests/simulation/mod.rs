//! The protocol's own code under a scheduler that is driven by a seed.

mod blindness;
mod client;
mod config;
mod database;
mod history;
mod process;
mod reference;
mod scheduler;
mod store;
mod tests;
mod transaction;
mod world;
