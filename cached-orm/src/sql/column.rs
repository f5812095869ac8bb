use crate::{Entity, Index, IndexPart, IndexValue};
use std::{fmt, marker::PhantomData};

/// One column of an entity, for `fetch_by_field` and its kin.
///
/// The derive writes a constant of this type for each field: `UserColumns::EMAIL`.
///
/// ```
/// # mod user { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/user.rs")); } use user::*;
/// assert_eq!(UserColumns::EMAIL.name(), "email");
/// ```
pub struct Column<E, V> {
    name: &'static str,
    role: Role,
    /// A value's text, if the column is indexed by itself.
    index_value: Option<fn(&V) -> IndexValue>,
    /// Whether a value is `None`, which JSON would write as `null`.
    is_absent: Option<fn(&V) -> bool>,
    types: PhantomData<fn(V) -> E>,
}

/// What a column is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// The only column of the primary key.
    PrimaryKey,
    /// One of several columns of the primary key.
    KeyPart,
    Written,
    /// Generated or read-only.
    ReadBack,
    Version,
}

impl<E, V> Column<E, V> {
    /// One that is written.
    #[doc(hidden)]
    pub const fn new(name: &'static str) -> Self {
        Self::of(name, Role::Written)
    }

    #[doc(hidden)]
    pub const fn primary_key(name: &'static str) -> Self {
        Self::of(name, Role::PrimaryKey)
    }

    #[doc(hidden)]
    pub const fn key_part(name: &'static str) -> Self {
        Self::of(name, Role::KeyPart)
    }

    #[doc(hidden)]
    pub const fn read_back(name: &'static str) -> Self {
        Self::of(name, Role::ReadBack)
    }

    #[doc(hidden)]
    pub const fn version(name: &'static str) -> Self {
        Self::of(name, Role::Version)
    }

    /// The same column, indexed by itself.
    #[doc(hidden)]
    pub const fn indexed(self) -> Self
    where
        V: IndexPart,
    {
        let value: fn(&V) -> IndexValue = |value| IndexValue::new().part(value);
        Self { index_value: Some(value), ..self }
    }

    const fn of(name: &'static str, role: Role) -> Self {
        Self { name, role, index_value: None, is_absent: None, types: PhantomData }
    }

    /// Whether the value is NULL, although its type would write it otherwise.
    pub(crate) fn is_absent(&self, value: &V) -> bool {
        self.is_absent.is_some_and(|is_absent| is_absent(value))
    }

    pub(crate) const fn is_primary_key(&self) -> bool {
        matches!(self.role, Role::PrimaryKey)
    }

    pub(crate) const fn role(&self) -> Role {
        self.role
    }

    /// The column's name in the database.
    pub const fn name(&self) -> &'static str {
        self.name
    }
}

#[cfg(feature = "json")]
impl<E, T: serde::Serialize> Column<E, sqlx::types::Json<T>> {
    /// The same column, of JSON.
    #[doc(hidden)]
    pub const fn json(self) -> Self {
        let is_absent: fn(&sqlx::types::Json<T>) -> bool = |value| super::json::is_none(&value.0);
        Self { is_absent: Some(is_absent), ..self }
    }
}

impl<E: Entity, V> Column<E, V> {
    /// The column's own index, if it has one, and the value under it.
    pub(crate) fn index_of(&self, value: &V) -> Option<(&'static Index<E>, IndexValue)> {
        let value = self.index_value?(value);
        Some((E::INDEXES.iter().find(|index| index.is_over(self.name))?, value))
    }
}

impl<E, V> Clone for Column<E, V> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<E, V> Copy for Column<E, V> {}

impl<E, V> fmt::Debug for Column<E, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Column").field(&self.name).finish()
    }
}
