use crate::{
    arguments::Cli,
    connection::{CacheUse, Reachable, open},
    failure::{Failure, Outcome},
    output::print,
};
use cached_orm::Status;
use serde::Serialize;

#[derive(Serialize)]
struct Answer<'s> {
    /// Whether the database and all servers answer, and the outbox is empty.
    is_well: bool,
    #[serde(flatten)]
    status: &'s Status,
}

pub(crate) async fn status<DB: Reachable>(cli: &Cli) -> Result<Outcome, Failure> {
    let opened = open::<DB>(cli, CacheUse::Servers, None).await?;
    let mut status = opened.orm.status().await;
    // The pool would only say that it has waited.
    if let Some(failure) = opened.no_database {
        status.database.error = Some(failure.into_message());
    }
    let text = status.to_string();
    // Loads are those of this process, of which there are none.
    let text = text.lines().filter(|line| !line.starts_with("loads")).collect::<Vec<_>>();
    let is_well = status.is_well();
    print(cli.is_json, &Answer { is_well, status: &status }, text.join("\n"));
    let is_silent =
        status.database.error.is_some() || status.servers.iter().any(|server| !server.is_up());
    Ok(if is_silent { Outcome::Unreachable } else { Outcome::found_if(!is_well) })
}
