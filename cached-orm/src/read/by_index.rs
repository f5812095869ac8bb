//! Reads by a secondary index.

use super::{entries::index_entry, fetch, fetch_many, prefer_held, with_held};
use crate::{
    Backend, BindKey, Bindings, CacheKey, Entity, Error, Index, Operation, Orm, Persist, Result,
    Session,
    coherence::{Content, Entry, Source, Unreadable},
    entry,
    index::asked_text,
    observe::Meter,
    session::Target,
    sql::{among_bound, compose, fetch_rows},
    transaction::Open,
    uncached::unloaded,
};
use bytes::Bytes;
use futures_util::FutureExt as _;
use sqlx::AssertSqlSafe;
use std::{collections::HashMap, sync::Arc, time::Duration};

/// A value that rows are asked for by.
pub(crate) struct Asked<DB: Backend> {
    /// Its text, byte for byte that of the rows to be found.
    pub(super) text: Arc<str>,
    bind: Bind<DB>,
}

/// Adds the value's arguments.
type Bind<DB> = Arc<dyn Fn(&mut Bindings<DB>) + Send + Sync>;

impl<DB: Backend> Asked<DB> {
    pub(crate) fn new<V: BindKey<DB>>(value: V) -> Self {
        Self::of(&asked_text(&value), move |bindings| value.bind(bindings))
    }

    pub(crate) fn of(text: &str, bind: impl Fn(&mut Bindings<DB>) + Send + Sync + 'static) -> Self {
        Self { text: text.into(), bind: Arc::new(bind) }
    }
}

impl<DB: Backend> Clone for Asked<DB> {
    fn clone(&self) -> Self {
        Self { text: Arc::clone(&self.text), bind: Arc::clone(&self.bind) }
    }
}

/// The row with a value that no other has.
pub(crate) async fn by_unique<DB: Backend, T: Persist<DB>>(
    target: Target<'_, DB>,
    index: &'static Index<T>,
    asked: Asked<DB>,
    operation: Operation,
) -> Result<Option<T>> {
    at_most_one(by_index(target, index, asked, operation).await?, operation)
}

/// The rows with a value, in the order of their primary keys.
pub(crate) async fn by_index<DB: Backend, T: Persist<DB>>(
    target: Target<'_, DB>,
    index: &'static Index<T>,
    asked: Asked<DB>,
    operation: Operation,
) -> Result<Vec<T>> {
    match target {
        Target::Orm(orm) => IndexSource::new(orm, index, asked, operation).rows().await,
        Target::Open(mut open) => {
            open.check_columns::<T>(operation).await?;
            let reading = open.begin_read(operation).await?;
            let rows = select(open.connection(), index, &asked, operation).await;
            let rows = open.read_done(reading, rows)?;
            let condition =
                |bindings: &mut Bindings<DB>| has_value::<DB, T>(index, &asked, bindings);
            let mut rows = with_held(&mut open, rows, condition, operation).await?;
            rows.retain(|row| index.has_value(row, &asked.text));
            prefer_held(&open, index, &mut rows);
            Ok(rows)
        }
    }
}

pub(super) fn at_most_one<T>(mut rows: Vec<T>, operation: Operation) -> Result<Option<T>> {
    match rows.len() {
        0 | 1 => Ok(rows.pop()),
        _ => Err(Error::MoreThanOneRow { operation }),
    }
}

/// What the derive's methods for unique indexes call.
pub async fn fetch_by_unique<S, T, V>(
    session: S,
    method: &'static str,
    index: &'static Index<T>,
    value: V,
) -> Result<Option<T>>
where
    S: Session,
    T: Persist<S::Database>,
    V: IndexKey<S::Database>,
{
    let (target, operation) = (session.target(), Operation::on::<T>(method));
    let watch = target.watch_read(operation);
    watch.over(by_unique(target, index, Asked::new(value), operation)).await
}

