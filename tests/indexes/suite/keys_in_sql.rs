//! The keys of indexes that triggers write are those that the library reads by,
//! whatever is in them.

// Its own name, for the macro.
use super::{Here, keys_in_sql};
use crate::databases::Kind;
use cached_orm::sqlx::AssertSqlSafe;
use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use uuid::Uuid;

/// A place with the table `indexed`: rows have their values in `copy` only.
pub(super) async fn place(columns: [&str; 3]) -> Here {
    let here = Here::built(&[], |builder| builder.drainer(false)).await;
    let column = match Here::DATABASE {
        Kind::Postgres => columns[0],
        Kind::MariaDb => columns[1],
        Kind::Sqlite => columns[2],
    };
    here.run(&format!(
        "CREATE TABLE indexed (id BIGINT PRIMARY KEY, value {column} NULL, team INT NOT NULL, copy {column} NOT NULL)"
    ))
    .await;
    here.run("CREATE UNIQUE INDEX by_value ON indexed (value)").await;
    here.orm.install_outbox().await.unwrap();
    here
}

pub(super) fn insert_sql() -> AssertSqlSafe<&'static str> {
    AssertSqlSafe(match Here::DATABASE {
        Kind::MariaDb => "INSERT INTO indexed (id, team, copy) VALUES (?, 7, ?)",
        _ => "INSERT INTO indexed (id, team, copy) VALUES ($1, 7, $2)",
    })
}

/// Nobody has the values, by what is cached; another program gives them to rows.
macro_rules! indexed {
    ($test:ident: $ty:ty as $columns:expr, $values:expr) => {
        #[tokio::test]
        async fn $test() {
            #[derive(
                Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize,
                cached_orm::MemcachedOrm,
            )]
            #[orm(table = "indexed", negative_ttl = "1h", index(team, value))]
            struct Indexed {
                #[primary_key]
                id: i64,
                #[orm(unique)]
                value: Option<$ty>,
                team: i32,
            }
            let here = keys_in_sql::place($columns).await;
            here.orm.install_triggers::<Indexed>().await.unwrap();
            let values: Vec<$ty> = $values.into();
            for (id, value) in (0_i64..).zip(&values) {
                let insert = sqlx::query(keys_in_sql::insert_sql()).bind(id).bind(value);
                insert.execute(here.orm.pool()).await.unwrap();
            }
            let inserted = here.orm.drain_outbox().await.unwrap();
            assert_eq!(inserted.drained, values.len() as u64);
            for _ in 0..2 {
                for value in &values {
                    let one = Indexed::fetch_by_value(&here.orm, value.clone()).await.unwrap();
                    assert_eq!(one, None);
                    let all = Indexed::fetch_by_team_and_value(&here.orm, 7, value.clone()).await;
                    assert_eq!(all.unwrap(), []);
                }
            }
            assert_eq!(here.statistics().loads, 2 * values.len() as u64);

            here.run("UPDATE indexed SET value = copy").await;
            let updated = here.orm.drain_outbox().await.unwrap();
            assert_eq!(updated.drained, 3 * values.len() as u64);
            for (id, value) in (0_i64..).zip(&values) {
                let one = Indexed::fetch_by_value(&here.orm, value.clone()).await.unwrap();
                assert_eq!(one.map(|row| row.id), Some(id), "{value:?}");
                let all = Indexed::fetch_by_team_and_value(&here.orm, 7, value.clone()).await;
                assert_eq!(all.unwrap().len(), 1, "{value:?}");
            }
            let before = here.orm.drain_outbox().await.unwrap();
            assert_eq!(before.drained, 0);
            here.run("UPDATE indexed SET value = copy").await;
            // The same value is no change.
            let updated = here.orm.drain_outbox().await.unwrap();
            assert_eq!(updated.drained, values.len() as u64);
        }
    };
}

indexed!(integers: i64 as ["BIGINT"; 3], [0, 1, -1, i64::MIN, i64::MAX]);
indexed!(bools: bool as ["BOOLEAN"; 3], [true, false]);
indexed!(texts: String as ["TEXT", "VARCHAR(500) COLLATE utf8mb4_nopad_bin", "TEXT"],
    ["", " ", "a", "A", "a ", "NULL", ")(", "%28", "'", "\\", "a:b", ",", "\r\n", "é", "e\u{301}",
     "\u{1F980}"].map(str::to_owned));
indexed!(bytes: Vec<u8> as ["BYTEA", "VARBINARY(500)", "BLOB"],
    [&b""[..], b"\0", b"\0\0", b"a", b"'", b"\xff\xfe"].map(<[u8]>::to_vec));
indexed!(uuids: Uuid as ["UUID", "BINARY(16)", "BLOB"],
    [Uuid::nil(), Uuid::max(), Uuid::from_u128(0x0123_4567_89AB_CDEF_0123_4567_89AB_CDEF)]);
indexed!(dates: NaiveDate as ["DATE"; 3], [day(1000), day(1969), day(2026), day(9999)]);
indexed!(times: NaiveTime as ["TIME", "TIME(6)", "TIME"], [time(0, 0), time(86_399, 999_999), time(43_200, 500)]);
indexed!(date_times: NaiveDateTime as ["TIMESTAMP", "DATETIME(6)", "DATETIME"],
    [day(1000).and_time(time(1, 1)), day(2026).and_time(time(0, 0)), day(9999).and_time(time(86_399, 999_999))]);
indexed!(timestamps: DateTime<Utc> as ["TIMESTAMPTZ", "DATETIME(6)", "DATETIME"],
    [day(1971).and_time(time(1, 1)).and_utc(), day(2026).and_time(time(0, 0)).and_utc()]);

fn day(year: i32) -> NaiveDate {
    NaiveDate::from_ymd_opt(year, 2, 28).expect("a day")
}

fn time(second: u32, microsecond: u32) -> NaiveTime {
    NaiveTime::from_num_seconds_from_midnight_opt(second, microsecond * 1_000).expect("a time")
}
