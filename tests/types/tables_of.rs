//! The SQL types of columns, and what must be there before them.

use crate::{
    databases::{Kind, TestDatabase},
    place::{Embedded, Place},
};

/// The type as it stands in SQL.
pub(crate) async fn column<DB: TestDatabase>(here: &Place<DB, Embedded>, sql_type: &str) -> String {
    match (DB::KIND, sql_type) {
        (Kind::Postgres, "CITEXT") => {
            // One database has it once, in whatever schema a test has left it.
            here.run("DROP EXTENSION IF EXISTS citext CASCADE; CREATE EXTENSION citext").await;
            sql_type.to_owned()
        }
        (Kind::Postgres, "an ENUM") => {
            here.run("CREATE TYPE color AS ENUM ('red', 'green', 'blue')").await;
            "color".to_owned()
        }
        (_, "an ENUM") => "ENUM('red', 'green', 'blue')".to_owned(),
        _ => sql_type.to_owned(),
    }
}
