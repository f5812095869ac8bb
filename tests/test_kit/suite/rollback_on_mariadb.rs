//! Statements that commit by themselves.

use super::Here;
use crate::tables::people::{PAGES, Page};
use cached_orm::{Error, MemcachedOrm as _};
use sqlx::Executor as _;

#[tokio::test]
async fn after_a_definition_writes_are_refused() {
    let here = Here::with(&[PAGES]).await;
    let orm = here.handle(|builder| builder.rollback_on_drop()).await;
    orm.pool().execute("CREATE TABLE others (id INT)").await.unwrap();
    let error = Page { id: 1, body: "one".to_owned() }.insert(&orm).await.unwrap_err();
    assert!(matches!(error, Error::Refused { .. }), "{error}");
    orm.close().await;
    assert_eq!(Page::fetch(&here.orm, 1).await.unwrap(), None);
}