/// What the derive's methods for other indexes call.
pub async fn fetch_by_index<S, T, V>(
    session: S,
    method: &'static str,
    index: &'static Index<T>,
    value: V,
) -> Result<Vec<T>>
where
    S: Session,
    T: Persist<S::Database>,
    V: IndexKey<S::Database>,
{
    let (target, operation) = (session.target(), Operation::on::<T>(method));
    let watch = target.watch_read(operation);
    watch.over(by_index(target, index, Asked::new(value), operation)).await
}

/// A value to ask an index for: a part for each of its columns.
#[diagnostic::on_unimplemented(
    message = "an index cannot be asked for a value of the type `{Self}`",
    label = "an index of this struct has a column that cannot be indexed"
)]
pub trait IndexKey<DB: Backend>: BindKey<DB> {}

#[diagnostic::do_not_recommend]
impl<DB: Backend, K: BindKey<DB>> IndexKey<DB> for K {}

/// What an index has for one value, as the protocol reads it.
pub(super) struct IndexSource<DB: Backend, T: Entity> {
    orm: Orm<DB>,
    index: &'static Index<T>,
    asked: Asked<DB>,
    cache_key: CacheKey,
    operation: Operation,
}

/// The rows that have the value. None of them is said by `None`.
pub(super) enum Found<T: Entity> {
    /// As the cache knows them.
    Keys(Vec<T::Key>),
    /// As the database gives them.
    Rows(Vec<T>),
}

impl<DB: Backend, T: Persist<DB>> IndexSource<DB, T> {
    pub(super) fn new(
        orm: &Orm<DB>,
        index: &'static Index<T>,
        asked: Asked<DB>,
        operation: Operation,
    ) -> Self {
        orm.note_index_read(index);
        let cache_key = index.cache_key(orm.namespace(), &asked.text);
        Self { orm: orm.clone(), index, asked, cache_key, operation }
    }

    /// The rows. Each is held to the value that was asked for, so that an entry
    /// cannot give a wrong one; if it names a row that no longer has the value, the
    /// database is asked, and the entry replaced.
    async fn rows(self) -> Result<Vec<T>> {
        let coherence = self.orm.coherence();
        let first = coherence.read(self.clone()).await?;
        if let Some(rows) = self.follow(first).await? {
            return Ok(rows);
        }
        let second = coherence.reread(self.clone()).await?;
        if let Some(rows) = self.follow(second).await? {
            return Ok(rows);
        }
        // Another's result, and the row has moved again meanwhile.
        self.orm.counters().loads.add_one();
        self.load_rows().boxed().await
    }

    /// `None` if the keys lead astray.
    async fn follow(&self, found: Option<Found<T>>) -> Result<Option<Vec<T>>> {
        let keys = match found {
            None => return Ok(Some(Vec::new())),
            Some(Found::Rows(rows)) => return Ok(Some(rows)),
            Some(Found::Keys(keys)) => keys,
        };
        let rows = match keys.as_slice() {
            [key] => vec![fetch(Target::Orm(&self.orm), key.clone(), self.operation).await?],
            // Boxed: rustc gives up on futures that are too deep, and this is in those of
            // the program's.
            _ => fetch_many(Target::Orm(&self.orm), keys.clone(), self.operation).boxed().await?,
        };
        let has_value = |row: &T| self.index.has_value(row, &self.asked.text);
        let rows: Option<Vec<T>> = rows.into_iter().map(|row| row.filter(has_value)).collect();
        if rows.is_none() {
            self.orm.meters().of(self.operation).counters().misled.add_one();
            for key in &keys {
                // It may be the row that is behind.
                self.orm.coherence().drop_near(&self.orm.cache_key::<T>(key));
            }
        }
        Ok(rows)
    }

    async fn load_rows(&self) -> Result<Vec<T>> {
        self.orm.check_table::<T>(self.operation).await?;
        let mut connection = self.orm.load_connection_for::<T>(self.operation).await?;
        let rows = select(&mut *connection, self.index, &self.asked, self.operation).await;
        connection.answered();
        let rows: Vec<T> = rows?;
        if self.index.is_unique() && rows.len() > 1 {
            return Err(Error::MoreThanOneRow { operation: self.operation });
        }
        Ok(rows.into_iter().map(unloaded).collect())
    }
}

