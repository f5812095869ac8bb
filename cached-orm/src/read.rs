mod by_index;
mod entries;
mod many;
mod many_by_unique;
mod newest;

use by_index::at_most_one;
pub(crate) use by_index::{Asked, by_index, by_unique};
pub use by_index::{IndexKey, fetch_by_index, fetch_by_unique};
pub(crate) use entries::{index_entry, row_entry};
pub use many::Warmed;
pub(crate) use many::{at_once, fetch_many, warm};
pub use many_by_unique::fetch_many_by_unique;
use newest::{RowLock, prefer_held, with_held};

use crate::{
    Backend, BindKey as _, Bindings, CachePolicy, Column, Error, Freshness, Operation, Orm,
    Persist, Result, SetOptions,
    coherence::{Content, Entry, Source},
    entry,
    key::CacheKey,
    observe::Meter,
    session::Target,
    sql::{Kept, Loaded, Storable, fetch_at_most, fetch_rows},
    transaction::Open,
    uncached::{is_whole, take_uncached, unloaded},
};
use bytes::Bytes;
use sqlx::AssertSqlSafe;
use std::{any::Any, marker::PhantomData, time::Duration};

/// One row, as the protocol reads it.
pub(crate) struct RowSource<DB: Backend, T: Persist<DB>> {
    orm: Orm<DB>,
    key: T::Key,
    cache_key: CacheKey,
    policy: CachePolicy,
    operation: Operation,
    entity: PhantomData<fn() -> T>,
}

impl<DB: Backend, T: Persist<DB>> RowSource<DB, T> {
    pub(crate) fn new(orm: &Orm<DB>, key: T::Key, operation: Operation) -> Self {
        let cache_key = orm.cache_key::<T>(&key);
        Self::under(orm, key, cache_key, operation)
    }

    pub(crate) fn row_key(&self) -> &T::Key {
        &self.key
    }

    /// The row as the database has it.
    async fn select(&self, kept: Kept) -> Result<Option<Loaded<T>>> {
        let mut connection = self.orm.load_connection_for::<T>(self.operation).await?;
        let found =
            select_by_key(&mut *connection, &self.key, RowLock::No, kept, self.operation).await;
        connection.answered();
        found
    }

    /// The row whose cache key is known already.
    fn under(orm: &Orm<DB>, key: T::Key, cache_key: CacheKey, operation: Operation) -> Self {
        Self { orm: orm.clone(), key, cache_key, policy: T::POLICY, operation, entity: PhantomData }
    }
}

impl<DB: Backend, T: Persist<DB>> Clone for RowSource<DB, T> {
    fn clone(&self) -> Self {
        Self {
            orm: self.orm.clone(),
            key: self.key.clone(),
            cache_key: self.cache_key.clone(),
            ..*self
        }
    }
}

impl<DB: Backend, T: Persist<DB>> Source for RowSource<DB, T> {
    type Row = T;
    type Loaded = Loaded<T>;
    type Error = Error;
    type Meter = Meter;

    fn key(&self) -> &CacheKey {
        &self.cache_key
    }

    fn may_store(&self) -> bool {
        self.orm.may_store(self.operation)
    }

    async fn load(&self) -> Result<Option<Loaded<T>>> {
        self.orm.check_table::<T>(self.operation).await?;
        self.select(Kept::Yes).await
    }

    async fn load_many(sources: &[Self]) -> Result<Vec<Option<Loaded<T>>>> {
        let Some(Self { orm, operation, .. }) = sources.first() else { return Ok(Vec::new()) };
        let keys: Vec<_> = sources.iter().map(|source| source.key.clone()).collect();
        orm.check_table::<T>(*operation).await?;
        let mut connection = orm.load_connection_for::<T>(*operation).await?;
        let (lock, kept) = (RowLock::No, Kept::Yes);
        let found = many::select_by_keys(&mut *connection, &keys, lock, kept, *operation).await;
        let found = match found {
            Err(error) if keys.len() > 1 && error.is_of_argument() => {
                Err(many::of_key::<DB, T>(&mut *connection, &keys, error, *operation).await)
            }
            found => found,
        };
        connection.answered();
        found
    }

