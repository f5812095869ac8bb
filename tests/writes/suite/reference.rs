//! Random writes, one after another, against a map that says what must be there.

use super::Here;
use crate::{
    documents::{PLAYERS, Player, PlayerColumns},
    sessions::{EVERYWHERE, Where},
};
use cached_orm::{Error, MemcachedOrm as _};
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng, seq::IndexedRandom as _};
use std::collections::{BTreeMap, BTreeSet};

const KEYS: i64 = 12;
const TEAMS: i32 = 4;
const NAMES: u32 = 15;
const STEPS: usize = 120;

type Rows = BTreeMap<i64, Player>;

fn some_keys(random: &mut StdRng) -> Vec<i64> {
    (0..KEYS).filter(|_| random.random_bool(0.3)).collect()
}

fn player(random: &mut StdRng, id: i64) -> Player {
    let name = format!("name {}", random.random_range(0..NAMES));
    Player { id, name, team: random.random_range(0..TEAMS) }
}

/// Whether names are different, as the unique index wants them.
fn is_allowed(rows: &Rows) -> bool {
    let names: BTreeSet<_> = rows.values().map(|row| &row.name).collect();
    names.len() == rows.len()
}

/// Whether one name would be on its way from one row to another: then it depends
/// on the order in which the database writes the rows.
fn may_collide(before: &Rows, written: &[Player]) -> bool {
    written.iter().any(|row| before.values().any(|old| old.id != row.id && old.name == row.name))
}

/// What is read, by each way there is, twice: from the database, then from the
/// cache.
async fn assert_same(here: &Here, rows: &Rows, what: &str) {
    for _ in 0..2 {
        for id in 0..KEYS {
            let read = Player::fetch(&here.orm, id).await.unwrap();
            assert_eq!(read.as_ref(), rows.get(&id), "{what}");
        }
        for team in 0..TEAMS {
            let mut read = Player::fetch_by_team(&here.orm, team).await.unwrap();
            read.sort_by_key(|row| row.id);
            let expected: Vec<_> = rows.values().filter(|row| row.team == team).cloned().collect();
            assert_eq!(read, expected, "{what}");
        }
        for name in 0..NAMES {
            let name = format!("name {name}");
            let read = Player::fetch_by_name(&here.orm, name.as_str()).await.unwrap();
            assert_eq!(read.as_ref(), rows.values().find(|row| row.name == name), "{what}");
        }
    }
}

#[tokio::test]
async fn whatever_is_written_is_read_by_key_and_by_index() {
    let here = Here::with(&[PLAYERS]).await;
    let seed: u64 = rand::random();
    let mut random = StdRng::seed_from_u64(seed);
    let mut rows = Rows::new();
    for step in 0..STEPS {
        let place: Where = *EVERYWHERE.choose(&mut random).unwrap();
        let keys = some_keys(&mut random);
        let id = random.random_range(0..KEYS);
        let written: Vec<_> = keys.iter().map(|id| player(&mut random, *id)).collect();
        let one = player(&mut random, id);
        let method = random.random_range(0..6);
        let mut after = rows.clone();
        let what = format!("seed {seed}, step {step}: method {method}, {place:?}");
        let done: cached_orm::Result<()> = match method {
            0 => {
                after.extend(written.iter().map(|row| (row.id, row.clone())));
                let taken = keys.iter().any(|key| rows.contains_key(key));
                if may_collide(&rows, &written) && !taken && is_allowed(&after) {
                    continue;
                }
                if taken {
                    after = rows.clone();
                }
                done!(place, here, |session| Player::insert_many(session, &written).await.map(drop))
            }
            1 => {
                let mut written = written;
                after.extend(written.iter().map(|row| (row.id, row.clone())));
                if may_collide(&rows, &written) && is_allowed(&after) {
                    continue;
                }
                if !keys.iter().all(|key| rows.contains_key(key)) {
                    after = rows.clone();
                }
                done!(place, here, |session| Player::update_many(session, &mut written).await)
            }
            2 => {
                after.retain(|id, _| !keys.contains(id));
                done!(place, here, |session| {
                    let deleted = Player::delete_many(session, keys).await;
                    deleted.map(|deleted| assert_eq!(deleted as usize, rows.len() - after.len()))
                })
            }
            3 => {
                after.insert(id, one.clone());
                match (place, is_allowed(&after)) {
                    // PostgreSQL ends the caller's transaction with it.
                    (Where::Transaction | Where::Savepoint, false) => continue,
                    _ => done!(place, here, |session| one.upsert(session).await.map(drop)),
                }
            }
            4 => {
                after.entry(id).and_modify(|row| row.team = one.team);
                done!(place, here, |session| {
                    let patch = Player::patch(id).set(PlayerColumns::TEAM, one.team);
                    patch.execute(session).await.map(drop)
                })
            }
            _ => {
                after.remove(&id);
                done!(place, here, |session| {
                    let deleted = Player::delete_by_key(session, id).await;
                    deleted.map(|deleted| assert_eq!(deleted, rows.contains_key(&id)))
                })
            }
        };
        match done {
            Ok(()) => rows = after,
            Err(Error::Database { .. } | Error::RowNotFound { .. }) => {}
            Err(error) => panic!("{what}: {error}"),
        }
        assert!(is_allowed(&rows), "{what}");
        assert_same(&here, &rows, &what).await;
    }
}
