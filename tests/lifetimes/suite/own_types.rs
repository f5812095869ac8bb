//! Enums, newtypes and JSON, by every way that writes them.

use super::Here;
use crate::rows::tasks::{Details, TASKS, Task, TaskColumns, TaskId, TaskState};
use cached_orm::{Json, MemcachedOrm as _};

fn task(id: &str, state: TaskState) -> Task {
    Task {
        id: TaskId(id.into()),
        state,
        before: None,
        details: Details { labels: vec!["a \"b\" 'c'".into(), "ü".into()], estimate: None },
    }
}

/// The database and the cache show these.
async fn assert_stored(here: &Here, expected: &[Task]) {
    for row in expected {
        let key = || row.id.clone();
        assert_eq!(Task::fetch_uncached(&here.orm, key()).await.unwrap().as_ref(), Some(row));
        // A batch, what it has filled, and that once more.
        for _ in 0..2 {
            assert_eq!(Task::fetch(&here.orm, key()).await.unwrap().as_ref(), Some(row));
        }
    }
    let keys = expected.iter().map(|row| row.id.clone());
    Task::invalidate(&here.orm, keys.clone()).await.unwrap();
    let found = Task::fetch_many(&here.orm, keys).await.unwrap();
    assert!(found.iter().flatten().eq(expected));
}

#[tokio::test]
async fn rows_are_written_one_by_one() {
    let here = Here::with(&[TASKS]).await;
    let mut row = task("one (1)", TaskState::Waiting).insert(&here.orm).await.unwrap();
    assert_eq!(row, task("one (1)", TaskState::Waiting));
    assert_stored(&here, std::slice::from_ref(&row)).await;

    row.before = Some(row.state);
    row.state = TaskState::InProgress;
    row.details = Details { labels: vec![], estimate: Some(3) };
    row.update(&here.orm).await.unwrap();
    assert_stored(&here, std::slice::from_ref(&row)).await;

    row.state = TaskState::Done;
    row.details = Details::default();
    let patch = Task::patch(row.id.clone())
        .set(TaskColumns::STATE, TaskState::Done)
        .set(TaskColumns::DETAILS, Json(Details::default()));
    assert_eq!(patch.execute(&here.orm).await.unwrap(), row);
    assert_stored(&here, std::slice::from_ref(&row)).await;

    row.before = None;
    row.details.estimate = Some(9);
    assert_eq!(row.upsert(&here.orm).await.unwrap(), row);
    let other = task("other", TaskState::Done);
    assert_eq!(other.upsert(&here.orm).await.unwrap(), other);
    assert_stored(&here, &[row.clone(), other.clone()]).await;

    let done = Task::fetch_all_by_field(&here.orm, TaskColumns::STATE, TaskState::Done).await;
    assert_eq!(done.unwrap().len(), 2);
    assert!(row.delete(&here.orm).await.unwrap());
    assert!(Task::delete_by_key(&here.orm, other.id.clone()).await.unwrap());
    assert_eq!(Task::fetch(&here.orm, other.id).await.unwrap(), None);
}

#[tokio::test]
async fn rows_are_written_many_at_once() {
    let here = Here::with(&[TASKS]).await;
    let states = [TaskState::Waiting, TaskState::InProgress, TaskState::Done];
    let mut rows: Vec<_> =
        (0..12).map(|n| task(&format!("task {n}"), states[n % 3])).collect();
    assert_eq!(Task::insert_many(&here.orm, &rows).await.unwrap(), rows);
    assert_stored(&here, &rows).await;
    for (n, row) in rows.iter_mut().enumerate() {
        row.before = (n % 2 == 0).then_some(row.state);
        row.state = states[(n + 1) % 3];
        row.details.estimate = Some(n as u32);
    }
    let expected = rows.clone();
    Task::update_many(&here.orm, &mut rows).await.unwrap();
    assert_eq!(rows, expected);
    assert_stored(&here, &rows).await;
    let keys: Vec<_> = rows.iter().map(|row| row.id.clone()).collect();
    assert_eq!(Task::delete_many(&here.orm, keys).await.unwrap(), 12);
    assert_eq!(Task::fetch(&here.orm, rows[0].id.clone()).await.unwrap(), None);
}
