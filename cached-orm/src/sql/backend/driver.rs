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
            T: Decode<'r, Self> + Type<Self> + for<'q> Encode<'q, Self>,
        {
            let value = row.try_get(name);
            if Self::is_null(row, name)? {
                // Whatever the driver makes of it, and however it says that it cannot.
                return value
                    .ok()
                    .filter(Self::binds_null)
                    .ok_or_else(|| super::driver::unexpected_null(name));
            }
            value
        }

        fn is_null(row: &Self::Row, name: &str) -> sqlx::Result<bool> {
            row.try_get_raw(name).map(|value| sqlx::ValueRef::is_null(&value))
        }

        fn type_name(row: &Self::Row, name: &str) -> Option<String> {
            let value = row.try_get_raw(name).ok()?;
            Some(sqlx::TypeInfo::name(&*sqlx::ValueRef::type_info(&value)).to_owned())
        }

        fn binds_null<T>(value: &T) -> bool
        where
            T: for<'q> Encode<'q, Self>,
        {
            Self::encode(value, &mut Vec::new()).is_ok_and(|encoded| encoded.is_null())
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
                let value = Some(value).filter(|value| !crate::sql::json::is_none(value));
                sqlx::Arguments::add(arguments, value.map(sqlx::types::Json))
            }

            fn json_column<T: serde::de::DeserializeOwned>(
                row: &Self::Row,
                name: &str,
            ) -> sqlx::Result<T> {
                use crate::sql::json::{NotNull, none};
                use sqlx::types::Json;
                if Self::is_null(row, name)? {
                    return none().ok_or_else(|| super::driver::unexpected_null(name));
                }
                match sqlx::Row::try_get(row, name) {
                    Ok(Json(NotNull(value))) => Ok(value),
                    // JSON's own `null`, of which an `Option` makes `None`.
                    Err(error) => match sqlx::Row::try_get(row, name) {
                        Ok(Json(value)) => Ok(value),
                        Err(_) => Err(error),
                    },
                }
            }

            fn json_text<'r>(row: &'r Self::Row, name: &str) -> sqlx::Result<Option<&'r str>> {
                use sqlx::types::{Json, JsonRawValue};
                let document: Option<Json<&'r JsonRawValue>> = sqlx::Row::try_get(row, name)?;
                Ok(document.map(|Json(document)| document.get()))
            }
        }
    };
}

/// The error of a NULL that a column's type does not hold.
pub(super) fn unexpected_null(column: &str) -> sqlx::Error {
    let source = Box::new(sqlx::error::UnexpectedNullError);
    sqlx::Error::ColumnDecode { index: column.to_owned(), source }
}

/// The SQLSTATE class of a database's error: its first two characters.
#[cfg(feature = "mysql")]
pub(super) fn has_class(error: &sqlx::Error, classes: &[&str]) -> bool {
    let sqlx::Error::Database(error) = error else { return false };
    let Some(code) = error.code() else { return false };
    classes.iter().any(|class| code.starts_with(class))
}
