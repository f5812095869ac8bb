//! Transactions: what others read before and after a commit, what a savepoint
//! and an error undo, and many transfers at once that lose no coin.
//!
//! ```sh
//! cargo run --example transaction
//! ```
//!
//! `DATABASE_URL` and `MEMCACHED_URL` choose servers, as for `quickstart`. It
//! drops and creates the table `transaction_accounts`, and leaves it there.

mod environment;

use cached_orm::{
    Backend, Error, Isolation, MemcachedOrm, Orm, Persist, Session, Transaction, sqlx,
};
use environment::{AnyOrm, Result};
use rand::{RngExt, SeedableRng, rngs::SmallRng};
use serde::{Deserialize, Serialize};
use std::fmt;
use tokio::task::JoinSet;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, MemcachedOrm)]
#[orm(table = "transaction_accounts")]
struct Account {
    #[primary_key]
    id: i64,
    owner: String,
    coins: i64,
}

const SCHEMA: &str = "
    DROP TABLE IF EXISTS transaction_accounts;
    CREATE TABLE transaction_accounts (
        id    BIGINT PRIMARY KEY,
        owner VARCHAR(50) NOT NULL,
        coins BIGINT NOT NULL
    );";

const OWNERS: [&str; 10] =
    ["Ann", "Bob", "Cem", "Dora", "Eve", "Fred", "Gina", "Hugo", "Ida", "Jan"];
const ANN: i64 = 0;
const BOB: i64 = 1;
const COINS: i64 = 100;
const TASKS: u64 = 8;
const TRANSFERS: u64 = 25;

#[tokio::main]
async fn main() -> Result<()> {
    let directory = tempfile::tempdir()?;
    match environment::connect(directory.path(), SCHEMA).await? {
        AnyOrm::Postgres(orm) => tour(&orm).await,
        AnyOrm::MySql(orm) => tour(&orm).await,
        AnyOrm::Sqlite(orm) => tour(&orm).await,
    }
}

async fn tour<DB: Backend>(orm: &Orm<DB>) -> Result<()>
where
    Account: Persist<DB>,
{
    for (id, owner) in (0..).zip(OWNERS) {
        Account { id, owner: owner.to_owned(), coins: COINS }.insert(orm).await?;
    }
    environment::wait_for_cache::<Account, DB>(orm, ANN).await?;

    println!("Ann gives Bob 30 of her {COINS} coins:\n");
    let mut transaction = orm.begin().await?;
    transfer(&mut transaction, ANN, BOB, 30).await?;
    let (ann, bob) = (coins(&mut transaction, ANN).await?, coins(&mut transaction, BOB).await?);
    println!("  the transaction reads   Ann {ann}, Bob {bob}");
    show(orm, "others read").await?;
    transaction.commit().await?;
    show(orm, "after the commit").await?;

    println!("\nA savepoint undoes a part:\n");
    let mut transaction = orm.begin().await?;
    transfer(&mut transaction, BOB, ANN, 10).await?;
    let mut savepoint = transaction.savepoint().await?;
    Account::fetch_one(&mut savepoint, BOB).await?.delete(&mut savepoint).await?;
    println!("  Bob is deleted: {:?}", Account::fetch(&mut savepoint, BOB).await?);
    savepoint.rollback().await?;
    println!("  and he is back: {:?}", Account::fetch(&mut transaction, BOB).await?);
    transaction.commit().await?;
    show(orm, "after the commit").await?;

    println!("\nAn error undoes all:\n");
    match give_all_and_more(orm).await {
        Err(TransferError::TooPoor { has }) => println!("  refused: Bob has only {has} coins"),
        other => other?,
    }
    show(orm, "after that").await?;

    println!("\n{TASKS} tasks make {TRANSFERS} transfers each, between any two accounts:\n");
    let mut tasks = JoinSet::new();
    for task in 0..TASKS {
        tasks.spawn(many_transfers(orm.clone(), SmallRng::seed_from_u64(task)));
    }
    let mut tries = 0;
    while let Some(task) = tasks.join_next().await {
        tries += task??;
    }
    let mut sum = 0;
    for id in (0..).take(OWNERS.len()) {
        let cached = Account::fetch_one(orm, id).await?;
        let stored = Account::fetch_uncached(orm, id).await?;
        if stored.as_ref() != Some(&cached) {
            return Err(format!("the cache has {cached:?}, the database {stored:?}").into());
        }
        println!("  {:<5} {:>4}", cached.owner, cached.coins);
        sum += cached.coins;
    }
    println!("\n  {tries} transactions were begun; the accounts hold {sum} coins in all.");
    orm.close().await;
    if sum != COINS * OWNERS.len() as i64 {
        return Err("coins were lost or made".into());
    }
    Ok(())
}

