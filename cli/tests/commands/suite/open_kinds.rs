//! Columns whose type leaves open what they are in the struct.

use super::Database;
use crate::place::Place;

#[tokio::test(flavor = "multi_thread")]
async fn what_a_type_leaves_open_must_be_said() {
    let place = Place::<Database>::with(
        "CREATE TABLE tokens (id BINARY(16) PRIMARY KEY, at DATETIME(6) NOT NULL UNIQUE);
         INSERT INTO tokens VALUES
             (X'67e5504410b1426f9247bb680e5fe0c8', '2026-01-31 23:59:59.5');",
    )
    .await;
    let uuid = "67e55044-10b1-426f-9247-bb680e5fe0c8";
    let run = place.cli(&["explain", "tokens", uuid]);
    assert_eq!(run.code, Some(2), "{run:?}");
    assert!(run.err.contains("`Bytes` or `Uuid`"), "{run:?}");
    let run = place.cli(&["explain", "tokens", "--key", "id:uuid", uuid]);
    assert_eq!((run.code, run.line("database")), (Some(0), "has the row"), "{run:?}");
    for key in ["at:timestamp", "at:datetime"] {
        let at = if key == "at:timestamp" { "59.500000Z" } else { "59.500000" };
        let at = format!("2026-01-31T23-59-{at}");
        let run = place.cli(&["explain", "tokens", "--key", key, &at]);
        assert_eq!((run.code, run.line("database")), (Some(0), "has the row"), "{run:?}");
    }
    place.end().await;
}