impl<DB: Backend, T: Entity> Clone for IndexSource<DB, T> {
    fn clone(&self) -> Self {
        Self {
            orm: self.orm.clone(),
            asked: self.asked.clone(),
            cache_key: self.cache_key.clone(),
            ..*self
        }
    }
}

impl<DB: Backend, T: Persist<DB>> Source for IndexSource<DB, T> {
    type Row = Found<T>;
    type Loaded = Found<T>;
    type Error = Error;
    type Meter = Meter;

    fn key(&self) -> &CacheKey {
        &self.cache_key
    }

    fn may_store(&self) -> bool {
        self.orm.may_store(self.operation) && self.orm.may_store_index(self.index)
    }

    async fn load(&self) -> Result<Option<Found<T>>> {
        let rows = self.load_rows().await?;
        Ok((!rows.is_empty()).then_some(Found::Rows(rows)))
    }

    async fn load_many(sources: &[Self]) -> Result<Vec<Option<Found<T>>>> {
        let Some(Self { orm, index, operation, .. }) = sources.first() else {
            return Ok(Vec::new());
        };
        let asked: Vec<_> = sources.iter().map(|source| source.asked.clone()).collect();
        orm.check_table::<T>(*operation).await?;
        let mut connection = orm.load_connection_for::<T>(*operation).await?;
        let found = select_many(&mut *connection, index, &asked, *operation).await;
        connection.answered();
        let found = found?.into_iter().map(|rows: Vec<T>| {
            let rows: Vec<_> = rows.into_iter().map(unloaded).collect();
            (!rows.is_empty()).then_some(Found::Rows(rows))
        });
        Ok(found.collect())
    }

    fn row(loaded: Found<T>) -> Found<T> {
        loaded
    }

    fn decode(&self, value: &Bytes) -> Content<Found<T>> {
        let (shape, signing) = (Index::<T>::SHAPE, self.orm.signing());
        match entry::decode_keys::<T::Key>(value, shape, &self.cache_key, signing) {
            Ok(keys) if keys.is_empty() => Content::Absent,
            // Of a program to which the index is not unique.
            Ok(keys) if self.index.is_unique() && keys.len() > 1 => {
                Content::Unreadable(Unreadable::Shape)
            }
            Ok(keys) => Content::Row(Found::Keys(keys)),
            Err(reason) => Content::Unreadable(reason),
        }
    }

    fn encode(&self, found: Option<&Found<T>>) -> Option<Entry> {
        let entry_of = |keys: &[T::Key]| {
            let counters = self.orm.meters().of(self.operation).counters();
            index_entry::<DB, T>(&self.orm, keys, &self.cache_key, counters)
        };
        match found {
            None => {
                let ttl = T::POLICY.absent_ttl()?;
                Some(Entry { value: entry::of_absent(&self.cache_key, self.orm.signing()), ttl })
            }
            Some(Found::Keys(keys)) => entry_of(keys),
            Some(Found::Rows(rows)) => entry_of(&rows.iter().map(Entity::key).collect::<Vec<_>>()),
        }
    }

    fn near_ttl(&self) -> Option<Duration> {
        T::POLICY.near_for()
    }

    fn copy(found: &Found<T>) -> Option<Found<T>> {
        match found {
            Found::Keys(keys) => Some(Found::Keys(keys.clone())),
            // An entry holds keys.
            Found::Rows(_) => None,
        }
    }

    fn meter(&self) -> Option<&Meter> {
        Some(self.orm.meters().of(self.operation))
    }

    fn abandoned(&self) -> Error {
        Error::ShuttingDown { operation: self.operation }
    }

    fn panicked(&self) -> Error {
        Error::Panicked { operation: self.operation }
    }
}

/// The condition that a row has the value, whose arguments follow those in `bindings`.
fn has_value<DB: Backend, T: Persist<DB>>(
    index: &Index<T>,
    asked: &Asked<DB>,
    bindings: &mut Bindings<DB>,
) -> String {
    let first = bindings.len() + 1;
    (asked.bind)(bindings);
    let columns = index.columns().iter().zip(first..);
    let equal = |(column, number): (&crate::IndexColumn, usize)| {
        format!("{} = {}", DB::quote(column.name()), DB::placeholder(number))
    };
    columns.map(equal).collect::<Vec<_>>().join(" AND ")
}

