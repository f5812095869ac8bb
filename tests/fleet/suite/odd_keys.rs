//! Whatever others write into a column of a key, triggers let them: what Rust cannot
//! read it has not cached.

use super::Here;
use crate::{
    databases::Kind,
    rows::{MOMENTS, Moment},
};

/// Values of `moments`: of a time with its zone, one without, a day, and a time of day.
fn odd_rows() -> Vec<&'static str> {
    match Here::DATABASE {
        Kind::Postgres => vec![
            "'infinity', 'infinity', 'infinity', '24:00'",
            "'-infinity', '-infinity', '-infinity', '00:00'",
            "'4714-11-24 00:00:00+00 BC', '4714-11-24 00:00:00 BC', '4714-11-24 BC', '00:00'",
            "'0001-12-31 23:59:59.999999+00 BC', '0001-01-01 BC', '0001-01-01 BC', '12:00'",
            "'294276-12-31 23:59:59.999999+00', '294276-12-31 23:59:59.999999', '5874897-12-31', '0:0'",
            "'10000-01-01 00:00+00', '10000-01-01', '10000-01-01', '23:59:59.999999'",
        ],
        Kind::MariaDb => vec![
            "'1970-01-01 00:00:01', '1000-01-01', '1000-01-01', '-838:59:59'",
            "'2038-01-19 03:14:07.999999', '9999-12-31 23:59:59.999999', '9999-12-31', '838:59:59'",
            "'2000-01-01', '0000-00-00', '0000-00-00', '00:00:00'",
            "'2000-01-02', '2000-00-00', '2000-01-00', '-00:00:01'",
        ],
        Kind::Sqlite => vec![
            "'rubbish', 'rubbish', 'rubbish', 'rubbish'",
            "12345, 12345, 12345, 12345",
            "x'00ff', x'00ff', x'00ff', x'00ff'",
            "1.5, 1e300, -1e300, 9e999",
            "'', '', '', ''",
            "NULL, 'now', 'now', 'now'",
            "'9999999-99-99T99:99:99+99:99', '99', '-', ':'",
        ],
    }
}

#[tokio::test]
async fn no_write_of_others_fails_for_its_key() {
    let here = Here::built(&[MOMENTS], |builder| builder.drainer(false)).await;
    here.orm.install_outbox().await.unwrap();
    here.orm.install_triggers::<Moment>().await.unwrap();
    // Dates of zeros are let in as others may have it.
    let lax = if Here::DATABASE == Kind::MariaDb { "SET SESSION sql_mode = ''; " } else { "" };
    for row in odd_rows() {
        here.run(&format!("{lax}INSERT INTO moments VALUES ({row})")).await;
        here.run(&format!("{lax}UPDATE moments SET day = day, local = local")).await;
    }
    here.run(&format!("{lax}DELETE FROM moments")).await;
    here.orm.drain_outbox().await.unwrap();
    if Here::DATABASE == Kind::Postgres {
        here.run(&format!("INSERT INTO moments VALUES ({})", odd_rows()[0])).await;
        here.run("TRUNCATE moments").await;
    }
}