/// Moves coins, as part of a transaction.
async fn transfer<DB: Backend>(
    transaction: &mut Transaction<DB>,
    from: i64,
    to: i64,
    coins: i64,
) -> Result<(), TransferError>
where
    Account: Persist<DB>,
{
    let mut from = Account::fetch_one(&mut *transaction, from).await?;
    let mut to = Account::fetch_one(&mut *transaction, to).await?;
    if from.coins < coins {
        return Err(TransferError::TooPoor { has: from.coins });
    }
    from.coins -= coins;
    to.coins += coins;
    // In one order for all, or two transfers would wait for each other.
    let mut accounts = [from, to];
    accounts.sort_by_key(|account| account.id);
    for account in &mut accounts {
        account.update(&mut *transaction).await?;
    }
    Ok(())
}

/// The first transfer succeeds. The second does not, and its `?` drops the
/// transaction, which undoes the first.
async fn give_all_and_more<DB: Backend>(orm: &Orm<DB>) -> Result<(), TransferError>
where
    Account: Persist<DB>,
{
    let mut transaction = orm.begin().await?;
    let bob = Account::fetch_one(&mut transaction, BOB).await?;
    transfer(&mut transaction, BOB, ANN, bob.coins).await?;
    transfer(&mut transaction, BOB, ANN, 1).await?;
    transaction.commit().await?;
    Ok(())
}

/// Makes random transfers; returns how many transactions that took.
async fn many_transfers<DB: Backend>(orm: Orm<DB>, mut rng: SmallRng) -> Result<u64>
where
    Account: Persist<DB>,
{
    let accounts = OWNERS.len() as i64;
    let mut tries = 0;
    for _ in 0..TRANSFERS {
        let from = rng.random_range(0..accounts);
        let to = (from + rng.random_range(1..accounts)) % accounts;
        let amount = rng.random_range(1..=COINS);
        loop {
            tries += 1;
            match transfer_alone(&orm, from, to, amount).await {
                Ok(()) | Err(TransferError::TooPoor { .. }) => break,
                Err(TransferError::Orm(error)) if lost_a_race(&error) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
    Ok(tries)
}

/// Moves coins in a transaction of its own, as if no other ran beside it: two
/// transfers that both read 100 coins must not both write 70. The database then
/// refuses one of them, and it is to be tried again.
async fn transfer_alone<DB: Backend>(
    orm: &Orm<DB>,
    from: i64,
    to: i64,
    coins: i64,
) -> Result<(), TransferError>
where
    Account: Persist<DB>,
{
    let mut transaction = orm.begin_with(Isolation::Serializable).await?;
    transfer(&mut transaction, from, to, coins).await?;
    transaction.commit().await?;
    Ok(())
}

/// Whether the database chose this transaction to give way to another, which
/// SQLSTATE calls class 40.
fn lost_a_race(error: &Error) -> bool {
    let (Error::Database { source, .. } | Error::RolledBack { source, .. }) = error else {
        return false;
    };
    let sqlx::Error::Database(error) = source.as_ref() else { return false };
    error.code().is_some_and(|code| code.starts_with("40"))
}

/// Prints what Ann and Bob have, for a reader outside of any transaction.
async fn show<DB: Backend>(orm: &Orm<DB>, when: &str) -> Result<()>
where
    Account: Persist<DB>,
{
    println!("  {when:<23} Ann {}, Bob {}", coins(orm, ANN).await?, coins(orm, BOB).await?);
    Ok(())
}

async fn coins<S: Session>(session: S, id: i64) -> Result<i64>
where
    Account: Persist<S::Database>,
{
    Ok(Account::fetch_one(session, id).await?.coins)
}

/// Why a transfer failed.
#[derive(Debug)]
enum TransferError {
    TooPoor { has: i64 },
    Orm(Error),
}

impl From<Error> for TransferError {
    fn from(error: Error) -> Self {
        Self::Orm(error)
    }
}

impl fmt::Display for TransferError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooPoor { has } => write!(f, "there are only {has} coins"),
            Self::Orm(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for TransferError {}
