//! Databases: dialects, arguments, rows, and the statements run on them.

mod backend;
mod bindings;
mod column;
mod row;
mod statement;

pub use backend::Backend;
#[cfg(feature = "json")]
pub use backend::JsonBackend;
pub use bindings::{BindKey, Bindings};
pub use column::Column;
pub use row::{Row, Storable};
pub(crate) use statement::{execute, fetch_at_most, fetch_rows};
