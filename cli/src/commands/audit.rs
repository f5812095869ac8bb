use crate::{
    arguments::{Audit, Cli},
    connection::{CacheUse, Reachable, connect},
    failure::{Failure, Outcome},
    instance_key,
    output::print,
    progress::Progress,
};
use cached_orm::{AuditOptions, RowKeys, TableAudit};
use serde::Serialize;
use std::{
    fs,
    io::{self, Read as _},
    path::Path,
};

#[derive(Serialize)]
struct Answer<'a> {
    table: &'a str,
    #[serde(flatten)]
    audit: &'a TableAudit,
}

pub(crate) async fn audit<DB: Reachable>(cli: &Cli, asked: &Audit) -> Result<Outcome, Failure> {
    let keys = match &asked.keys {
        Some(path) => RowKeys::These(keys_in(path)?),
        None => RowKeys::Sample(asked.sample),
    };
    let mut table = asked.table.described().fields(&asked.fields).except(&asked.except);
    if let Some(time) = asked.stale_if_error {
        table = table.stale_if_error(time);
    }
    let options = AuditOptions::default().settle(asked.settle).most_told(asked.most_told);
    let opened = connect::<DB>(cli, CacheUse::Servers, None).await?;
    let mut progress = Progress::new("keys");
    let audited = opened
        .orm
        .audit_table(&table, keys, options, |so_far| {
            progress.is_at(so_far.audit.asked, so_far.keys);
        })
        .await;
    progress.end();
    let audit = audited?;
    print(cli.is_json, &Answer { table: &asked.table.name, audit: &audit }, &audit);
    let counts = &audit.audit;
    Ok(match counts.unexplained + counts.pending {
        0 if counts.unanswered > 0 => Outcome::Unreachable,
        differing => Outcome::found_if(differing > 0),
    })
}

/// The keys in a file, one on each line.
fn keys_in(path: &Path) -> Result<Vec<Vec<String>>, Failure> {
    let text = if path == Path::new("-") {
        let mut text = String::new();
        io::stdin().read_to_string(&mut text).map(|_| text)
    } else {
        fs::read_to_string(path)
    };
    let text = text.map_err(|error| {
        Failure::usage(
            format!("cannot read keys from {}: {error}", path.display()),
            "Name a file of UTF-8 text with a primary key on each line, or `-`.",
        )
    })?;
    let key = |(number, line): (usize, &str)| {
        instance_key::of_line(line).map_err(|reason| {
            Failure::usage(
                format!("line {} of {}: {reason}", number + 1, path.display()),
                "Write a primary key on each line.",
            )
        })
    };
    text.lines().enumerate().filter(|(_, line)| !line.is_empty()).map(key).collect()
}
