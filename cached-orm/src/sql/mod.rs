//! Databases: dialects, arguments, rows, and the statements run on them.

mod backend;
mod bindings;
mod catalog;
mod column;
mod column_check;
pub(crate) mod compose;
#[cfg(feature = "json")]
mod document;
mod encoded;
pub(crate) mod fit;
mod isolation;
#[cfg(feature = "json")]
mod json;
pub(crate) mod key_list;
mod outbox_table;
mod row;
mod statement;

pub use backend::Backend;
#[cfg(feature = "json")]
pub use backend::JsonBackend;
pub(crate) use backend::{CommitOutcome, KeyNumbers, LockedRow, STAMP, Witness};
pub(crate) use backend::{names_one_table, split_table};
pub use bindings::{BindKey, Bindings, Version};
pub(crate) use catalog::{Catalog, ColumnFound, Equals, TableFound};
pub use column::Column;
pub(crate) use column::Role;
pub use column_check::ColumnCheck;
pub(crate) use encoded::{differing, differing_from_loaded, has_json};
pub use isolation::Isolation;
pub(crate) use key_list::{among, among_bound, in_order_of, keys_at_once, select_among, text};
pub use outbox_table::OutboxTable;
#[cfg(feature = "mysql")]
pub(crate) use outbox_table::{NEXT_ONE_ON_MYSQL, ONE_AT_A_TIME_ON_MYSQL};
#[cfg(feature = "postgres")]
pub(crate) use outbox_table::{ONE_AT_A_TIME_ON_POSTGRES, begin_alone};
pub(crate) use row::{Kept, Loaded};
pub use row::{Row, Storable};
pub(crate) use statement::{execute, fetch_at_most, fetch_raw, fetch_rows};
