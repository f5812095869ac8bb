//! Secondary indexes: what an [`Entity`](crate::Entity) says of them, and the
//! text that tells a row's value under one.

use crate::{CacheKey, Entity, KeyKind, KeyPart, PrimaryKey, key, primary_key::write_part};
use std::fmt;

/// An index of an [`Entity`], over one column or several.
///
/// The derive writes it from `#[orm(unique)]` and `#[orm(index)]`. An entry of a
/// unique index says which row has a value, or that none has; an entry of any
/// other says which rows have it.
///
/// ```
/// use cached_orm::{Entity, MemcachedOrm};
/// # use serde::{Deserialize, Serialize};
///
/// #[derive(Serialize, Deserialize, MemcachedOrm)]
/// #[orm(table = "members", database = Postgres, unique(tenant, handle))]
/// struct Member {
///     #[primary_key]
///     id: i64,
///     tenant: i64,
///     handle: Option<String>,
/// }
///
/// let index = &Member::INDEXES[0];
/// assert!(index.is_unique());
/// assert_eq!(index.columns().iter().map(|column| column.name()).collect::<Vec<_>>(), ["tenant", "handle"]);
///
/// let ann = Member { id: 7, tenant: 1, handle: Some("ann".into()) };
/// assert_eq!(index.value_of(&ann).text(), Some("(1)(ann)"));
/// let nameless = Member { handle: None, ..ann };
/// assert_eq!(index.value_of(&nameless).text(), None); // NULL is in no index
/// ```
pub struct Index<E> {
    columns: &'static [IndexColumn],
    is_unique: bool,
    value: fn(&E) -> IndexValue,
}

impl<E> Index<E> {
    /// One in which no two rows have the same value; `value` gives a row's.
    pub const fn unique(columns: &'static [IndexColumn], value: fn(&E) -> IndexValue) -> Self {
        Self { columns, is_unique: true, value }
    }

    /// One in which several rows may have the same value.
    pub const fn list(columns: &'static [IndexColumn], value: fn(&E) -> IndexValue) -> Self {
        Self { columns, is_unique: false, value }
    }

    /// Its columns.
    pub const fn columns(&self) -> &'static [IndexColumn] {
        self.columns
    }

    /// Whether no two rows have the same value.
    pub const fn is_unique(&self) -> bool {
        self.is_unique
    }

    /// The row's value; one with NULL in it is not in the index.
    pub fn value_of(&self, row: &E) -> IndexValue {
        (self.value)(row)
    }

    /// Whether the row's own value is `text`, byte for byte: what the database
    /// finds by a collation is not what was asked for.
    pub(crate) fn has_value(&self, row: &E, text: &str) -> bool {
        self.value_of(row).text() == Some(text)
    }

    /// How the index is called in cache keys.
    pub(crate) fn name(&self) -> String {
        key::index_name(self.columns.iter().map(IndexColumn::name))
    }
}

impl<E: Entity> Index<E> {
    /// Whether the index is over this column alone.
    pub(crate) fn is_over(&self, column: &str) -> bool {
        matches!(self.columns, [only] if only.name == column)
    }

    /// What the bodies of its entries are made of. It is not the struct's own
    /// fingerprint: two structs on one table may share entries.
    pub(crate) const SHAPE: u64 = shape(E::Key::KINDS);

    /// The key of the entry for the value with this text.
    pub(crate) fn cache_key(&self, namespace: &key::Namespace, text: &str) -> CacheKey {
        CacheKey::of_index(namespace, E::CACHE_NAME, &self.name(), text)
    }
}

/// FNV-1a over the kinds of a primary key's parts.
const fn shape(kinds: &[KeyKind]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut i = 0;
    while i < kinds.len() {
        hash = (hash ^ (kinds[i] as u64 + 1)).wrapping_mul(0x0100_0000_01b3);
        i += 1;
    }
    hash
}

