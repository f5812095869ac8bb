use crate::Entity;
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{IgnoredAny, Visitor},
};
use std::{any::Any, fmt, mem};

/// A column that never lies in the cache, such as a password's hash, in a field
/// with `#[orm(uncached)]`.
///
/// It is *loaded* in a row that comes straight from the database: from
/// [`fetch_uncached`](crate::MemcachedOrm::fetch_uncached), a read in a
/// transaction, or a write. It is *not loaded* in a row from a read on an `Orm`,
/// whether or not the cache had the row; then
/// [`load_uncached`](crate::MemcachedOrm::load_uncached) loads it. An update
/// leaves a column that is not loaded as it is in the database, and an insert
/// refuses it.
///
/// serde writes nothing of the value, and reads it as not loaded; `Debug` does
/// not show it. Two are equal if both are not loaded, or both are and their
/// values are equal.
///
/// ```
/// use cached_orm::Uncached;
///
/// let mut hash = Uncached::new("$argon2id$…".to_owned());
/// assert!(hash.is_loaded());
/// assert_eq!(hash.get().map(String::as_str), Some("$argon2id$…"));
/// assert_eq!(format!("{hash:?}"), "Uncached(loaded)");
/// hash = Uncached::not_loaded();
/// assert_eq!(hash.into_inner(), None);
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Uncached<T>(Option<T>);

impl<T> Uncached<T> {
    /// A value to be written.
    pub const fn new(value: T) -> Self {
        Self(Some(value))
    }

    /// No value: an update leaves the column as it is.
    pub const fn not_loaded() -> Self {
        Self(None)
    }

    /// Whether there is a value.
    pub const fn is_loaded(&self) -> bool {
        self.0.is_some()
    }

    /// The value, if it is loaded.
    pub const fn get(&self) -> Option<&T> {
        self.0.as_ref()
    }

    /// The value, if it is loaded.
    pub fn into_inner(self) -> Option<T> {
        self.0
    }
}

impl<T> From<T> for Uncached<T> {
    fn from(value: T) -> Self {
        Self::new(value)
    }
}

/// Not loaded.
impl<T> Default for Uncached<T> {
    fn default() -> Self {
        Self::not_loaded()
    }
}

// Not derived: the value is a secret.
impl<T> fmt::Debug for Uncached<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_loaded() { "Uncached(loaded)" } else { "Uncached(not loaded)" })
    }
}

impl<T> Serialize for Uncached<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_none()
    }
}

impl<'de, T> Deserialize<'de> for Uncached<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Nothing;

        impl<'de> Visitor<'de> for Nothing {
            type Value = ();

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("anything, which is ignored")
            }

            fn visit_none<E>(self) -> Result<(), E> {
                Ok(())
            }

            fn visit_unit<E>(self) -> Result<(), E> {
                Ok(())
            }

            fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
                IgnoredAny::deserialize(deserializer).map(drop)
            }
        }

        // As an option, so that the field may be missing.
        deserializer.deserialize_option(Nothing)?;
        Ok(Self::not_loaded())
    }
}

/// An [`Uncached`] of any type.
#[doc(hidden)]
pub trait UncachedField: Any + Send {
    fn is_loaded(&self) -> bool;

    fn unload(&mut self);

    /// Exchanges the values of one field in two rows.
    fn swap_with(&mut self, other: &mut dyn UncachedField);
}

impl<T: Send + 'static> UncachedField for Uncached<T> {
    fn is_loaded(&self) -> bool {
        Self::is_loaded(self)
    }

    fn unload(&mut self) {
        self.0 = None;
    }

    fn swap_with(&mut self, other: &mut dyn UncachedField) {
        let other: &mut dyn Any = other;
        if let Some(other) = other.downcast_mut::<Self>() {
            mem::swap(self, other);
        }
    }
}

/// The row as the cache would give it.
pub(crate) fn unloaded<T: Entity>(mut row: T) -> T {
    for field in row.uncached_fields() {
        field.unload();
    }
    row
}

/// Whether every column is there.
pub(crate) fn is_whole<T: Entity>(row: &mut T) -> bool {
    row.uncached_fields().iter().all(|field| field.is_loaded())
}

/// Takes the columns over that the cache does not hold.
pub(crate) fn take_uncached<T: Entity>(row: &mut T, from: &mut T) {
    for (field, from) in row.uncached_fields().into_iter().zip(from.uncached_fields()) {
        field.swap_with(from);
    }
}

#[cfg(test)]
mod tests {
    use super::Uncached;

    const SECRET: &str = "correct horse battery staple";

    #[derive(Debug, PartialEq, serde::Serialize, serde::Deserialize)]
    struct Account {
        id: i32,
        secret: Uncached<String>,
    }

    #[test]
    fn serde_writes_nothing_of_the_value_and_reads_nothing() {
        let account = Account { id: 7, secret: SECRET.to_owned().into() };
        let bytes = rmp_serde::to_vec_named(&account).unwrap();
        assert!(!bytes.windows(SECRET.len()).any(|bytes| bytes == SECRET.as_bytes()));
        let read: Account = rmp_serde::from_slice(&bytes).unwrap();
        assert_eq!(read, Account { id: 7, secret: Uncached::not_loaded() });
        let compact = rmp_serde::to_vec(&account).unwrap();
        assert_eq!(rmp_serde::from_slice::<Account>(&compact).unwrap(), read);
    }

    #[test]
    fn whatever_serde_finds_is_not_taken_for_the_value() {
        #[derive(serde::Serialize)]
        struct Other<V> {
            id: i32,
            secret: V,
        }
        #[derive(serde::Serialize)]
        struct Without {
            id: i32,
        }
        let read = |bytes: Vec<u8>| rmp_serde::from_slice::<Account>(&bytes).unwrap();
        let text = rmp_serde::to_vec_named(&Other { id: 7, secret: SECRET }).unwrap();
        let list = rmp_serde::to_vec_named(&Other { id: 7, secret: vec![Some(1), None] }).unwrap();
        let without = rmp_serde::to_vec_named(&Without { id: 7 }).unwrap();
        for bytes in [text, list, without] {
            assert_eq!(read(bytes), Account { id: 7, secret: Uncached::not_loaded() });
        }
    }

    #[test]
    fn debug_does_not_show_the_value() {
        let account = Account { id: 7, secret: SECRET.to_owned().into() };
        for text in [format!("{account:?}"), format!("{account:#?}")] {
            assert!(text.contains("Uncached(loaded)") && !text.contains("horse"), "{text}");
        }
        let unloaded = Uncached::<String>::default();
        assert_eq!(format!("{unloaded:?}"), "Uncached(not loaded)");
    }

    #[test]
    fn equality_is_of_what_is_there() {
        assert_eq!(Uncached::new(1), Uncached::from(1));
        assert_ne!(Uncached::new(1), Uncached::new(2));
        assert_ne!(Uncached::new(1), Uncached::not_loaded());
        assert_eq!(Uncached::<i32>::not_loaded(), Uncached::default());
    }
}
