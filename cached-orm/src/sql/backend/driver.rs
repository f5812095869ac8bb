//! What the databases have in common.

/// The part that is the same text for every driver. `Executor` and the like
/// are implemented for concrete types only, so no generic impl can do it.
macro_rules! driver {
    () => {
        type OnConnection<'c> = &'c mut <Self as Database>::Connection;

        fn on_connection(connection: &mut Self::Connection) -> Self::OnConnection<'_> {
            connection
        }

        fn column<'r, T>(row: &'r Self::Row, name: &str) -> sqlx::Result<T>
        where
            T: Decode<'r, Self> + Type<Self>,
        {
            row.try_get(name)
        }

        fn is_compatible<T: Type<Self>>(row: &Self::Row, name: &str) -> bool {
            use sqlx::{Column as _, TypeInfo as _};
            row.try_column(name).is_ok_and(|column| {
                column.type_info().is_null() || T::compatible(column.type_info())
            })
        }

        fn add_number(bindings: &mut Bindings<Self>, name: &'static str, number: i64) {
            bindings.column(name, &number);
        }

        fn rows_met(done: &Self::QueryResult) -> u64 {
            done.rows_affected()
        }
    };
}

#[cfg(feature = "json")]
macro_rules! json_driver {
    ($db:ty) => {
        impl super::JsonBackend for $db {
            fn add_json<T: serde::Serialize + Sync>(
                arguments: &mut Self::Arguments,
                value: &T,
            ) -> Result<(), sqlx::error::BoxDynError> {
                sqlx::Arguments::add(arguments, sqlx::types::Json(value))
            }

            fn encode_json<T: serde::Serialize + Sync>(
                value: &T,
                bytes: &mut Vec<u8>,
            ) -> Result<sqlx::encode::IsNull, sqlx::error::BoxDynError> {
                Self::encode(&sqlx::types::Json(value), bytes)
            }

            fn json_column<T: serde::de::DeserializeOwned>(
                row: &Self::Row,
                name: &str,
            ) -> sqlx::Result<T> {
                let sqlx::types::Json(value) = sqlx::Row::try_get(row, name)?;
                Ok(value)
            }
        }
    };
}

/// The SQLSTATE class of a database's error: its first two characters.
#[cfg(feature = "mysql")]
pub(super) fn has_class(error: &sqlx::Error, classes: &[&str]) -> bool {
    let sqlx::Error::Database(error) = error else { return false };
    let Some(code) = error.code() else { return false };
    classes.iter().any(|class| code.starts_with(class))
}
