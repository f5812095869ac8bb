use crate::{
    arguments::{Cli, Verify, column},
    connection::{CacheUse, Reachable, connect},
    failure::{Failure, Outcome},
    output::print,
};
use cached_orm::KeyKind;

pub(crate) async fn verify<DB: Reachable>(cli: &Cli, asked: &Verify) -> Result<Outcome, Failure> {
    let mut table = asked.table.described();
    for unique in &asked.unique {
        table = table.unique(columns("--unique", unique)?);
    }
    for index in &asked.index {
        table = table.index(columns("--index", index)?);
    }
    let opened = connect::<DB>(cli, CacheUse::Namespace, None).await?;
    let report = opened.orm.verify_table(&table).await?;
    print(cli.is_json, &report, &report);
    Ok(Outcome::found_if(!report.is_sound()))
}

fn columns(option: &str, text: &str) -> Result<Vec<(String, Option<KeyKind>)>, Failure> {
    let columns: Result<Vec<_>, _> = text.split(',').map(column).collect();
    columns.map_err(|reason| {
        Failure::usage(
            format!("{option} {text}: {reason}"),
            format!("Write `{option} tenant,handle`."),
        )
    })
}
