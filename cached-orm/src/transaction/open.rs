use super::{Judged, Savepoint, held_rows::HeldRows, judged::Noted};
use crate::{
    Backend, BindKey as _, Bindings, CacheKey, Error, Index, Operation, Orm, Persist, Result,
    coherence::Journal,
    observe::Committing,
    pooled::{self, Cut, is_answer},
    read::{index_entry, row_entry},
    schema::{Change, Stamp, TableFacts},
    sql::{self, Kept, Loaded, LockedRow, STAMP, Witness},
};
use futures_util::FutureExt as _;
use sqlx::{AssertSqlSafe, SqlSafeStr};
use sqlx_core::transaction::TransactionManager as _;
use std::{collections::HashMap, fmt};

/// A transaction under way, by whichever handle it is reached.
#[doc(hidden)]
pub struct Open<'s, DB: Backend> {
    pub(super) connection: &'s mut DB::Connection,
    pub(super) book: &'s mut Book<DB>,
}

/// What a transaction has done so far.
pub(crate) struct Book<DB: Backend> {
    orm: Orm<DB>,
    journal: Journal,
    witness: Witness<DB>,
    held: HeldRows,
    judged: Judged<DB>,
    state: State,
    /// What the database has rolled back, with everything else; no savepoint
    /// brings that back.
    lost: Option<Operation>,
    /// How many transactions sqlx counts on the connection, without savepoints; not
    /// known of a transaction of the caller's.
    depth: Option<usize>,
    /// How many savepoints are open.
    savepoints: usize,
    /// Whether this is the transaction of one write, whose rows may take their
    /// fences' places.
    writes_through: bool,
    shown: Shown,
    /// Rows of this one write that must not be stored, and their columns in whose
    /// documents is more than was read. A later look at the row does not clear it.
    lost_documents: HashMap<CacheKey, &'static str>,
    /// What was sent and not answered to the end: it is under way, or its
    /// future was dropped.
    unanswered: Option<(Operation, Cut)>,
    /// Whether the caller has had the connection since it was last seen to answer
    /// what it was asked.
    is_lent: bool,
}

/// What is known of the rows that the last write's statements returned.
#[derive(Debug, Clone, Copy, Default)]
struct Shown {
    facts: TableFacts,
    /// Whether the table's schema was seen to be another one.
    is_other_schema: bool,
}

/// What a savepoint brings back when it is undone.
#[derive(Debug, Clone, Copy, Default)]
struct State {
    /// A statement has failed or was cancelled, or the caller had the
    /// connection: the transaction may be aborted or over. PostgreSQL answers
    /// COMMIT of an aborted one with ROLLBACK, which sqlx reports as success.
    suspect: bool,
    /// A write that may have changed rows whose keys are not in the journal.
    half_done: Option<Operation>,
}

/// Where a savepoint began.
#[derive(Clone, Copy)]
pub(super) struct Mark {
    journal_length: usize,
    judged: Noted,
    state: State,
}

/// A transaction at its end.
pub(crate) struct Summary<DB: Backend> {
    /// The keys it has touched.
    pub(crate) journal: Journal,
    /// Its writes, to be judged once more.
    pub(crate) judged: Judged<DB>,
    /// What tells whether it is over.
    pub(crate) witness: Witness<DB>,
    /// Whether COMMIT could be answered with ROLLBACK.
    pub(crate) is_suspect: bool,
}

/// What was known before a read began.
#[derive(Debug)]
pub(crate) struct Reading {
    suspect: bool,
}

impl<DB: Backend> Book<DB> {
    pub(crate) fn new(orm: &Orm<DB>) -> Self {
        Self {
            orm: orm.clone(),
            journal: Journal::default(),
            witness: Witness::default(),
            held: HeldRows::default(),
            judged: Judged::default(),
            state: State::default(),
            lost: None,
            depth: None,
            savepoints: 0,
            writes_through: false,
            shown: Shown::default(),
            lost_documents: HashMap::new(),
            unanswered: None,
            is_lent: false,
        }
    }

