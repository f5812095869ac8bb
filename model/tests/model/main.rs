//! A model of the protocol that keeps cache and database agreed, explored state
//! by state: everything that can happen, in every order.
//!
//! - `cargo test --test model`: the small configurations, and every mistake that
//!   the model must find. `-- --nocapture` prints the states and the lengths of
//!   the counterexamples; with MODEL_PATHS=1, their steps too.
//! - `cargo test --release --test model -- --ignored --nocapture --test-threads 1`:
//!   the large configurations, minutes and gigabytes each.
//!
//! What is in it: a database with revisions, row locks, transactions and an
//! outbox (`database`); a cache server with leases, fences, CAS tokens,
//! eviction, restart and hold-off (`server`); commands that are lost, or whose
//! replies are lost, or that come late (`delivery`); writers, whose COMMIT may
//! fail or have an unknown outcome, and whose transactions the database may end
//! (`writer`); readers in one process or two (`reader`); a drainer (`drainer`);
//! and, by themselves, the lookup by a unique index without any fences
//! (`unique_index`), and what needs them: "no row has this value", and the lists
//! of other indexes (`index_entries`). What is left out of each, and why nothing
//! is lost by it, is said there.
//!
//! What must hold is in `properties`; which configuration promises what, in
//! `configuration`. `holding` has configurations in which it does, `mutations`
//! mistakes that break it, each beside the same configuration without it.

mod check;
mod configuration;
mod database;
mod delivery;
mod drainer;
mod holding;
mod index_entries;
mod mutations;
mod properties;
mod protocol;
mod reader;
mod server;
mod state;
mod unique_index;
mod writer;
