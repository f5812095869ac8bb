//! The keys that triggers write are those that the library reads by, whatever is
//! in them.

// Its own name, for the macro, which is used elsewhere too.
use super::{Database, Here, keys_in_sql};
use crate::databases::Kind;
use chrono::{DateTime, Days, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Utc};
use proptest::{
    prelude::*,
    strategy::ValueTree as _,
    test_runner::{Config, TestRunner},
};
use sqlx::{AssertSqlSafe, pool::PoolConnection};
use time::{Date, Duration, OffsetDateTime, PrimitiveDateTime, Time, UtcOffset};
use uuid::Uuid;

/// How many random values of each type.
const VALUES: usize = 60;

/// `some`, and random ones.
pub(super) fn values<T: PartialEq + std::fmt::Debug>(
    some: impl IntoIterator<Item = T>,
    random: impl Strategy<Value = T>,
) -> Vec<T> {
    let mut runner = TestRunner::new(Config::default());
    let mut values: Vec<T> = Vec::new();
    let random = (0..VALUES).map(|_| random.new_tree(&mut runner).expect("a value").current());
    for value in some.into_iter().chain(random) {
        if !values.contains(&value) {
            values.push(value);
        }
    }
    values
}

/// A place with the table `keyed`, whose keys are `columns`.
pub(super) async fn place(columns: &[[&str; 3]]) -> Here {
    let here = Here::built(&[], |builder| builder.drainer(false)).await;
    let kind = match Here::DATABASE {
        Kind::Postgres => 0,
        Kind::MariaDb => 1,
        Kind::Sqlite => 2,
    };
    let names = ["id", "id_2", "id_3"];
    let columns = names.iter().zip(columns);
    let keys: Vec<&str> = columns.clone().map(|(name, _)| *name).collect();
    let columns: String =
        columns.map(|(name, types)| format!("{name} {} NOT NULL, ", types[kind])).collect();
    here.run(&format!(
        "CREATE TABLE keyed ({columns}number INT NOT NULL, PRIMARY KEY ({}))",
        keys.join(", ")
    ))
    .await;
    here.orm.install_outbox().await.unwrap();
    here
}

pub(super) fn insert_sql(parts: usize) -> AssertSqlSafe<String> {
    let placeholder = |n: usize| match Here::DATABASE {
        Kind::MariaDb => "?, ".to_owned(),
        _ => format!("${n}, "),
    };
    let placeholders: String = (1..=parts).map(placeholder).collect();
    AssertSqlSafe(format!("INSERT INTO keyed VALUES ({placeholders}0)"))
}

/// A session that prints as much as it can in another way.
pub(super) async fn odd_session(here: &Here) -> PoolConnection<Database> {
    let mut connection = here.other_pool().await.acquire().await.unwrap();
    let sql = match Here::DATABASE {
        Kind::Postgres => {
            "SET TimeZone = 'Asia/Kathmandu'; SET DateStyle = 'German'; SET bytea_output = 'escape';
             SET standard_conforming_strings = off; SET client_encoding = 'LATIN1';
             SET extra_float_digits = 0"
        }
        Kind::MariaDb => {
            "SET time_zone = '+05:45', lc_time_names = 'de_DE', sql_mode = 'ANSI';
             SET character_set_connection = latin1"
        }
        Kind::Sqlite => "PRAGMA recursive_triggers = ON",
    };
    sqlx::raw_sql(sql).execute(&mut *connection).await.unwrap();
    connection
}