    /// The book of a transaction that is in so many others.
    pub(super) fn inside(orm: &Orm<DB>, depth: usize) -> Self {
        Self { depth: Some(depth + 1), ..Self::new(orm) }
    }

    pub(crate) fn orm(&self) -> &Orm<DB> {
        &self.orm
    }

    /// Where the transaction is, for a savepoint that begins here.
    pub(super) fn mark(&self) -> Mark {
        Mark { journal_length: self.journal.len(), judged: self.judged.noted(), state: self.state }
    }

    /// Forgets what was done since: it is undone.
    pub(super) fn go_back(&mut self, mark: Mark) {
        let Mark { journal_length, judged, state } = mark;
        self.journal.truncate(journal_length);
        self.judged.go_back(judged);
        if journal_length == 0 {
            // It is the first row of the journal.
            self.witness.locked_row = None;
        }
        self.state = state;
    }

    /// Whether rows may be stored that statements return.
    fn kept(&self) -> Kept {
        if self.writes_through { Kept::Yes } else { Kept::No }
    }

    /// Whether all that was written is in the journal.
    pub(crate) fn is_settled(&self) -> bool {
        self.state.half_done.is_none()
    }

    /// What the protocol needs to know of the transaction at its end.
    pub(crate) fn close(&mut self) -> Summary<DB> {
        Summary {
            journal: std::mem::take(&mut self.journal),
            judged: std::mem::take(&mut self.judged),
            witness: std::mem::take(&mut self.witness),
            is_suspect: self.state.suspect,
        }
    }

    /// Notes that a statement is being sent.
    pub(super) fn asked(&mut self, operation: Operation) {
        self.unanswered = Some((operation, Cut::Statement));
    }

    /// Notes that the end of the transaction, or of a savepoint, is being sent.
    pub(super) fn asked_to_end(&mut self, operation: Operation) {
        self.unanswered = Some((operation, Cut::End));
    }

    /// Notes that it was answered, if it was; be it with an error.
    pub(super) fn answered(&mut self, error: Option<&sqlx::Error>) {
        if error.is_none_or(is_answer) {
            self.unanswered = None;
        }
    }

    /// What was cancelled, if that has made the connection useless.
    fn broken_off(&self) -> Option<Operation> {
        self.unanswered.map(|(operation, _)| operation).filter(|_| !DB::CANCEL_SAFE)
    }

    /// What has made the connection useless, or the database end the transaction.
    pub(super) fn useless(&self) -> Option<Operation> {
        self.lost.or_else(|| self.broken_off())
    }

    /// Why the connection must not be given back as it is, if it must not: an answer
    /// on it was not read to the end, the database has ended the transaction and sqlx
    /// does not know, or a savepoint was leaked, and ROLLBACK would end only that.
    pub(super) fn cut(&self) -> Option<Cut> {
        match self.unanswered {
            Some((_, cut)) => Some(cut),
            None if self.lost.is_some() || self.savepoints > 0 => Some(Cut::Statement),
            None => None,
        }
    }

    /// Whether the caller may have left an answer on the connection that would be
    /// taken for that of the next statement.
    pub(super) fn may_be_out_of_step(&self) -> bool {
        self.is_lent && !DB::CANCEL_SAFE
    }

    /// Notes that the connection answers what it is asked, in an open transaction.
    pub(super) fn in_step(&mut self) {
        self.state.suspect = false;
        self.is_lent = false;
    }

    /// Notes that the caller has the connection.
    pub(super) fn lend(&mut self) {
        self.is_lent = true;
        self.suspect();
    }

    /// Whether the savepoints that are open on the connection are those of the book.
    pub(super) fn counts_as(&self, connection: &DB::Connection) -> bool {
        let counted = DB::TransactionManager::get_transaction_depth(connection);
        self.depth.is_none_or(|depth| counted == depth + self.savepoints)
    }

