//! Types whose code panics for some values, and keys that serde changes.

use super::row;
use cached_orm::{KeyKind, KeyPart, MemcachedOrm, MySql, PartWriter, Postgres, Sqlite};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sqlx::{Database, Decode, Encode, Type, encode::IsNull, error::BoxDynError};

/// What its `Decode` cannot bear.
pub(crate) const UNDECODABLE: i64 = 13;
/// What its `Encode` cannot bear.
pub(crate) const UNENCODABLE: i64 = 14;
/// What its `Encode` refuses.
pub(crate) const REFUSED: i64 = 15;
/// What its `Serialize` cannot bear.
pub(crate) const UNSERIALIZABLE: i64 = 16;
/// What its `Deserialize` cannot bear.
pub(crate) const UNREADABLE: i64 = 17;

/// A number with such code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fussy(pub(crate) i64);

macro_rules! fussy {
    ($($db:ident)+) => {$(
        impl Type<$db> for Fussy {
            fn type_info() -> <$db as Database>::TypeInfo {
                <i64 as Type<$db>>::type_info()
            }
        }

        impl Encode<'_, $db> for Fussy {
            fn encode_by_ref(&self, to: &mut <$db as Database>::ArgumentBuffer) -> Result<IsNull, BoxDynError> {
                assert_ne!(self.0, UNENCODABLE);
                if self.0 == REFUSED {
                    return Err("refused".into());
                }
                <i64 as Encode<$db>>::encode_by_ref(&self.0, to)
            }
        }

        impl<'r> Decode<'r, $db> for Fussy {
            fn decode(value: <$db as Database>::ValueRef<'r>) -> Result<Self, BoxDynError> {
                let number = <i64 as Decode<$db>>::decode(value)?;
                assert_ne!(number, UNDECODABLE);
                Ok(Self(number))
            }
        }
    )+};
}

fussy!(Postgres MySql Sqlite);

impl Serialize for Fussy {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        assert_ne!(self.0, UNSERIALIZABLE);
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Fussy {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = i64::deserialize(deserializer)?;
        assert_ne!(number, UNREADABLE);
        Ok(Self(number))
    }
}

impl KeyPart for Fussy {
    const KIND: KeyKind = <i64 as KeyPart>::KIND;

    fn write_part(&self, part: &mut PartWriter<'_>) {
        self.0.write_part(part);
    }
}

row!(Fragile in "fragile": Fussy, "BIGINT NOT NULL", "BIGINT NOT NULL", "INTEGER NOT NULL");

/// With such a number as its key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, MemcachedOrm)]
#[orm(table = "fragile", cache_name = "by_fussy_key")]
pub(crate) struct FussyKey {
    #[primary_key]
    pub(crate) id: Fussy,
    pub(crate) note: String,
}

/// A number that serde shows without its last digit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, sqlx::Type)]
#[sqlx(transparent)]
pub(crate) struct Coarse(pub(crate) i64);

impl Serialize for Coarse {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (self.0 / 10 * 10).serialize(serializer)
    }
}

impl KeyPart for Coarse {
    const KIND: KeyKind = <i64 as KeyPart>::KIND;

    fn write_part(&self, part: &mut PartWriter<'_>) {
        self.0.write_part(part);
    }
}

/// A key that serde changes, with indexes, a copy in the process, and columns that the
/// database writes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, MemcachedOrm)]
#[orm(table = "members", near_ttl = "10m")]
pub(crate) struct Member {
    #[primary_key]
    pub(crate) id: Coarse,
    #[orm(unique)]
    pub(crate) name: String,
    #[orm(index)]
    pub(crate) team: i32,
}

pub(crate) const MEMBERS: crate::tables::Table = crate::tables::Table::everywhere(
    "CREATE TABLE members (id BIGINT PRIMARY KEY, name VARCHAR(99) NOT NULL UNIQUE, team INT NOT NULL)",
);

/// Columns that are read only are compared as well, and those that the cache does not
/// hold are not.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, MemcachedOrm)]
#[orm(table = "articles")]
pub(crate) struct Article {
    #[primary_key]
    pub(crate) id: i64,
    pub(crate) title: String,
    #[orm(readonly)]
    pub(crate) legacy: Coarse,
    #[orm(version)]
    pub(crate) revision: i32,
    #[orm(uncached)]
    pub(crate) secret: cached_orm::Uncached<Coarse>,
    #[orm(skip)]
    pub(crate) shown: bool,
}

pub(crate) const ARTICLES: crate::tables::Table = crate::tables::Table::everywhere(
    "CREATE TABLE articles (
        id BIGINT PRIMARY KEY, title VARCHAR(99) NOT NULL, legacy BIGINT NOT NULL DEFAULT 10,
        revision INT NOT NULL, secret BIGINT NOT NULL)",
);
