//! Other structs on an entity's table, whose rows lie under keys of their own.

use crate::{Entity, Table};

/// A struct whose primary key has the type `K`.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be fenced by a primary key of type `{K}`",
    note = "`also_fences` names structs on the same table, with the same primary key"
)]
pub trait KeyedBy<K>: Entity {}

#[diagnostic::do_not_recommend]
impl<T: Entity> KeyedBy<T::Key> for T {}

/// The cache name of `Other`, whose rows' keys are fenced along with those of `T`.
#[doc(hidden)]
pub const fn also_fenced<T: Entity, Other: KeyedBy<T::Key>>() -> &'static str {
    assert!(
        is_same_table(T::TABLE, Other::TABLE),
        "`also_fences` names a struct with another table, or other columns of the primary key",
    );
    assert!(
        !is_same(T::CACHE_NAME, Other::CACHE_NAME),
        "`also_fences` names a struct with the same `cache_name`, whose rows are fenced anyway",
    );
    assert!(
        Other::INDEXES.is_empty(),
        "`also_fences` names a struct with indexes; their entries would not be fenced",
    );
    Other::CACHE_NAME
}

const fn is_same_table(left: Table, right: Table) -> bool {
    let (left_keys, right_keys) = (left.key_columns(), right.key_columns());
    let mut same = is_same(left.name(), right.name()) && left_keys.len() == right_keys.len();
    let mut i = 0;
    while same && i < left_keys.len() {
        same = is_same(left_keys[i], right_keys[i]);
        i += 1;
    }
    same
}

const fn is_same(left: &str, right: &str) -> bool {
    let (left, right) = (left.as_bytes(), right.as_bytes());
    let mut same = left.len() == right.len();
    let mut i = 0;
    while same && i < left.len() {
        same = left[i] == right[i];
        i += 1;
    }
    same
}
