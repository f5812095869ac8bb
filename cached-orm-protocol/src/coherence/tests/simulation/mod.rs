//! The protocol's own code, under a scheduler that a seed drives.
//!
//! One seed is one run: processes with a few clients each read and write a few
//! rows through [`Coherence`](crate::coherence::Coherence), over a cache store
//! and a database whose every step is put in order by the seed, and which fail
//! as it says. The history of what was committed, acknowledged and read is
//! checked as it is made ([`history`]), and while no fence may be lost it is
//! checked at every step that the cache has no row but the committed one. In the
//! end the faults cease, and cache and database must agree.
//!
//! # Running it
//!
//! ```text
//! cargo test -p cached-orm-protocol --lib simulation
//! SIMULATION_SEEDS=100000 …      so many seeds of each configuration
//! SIMULATION_SEED=7 …            one seed; of one configuration if its test is named
//! ```
//!
//! A seed that fails is printed with all that happened, and replays. Compile
//! with `--release` for large numbers.
//!
//! # Why a scheduler of its own
//!
//! The protocol runs on tokio: it spawns tasks, sleeps, and waits on tokio's
//! channels. `shuttle` and `madsim` would need all of that replaced by their own
//! types, in the code under test or by a patched tokio; `turmoil` simulates
//! networks, and there is none between the protocol and its store. On a runtime
//! of one thread with paused time tokio is deterministic by itself, as long as
//! nothing asks it for random numbers, and the protocol does not. So what is left to
//! decide is the order in which commands, statements and answers take place. (One
//! exception, `watch`, is dealt with in [`in_turns`].)
//! These are exactly the places where the protocol touches a store or a
//! database, and there each task waits for its turn ([`scheduler`]). Between two
//! turns a task runs undisturbed, so an interleaving of threads inside one
//! process is not explored here.
//!
//! # What can happen
//!
//! A command is a message that goes its own way once it is sent: it is carried
//! out or not, at once or much later, and its caller gets the answer or an error
//! ([`store`]). So is a COMMIT ([`transaction`]). Processes die and leave their
//! messages, fences and locks behind; callers go away; the cache cannot be reached
//! for a while, evicts, or is restarted ([`world`]). Restarts need a store that
//! has incarnations, which the embedded store has not; [`reference`] passes the
//! conformance test of memcached.
//!
//! That all this would be noticed is shown in [`blindness`].

mod blindness;
mod client;
mod config;
mod database;
mod history;
mod in_turns;
mod process;
mod reference;
mod scheduler;
mod store;
mod tests;
mod transaction;
mod world;
