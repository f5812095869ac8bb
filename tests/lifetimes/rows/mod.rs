//! The tables of these tests, and the structs that mirror them.

pub(crate) mod accounts;
pub(crate) mod labels;
pub(crate) mod members;
pub(crate) mod notes;
pub(crate) mod tasks;