    fn row(loaded: Loaded<T>) -> T {
        loaded.row
    }

    fn decode(&self, value: &Bytes) -> Content<T> {
        match entry::decode::<T>(value, T::FINGERPRINT, &self.cache_key, self.orm.signing()) {
            Ok(None) => Content::Absent,
            // The key in the header says as much, unless it is a shortened one.
            Ok(Some(row)) if row.key() == self.key => Content::Row(row),
            Ok(Some(_)) => Content::Unreadable(crate::coherence::Unreadable::Key),
            Err(reason) => Content::Unreadable(reason),
        }
    }

    fn encode(&self, loaded: Option<&Loaded<T>>) -> Option<Entry> {
        match loaded {
            Some(Loaded { row, lost }) => {
                let counters = self.orm.meters().of(self.operation).counters();
                row_entry(&self.orm, row, *lost, &self.cache_key, &self.policy, counters)
            }
            None => {
                let ttl = self.policy.absent_ttl()?;
                Some(Entry { value: entry::of_absent(&self.cache_key, self.orm.signing()), ttl })
            }
        }
    }

    fn near_ttl(&self) -> Option<Duration> {
        self.policy.near_for()
    }

    fn unpacked_len(&self, value: &Bytes) -> usize {
        entry::unpacked_len(value)
    }

    fn copy(row: &T) -> Option<T> {
        row.near_copy()
    }

    fn early_refresh(&self) -> Option<Duration> {
        self.policy.early()
    }

