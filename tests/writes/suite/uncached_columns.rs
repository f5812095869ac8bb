//! Columns that are not loaded, in writes of every kind.

use super::Here;
use crate::{sessions::EVERYWHERE, tables::Table};
use cached_orm::{Error, MemcachedOrm, Uncached};
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, MemcachedOrm)]
#[orm(table = "logins")]
struct Login {
    #[primary_key]
    id: i64,
    name: String,
    #[orm(uncached)]
    secret: Uncached<String>,
}

const LOGINS: Table = Table::everywhere(
    "CREATE TABLE logins (id BIGINT PRIMARY KEY, name VARCHAR(50) NOT NULL, secret VARCHAR(50))",
);

fn login(id: i64, name: &str, secret: Option<&str>) -> Login {
    let secret = secret.map_or_else(Uncached::not_loaded, |secret| Uncached::new(secret.into()));
    Login { id, name: name.into(), secret }
}

async fn assert_row(here: &Here, id: i64, name: &str, secret: &str) {
    let row = Login::fetch_uncached(&here.orm, id).await.unwrap();
    assert_eq!(row, Some(login(id, name, Some(secret))));
    assert_eq!(Login::fetch_one(&here.orm, id).await.unwrap(), login(id, name, None));
}

#[tokio::test]
async fn what_is_not_loaded_is_left_as_it_is_and_never_inserted() {
    let here = Here::with(&[LOGINS]).await;
    for place in EVERYWHERE {
        let new = [login(1, "a", Some("x")), login(2, "a", Some("y")), login(3, "a", Some("z"))];
        done!(place, here, |session| Login::insert_many(session, &new).await.unwrap());
        let without = [login(4, "a", Some("x")), login(5, "a", None)];
        let errors = [
            done!(place, here, |session| {
                Login::insert_many(session, &without).await.map(drop).unwrap_err()
            }),
            done!(place, here, |session| without[1].upsert(session).await.map(drop).unwrap_err()),
        ];
        for error in errors {
            assert!(matches!(error, Error::NotLoaded { column: "secret", .. }), "{error}");
        }
        assert_eq!(Login::fetch(&here.orm, 4).await.unwrap(), None);
        assert_eq!(Login::fetch(&here.orm, 5).await.unwrap(), None);

        // All without, all with, and mixed.
        let mut rows = [login(1, "b", None), login(2, "b", None)];
        done!(place, here, |session| Login::update_many(session, &mut rows).await.unwrap());
        assert_row(&here, 1, "b", "x").await;
        assert_row(&here, 2, "b", "y").await;
        let mut rows = [login(1, "c", Some("xx")), login(2, "c", None), login(3, "c", None)];
        done!(place, here, |session| Login::update_many(session, &mut rows).await.unwrap());
        assert_row(&here, 1, "c", "xx").await;
        assert_row(&here, 2, "c", "y").await;
        assert_row(&here, 3, "c", "z").await;

        done!(place, here, |session| login(2, "d", None).upsert(session).await.unwrap());
        assert_row(&here, 2, "d", "y").await;
        done!(place, here, |session| login(2, "e", Some("yy")).upsert(session).await.unwrap());
        assert_row(&here, 2, "e", "yy").await;
        done!(place, here, |session| {
            let patch = Login::patch(3).set(LoginColumns::NAME, "f");
            patch.execute(session).await.unwrap()
        });
        assert_row(&here, 3, "f", "z").await;
        Login::delete_many(&here.orm, 1..=3).await.unwrap();
    }
}
