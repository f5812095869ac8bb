use crate::{
    arguments::{Cli, Drain},
    connection::{CacheUse, Opened, Reachable, connect},
    failure::{Failure, Outcome},
    output::print,
    progress::Progress,
};
use cached_orm::{Drained, Orm, OutboxStatus};
use serde::Serialize;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// How long to wait before rows that had to be left are tried again.
const PAUSE: Duration = Duration::from_millis(200);

const NO_OUTBOX: &str = "there is no outbox; `cached-orm migrate --print` shows how to create it";

#[derive(Serialize)]
struct StatusAnswer<'n> {
    namespace: &'n str,
    #[serde(flatten)]
    outbox: OutboxStatus,
}

pub(crate) async fn outbox_status<DB: Reachable>(cli: &Cli) -> Result<Outcome, Failure> {
    let Opened { orm, namespace, .. } = connect::<DB>(cli, CacheUse::Namespace, None).await?;
    let outbox = orm.outbox_status().await?;
    let text = match outbox {
        OutboxStatus { is_installed: false, .. } => NO_OUTBOX.to_owned(),
        OutboxStatus { rows, oldest, .. } => {
            let oldest = match oldest {
                Some(age) => format!("\noldest        {:.1} s", age.as_secs_f64()),
                None => String::new(),
            };
            let name = if namespace.is_empty() { "(none)" } else { &namespace };
            format!("namespace     {name}\nrows          {rows}{oldest}")
        }
    };
    print(cli.is_json, &StatusAnswer { namespace: &namespace, outbox }, text);
    Ok(Outcome::found_if(!outbox.is_installed || outbox.rows > 0))
}

#[derive(Serialize)]
struct DrainAnswer {
    is_installed: bool,
    drained: u64,
    remaining: u64,
    /// The servers that do not answer.
    silent_servers: Vec<String>,
}

pub(crate) async fn drain<DB: Reachable>(cli: &Cli, asked: &Drain) -> Result<Outcome, Failure> {
    let Opened { orm, .. } = connect::<DB>(cli, CacheUse::Servers, Some(asked.fence_ttl)).await?;
    let before = orm.outbox_status().await?;
    if !before.is_installed {
        let silent_servers = Vec::new();
        let answer = DrainAnswer { is_installed: false, drained: 0, remaining: 0, silent_servers };
        print(cli.is_json, &answer, NO_OUTBOX);
        return Ok(Outcome::Found);
    }
    let mut progress = Progress::new("rows drained");
    let drained = drain_until(&orm, asked.within, before.rows, &mut progress).await;
    progress.end();
    let Drained { drained, remaining, .. } = drained?;
    let mut silent_servers = Vec::new();
    if remaining > 0 {
        let servers = orm.store().servers().await;
        silent_servers.extend(servers.into_iter().filter(|it| !it.is_up()).map(|it| it.name));
    }
    let mut text = format!("drained       {drained}\nremaining     {remaining}");
    for server in &silent_servers {
        text.push_str(&format!("\nno answer     {server}"));
    }
    let outcome = match remaining {
        0 => Outcome::Fine,
        _ if silent_servers.is_empty() => Outcome::Found,
        _ => Outcome::Unreachable,
    };
    print(
        cli.is_json,
        &DrainAnswer { is_installed: true, drained, remaining, silent_servers },
        text,
    );
    Ok(outcome)
}

/// Drains again and again, since a pass leaves what others have at hand.
async fn drain_until<DB: Reachable>(
    orm: &Orm<DB>,
    within: Duration,
    rows: u64,
    progress: &mut Progress,
) -> cached_orm::Result<Drained> {
    let end = Instant::now() + within;
    let mut sum = Drained::default();
    loop {
        let pass = orm.drain_outbox().await?;
        sum.drained += pass.drained;
        sum.remaining = pass.remaining;
        progress.is_at(sum.drained, rows.max(sum.drained + sum.remaining));
        if sum.remaining == 0 || Instant::now() + PAUSE >= end {
            return Ok(sum);
        }
        sleep(PAUSE).await;
    }
}