/// Rows with these keys are cached, and another program's statement takes each of
/// them out.
macro_rules! keyed {
    ($test:ident: ($($part:ident: $ty:ty),+) of $databases:tt as [$($columns:expr),+], $values:expr) => {
        #[tokio::test]
        async fn $test() {
            use cached_orm::MemcachedOrm as _;
            use $crate::polling::until;

            #[derive(
                Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize,
                cached_orm::MemcachedOrm,
            )]
            #[orm(table = "keyed", database = $databases)]
            struct Keyed {
                $(#[primary_key] $part: $ty,)+
                number: i32,
            }
            let here = keys_in_sql::place(&[$($columns),+]).await;
            here.orm.install_triggers::<Keyed>().await.unwrap();
            let values: Vec<_> = $values;
            let parts = [$(stringify!($part)),+].len();
            for ($($part,)+) in values.iter().cloned() {
                let insert = sqlx::query(keys_in_sql::insert_sql(parts));
                let insert = insert$(.bind($part))+;
                insert.execute(here.orm.pool()).await.unwrap();
            }
            let inserted = here.orm.drain_outbox().await.unwrap();
            assert_eq!(inserted.drained, values.len() as u64);
            // As another program's, it is seen by its row in the outbox only.
            let rows = Keyed::rows(&here).await;
            assert_eq!(rows.len(), values.len());
            for row in &rows {
                let cached = || async {
                    Keyed::fetch(&here.orm, row.key()).await.unwrap();
                    Keyed::get_cached_instance(&here.orm, row.key()).await.unwrap().is_some()
                };
                until("the row is cached", cached).await;
            }
            let mut session = keys_in_sql::odd_session(&here).await;
            let update = "UPDATE keyed SET number = number + 1";
            sqlx::raw_sql(update).execute(&mut *session).await.unwrap();
            let updated = here.orm.drain_outbox().await.unwrap();
            assert_eq!(updated.drained, values.len() as u64);
            for row in &rows {
                let cached = Keyed::get_cached_instance(&here.orm, row.key()).await.unwrap();
                assert_eq!(cached, None, "{row:?} is there still");
                let read = Keyed::fetch_one(&here.orm, row.key()).await.unwrap();
                assert_eq!((read.key(), read.number), (row.key(), 1));
            }

            impl Keyed {
                async fn rows(here: &Here) -> Vec<Self> {
                    Self::fetch_all_by_field(&here.orm, KeyedColumns::NUMBER, 0).await.unwrap()
                }

                fn key(&self) -> <Self as cached_orm::Entity>::Key {
                    cached_orm::Entity::key(self)
                }
            }
        }
    };
}
#[allow(unused_imports, reason = "PostgreSQL has no types but these")]
pub(super) use keyed;

pub(super) const ALIKE: fn(&'static str) -> [&'static str; 3] = |ty| [ty, ty, ty];

keyed!(i8s: (id: i8) of (Postgres, MySql, Sqlite) as [["\"char\"", "TINYINT", "INT"]],
    values([0, 1, -1, i8::MIN, i8::MAX], any::<i8>()).into_iter().map(|id| (id,)).collect());
keyed!(i16s: (id: i16) of (Postgres, MySql, Sqlite) as [ALIKE("SMALLINT")],
    values([0, i16::MIN, i16::MAX], any::<i16>()).into_iter().map(|id| (id,)).collect());
keyed!(i32s: (id: i32) of (Postgres, MySql, Sqlite) as [["INT", "INT", "INTEGER"]],
    values([0, i32::MIN, i32::MAX], any::<i32>()).into_iter().map(|id| (id,)).collect());
keyed!(i64s: (id: i64) of (Postgres, MySql, Sqlite) as [["BIGINT", "BIGINT", "INTEGER"]],
    values([0, i64::MIN, i64::MAX], any::<i64>()).into_iter().map(|id| (id,)).collect());
keyed!(bools: (id: bool) of (Postgres, MySql, Sqlite) as [ALIKE("BOOLEAN")],
    vec![(true,), (false,)]);
keyed!(strings: (id: String) of (Postgres, MySql, Sqlite)
    as [["TEXT", "VARCHAR(700) COLLATE utf8mb4_nopad_bin", "TEXT"]],
    texts().into_iter().map(|id| (id,)).collect());
keyed!(bytes: (id: Vec<u8>) of (Postgres, MySql, Sqlite)
    as [["BYTEA", "VARBINARY(700)", "BLOB"]],
    byte_strings().into_iter().map(|id| (id,)).collect());
keyed!(uuids: (id: Uuid) of (Postgres, MySql, Sqlite) as [["UUID", "BINARY(16)", "BLOB"]],
    values([Uuid::nil(), Uuid::max()], any::<u128>().prop_map(Uuid::from_u128))
        .into_iter().map(|id| (id,)).collect());
keyed!(chrono_date: (id: NaiveDate) of (Postgres, MySql, Sqlite) as [ALIKE("DATE")],
    chrono_dates().into_iter().map(|id| (id,)).collect());
