//! What `Orm::connect` says when it cannot.

use cached_orm::{Error, Orm, Sqlite};

#[tokio::test]
async fn a_failed_connect_says_what_the_database_said() {
    let connected = Orm::<Sqlite>::connect("sqlite:/no/such/file", "embedded://1mb").await;
    let error = connected.err();
    assert!(matches!(error, Some(Error::Connect { .. })), "{error:?}");
    let text = error.map(|error| error.to_string()).unwrap_or_default();
    assert!(text.contains("unable to open database file"), "{text}");
}
