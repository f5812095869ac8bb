//! Two processes that share a cache.

use super::{Here, histories::run};
use crate::members::MEMBERS;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_answer_was_true_at_some_moment_of_the_read() {
    let here = Here::with(&[MEMBERS]).await;
    run(&here, &[here.orm.clone(), here.other_handle().await]).await;
}