keyed!(chrono_time: (id: NaiveTime) of (Postgres, MySql, Sqlite) as [["TIME", "TIME(6)", "TIME"]],
    chrono_times().into_iter().map(|id| (id,)).collect());
keyed!(chrono_date_time: (id: NaiveDateTime) of (Postgres, MySql, Sqlite)
    as [["TIMESTAMP", "DATETIME(6)", "DATETIME"]],
    chrono_date_times().into_iter().map(|id| (id,)).collect());
keyed!(chrono_timestamp: (id: DateTime<Utc>) of (Postgres, MySql, Sqlite)
    as [["TIMESTAMPTZ", "DATETIME(6)", "DATETIME"]],
    chrono_date_times().into_iter().map(|id| (id.and_utc(),))
        .filter(|(at,)| can_be_bound(at.timestamp())).collect());
keyed!(date: (id: Date) of (Postgres, MySql, Sqlite) as [ALIKE("DATE")],
    dates().into_iter().map(|id| (id,)).collect());
keyed!(time: (id: Time) of (Postgres, MySql, Sqlite) as [["TIME", "TIME(6)", "TIME"]],
    times().into_iter().map(|id| (id,)).collect());
keyed!(date_time: (id: PrimitiveDateTime) of (Postgres, MySql, Sqlite)
    as [["TIMESTAMP", "DATETIME(6)", "DATETIME"]],
    date_times().into_iter().map(|id| (id,)).collect());
keyed!(timestamp: (id: OffsetDateTime) of (Postgres, MySql, Sqlite)
    as [["TIMESTAMPTZ", "DATETIME(6)", "DATETIME"]],
    timestamps().into_iter().map(|id| (id,))
        .filter(|(at,)| can_be_bound(at.unix_timestamp())).collect());
keyed!(composite: (id: String, id_2: i64, id_3: Vec<u8>) of (Postgres, MySql, Sqlite)
    as [["TEXT", "VARCHAR(500) COLLATE utf8mb4_nopad_bin", "TEXT"], ALIKE("BIGINT"),
        ["BYTEA", "VARBINARY(500)", "BLOB"]],
    texts().into_iter().zip(byte_strings()).enumerate()
        .filter(|(_, (text, bytes))| text.chars().count() <= 500 && bytes.len() <= 500)
        .map(|(number, (text, bytes))| (text, number as i64 - 9, bytes)).collect());

fn texts() -> Vec<String> {
    let some = [
        "", " ", "  ", "a", "A", "a ", " a", "1", "NULL", "(", ")(", "%", "%28", "'", "''", "\\", "\\'",
        "\"", "`", "$cached_orm$", "a:b", "\r\n", "\t", "\u{7f}", "\u{85}", "é", "e\u{301}", "ß",
        "\u{1F980}", "\u{10FFFF}", "\u{feff}", "\u{202e}", "\u{fffd}",
    ]
    .map(str::to_owned);
    let long = ["x".repeat(249), "x".repeat(700), "\u{1F980}".repeat(700), " ".repeat(300)];
    let plain = proptest::collection::vec(any::<char>(), 0..40).prop_map(|chars| {
        chars.into_iter().filter(|char| *char != '\0').collect::<String>()
    });
    let mut texts = values(some.into_iter().chain(long), plain);
    if Here::DATABASE != Kind::Postgres {
        texts.extend(["\0", "a\0b", "a\0"].map(str::to_owned));
    }
    texts
}

fn byte_strings() -> Vec<Vec<u8>> {
    let some = [&b""[..], b"\0", b"\0\0", b"a", b"'", b"\\", b"\xff\xfe", &[0xc3; 700]];
    let some = some.map(<[u8]>::to_vec);
    values(some, proptest::collection::vec(any::<u8>(), 0..60))
}

/// sqlx binds these as TIMESTAMP, of which MariaDB has few years.
fn can_be_bound(second: i64) -> bool {
    Here::DATABASE != Kind::MariaDb || (1..i64::from(i32::MAX)).contains(&second)
}

/// The days that the database has: MySQL's begin with the year 1000.
fn first_year() -> i32 {
    if Here::DATABASE == Kind::MariaDb { 1000 } else { 1 }
}

