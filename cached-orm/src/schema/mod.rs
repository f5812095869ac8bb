//! The schema as the catalog tells it: what writes must know of a table, and whether
//! it is as a struct takes it to be.
#![cfg_attr(
    not(all(feature = "postgres", feature = "mysql", feature = "sqlite")),
    allow(dead_code, reason = "each database has a part of what is described")
)]

mod column_rules;
mod description;
mod facts;
mod index_rules;
#[cfg(feature = "mysql")]
mod mysql;
mod plain_code;
#[cfg(feature = "postgres")]
mod postgres;
mod reach;
mod remarks;
mod report;
mod rules;
mod shape;
#[cfg(feature = "sqlite")]
mod sqlite;
mod trigger;
mod verify;
mod words;

pub(crate) use description::{Change, Describe, TableDescription, TableKind};
pub(crate) use facts::{Stamp, TableFacts};
pub(crate) use reach::{From, Step, steps};
pub(crate) use report::Refuses;
pub use report::{Finding, SchemaReport, Severity};
pub(crate) use rules::{dangers, findings};
pub use shape::Accepted;
pub(crate) use shape::Shape;
