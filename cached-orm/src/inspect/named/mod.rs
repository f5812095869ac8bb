//! The questions that can be asked of a table without its struct.

mod audit;
mod explain;
mod fields;
mod report;
mod rows;

pub use report::{RowKeys, TableAudit};
