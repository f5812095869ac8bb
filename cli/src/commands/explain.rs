use crate::{
    arguments::{Cli, Explain},
    connection::{CacheUse, Reachable, open},
    failure::{Failure, Outcome},
    instance_key,
    output::print,
};
use cached_orm::{CacheContent, Explanation, InDatabase};
use serde::Serialize;

const FORMS: &str = "`cached-orm explain --help` shows how keys are written.";

#[derive(Serialize)]
struct Answer<'e> {
    table: &'e str,
    #[serde(flatten)]
    explanation: &'e Explanation,
}

pub(crate) async fn explain<DB: Reachable>(cli: &Cli, asked: &Explain) -> Result<Outcome, Failure> {
    let parts = instance_key::of_words(&asked.parts).map_err(|it| Failure::usage(it, FORMS))?;
    let parts: Vec<_> = parts.iter().map(String::as_str).collect();
    let opened = open::<DB>(cli, CacheUse::Servers, None).await?;
    let explanation = match opened.no_database {
        None => opened.orm.explain_row(&asked.table.described(), &parts).await?,
        // What lies in the cache can be told all the same.
        Some(failure) => {
            let key = opened.orm.row_key(asked.table.cache_name(), &parts);
            let mut explanation = opened.orm.explain_key(&key).await;
            explanation.age = None;
            explanation.database = Some(InDatabase::Failed(failure.into_message()));
            explanation
        }
    };
    let mut text = explanation.to_string();
    if explanation.content == CacheContent::Row && explanation.agrees.is_none() {
        text.push_str("agrees        not compared here: values are the struct's matter\n");
    }
    print(cli.is_json, &Answer { table: &asked.table.name, explanation: &explanation }, text);
    let is_silent = explanation.content == CacheContent::Unreachable
        || matches!(explanation.database, Some(InDatabase::Failed(_)));
    if is_silent {
        return Ok(Outcome::Unreachable);
    }
    Ok(Outcome::found_if(
        explanation.agrees == Some(false)
            || explanation.content == CacheContent::Unusable
            || explanation.pending.is_some_and(|rows| rows > 0),
    ))
}