/// The rows with the very value that is asked for. By its collation a database
/// may find `ann` where `ANN` is asked for.
async fn select<DB: Backend, T: Persist<DB>>(
    connection: &mut DB::Connection,
    index: &Index<T>,
    asked: &Asked<DB>,
    operation: Operation,
) -> Result<Vec<T>> {
    let mut bindings = Bindings::new();
    let condition = has_value::<DB, T>(index, asked, &mut bindings);
    let order: Vec<_> = T::TABLE.key_columns().iter().map(|column| DB::quote(column)).collect();
    let sql = format!("{} WHERE {condition} ORDER BY {}", T::SELECT, order.join(", "));
    // Made of the derive's constants and nothing else.
    let rows = fetch_rows(connection, AssertSqlSafe(sql), bindings, operation).await;
    let mut rows: Vec<T> = rows?;
    rows.retain(|row| index.has_value(row, &asked.text));
    Ok(rows)
}

/// The rows with each of these values, which are all different and few enough for
/// one statement; in the order of the values.
pub(super) async fn select_many<DB: Backend, T: Persist<DB>>(
    connection: &mut DB::Connection,
    index: &Index<T>,
    asked: &[Asked<DB>],
    operation: Operation,
) -> Result<Vec<Vec<T>>> {
    let mut bindings = Bindings::new();
    let condition = has_one_of::<DB, T>(index, asked, &mut bindings);
    let order: Vec<_> = T::TABLE.key_columns().iter().map(|column| DB::quote(column)).collect();
    let sql = format!("{} WHERE {condition} ORDER BY {}", T::SELECT, order.join(", "));
    // Made of the derive's constants and nothing else.
    let rows = fetch_rows(connection, AssertSqlSafe(sql), bindings, operation).await;
    in_order_of_values(index, asked, rows?, operation)
}

/// The same as a transaction sees them, and the rows that it has locked as they are now.
pub(super) async fn select_many_in<DB: Backend, T: Persist<DB>>(
    open: &mut Open<'_, DB>,
    index: &Index<T>,
    asked: &[Asked<DB>],
    operation: Operation,
) -> Result<Vec<Vec<T>>> {
    let reading = open.begin_read(operation).await?;
    let found = select_many(open.connection(), index, asked, operation).await;
    let shown = open.read_done(reading, found)?.into_iter().flatten().collect();
    let condition = |bindings: &mut Bindings<DB>| has_one_of::<DB, T>(index, asked, bindings);
    let mut rows = with_held(open, shown, condition, operation).await?;
    prefer_held(open, index, &mut rows);
    in_order_of_values(index, asked, rows, operation)
}

/// The condition that a row has one of the values.
fn has_one_of<DB: Backend, T: Persist<DB>>(
    index: &Index<T>,
    asked: &[Asked<DB>],
    bindings: &mut Bindings<DB>,
) -> String {
    let columns: Vec<_> = index.columns().iter().map(|column| column.name()).collect();
    let binds: Vec<_> = asked.iter().map(|asked| &*asked.bind).collect();
    among_bound(&columns, &binds, compose::table::<DB, T>, bindings)
}

/// The rows of each value, in the order of the values.
fn in_order_of_values<DB: Backend, T: Persist<DB>>(
    index: &Index<T>,
    asked: &[Asked<DB>],
    rows: Vec<T>,
    operation: Operation,
) -> Result<Vec<Vec<T>>> {
    let mut of_value: HashMap<&str, Vec<T>> =
        asked.iter().map(|asked| (&*asked.text, Vec::new())).collect();
    for row in rows {
        let value = index.value_of(&row);
        let Some(found) = value.text().and_then(|text| of_value.get_mut(text)) else { continue };
        if index.is_unique() && !found.is_empty() {
            return Err(Error::MoreThanOneRow { operation });
        }
        found.push(row);
    }
    Ok(asked.iter().map(|asked| of_value.remove(&*asked.text).unwrap_or_default()).collect())
}
