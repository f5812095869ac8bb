//! Lists that an entry cannot hold.

use super::Here;
use crate::{
    databases::Kind,
    members::{PAPERS, Paper},
};

#[tokio::test]
async fn a_list_of_very_many_is_not_cached_but_counted() {
    let here = Here::with(&[PAPERS]).await;
    let title = match Here::DATABASE {
        Kind::Postgres => "lpad(n::text, 700, '0')",
        Kind::MariaDb => "lpad(n, 700, '0')",
        Kind::Sqlite => "printf('%0700d', n)",
    };
    let numbers = match Here::DATABASE {
        Kind::MariaDb => {
            "SELECT n FROM JSON_TABLE(
                CONCAT('[0', REPEAT(',0', 1599), ']'), '$[*]' COLUMNS (n FOR ORDINALITY)) AS list"
        }
        _ => "WITH RECURSIVE of (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM of WHERE n < 1600) SELECT n FROM of",
    };
    here.run(&format!(
        "INSERT INTO papers (title, shelf) SELECT {title}, 1 + (n > 1500){} FROM ({numbers}) AS numbers",
        if Here::DATABASE == Kind::Postgres { "::int" } else { "" },
    ))
    .await;
    let before = here.statistics();
    for _ in 0..2 {
        let found = Paper::fetch_by_shelf(&here.orm, 1).await.unwrap();
        assert_eq!(found.len(), 1500);
        assert!(found.is_sorted_by(|left, right| left.title < right.title));
    }
    let after = here.statistics();
    assert_eq!((after.loads - before.loads, after.too_large - before.too_large), (2, 2));
    // A shorter one is.
    for _ in 0..3 {
        assert_eq!(Paper::fetch_by_shelf(&here.orm, 2).await.unwrap().len(), 100);
    }
    let last = here.statistics();
    assert_eq!(last.too_large, after.too_large);
}