impl<E> fmt::Debug for Index<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Index")
            .field("columns", &self.columns)
            .field("is_unique", &self.is_unique)
            .finish_non_exhaustive()
    }
}

/// A column of an [`Index`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IndexColumn {
    name: &'static str,
    kind: KeyKind,
    is_read_back: bool,
}

impl IndexColumn {
    /// The column with this name, for a field of the type `P`.
    pub const fn of<P: IndexPart>(name: &'static str) -> Self {
        Self { name, kind: P::PART_KIND, is_read_back: false }
    }

    /// The same for a column that the program does not write: any write may change
    /// it.
    #[must_use]
    pub const fn read_back(self) -> Self {
        Self { is_read_back: true, ..self }
    }

    /// Its name in the database.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    pub(crate) const fn is_read_back(&self) -> bool {
        self.is_read_back
    }

    /// What the text of its values is made of.
    pub const fn kind(&self) -> KeyKind {
        self.kind
    }
}

/// The type of an indexed column: a [`KeyPart`], or an `Option` of one.
///
/// ```
/// use cached_orm::IndexPart;
///
/// fn can_be_indexed<T: IndexPart>() {}
/// can_be_indexed::<String>();
/// can_be_indexed::<Option<i64>>();
/// ```
#[diagnostic::on_unimplemented(
    message = "a column of the type `{Self}` cannot be indexed",
    label = "not a type whose values can be told apart by a text",
    note = "use an integer of 8 to 64 bits, `bool`, `String`, `Vec<u8>`, a UUID or a date, an `Option` of one, or implement `cached_orm::KeyPart` for your type",
    note = "floating-point numbers are refused: NaN equals nothing"
)]
pub trait IndexPart {
    /// What the text is made of.
    #[doc(hidden)]
    const PART_KIND: KeyKind;

    /// Appends `(text)`; `None` for NULL, which equals nothing.
    #[doc(hidden)]
    fn write_index_part(&self, text: &mut String) -> Option<()>;
}

// Without this rustc speaks of `KeyPart`, and not of the message above.
#[diagnostic::do_not_recommend]
impl<K: KeyPart> IndexPart for K {
    const PART_KIND: KeyKind = K::KIND;

    fn write_index_part(&self, text: &mut String) -> Option<()> {
        write_part(self, text);
        Some(())
    }
}

#[diagnostic::do_not_recommend]
impl<K: KeyPart> IndexPart for Option<K> {
    const PART_KIND: KeyKind = K::KIND;

    fn write_index_part(&self, text: &mut String) -> Option<()> {
        self.as_ref()?.write_index_part(text)
    }
}

/// A row's value under an [`Index`]: a text that no other value has, or nothing
/// if there is NULL in it.
///
/// ```
/// use cached_orm::IndexValue;
///
/// let value = IndexValue::new().part(&1_i64).part(&"ann".to_owned());
/// assert_eq!(value.text(), Some("(1)(ann)"));
/// assert_eq!(IndexValue::new().part(&None::<String>).text(), None);
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct IndexValue(Option<String>);

impl IndexValue {
    /// A value without parts.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "a value has at least one part")]
    pub const fn new() -> Self {
        Self(Some(String::new()))
    }

    /// Adds the next column's value.
    #[must_use]
    pub fn part(mut self, part: &impl IndexPart) -> Self {
        if self.0.as_mut().is_some_and(|text| part.write_index_part(text).is_none()) {
            self.0 = None;
        }
        self
    }

    /// The text; `None` if there is NULL in the value.
    pub fn text(&self) -> Option<&str> {
        self.0.as_deref()
    }
}

// Not derived: it is the user's data.
impl fmt::Debug for IndexValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IndexValue").field("is_null", &self.0.is_none()).finish_non_exhaustive()
    }
}

/// The text of what is asked for.
pub(crate) fn asked_text(value: &impl PrimaryKey) -> String {
    let mut text = String::new();
    value.write_instance_key(&mut text);
    text
}
