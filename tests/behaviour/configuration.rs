//! Mistakes in URLs and options, and what is said of them.

use crate::databases::{TestDatabase, variable};
use cached_orm::{Error, MySql, Orm, Postgres, Sqlite};
use sqlx::{Pool, postgres::PgPoolOptions};
use std::time::{Duration, Instant};

fn postgres_url() -> String {
    variable("TEST_POSTGRES_URL")
}

async fn refused<DB: TestDatabase>(database_url: &str, cache_url: &str) -> String {
    let error = Orm::<DB>::connect(database_url, cache_url).await.map(drop).unwrap_err();
    assert!(matches!(error, Error::Configuration(_)), "{error}");
    error.to_string()
}

fn assert_says(message: &str, words: &[&str]) {
    for word in words {
        assert!(message.contains(word), "{message:?} does not say {word:?}");
    }
}

#[tokio::test]
async fn a_url_of_another_database_is_refused_with_what_is_accepted() {
    let message = refused::<Postgres>("mysql://root:secret@localhost/x", "uncached://").await;
    assert_says(&message, &["`mysql:`", "PostgreSQL", "`postgres:`", "`postgresql:`"]);
    assert!(!message.contains("secret"), "{message}");
    let message = refused::<MySql>("postgres://localhost/x", "uncached://").await;
    assert_says(&message, &["`postgres:`", "MySQL", "`mysql:`", "`mariadb:`"]);
    let message = refused::<Sqlite>("mysql://localhost/x", "uncached://").await;
    assert_says(&message, &["`mysql:`", "SQLite", "`sqlite:`"]);
}

#[tokio::test]
async fn a_wrong_database_url_does_not_give_its_password_away() {
    for url in ["root:secret@localhost", "", "://secret", "postgres//root:secret@localhost/x"] {
        let error = Orm::<Postgres>::connect(url, "uncached://").await.map(drop).unwrap_err();
        assert_says(&error.to_string(), &["`postgres:`"]);
        assert!(!format!("{error} {error:?}").contains("secret"), "{url}: {error}");
    }
    let url = "postgres://root:secret@localhost:no-port/x";
    let error = Orm::<Postgres>::connect(url, "uncached://").await.map(drop).unwrap_err();
    assert!(!format!("{error} {error:?}").contains("secret"), "{error}");
}

#[tokio::test]
async fn a_wrong_cache_url_is_refused_with_what_is_accepted() {
    for (url, words) in [
        ("redis://localhost", &["`redis://`", "memcached://host:port", "embedded://64mb"][..]),
        ("localhost:11211", &["scheme", "memcached://host:port"]),
        ("memcached://", &["no server", "memcached://host:port"]),
        ("memcached://a,a", &["\"a\"", "twice"]),
        ("memcached://a:0", &["\"a:0\"", "port"]),
        ("memcached://a b", &["character"]),
        ("memcached://a?ttl=5", &["`ttl`", "`namespace`", "`connections`", "`timeout`"]),
        ("memcached://a?timeout=5", &["50ms"]),
        ("memcached://a?namespace=a%20b", &["a%20b"]),
        ("embedded://lots", &["`lots`", "embedded://64mb"]),
    ] {
        assert_says(&refused::<Postgres>(&postgres_url(), url).await, words);
    }
}

#[tokio::test]
async fn a_database_that_is_down_is_an_error_of_connect() {
    // Nobody listens on the port of "tcpmux".
    let url = "postgres://root:secret@127.0.0.1:1/x";
    let began = Instant::now();
    let error = Orm::<Postgres>::connect(url, "uncached://").await.map(drop).unwrap_err();
    assert!(matches!(error, Error::Connect { .. }), "{error}");
    assert_says(&error.to_string(), &["connect", "refused"]);
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    assert!(!format!("{error} {error:?}").contains("secret"), "{error}");

    let url = "sqlite:///no/such/folder/test.sqlite";
    let error = Orm::<Sqlite>::connect(url, "uncached://").await.map(drop).unwrap_err();
    assert!(matches!(error, Error::Connect { .. }), "{error}");
}

#[tokio::test]
async fn connect_reaches_the_database_and_the_cache_that_the_urls_name() {
    let cache = format!("{}?namespace=shop&timeout=1s", variable("TEST_MEMCACHED_URL"));
    for cache in [cache.as_str(), "embedded://1mb?namespace=shop", "uncached://"] {
        let orm = Orm::<Postgres>::connect(&postgres_url(), cache).await.unwrap();
        orm.begin().await.unwrap().commit().await.unwrap();
        orm.close().await;
        let url = variable("TEST_MYSQL_URL");
        Orm::<MySql>::connect(&url, cache).await.unwrap().close().await;
        Orm::<Sqlite>::connect("sqlite::memory:", cache).await.unwrap().close().await;
    }
}

fn pool() -> Pool<Postgres> {
    let lazy = PgPoolOptions::new().connect_lazy("postgres://root:secret@127.0.0.1:1/x");
    lazy.expect("the URL is one")
}

#[tokio::test]
async fn options_that_make_no_sense_are_refused_by_name() {
    let builder = || Orm::builder(pool());
    let uncached = || builder().uncached();
    let (nothing, moment) = (Duration::ZERO, Duration::from_millis(1));
    let minute = Duration::from_secs(60);
    let cases = [
        (builder(), "no cache was chosen"),
        (uncached().lease_ttl(moment), "`lease_ttl`"),
        (uncached().fence_ttl(moment), "`fence_ttl`"),
        (uncached().commit_window(nothing), "`commit_window`"),
        (uncached().commit_window(minute), "`commit_window` (60s) must be shorter"),
        (uncached().hold_off(moment), "`hold_off` (1ms)"),
        (uncached().write_timeout(nothing), "`write_timeout` must be longer"),
        (uncached().write_timeout(minute), "`write_timeout` (60s) must be shorter than"),
        (
            uncached().fence_ttl(Duration::from_secs(6)).write_timeout(Duration::from_secs(1)),
            "`commit_window` (5s) together must be shorter than `fence_ttl` (6s)",
        ),
        (uncached().max_database_loads(0), "`max_database_loads`"),
        (uncached().sign_entries([]), "`sign_entries` was given no key"),
        (uncached().namespace("a b"), "\"a b\""),
        (uncached().namespace("x".repeat(65)), "at most 64"),
        (builder().memcached(Vec::<String>::new()), "no memcached server"),
        (builder().memcached(["a"]).connections(0), "0 connections"),
        (builder().memcached(["a"]).timeout(nothing), "timeout of 0"),
        (builder().memcached(["a"]).connect_timeout(nothing), "timeout of 0"),
        (builder().memcached(["http://a:1"]), "\"http://a:1\""),
    ];
    for (builder, words) in cases {
        assert!(!format!("{builder:?}").contains("secret"), "{words}: the builder's Debug");
        let error = builder.build().await.map(drop).unwrap_err();
        assert!(matches!(error, Error::Configuration(_)), "{error}");
        assert_says(&error.to_string(), &[words]);
    }
}

#[tokio::test]
async fn a_handle_does_not_print_its_password() {
    let orm = Orm::builder(pool()).uncached().build().await.unwrap();
    assert!(!format!("{orm:?}").contains("secret"));
}
