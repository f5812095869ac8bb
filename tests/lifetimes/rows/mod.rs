//! The tables of these tests, and the structs that mirror them.

pub(crate) mod accounts;
pub(crate) mod notes;
