//! The messages in `docs/mistakes.md` are those of the compiler and of the runtime.

use cached_orm::{Error, MemcachedOrm, OnUnreachable, Orm, Sqlite};
use serde::{Deserialize, Serialize};
use sqlx::SqlitePool;
use std::{collections::BTreeSet, fs, path::Path};

#[derive(Serialize, Deserialize, MemcachedOrm)]
#[orm(table = "users", database = Sqlite)]
struct User {
    #[primary_key]
    id: i64,
    #[orm(unique)]
    email: String,
    age: i64,
}

/// The same table, without the index.
#[derive(Serialize, Deserialize, MemcachedOrm)]
#[orm(table = "users", database = Sqlite)]
struct UserSummary {
    #[primary_key]
    id: i64,
    email: String,
}

fn read(file: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    fs::read_to_string(root.join(file)).expect(file)
}

/// What stands in the page's ```` ```text ```` blocks, and whether the compiler says it.
fn messages() -> (Vec<String>, BTreeSet<String>) {
    let page = read("docs/mistakes.md");
    let blocks = page.split("```text\n").skip(1);
    let blocks = blocks.filter_map(|block| Some(block.split_once("\n```")?.0.to_owned()));
    let (of_compiler, of_runtime): (Vec<_>, Vec<_>) =
        blocks.partition(|block| block.starts_with("error"));
    (of_compiler, of_runtime.into_iter().collect())
}

/// Whether all lines of `message` are in `answer`, in their order.
fn has_lines(answer: &str, message: &str) -> bool {
    let mut lines = answer.lines().map(str::trim_end);
    message.lines().all(|wanted| lines.any(|line| line == wanted.trim_end()))
}

#[test]
fn the_compilers_messages_are_those_of_the_diagnostics() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/diagnostics");
    let files = fs::read_dir(root).expect("tests/diagnostics").flatten();
    let answers: Vec<_> = files
        .filter(|file| file.path().extension().is_some_and(|extension| extension == "stderr"))
        .map(|file| fs::read_to_string(file.path()).expect("a file"))
        .collect();
    let (messages, _) = messages();
    assert_eq!(messages.len(), 11);
    for message in messages {
        let known = answers.iter().any(|answer| has_lines(answer, &message));
        assert!(known, "no file of tests/diagnostics has:\n{message}");
    }
}

#[tokio::test]
async fn the_runtimes_messages_are_what_its_errors_print() {
    let pool = SqlitePool::connect("sqlite::memory:").await.unwrap();
    let schema = "CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT NOT NULL UNIQUE, age);
                  INSERT INTO users VALUES (1, 'ann@example.org', 'forty'), (2, 'bob@example.org', 40)";
    sqlx::raw_sql(schema).execute(&pool).await.unwrap();
    let orm = Orm::<Sqlite>::builder(pool.clone()).embedded(1 << 20).build().await.unwrap();
    // Nobody listens on this port.
    let orm_alone = Orm::<Sqlite>::builder(pool.clone())
        .memcached(["localhost:1"])
        .on_unreachable(OnUnreachable::Abort)
        .build()
        .await
        .unwrap();
    User::fetch_by_email(&orm, "bob@example.org").await.unwrap();
    let summary = UserSummary { id: 2, email: "robert@example.org".to_owned() };

    let errors: Vec<Error> = vec![
        Orm::<Sqlite>::builder(pool).build().await.unwrap_err(),
        User::fetch(&orm, 1).await.err().unwrap(),
        orm.install_triggers::<User>().await.unwrap_err(),
        summary.upsert(&orm).await.err().unwrap(),
        not_fenced(&orm_alone).await,
    ];
    let printed: BTreeSet<_> = errors.iter().map(ToString::to_string).collect();
    let (_, shown) = messages();
    assert_eq!(printed, shown);
}

/// The error of a write while memcached is known to be down.
async fn not_fenced(orm: &Orm<Sqlite>) -> Error {
    loop {
        let error = User::delete_by_key(orm, 2).await.unwrap_err();
        // Before it was dialled once, the server has not answered yet.
        if error.to_string().contains("is down") {
            return error;
        }
    }
}
