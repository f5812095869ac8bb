//! The API, as a client sees it, on both databases and both caches.

mod cities;
mod failures;
mod lists;
mod operation;
mod outages;
mod regions;
#[path = "../running/mod.rs"]
mod running;

use running::{Answer, Service};
use serde_json::Value;
use sqlx::{Connection, PgConnection};
use std::env;

#[tokio::test]
async fn with_sqlite_and_a_cache_in_the_process() {
    let service = Service::start(&[]);
    everything(&service).await;
    operation::ends_when_asked(service).await;
}

#[tokio::test]
async fn with_postgres_and_memcached() {
    let database = OwnDatabase::create().await;
    let memcached = variable("TEST_MEMCACHED_URL");
    let memcached = memcached.trim_start_matches("memcached://");
    let arguments =
        ["--database", &database.url, "--memcached", memcached, "--namespace", &database.name];
    let service = Service::start(&arguments);
    everything(&service).await;
    operation::ends_when_asked(service).await;
    database.drop().await;
}

async fn everything(service: &Service) {
    cities::are_created_read_changed_and_deleted(service).await;
    cities::are_changed_only_by_who_has_seen_the_last_revision(service).await;
    cities::have_a_slug_each(service).await;
    lists::come_in_pages_that_have_each_city_once(service).await;
    lists::are_searched_by_any_part_of_a_name(service).await;
    regions::are_put_read_listed_and_deleted(service).await;
    regions::have_cities_that_follow_each_write(service).await;
    failures::have_a_status_a_code_and_no_internals(service).await;
    operation::is_healthy(service).await;
    operation::metrics_count_what_the_cache_did(service).await;
    operation::the_page_is_told_of_the_last_seconds(service).await;
}

/// A database that no other test knows.
struct OwnDatabase {
    name: String,
    url: String,
}

impl OwnDatabase {
    async fn create() -> Self {
        let server = variable("TEST_POSTGRES_URL");
        let (base, _) = server.rsplit_once('/').expect("the URL names a database");
        let name = format!("service_{}", std::process::id());
        let url = format!("{base}/{name}");
        server_does(&format!("CREATE DATABASE {name}")).await;
        Self { name, url }
    }

    async fn drop(self) {
        server_does(&format!("DROP DATABASE {} WITH (FORCE)", self.name)).await;
    }
}

async fn server_does(sql: &str) {
    let url = variable("TEST_POSTGRES_URL");
    let mut server = PgConnection::connect(&url).await.expect("PostgreSQL answers");
    let sql = sqlx::AssertSqlSafe(sql.to_owned());
    sqlx::raw_sql(sql).execute(&mut server).await.expect("it does so");
}

fn variable(name: &str) -> String {
    env::var(name).unwrap_or_else(|_| panic!("{name} is not set; run `tests/run --test api`"))
}

/// Asks, and expects an answer.
async fn ask(service: &Service, method: &str, path: &str, body: Option<Value>) -> Answer {
    ask_with(service, method, path, &[], body).await
}

async fn ask_with(
    service: &Service,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: Option<Value>,
) -> Answer {
    let answer = service.ask(method, path, headers, body).await;
    answer.unwrap_or_else(|error| panic!("{method} {path}: {error}"))
}

async fn get(service: &Service, path: &str) -> Answer {
    ask(service, "GET", path, None).await
}
