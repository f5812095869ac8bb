use crate::{
    arguments::{Cli, Migrate, column},
    connection::{CacheUse, Reachable, connect},
    failure::{Failure, Outcome},
    output::print,
};
use cached_orm::Orm;
use serde::Serialize;

#[derive(Serialize)]
struct Answer<'m> {
    outbox: &'static str,
    table: Option<&'m str>,
    triggers: Option<String>,
}

pub(crate) async fn migrate<DB: Reachable>(cli: &Cli, asked: &Migrate) -> Result<Outcome, Failure> {
    let outbox = Orm::<DB>::outbox_sql();
    let Some(name) = &asked.table else {
        let answer = Answer { outbox, table: None, triggers: None };
        print(cli.is_json, &answer, format_args!("{outbox};"));
        return Ok(Outcome::Fine);
    };
    if asked.index.is_empty() && !asked.no_index {
        return Err(Failure::usage(
            "the struct's indexes are not named",
            "Write `--index COLUMN,…` for each `unique` and `index` of the struct, or `--no-index`: \
             the triggers note the values that rows get in them.",
        ));
    }
    let mut table = asked.shape.of(name);
    for index in &asked.index {
        let columns: Result<Vec<_>, _> = index.split(',').map(column).collect();
        let columns = columns.map_err(|reason| {
            Failure::usage(format!("--index {index}: {reason}"), "Write `--index tenant,handle`.")
        })?;
        table = table.index(columns);
    }
    let opened = connect::<DB>(cli, CacheUse::Namespace, None).await?;
    let triggers = opened.orm.triggers_sql_of(&table).await?;
    let text = format!("{outbox};\n\n{triggers}");
    let answer = Answer { outbox, table: Some(name), triggers: Some(triggers) };
    print(cli.is_json, &answer, text);
    Ok(Outcome::Fine)
}