    /// Notes that a savepoint is being set. If that fails, or its future is
    /// dropped, sqlx rolls the whole transaction back.
    pub(super) fn setting_savepoint(&mut self, operation: Operation) {
        self.lost = Some(operation);
        self.asked(operation);
    }

    pub(super) fn savepoint_set(&mut self) {
        self.lost = None;
        self.savepoints += 1;
    }

    pub(super) fn savepoint_over(&mut self) {
        self.savepoints -= 1;
    }

    /// Refuses COMMIT if it would only release a savepoint that was leaked, or leave rows
    /// in the cache. What is given is to be kept until the transaction is over.
    pub(super) fn can_commit(&self, operation: Operation) -> Result<Option<Committing>> {
        self.usable()?;
        if self.savepoints != 0 {
            return Err(Error::HalfDone { operation });
        }
        self.judged.check(&self.orm)
    }

    pub(crate) fn suspect(&mut self) {
        self.state.suspect = true;
    }

    pub(super) fn half_done(&mut self, operation: Operation) {
        self.state.half_done = Some(operation);
    }

    pub(super) fn lose(&mut self, operation: Operation) {
        self.lost = Some(operation);
    }

    /// Refuses statements that would run after the transaction is lost: on
    /// MySQL they would be committed one by one.
    pub(super) fn usable(&self) -> Result<()> {
        match self.useless().or(self.state.half_done) {
            Some(operation) => Err(Error::HalfDone { operation }),
            None => Ok(()),
        }
    }
}

impl<'s, DB: Backend> Open<'s, DB> {
    pub(crate) fn new(connection: &'s mut DB::Connection, book: &'s mut Book<DB>) -> Self {
        Self { connection, book }
    }

    pub(crate) fn orm(&self) -> &Orm<DB> {
        self.book.orm()
    }

    pub(crate) fn connection(&mut self) -> &mut DB::Connection {
        self.connection
    }

    /// Runs `sql` and maps the rows, up to `limit` of them.
    pub(crate) async fn fetch_at_most<T: Persist<DB>>(
        &mut self,
        sql: impl SqlSafeStr + Send,
        bindings: Bindings<DB>,
        limit: usize,
        operation: Operation,
    ) -> Result<Vec<T>> {
        self.book.asked(operation);
        self.orm().probe().statement();
        let kept = self.book.kept();
        let id = &mut self.book.witness.transaction_id;
        let note = |row: &DB::Row| {
            if id.is_none() {
                *id = DB::transaction_id(row);
            }
        };
        let rows =
            sql::fetch_at_most(self.connection, sql, bindings, limit, operation, kept, note).await;
        self.book.answered(database_error(&rows));
        self.note_lost(rows)
    }

    /// Runs `sql`, which writes, and maps the rows that it returns, up to `limit`.
    /// Where it matters, they show whether the schema is what it was taken to be.
    pub(crate) async fn fetch_written<T: Persist<DB>>(
        &mut self,
        sql: impl SqlSafeStr + Send,
        bindings: Bindings<DB>,
        limit: usize,
        operation: Operation,
    ) -> Result<Vec<T>> {
        let sql = sql.into_sql_str();
        let asks = self.book.writes_through || !T::INDEXES.is_empty();
        let expected = self.book.shown.facts.stamp.filter(|_| asks);
        let stamp = expected.and_then(|_| DB::stamp(T::TABLE.name()));
        // An update of nothing is a SELECT, and changes nothing.
        let stamp =
            stamp.filter(|_| DB::LOCK_ROWS.is_empty() || !sql.as_str().ends_with(DB::LOCK_ROWS));
        let Some(stamp) = stamp else {
            self.book.shown.is_other_schema |= expected.is_some();
            return self.fetch_at_most(sql, bindings, limit, operation).await;
        };
        // RETURNING comes last.
        let sql = AssertSqlSafe(format!("{}, {stamp} AS \"{STAMP}\"", sql.as_str()));
        self.book.asked(operation);
        self.orm().probe().statement();
        let kept = self.book.kept();
        let Book { witness, shown, .. } = &mut *self.book;
        let note = |row: &DB::Row| {
            if witness.transaction_id.is_none() {
                witness.transaction_id = DB::transaction_id(row);
            }
            let found = DB::stamp_of(row).as_deref().map(Stamp::of);
            shown.is_other_schema |= found != expected;
        };
        let rows =
            sql::fetch_at_most(self.connection, sql, bindings, limit, operation, kept, note).await;
        self.book.answered(database_error(&rows));
        if self.book.shown.is_other_schema {
            self.orm().forget_schema();
        }
        self.note_lost(rows)
    }

