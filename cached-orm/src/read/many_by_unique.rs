//! Reads by many values of a unique index.

use super::{
    by_index::{Asked, Found, IndexKey, IndexSource, by_unique, select_many_in},
    many::{fetch_many, spread},
};
use crate::{
    Backend, Index, Operation, Orm, Persist, Result, Session,
    session::Target,
    sql::{has_json, keys_at_once},
};
use std::{
    collections::{HashMap, hash_map::Entry as Slot},
    sync::Arc,
};

/// What the derive's methods for many values of a unique index call.
pub fn fetch_many_by_unique<V, S, T>(
    session: S,
    method: &'static str,
    index: &'static Index<T>,
    values: impl IntoIterator<Item = impl Into<V>>,
) -> impl Future<Output = Result<Vec<Option<T>>>> + Send
where
    V: IndexKey<S::Database>,
    S: Session,
    T: Persist<S::Database>,
{
    // Before the future, which would be none of `Send` with some iterators.
    let values = values.into_iter().map(|value| Asked::new(value.into()));
    let (distinct, places) = distinct(values);
    let operation = Operation::on::<T>(method);
    async move {
        let target = session.target();
        let watch = target.watch_read(operation);
        watch.over(fetch_many_asked(target, index, &distinct, &places, operation)).await
    }
}

async fn fetch_many_asked<DB: Backend, T: Persist<DB>>(
    target: Target<'_, DB>,
    index: &'static Index<T>,
    distinct: &[Asked<DB>],
    places: &[usize],
    operation: Operation,
) -> Result<Vec<Option<T>>> {
    let at_once = keys_at_once(index.columns().len());
    let mut rows = Vec::with_capacity(distinct.len());
    match target {
        Target::Orm(orm) => {
            for asked in distinct.chunks(at_once) {
                rows.extend(read(orm, index, asked, operation).await?);
            }
            let (mut rows, again) = spread::<DB, T>(rows, places, |_, row| has_json::<DB, T>(row));
            for (at, _) in again {
                let asked = distinct[places[at]].clone();
                rows[at] = by_unique(Target::Orm(orm), index, asked, operation).await?;
            }
            Ok(rows)
        }
        Target::Open(mut open) => {
            open.check_columns::<T>(operation).await?;
            for asked in distinct.chunks(at_once) {
                let found = select_many_in(&mut open, index, asked, operation).await?;
                rows.extend(found.into_iter().map(|mut rows| rows.pop()));
            }
            let (mut rows, again) = spread::<DB, T>(rows, places, |_, row| has_json::<DB, T>(row));
            for (at, _) in again {
                let asked = std::slice::from_ref(&distinct[places[at]]);
                let found = select_many_in(&mut open, index, asked, operation).await?;
                rows[at] = found.into_iter().flatten().next();
            }
            Ok(rows)
        }
    }
}

/// The values without duplicates, and for each value the place where it is then.
fn distinct<DB: Backend>(values: impl Iterator<Item = Asked<DB>>) -> (Vec<Asked<DB>>, Vec<usize>) {
    let mut distinct = Vec::new();
    let mut seen = HashMap::new();
    let places = values.map(|asked| match seen.entry(Arc::clone(&asked.text)) {
        Slot::Occupied(place) => *place.get(),
        Slot::Vacant(free) => {
            distinct.push(asked);
            *free.insert(distinct.len() - 1)
        }
    });
    let places = places.collect();
    (distinct, places)
}

/// The rows with these values, in their order: by one batch of entries, and one of
/// the rows that they name. Where an entry leads astray the database is asked, once
/// for all of them.
async fn read<DB: Backend, T: Persist<DB>>(
    orm: &Orm<DB>,
    index: &'static Index<T>,
    asked: &[Asked<DB>],
    operation: Operation,
) -> Result<Vec<Option<T>>> {
    let source = |asked: &Asked<DB>| IndexSource::new(orm, index, asked.clone(), operation);
    let entries = orm.coherence().read_many(asked.iter().map(source).collect()).await?;
    let mut rows: Vec<Option<T>> = entries.iter().map(|_| None).collect();
    let (mut places, mut keys) = (Vec::new(), Vec::new());
    for (place, entry) in entries.into_iter().enumerate() {
        match entry.row {
            None => {}
            Some(Found::Rows(mut found)) => rows[place] = found.pop(),
            Some(Found::Keys(mut found)) => {
                places.push(place);
                keys.extend(found.pop());
            }
        }
    }
    let named = fetch_many::<DB, T>(Target::Orm(orm), keys.clone(), operation).await?;
    let mut astray = Vec::new();
    for ((place, key), row) in places.into_iter().zip(keys).zip(named) {
        match row.filter(|row| index.has_value(row, &asked[place].text)) {
            Some(row) => rows[place] = Some(row),
            None => {
                astray.push(place);
                // It may be the row that is behind.
                orm.coherence().drop_near(&orm.cache_key::<T>(&key));
            }
        }
    }
    orm.meters().of(operation).counters().misled.add(astray.len() as u64);
    let sources = astray.iter().map(|&place| source(&asked[place])).collect();
    let loaded = orm.coherence().reread_many(sources).await?;
    for (place, entry) in astray.into_iter().zip(loaded) {
        rows[place] = match entry.row {
            Some(Found::Rows(mut found)) => found.pop(),
            // A load gives rows.
            Some(Found::Keys(_)) | None => None,
        };
    }
    Ok(rows)
}
