//! cached-orm beside what else could be used, in the same run and with every answer
//! checked. `cargo run --release -p benches -- --help` tells what can be chosen.

#![forbid(unsafe_code)]

mod memcached;
mod plan;
mod processes;
mod results;
mod stage;

fn main() {}