    /// Notes which of the rows must not be stored.
    fn note_lost<T: Persist<DB>>(&mut self, rows: Result<Vec<Loaded<T>>>) -> Result<Vec<T>> {
        let Book { orm, lost_documents, .. } = &mut *self.book;
        let noted = rows?.into_iter().map(|Loaded { row, lost }| {
            if let Some(column) = lost {
                lost_documents.insert(orm.cache_key::<T>(&row.key()), column);
            }
            row
        });
        Ok(noted.collect())
    }

    /// Notes what is known of the table that is about to be written.
    pub(crate) fn expect(&mut self, facts: TableFacts) {
        self.book.shown = Shown { facts, is_other_schema: false };
    }

    /// What is known of the table that is being written.
    pub(crate) fn facts(&self) -> TableFacts {
        self.book.shown.facts
    }

    /// Whether the transaction has changed the row with this key, so that it has the lock
    /// of it even if the row is gone.
    pub(crate) fn has_touched<T: Persist<DB>>(&self, key: &T::Key) -> bool {
        self.book.journal.has_touched(&self.orm().cache_key::<T>(key))
    }

    /// Whether the rows that the last write's statements have shown, so many, are
    /// what will be committed.
    pub(crate) fn rows_are_final(&self, rows: usize) -> bool {
        let Shown { facts, is_other_schema } = self.book.shown;
        let are_final = if rows > 1 { facts.many_are_final } else { facts.rows_are_final };
        are_final && !is_other_schema
    }

    /// Makes it the transaction of one write, whose rows may take their fences'
    /// places.
    pub(crate) fn write_through_at_end(&mut self) {
        self.book.writes_through = true;
    }

    /// Whether this is the transaction of one write, which ends with it.
    pub(crate) fn is_of_one_write(&self) -> bool {
        self.book.writes_through
    }

    /// Notes a key whose row the transaction may have changed, and has not locked.
    pub(crate) fn doubt<T: Persist<DB>>(&mut self, key: &T::Key) {
        for key in self.book.orm.cache_keys::<T>(key) {
            self.book.journal.doubt(key);
        }
    }

    /// Runs `sql`, which returns no rows.
    pub(crate) async fn execute(
        &mut self,
        sql: impl SqlSafeStr + Send,
        bindings: Bindings<DB>,
        operation: Operation,
    ) -> Result<DB::QueryResult> {
        self.book.asked(operation);
        self.orm().probe().statement();
        let done = sql::execute(self.connection, sql, bindings, operation).await;
        self.book.answered(database_error(&done));
        done
    }