    fn stale_for(&self) -> Option<Duration> {
        self.policy.stale_for()
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

pub(crate) async fn fetch<DB: Backend, T: Persist<DB>>(
    target: Target<'_, DB>,
    key: T::Key,
    operation: Operation,
) -> Result<Option<T>> {
    match target {
        Target::Orm(orm) => {
            if let Some(row) = read_near::<DB, T>(orm, &key, operation) {
                return Ok(row);
            }
            let row = orm.coherence().read(RowSource::<DB, T>::new(orm, key, operation)).await?;
            // As if it came from the cache: who needs such a column must ask for it.
            Ok(row.map(unloaded))
        }
        Target::Open(mut open) => fetch_in(&mut open, &key, operation).await,
    }
}

/// What a copy in this process says. It is asked before anything is made that only a
/// read needs which goes further.
fn read_near<DB: Backend, T: Persist<DB>>(
    orm: &Orm<DB>,
    key: &T::Key,
    operation: Operation,
) -> Option<Option<T>> {
    let ttl = Some(T::POLICY.near_for()?);
    let row = orm.with_cache_key::<T, _>(key, |text| {
        orm.coherence().read_near::<RowSource<DB, T>>(text, ttl)
    })?;
    orm.meters().of(operation).counters().near_hits.add_one();
    Some(row)
}

/// As [`fetch`], and if the database fails, the row that lies in the cache although
/// its time is over.
pub(crate) async fn fetch_or_stale<DB: Backend, T: Persist<DB>>(
    orm: &Orm<DB>,
    key: T::Key,
    operation: Operation,
) -> Result<Freshness<T>> {
    let source = RowSource::<DB, T>::new(orm, key, operation);
    let error = match orm.coherence().read(source.clone()).await {
        Ok(row) => return Ok(Freshness::Fresh(row.map(unloaded))),
        Err(error) if error.is_outage() => error,
        Err(error) => return Err(error),
    };
    match orm.coherence().last_known(&source).await {
        // Somebody has loaded it meanwhile.
        Some((row, None)) => Ok(Freshness::Fresh(Some(row))),
        Some((row, Some(expired_for))) => {
            orm.meters().of(operation).counters().stale_reads.add_one();
            Ok(Freshness::Stale { row, expired_for, error })
        }
        None => Err(error),
    }
}

pub(crate) async fn fetch_uncached<DB: Backend, T: Persist<DB>>(
    target: Target<'_, DB>,
    key: T::Key,
    operation: Operation,
) -> Result<Option<T>> {
    match target {
        Target::Orm(orm) => {
            let found = RowSource::<DB, T>::new(orm, key, operation).select(Kept::No).await?;
            Ok(found.map(Loaded::into_row))
        }
        Target::Open(mut open) => fetch_in(&mut open, &key, operation).await,
    }
}

/// The row as the transaction sees it, or as it is now if the transaction has locked it;
/// the cache is not asked.
pub(crate) async fn fetch_in<DB: Backend, T: Persist<DB>>(
    open: &mut Open<'_, DB>,
    key: &T::Key,
    operation: Operation,
) -> Result<Option<T>> {
    open.check_columns::<T>(operation).await?;
    let lock = RowLock::of::<DB, T>(open, key);
    let reading = open.begin_read(operation).await?;
    let found = select_by_key(open.connection(), key, lock, Kept::No, operation).await;
    Ok(open.read_done(reading, found)?.map(Loaded::into_row))
}

/// The row as it is now: where a plain read may show an older one it is locked.
async fn refresh_in<DB: Backend, T: Persist<DB>>(
    open: &mut Open<'_, DB>,
    key: &T::Key,
    operation: Operation,
) -> Result<Option<T>> {
    let lock = if DB::READS_SNAPSHOTS { RowLock::Yes } else { RowLock::No };
    let reading = open.begin_read(operation).await?;
    let found = select_by_key(open.connection(), key, lock, Kept::No, operation).await;
    let found = open.read_done(reading, found)?.map(Loaded::into_row);
    // A plain read after this one must not go back.
    open.hold::<T>(key);
    Ok(found)
}

pub(crate) async fn fetch_by_field<DB, T, V>(
    target: Target<'_, DB>,
    column: Column<T, V>,
    value: V,
    operation: Operation,
) -> Result<Option<T>>
where
    DB: Backend,
    T: Persist<DB>,
    V: Storable<DB>,
{
    if column.is_primary_key()
        && let Some(key) = (&value as &dyn Any).downcast_ref::<T::Key>()
    {
        return fetch(target, key.clone(), operation).await;
    }
    if let Some((index, text)) = column.index_of(&value) {
        // NULL is in no index.
        if let Some(text) = text.text() {
            let asked = Asked::of(text, move |bindings| bindings.push(&value));
            return by_unique(target, index, asked, operation).await;
        }
    }
    let rows = select_by_column(target, column, &value, 2, operation).await?;
    at_most_one(rows, operation)
}

pub(crate) async fn fetch_all_by_field<DB, T, V>(
    target: Target<'_, DB>,
    column: Column<T, V>,
    value: V,
    operation: Operation,
) -> Result<Vec<T>>
where
    DB: Backend,
    T: Persist<DB>,
    V: Storable<DB>,
{
    if let Some((index, text)) = column.index_of(&value)
        && let Some(text) = text.text()
    {
        let asked = Asked::of(text, move |bindings| bindings.push(&value));
        return by_index(target, index, asked, operation).await;
    }
    select_by_column(target, column, &value, usize::MAX, operation).await
}

/// The row from the cache; the database is not asked.
pub(crate) async fn cached<DB: Backend, T: Persist<DB>>(
    orm: &Orm<DB>,
    key: T::Key,
    operation: Operation,
) -> Result<Option<T>> {
    let source = RowSource::new(orm, key, operation);
    let found = orm.coherence().peek(&source).await;
    found.map_err(|source| Error::Cache { operation, source })
}

/// The row from the database, put in the cache if the protocol lets it; says
/// whether it was.
pub(crate) async fn reload<DB: Backend, T: Persist<DB>>(
    orm: &Orm<DB>,
    key: T::Key,
    options: SetOptions,
    operation: Operation,
) -> Result<(Option<T>, bool)> {
    let mut source = RowSource::new(orm, key, operation);
    // A row that is gone leaves no entry: who asked for it knows of it.
    source.policy = options.over(source.policy).negative_ttl(None);
    orm.coherence().refresh(source).await
}

/// The row as the database has it now; the cache gets it too, if the protocol
/// lets it and no transaction is under way.
pub(crate) async fn refresh<DB: Backend, T: Persist<DB>>(
    target: Target<'_, DB>,
    key: T::Key,
    operation: Operation,
) -> Result<Option<T>> {
    match target {
        Target::Orm(orm) => {
            let (row, _) = reload(orm, key.clone(), SetOptions::default(), operation).await?;
            let Some(mut row) = row else { return Ok(None) };
            if is_whole(&mut row) {
                return Ok(Some(row));
            }
            // Another read's load was shared, by the entry made of it.
            let row = RowSource::new(orm, key, operation).load().await?;
            Ok(row.map(Loaded::into_row))
        }
        Target::Open(mut open) => refresh_in(&mut open, &key, operation).await,
    }
}

/// Loads the columns of `row` that the cache does not hold.
pub(crate) async fn load_uncached<DB: Backend, T: Persist<DB>>(
    target: Target<'_, DB>,
    row: &mut T,
    operation: Operation,
) -> Result<()> {
    let mut loaded: T = fetch_uncached(target, row.key(), operation)
        .await?
        .ok_or(Error::RowNotFound { operation })?;
    take_uncached(row, &mut loaded);
    Ok(())
}

/// The row with this key. A database may find `ANN` where `ann` was asked for,
/// by its collation; that row has another key, and another cache entry.
async fn select_by_key<DB: Backend, T: Persist<DB>>(
    connection: &mut DB::Connection,
    key: &T::Key,
    lock: RowLock,
    kept: Kept,
    operation: Operation,
) -> Result<Option<Loaded<T>>> {
    let mut bindings = Bindings::new();
    key.bind(&mut bindings);
    let sql = match lock {
        RowLock::No => T::SELECT_BY_KEY,
        RowLock::Yes => T::LOCK_BY_KEY,
    };
    let mut rows: Vec<Loaded<T>> =
        fetch_at_most(connection, sql, bindings, 2, operation, kept, |_| {}).await?;
    match rows.len() {
        0 | 1 => Ok(rows.pop().filter(|loaded| loaded.row.key() == *key)),
        _ => Err(Error::MoreThanOneRow { operation }),
    }
}

async fn select_by_column<DB, T, V>(
    target: Target<'_, DB>,
    column: Column<T, V>,
    value: &V,
    limit: usize,
    operation: Operation,
) -> Result<Vec<T>>
where
    DB: Backend,
    T: Persist<DB>,
    V: Storable<DB>,
{
    let condition = |bindings: &mut Bindings<DB>| {
        let name = DB::quote(column.name());
        // Nothing equals NULL.
        if column.is_absent(value) || value.is_null() {
            return format!("{name} IS NULL");
        }
        bindings.push(value);
        format!("{name} = {}", DB::placeholder(bindings.len()))
    };
    let mut bindings = Bindings::new();
    let mut sql = format!("{} WHERE {}", T::SELECT, condition(&mut bindings));
    // Rows that a transaction has locked may no longer have the value.
    let is_limited = match &target {
        Target::Orm(_) => true,
        Target::Open(open) => open.held::<T>().is_empty(),
    };
    if limit < usize::MAX && is_limited {
        sql.push_str(&format!(" LIMIT {limit}"));
    }
    // Made of the derive's constants and nothing else.
    let sql = AssertSqlSafe(sql);
    match target {
        Target::Orm(orm) => {
            let mut connection = orm.load_connection_for::<T>(operation).await?;
            let rows = fetch_rows::<DB, T>(&mut *connection, sql, bindings, operation).await;
            connection.answered();
            Ok(rows?.into_iter().map(unloaded).collect())
        }
        Target::Open(mut open) => {
            open.check_columns::<T>(operation).await?;
            let reading = open.begin_read(operation).await?;
            let rows = fetch_rows(open.connection(), sql, bindings, operation).await;
            let rows = open.read_done(reading, rows)?;
            with_held(&mut open, rows, condition, operation).await
        }
    }
}
