//! The questions that can be asked of a table without its struct.

mod audit;
mod explain;
mod fields;
mod report;
mod rows;
mod value;

#[cfg(any(fuzzing, test))]
pub(crate) use fields::has_fields;
pub use report::{RowKeys, TableAudit};
