//! Reads whose futures are dropped halfway, and what is read after them.

use super::Here;
use crate::{
    polling::cancel_after,
    tables::people::{PAGES, Page, PageColumns},
};
use cached_orm::MemcachedOrm as _;

const ROWS: i64 = 40;

#[tokio::test]
async fn what_is_read_after_a_cancelled_read_is_the_row_and_nobody_elses() {
    let here = Here::with(&[PAGES]).await;
    for id in 0..ROWS {
        here.run(&format!("INSERT INTO pages VALUES ({id}, 'page {id}')")).await;
    }
    // A connection that lost its place would answer with another read's row, or
    // with none, and the cache would remember that.
    for id in 0..ROWS {
        let polls = (id % 8) as usize;
        cancel_after(polls, Page::fetch_uncached(&here.orm, 0)).await;
        let by_body = Page::fetch_by_field(&here.orm, PageColumns::BODY, "page 1");
        cancel_after(polls, by_body).await;
        cancel_after(polls, Page::fetch(&here.orm, ROWS + id)).await;
        let row = Page::fetch_one(&here.orm, id).await.unwrap();
        assert_eq!(row.body, format!("page {id}"));
        let all = Page::fetch_all_by_field(&here.orm, PageColumns::BODY, row.body).await;
        assert_eq!(all.unwrap().len(), 1);
    }
    for id in 0..ROWS {
        let row = Page::fetch_one(&here.orm, id).await.unwrap();
        assert_eq!(row.body, format!("page {id}"));
        assert_eq!(Page::fetch(&here.orm, ROWS + id).await.unwrap(), None);
    }
}

#[tokio::test]
async fn writes_after_cancelled_writes_meet_their_own_rows() {
    let here = Here::with(&[PAGES]).await;
    for id in 0..ROWS {
        here.run(&format!("INSERT INTO pages VALUES ({id}, 'old')")).await;
    }
    for id in 0..ROWS {
        let polls = (id % 10) as usize;
        let mut other = Page { id: 0, body: format!("other {id}") };
        cancel_after(polls, other.update(&here.orm)).await;
        let mut row = Page { id, body: format!("new {id}") };
        row.update(&here.orm).await.unwrap();
        assert_eq!(row.body, format!("new {id}"));
        assert_eq!(Page::fetch_one(&here.orm, id).await.unwrap(), row);
    }
    for id in 1..ROWS {
        let row = Page::fetch_one(&here.orm, id).await.unwrap();
        assert_eq!(row.body, format!("new {id}"));
        assert_eq!(Page::fetch_uncached(&here.orm, id).await.unwrap(), Some(row));
    }
}