fn chrono_dates() -> Vec<NaiveDate> {
    let day = |year, month, day| NaiveDate::from_ymd_opt(year, month, day).expect("a day");
    let first = day(first_year(), 1, 1);
    let mut some = vec![first, day(1969, 12, 31), day(2000, 2, 29), day(9999, 12, 31)];
    if Here::DATABASE != Kind::MariaDb {
        some.extend([day(0, 1, 1), day(-1, 12, 31), day(-4000, 3, 1), day(10_000, 1, 1)]);
        some.push(day(200_000, 12, 31));
    }
    values(some, (0..3_000_000_u64).prop_map(move |days| first + Days::new(days % 3_280_000)))
}

/// Fractions as the database keeps them: SQLite's texts have nanoseconds.
fn nanoseconds() -> impl Strategy<Value = u32> {
    let unit = if Here::DATABASE == Kind::Sqlite { 1 } else { 1_000 };
    let any_fraction = 0..1_000_000_000_u32 / unit;
    let round = (0..1_000_u32).prop_map(|milliseconds| milliseconds * 1_000_000);
    prop_oneof![any_fraction.prop_map(move |units| units * unit), round]
}

fn chrono_times() -> Vec<NaiveTime> {
    let time = |second, nanosecond| {
        NaiveTime::from_num_seconds_from_midnight_opt(second, nanosecond).expect("a time")
    };
    let mut some = vec![time(0, 0), time(86_399, 999_999_000), time(43_200, 500_000_000)];
    if Here::DATABASE == Kind::Sqlite {
        some.extend([time(1, 1), time(1, 10), time(1, 1_100), time(86_399, 1_500_000_000)]);
    }
    values(some, (0..86_400_u32, nanoseconds()).prop_map(move |(s, n)| time(s, n)))
}

fn chrono_date_times() -> Vec<NaiveDateTime> {
    let times = chrono_times().into_iter().cycle();
    let dates = chrono_dates();
    let mut all: Vec<_> = dates.iter().zip(times).map(|(date, time)| date.and_time(time)).collect();
    // Around the edges of days, in zones east and west.
    let leap_day = dates[2].and_time(NaiveTime::MIN);
    for minutes in 0..96 {
        let at = leap_day + TimeDelta::minutes(30 * minutes);
        if !all.contains(&at) {
            all.push(at);
        }
    }
    all
}

fn dates() -> Vec<Date> {
    let julian = |year| Date::from_ordinal_date(year, 1).expect("a day").to_julian_day();
    let (first, last) = (julian(first_year()), julian(9999));
    let day = |day| Date::from_julian_day(day).expect("a day");
    let mut some = vec![day(first), day(last)];
    if Here::DATABASE != Kind::MariaDb {
        some.extend([day(julian(0)), day(julian(-1)), day(julian(-4000))]);
    }
    values(some, (first..last).prop_map(day))
}

fn times() -> Vec<Time> {
    let time = |second: u32, nanosecond| {
        let (hour, minute) = (second / 3_600, second / 60 % 60);
        Time::from_hms_nano(hour as u8, minute as u8, (second % 60) as u8, nanosecond).expect("a time")
    };
    let mut some = vec![time(0, 0), time(86_399, 999_999_000)];
    if Here::DATABASE == Kind::Sqlite {
        some.extend([time(1, 1), time(1, 10), time(1, 1_100), time(86_399, 999_999_999)]);
    }
    values(some, (0..86_400_u32, nanoseconds()).prop_map(move |(s, n)| time(s, n)))
}

fn date_times() -> Vec<PrimitiveDateTime> {
    let times = times().into_iter().cycle();
    dates().into_iter().zip(times).map(|(date, time)| PrimitiveDateTime::new(date, time)).collect()
}

fn timestamps() -> Vec<OffsetDateTime> {
    let hours = (-12..=12).cycle();
    let offset = |hour| UtcOffset::from_hms(hour, 30, 0).expect("an offset");
    let mut at: Vec<_> = date_times()
        .into_iter()
        .filter(|at| (1..9999).contains(&at.year()))
        .zip(hours)
        .map(|(at, hour)| at.assume_utc().to_offset(offset(hour)))
        .collect();
    at.push(OffsetDateTime::UNIX_EPOCH);
    at.push(OffsetDateTime::UNIX_EPOCH - Duration::microseconds(1));
    at.extend((1..90).map(|days| OffsetDateTime::UNIX_EPOCH + Duration::hours(5_000 * days)));
    at
}
