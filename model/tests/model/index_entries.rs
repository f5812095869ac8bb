//! What lies under one value of an index: for a unique index which row has it,
//! or that none has; for any other index the list of rows that have it.
//!
//! The main model shows what holds for a row's key, whose writers hold the row's
//! lock. Here writers change which rows have the value, and:
//!
//! - For a unique value they are in order too: the database's unique index lets
//!   nobody take a value while another transaction has taken it or is leaving
//!   it. So one who takes it fences its entry as it would a row's
//!   ([`Fences::Own`](configuration::Fences::Own)). One who leaves it does not:
//!   the entry then says too much, and whoever follows it checks the row.
//! - Writers of different rows with one value have no lock in common. They hold
//!   one fence together, which has a token of each
//!   ([`Fences::Shared`](configuration::Fences::Shared)).
//!
//! What is left out, and why nothing is lost:
//!
//! - There is one value. A row that moves elsewhere leaves it; the entry of
//!   where it goes is another of this kind.
//! - To read or to load a row is one step, which the main model shows (see
//!   `CURRENT` there).
//! - A reader that finds a fence, or another's lease, asks the database and
//!   stores nothing: what it returns was true then.
//! - A version of the item that somebody remembers matters only as far as it is
//!   the present one. So it is a flag, which every change of the item takes away.
//! - Time is as in the main model: see `server`.

mod configuration;
mod database;
mod holding;
mod lookups;
mod mutations;
mod reader;
mod server;
mod state;
mod writer;
