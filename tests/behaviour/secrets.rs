//! Errors speak of what went wrong, and never of what is in a row.

use crate::{
    databases::TestDatabase,
    place::{Embedded, Place},
    tables::{
        keys::{NOTES, Note},
        people::{PAGES, PEOPLE, Page, Person},
    },
};
use cached_orm::{BindKey, Error, MemcachedOrm as _, MySql, Persist, Postgres, Sqlite};
use std::error::Error as _;

/// It stands in every row of these tests.
const SECRET: &str = "hunter2";

fn assert_silent(error: &Error) {
    for text in [error.to_string(), format!("{error:?}"), format!("{error:#?}")] {
        assert!(!text.contains(SECRET), "{text}");
    }
}

async fn provoke<DB: TestDatabase>(too_long: &str, not_null: &str)
where
    Person: Persist<DB>,
    Page: Persist<DB>,
    Note: Persist<DB>,
    i64: BindKey<DB>,
{
    let here = Place::<DB, Embedded>::with(&[PEOPLE, PAGES, NOTES]).await;
    let orm = &here.orm;
    let ann = Person::named(SECRET).insert(orm).await.unwrap();

    // A duplicate, whose text MariaDB quotes with its value.
    let duplicate = Person::named(SECRET).insert(orm).await.unwrap_err();
    assert!(duplicate.to_string().contains("a unique index forbids it"), "{duplicate}");
    let note = Note { title: SECRET.into(), body: SECRET.into() };
    note.insert(orm).await.unwrap();
    let mut errors = vec![duplicate, note.insert(orm).await.unwrap_err()];

    let mut transaction = orm.begin().await.unwrap();
    errors.push(Person::named(SECRET).insert(&mut transaction).await.unwrap_err());
    errors.extend(transaction.commit().await.err());

    here.run(too_long).await;
    let long = Person { name: SECRET.repeat(100), ..Person::named("long") };
    errors.extend(long.insert(orm).await.err());

    // A value that its field cannot hold.
    here.run(&format!("INSERT INTO pages VALUES (1, '{SECRET}')")).await;
    here.run(not_null).await;
    errors.push(Page::fetch(orm, 1).await.unwrap_err());

    let missing = Person { id: ann.id + 1000, ..ann };
    errors.push(missing.clone().update(orm).await.unwrap_err());
    errors.push(missing.clone().refresh(orm).await.unwrap_err());

    orm.close().await;
    errors.push(missing.insert(orm).await.unwrap_err());
    for error in &errors {
        assert_silent(error);
    }
}

#[tokio::test]
async fn errors_of_postgres_are_silent_about_rows() {
    provoke::<Postgres>(
        "ALTER TABLE people ADD CONSTRAINT short CHECK (length(name) < 100)",
        "ALTER TABLE pages ALTER COLUMN body DROP NOT NULL; UPDATE pages SET body = NULL",
    )
    .await;
}

#[tokio::test]
async fn errors_of_mariadb_are_silent_about_rows() {
    provoke::<MySql>(
        "ALTER TABLE people MODIFY name VARCHAR(100) NOT NULL",
        "ALTER TABLE pages MODIFY body LONGTEXT; UPDATE pages SET body = NULL",
    )
    .await;
}

#[tokio::test]
async fn errors_of_sqlite_are_silent_about_rows() {
    provoke::<Sqlite>("SELECT 1", "UPDATE pages SET body = x'68756e74657232ff'").await;
}

#[tokio::test]
async fn the_databases_own_error_is_there_for_who_asks_for_it() {
    let here = Place::<MySql, Embedded>::with(&[PEOPLE]).await;
    Person::named("Ann").insert(&here.orm).await.unwrap();
    let error = Person::named("Ann").insert(&here.orm).await.unwrap_err();
    assert!(error.to_string().contains("code 23000"), "{error}");
    let Error::Database { source, .. } = &error else { panic!("{error}") };
    assert!(source.as_database_error().is_some_and(|error| error.is_unique_violation()));
    assert!(error.source().is_some());
}
