//! Structs of a key, a note and a value, of every type that a column may have, with what
//! serde may be told of it.

pub(crate) mod documents;
pub(crate) mod fussy;
pub(crate) mod types;

/// A row with something besides its value that can be changed.
pub(crate) trait Noted: Sized {
    type Value;

    fn new(id: i64, value: Self::Value) -> Self;

    fn note(&mut self) -> &mut String;
}

/// A struct with a value of a type, and its table.
macro_rules! row {
    (
        $(#[$outer:meta])* $name:ident in $table:literal:
        $(#[$of_field:meta])* $ty:ty,
        $postgres:literal, $mariadb:literal, $sqlite:literal $(,)?
    ) => {
        #[derive(Debug, Clone, serde::Serialize, serde::Deserialize, cached_orm::MemcachedOrm)]
        #[orm(table = $table)]
        $(#[$outer])*
        pub(crate) struct $name {
            #[primary_key]
            pub(crate) id: i64,
            pub(crate) note: String,
            $(#[$of_field])*
            pub(crate) value: $ty,
        }

        impl $name {
            pub(crate) const TABLE: crate::tables::Table = crate::tables::Table {
                postgres: concat!("CREATE TABLE ", $table, " (id BIGINT PRIMARY KEY, note TEXT NOT NULL, value ", $postgres, ")"),
                mariadb: concat!("CREATE TABLE ", $table, " (id BIGINT PRIMARY KEY, note TEXT NOT NULL, value ", $mariadb, ")"),
                sqlite: concat!("CREATE TABLE ", $table, " (id INTEGER PRIMARY KEY, note TEXT NOT NULL, value ", $sqlite, ")"),
            };
        }

        impl crate::rows::Noted for $name {
            type Value = $ty;

            fn new(id: i64, value: $ty) -> Self {
                Self { id, note: "before".to_owned(), value }
            }

            fn note(&mut self) -> &mut String {
                &mut self.note
            }
        }
    };
}
pub(crate) use row;