    /// Begins a part that can be undone by itself.
    pub(crate) async fn savepoint(&mut self) -> Result<Savepoint<'_, DB>> {
        Savepoint::begin(Open { connection: self.connection, book: self.book }).await
    }

    /// Begins a write. Until [`settled`](Self::settled) is called the
    /// transaction cannot be committed: if the write's future is dropped, or
    /// its row cannot be read, it is not known what it has changed.
    pub(crate) async fn begin_write(&mut self, operation: Operation) -> Result<()> {
        self.usable()?;
        self.check_if_suspect(operation).await?;
        self.book.half_done(operation);
        Ok(())
    }

    /// Ends a write whose keys are all in the journal.
    pub(crate) fn settled(&mut self) {
        self.book.state.half_done = None;
    }

    /// Notes that a write's first statement failed. If the database undid it,
    /// and only it, the write is settled.
    pub(crate) async fn write_failed(&mut self, error: Error) -> Error {
        match &error {
            Error::Argument { .. } | Error::NotLoaded { .. } => self.settled(),
            Error::Database { operation, source }
                if matches!(**source, sqlx::Error::Database(_)) =>
            {
                self.book.suspect();
                // If this is the end of the transaction, the next call says so.
                if DB::ERRORS_ABORT || self.check_open(*operation).await.is_ok() {
                    self.settled();
                }
            }
            _ => self.book.suspect(),
        }
        error
    }

    /// Begins a read. If its future is dropped the connection is still busy
    /// with it, which must be over before a fence is put.
    pub(crate) async fn begin_read(&mut self, operation: Operation) -> Result<Reading> {
        self.usable()?;
        self.get_in_step(operation).await?;
        let before = Reading { suspect: self.book.state.suspect };
        self.book.suspect();
        self.book.asked(operation);
        self.orm().probe().statement();
        Ok(before)
    }

    /// Refuses an entity whose rows would not be found by their columns. The catalog is
    /// looked at once, on the transaction's own connection: the pool may have no other.
    pub(crate) async fn check_columns<T: Persist<DB>>(
        &mut self,
        operation: Operation,
    ) -> Result<()> {
        if self.orm().columns_fit::<T>() {
            return Ok(());
        }
        let reading = self.begin_read(operation).await?;
        let orm = self.orm().clone();
        let checked = orm.check_columns::<T>(self.connection, operation).boxed().await;
        self.read_done(reading, checked)
    }

    /// Ends a read, and hands on what it gave.
    pub(crate) fn read_done<R>(&mut self, reading: Reading, read: Result<R>) -> Result<R> {
        self.book.answered(database_error(&read));
        if read.is_ok() {
            self.book.state.suspect = reading.suspect;
        }
        read
    }

    /// Makes sure that the transaction still is one, and that what answers next is what
    /// is asked next, if the caller has had the connection.
    pub(super) async fn get_in_step(&mut self, operation: Operation) -> Result<()> {
        if self.book.is_lent { self.check(operation).await } else { Ok(()) }
    }

    /// Makes sure that the transaction still is one, if there is a doubt.
    pub(super) async fn check_if_suspect(&mut self, operation: Operation) -> Result<()> {
        if self.book.state.suspect || self.book.is_lent {
            self.check(operation).await
        } else {
            Ok(())
        }
    }

    async fn check(&mut self, operation: Operation) -> Result<()> {
        if !DB::ERRORS_ABORT {
            return self.check_open(operation).await;
        }
        // The database itself refuses what follows an error, and sqlx counts at once
        // what has begun and ended.
        if self.book.counts_as(self.connection) {
            return Ok(());
        }
        self.book.lose(operation);
        Err(Error::HalfDone { operation })
    }

    /// Asks whether the transaction still is one.
    async fn check_open(&mut self, operation: Operation) -> Result<()> {
        let before = self.book.lost.replace(operation);
        self.book.asked(operation);
        let checked = pooled::check_open::<DB>(self.connection).await;
        self.book.answered(checked.as_ref().err());
        checked.map_err(|_| Error::HalfDone { operation })?;
        if !self.book.counts_as(self.connection) {
            return Err(Error::HalfDone { operation });
        }
        self.book.lost = before;
        self.book.in_step();
        Ok(())
    }

    /// Refuses statements in a transaction that can only be rolled back.
    pub(crate) fn usable(&self) -> Result<()> {
        self.book.usable()
    }

    /// Notes a key whose row the transaction has changed.
    pub(crate) fn touch<T: Persist<DB>>(&mut self, key: &T::Key) {
        if !DB::RETURNING && self.book.witness.locked_row.is_none() {
            let key = key.clone();
            let bind = Box::new(move |bindings: &mut Bindings<DB>| key.bind(bindings));
            self.book.witness.locked_row = Some(LockedRow { sql: T::LOCK_BY_KEY, bind });
        }
        for key in self.book.orm.cache_keys::<T>(key) {
            self.book.journal.touch(key);
        }
    }

    /// Has the write judged once more before it is committed.
    pub(crate) fn judge_again<T: Persist<DB>>(
        &mut self,
        changes: &'static [Change],
        operation: Operation,
    ) {
        self.book.judged.add::<T>(changes, operation);
    }

    /// The same of the columns that it gives values to.
    pub(crate) fn judge_columns_again<T: Persist<DB>>(
        &mut self,
        written: Option<&[&'static str]>,
        operation: Operation,
    ) {
        self.book.judged.add_columns::<T>(written, operation);
    }

    /// Notes that a write was judged when so many structs and indexes had come.
    pub(crate) fn judged_at(&mut self, uses: usize) {
        self.book.judged.at(uses);
    }

    /// Notes that the transaction has locked the row with this key, which is then read as
    /// it is and not as a snapshot shows it.
    pub(crate) fn hold<T: Persist<DB>>(&mut self, key: &T::Key) {
        if DB::READS_SNAPSHOTS {
            let Book { orm, held, .. } = &mut *self.book;
            held.add::<T>(key, orm.named_cache_keys::<T>(key));
        }
    }

    /// Whether the transaction has locked the row with this key.
    pub(crate) fn holds<T: Persist<DB>>(&self, key: &T::Key) -> bool {
        let Book { orm, held, .. } = &*self.book;
        !held.is_empty() && held.contains(&orm.cache_key::<T>(key))
    }

    /// The rows of this struct that the transaction has locked, by their cache keys.
    pub(crate) fn held<T: Persist<DB>>(&self) -> HashMap<CacheKey, T::Key> {
        self.book.held.of::<T>()
    }

    /// Notes the entry of a value that a row of the transaction has got or lost.
    pub(crate) fn touch_index<T: Persist<DB>>(&mut self, index: &Index<T>, value: &str) {
        let key = index.cache_key(self.book.orm.namespace(), value);
        if index.is_unique() {
            self.book.journal.touch(key);
        } else {
            self.book.journal.touch_shared(key);
        }
    }

    /// Lets rows take their fences' places after COMMIT, and pointers to them the
    /// places of their unique values' fences.
    pub(crate) fn write_through<T: Persist<DB>>(&mut self, rows: &[T]) {
        let orm = &self.book.orm;
        let counters = orm.counters();
        let mut entries = HashMap::with_capacity(rows.len());
        for row in rows {
            let key = orm.cache_key::<T>(&row.key());
            let lost = self.book.lost_documents.get(&key).copied();
            if let Some(entry) = row_entry(orm, row, lost, &key, &T::POLICY, counters) {
                entries.insert(key, entry);
            }
            for index in T::INDEXES.iter().filter(|index| index.is_unique()) {
                let value = index.value_of(row);
                let Some(value) = value.text() else { continue };
                let key = index.cache_key(orm.namespace(), value);
                if let Some(entry) = index_entry::<DB, T>(orm, &[row.key()], &key, counters) {
                    entries.insert(key, entry);
                }
            }
        }
        self.book.journal.store(&entries);
    }
}

/// What the database has said, or the driver of it.
fn database_error<R>(outcome: &Result<R>) -> Option<&sqlx::Error> {
    match outcome {
        Err(Error::Database { source, .. }) => Some(source),
        _ => None,
    }
}

impl<DB: Backend> fmt::Debug for Book<DB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Book")
            .field("journal", &self.journal)
            .field("state", &self.state)
            .field("lost", &self.lost)
            .finish_non_exhaustive()
    }
}

impl<DB: Backend> fmt::Debug for Open<'_, DB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Open").field("book", &self.book).finish_non_exhaustive()
    }
}
