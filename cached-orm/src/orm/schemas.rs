//! What the catalog says of the tables of the structs that a handle is used with.

use super::{Orm, locked};
use crate::{
    Backend, Error, Operation, Persist, Result,
    error::Subject,
    schema::{
        Accepted, Change, Finding, From, Refuses, Shape, TableDescription, TableFacts, dangers,
        steps,
    },
    transaction::Open,
    triggers,
};
use futures_util::FutureExt as _;
use std::{
    any::TypeId,
    collections::{HashMap, HashSet, VecDeque},
    fmt,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::time::{Instant, timeout};

/// How long it is believed what the catalog has said. Whether a written row may be
/// cached is asked with each write.
const BELIEVED: Duration = Duration::from_secs(60);
/// After how long a question is asked again that was not answered, or whose answer
/// was a reason to refuse.
const ASKED_AGAIN: Duration = Duration::from_secs(1);
/// How long a first use waits for the catalog. Without an answer nothing is relied on.
const PATIENCE: Duration = Duration::from_secs(5);
/// How many tables are looked at for the sake of one, whose triggers and foreign keys
/// lead to them.
const MOST_TABLES: usize = 64;

/// What is known of the tables.
#[derive(Default)]
pub(super) struct Schemas {
    tables: Mutex<HashMap<String, Look>>,
    entities: Mutex<HashMap<TypeId, Arc<Judgement>>>,
    /// Held by the one who asks: the others want to know the same.
    asking: tokio::sync::Mutex<()>,
}

/// What the catalog has said of a table.
#[derive(Clone)]
struct Look {
    /// `None` if there is no such table, or no answer.
    table: Option<Arc<TableDescription>>,
    is_answered: bool,
    at: Instant,
}

impl Look {
    fn is_fresh(&self) -> bool {
        self.at.elapsed() < if self.is_answered { BELIEVED } else { ASKED_AGAIN }
    }
}

/// What follows for a struct.
struct Judgement {
    facts: TableFacts,
    /// Why it must not be used.
    all: Option<String>,
    /// Why it must not be written.
    writes: Option<String>,
    /// Why its rows must not be inserted, updated or deleted.
    changes: [(Change, Option<String>); 3],
    is_answered: bool,
    at: Instant,
    /// How many operations the handle had been used for.
    uses: usize,
}

impl Judgement {
    fn is_fresh(&self, uses: usize) -> bool {
        let time = if self.is_answered && !self.refuses() { BELIEVED } else { ASKED_AGAIN };
        self.uses == uses && self.at.elapsed() < time
    }

    fn refuses(&self) -> bool {
        self.all.is_some()
            || self.writes.is_some()
            || self.changes.iter().any(|(_, reason)| reason.is_some())
    }

    fn for_reading(&self, operation: Operation) -> Result<()> {
        refused(self.all.as_ref(), operation)
    }

    fn for_writing(&self, changes: &[Change], operation: Operation) -> Result<TableFacts> {
        let of_changes = self.changes.iter().filter(|(change, _)| changes.contains(change));
        let of_change = of_changes.filter_map(|(_, reason)| reason.as_ref()).next();
        refused(self.all.as_ref().or(self.writes.as_ref()).or(of_change), operation)?;
        Ok(self.facts)
    }
}

fn refused(reason: Option<&String>, operation: Operation) -> Result<()> {
    match reason {
        None => Ok(()),
        Some(reason) => Err(Error::Configuration(format!("{operation}: {reason}"))),
    }
}

impl<DB: Backend> Orm<DB> {
    /// What a write must know of the table before its transaction begins. It is refused
    /// only when it is about to be done.
    pub(crate) async fn table_facts<T: Persist<DB>>(&self, operation: Operation) -> TableFacts {
        self.judgement::<T>(operation).await.facts
    }

    /// Refuses a read whose row must not be cached, as far as the catalog can be asked.
    ///
    /// # Errors
    /// [`Error::Configuration`] if the table is not as the struct takes it to be.
    pub(crate) async fn check_table<T: Persist<DB>>(&self, operation: Operation) -> Result<()> {
        let known = locked(&self.0.schemas.entities).get(&TypeId::of::<T>()).cloned();
        match known {
            // Reads do not ask again, unless it was refused.
            Some(known) if known.is_answered && known.all.is_none() => Ok(()),
            _ => self.judgement::<T>(operation).await.for_reading(operation),
        }
    }

    async fn judgement<T: Persist<DB>>(&self, operation: Operation) -> Arc<Judgement> {
        // What a write has cached is remembered like what was read.
        self.meters().of(operation);
        if let Some(known) = self.known_judgement::<T>() {
            return known;
        }
        // Boxed: it is rarely done, and makes no future of the program's larger or deeper.
        let asking = async {
            let _one = self.0.schemas.asking.lock().await;
            if self.tables_to_look_at::<T>().is_empty() {
                return;
            }
            let Ok(mut connection) = self.own_connection(Operation::new("describe")).await else {
                return;
            };
            self.look_at_tables::<T>(&mut connection).await;
            connection.answered();
        }
        .boxed();
        if !self.tables_to_look_at::<T>().is_empty() {
            // Without an answer nothing is known, and nothing is relied on.
            let _ = timeout(PATIENCE, asking).await;
        }
        self.judge_table::<T>()
    }

    fn known_judgement<T: Persist<DB>>(&self) -> Option<Arc<Judgement>> {
        let known = locked(&self.0.schemas.entities).get(&TypeId::of::<T>()).cloned()?;
        if known.is_fresh(self.meters().uses()) {
            return Some(known);
        }
        if known.refuses() {
            // Whatever it is because of may be mended.
            let is_new = |_: &String, look: &mut Look| look.at.elapsed() < ASKED_AGAIN;
            locked(&self.0.schemas.tables).retain(is_new);
        }
        None
    }

    /// The tables of which nothing is known, or nothing that is believed any longer:
    /// those of the structs that were used, and those that writes of `T` lead to.
    fn tables_to_look_at<T: Persist<DB>>(&self) -> Vec<String> {
        let mut names: Vec<_> = self.meters().subjects().map(|subject| subject.table).collect();
        names.push(T::TABLE.name());
        let mut names: Vec<_> = names.into_iter().map(str::to_owned).collect();
        if !T::ACCEPTS.contains(&Accepted::OtherRows) {
            let reached = Change::ALL.into_iter().flat_map(|change| self.reached::<T>(change));
            names.extend(reached.map(|reached| reached.name));
        }
        names.sort_unstable();
        names.dedup();
        let tables = locked(&self.0.schemas.tables);
        names.retain(|name| !tables.get(name).is_some_and(Look::is_fresh));
        names
    }

    /// Asks for what is not known, until nothing new is led to.
    async fn look_at_tables<T: Persist<DB>>(&self, connection: &mut DB::Connection) {
        let mut looked = HashSet::new();
        loop {
            let mut names = self.tables_to_look_at::<T>();
            names.retain(|name| looked.len() < MOST_TABLES && looked.insert(name.clone()));
            if names.is_empty() {
                return;
            }
            for name in names {
                let found = DB::describe(connection, &name).await;
                if let Err(error) = &found {
                    tracing::debug!(%error, table = name, "the catalog did not tell of a table");
                }
                let is_answered = found.is_ok();
                let table = found.ok().flatten().map(Arc::new);
                let look = Look { table, is_answered, at: Instant::now() };
                locked(&self.0.schemas.tables).insert(name, look);
            }
        }
    }

    fn judge_table<T: Persist<DB>>(&self) -> Arc<Judgement> {
        let uses = self.meters().uses();
        let look = locked(&self.0.schemas.tables).get(T::TABLE.name()).cloned();
        let table = look.as_ref().and_then(|look| look.table.clone());
        let mut judgement = Judgement {
            facts: TableFacts::default(),
            all: None,
            writes: None,
            changes: Change::ALL.map(|change| (change, None)),
            at: look.as_ref().map_or_else(Instant::now, |look| look.at),
            is_answered: look.is_some_and(|look| look.is_answered),
            uses,
        };
        if let Some(table) = table {
            judgement.facts = TableFacts::of(&table, T::TABLE.key_columns());
            let dangers = dangers(&Shape::of::<T>(), &table);
            let of = |refuses: Refuses| {
                let finding = dangers.iter().find(|finding| finding.refuses == refuses);
                finding.map(Finding::to_string)
            };
            let text = |finding: Option<Finding>| finding.map(|finding| finding.to_string());
            judgement.all = of(Refuses::All).or_else(|| text(self.one_cache_name::<T>(&table)));
            judgement.writes = of(Refuses::Writes).or_else(|| text(self.other_names::<T>(&table)));
            judgement.changes =
                Change::ALL.map(|change| (change, text(self.other_rows::<T>(change))));
        }
        let judgement = Arc::new(judgement);
        locked(&self.0.schemas.entities).insert(TypeId::of::<T>(), Arc::clone(&judgement));
        judgement
    }

    /// What is known of a table, by any name that a struct or a trigger gives it.
    fn table_known(&self, name: &str) -> Option<Arc<TableDescription>> {
        locked(&self.0.schemas.tables).get(name).and_then(|look| look.table.clone())
    }

    /// Why a write through `T` would leave rows in the cache: they lie under another
    /// struct's keys, which is on the same table by whatever name.
    fn other_names<T: Persist<DB>>(&self, table: &TableDescription) -> Option<Finding> {
        let is_left_behind = |other: &&'static Subject| {
            other.cache_name != T::CACHE_NAME
                && !T::ALSO_FENCES.contains(&other.cache_name)
                && self.table_known(other.table).is_some_and(|its| its.identity == table.identity)
                && !self.is_told_by_triggers(table, other)
        };
        let Subject { entity, table: name, cache_name } =
            self.meters().subjects().find(is_left_behind)?;
        let same = if *name == T::TABLE.name() {
            format!("{entity} is on the same table")
        } else {
            format!("{entity} is on the same table, which it calls `{name}`")
        };
        let own = T::NAME;
        Some(Finding::error(
            format!("cache name {}", T::CACHE_NAME),
            format!(
                "{same}, and its rows lie in the cache under another name (`{cache_name}`), of \
                 which writes of {own} do not tell the cache"
            ),
            format!(
                "give both the same `cache_name`, or the same `table` and {own} \
                 `also_fences({entity})`, or call `install_triggers::<{entity}>()`"
            ),
        ))
    }

    /// Whether the table has this crate's triggers for the struct.
    fn is_told_by_triggers(&self, table: &TableDescription, entity: &Subject) -> bool {
        let name = triggers::name(self.namespace().name(), entity.table, entity.cache_name);
        table.triggers.iter().any(|trigger| trigger.name.starts_with(&name))
    }

    /// Why rows of `T` could be taken for those of another table.
    fn one_cache_name<T: Persist<DB>>(&self, table: &TableDescription) -> Option<Finding> {
        let is_other_table = |other: &&'static Subject| {
            other.cache_name == T::CACHE_NAME
                && self.table_known(other.table).is_some_and(|its| its.identity != table.identity)
        };
        let Subject { entity, table: name, cache_name } =
            self.meters().subjects().find(is_other_table)?;
        Some(Finding::error(
            format!("cache name {cache_name}"),
            format!(
                "rows of {entity}, which are of another table (`{name}`), lie in the cache under \
                 the same name, and would be taken for rows of {}",
                T::NAME
            ),
            "give each struct a `cache_name` of its own",
        ))
    }

    /// The tables whose rows such a write of `T` can change besides its own, as far as
    /// they are known.
    fn reached<T: Persist<DB>>(&self, change: Change) -> Vec<Reached> {
        let Some(table) = self.table_known(T::TABLE.name()) else { return Vec::new() };
        let key: Vec<String> =
            T::TABLE.key_columns().iter().map(|column| (*column).to_owned()).collect();
        let mut reached: Vec<Reached> = Vec::new();
        let mut seen = HashSet::new();
        let mut to_follow = VecDeque::from([(table, change, From::Write(&key))]);
        while let Some((table, change, from)) = to_follow.pop_front() {
            for step in steps(&table, change, from) {
                if reached.len() >= MOST_TABLES {
                    return reached;
                }
                let next = self.table_known(&step.table);
                if next.as_ref().is_some_and(|next| step.is_own_row(&table, next)) {
                    continue;
                }
                if !seen.insert((step.table.clone(), step.change, step.by_foreign_key)) {
                    continue;
                }
                if let Some(next) = &next {
                    let from = if step.by_foreign_key { From::ForeignKey } else { From::Trigger };
                    to_follow.push_back((Arc::clone(next), step.change, from));
                }
                reached.push(Reached {
                    name: step.table,
                    cause: step.cause,
                    by_foreign_key: step.by_foreign_key,
                    table: next,
                });
            }
        }
        reached
    }

    /// Why such a write through `T` would leave rows in the cache: triggers and foreign
    /// keys change them, and nobody tells the cache.
    fn other_rows<T: Persist<DB>>(&self, change: Change) -> Option<Finding> {
        if T::ACCEPTS.contains(&Accepted::OtherRows) {
            return None;
        }
        for Reached { table, cause, by_foreign_key, .. } in self.reached::<T>(change) {
            let Some(table) = table else { continue };
            let is_left_behind = |other: &&'static Subject| {
                // MySQL's foreign keys fire no triggers.
                let is_told =
                    (!by_foreign_key || DB::RETURNING) && self.is_told_by_triggers(&table, other);
                !is_told
                    && self
                        .table_known(other.table)
                        .is_some_and(|its| its.identity == table.identity)
            };
            if let Some(other) = self.meters().subjects().find(is_left_behind) {
                let (own, entity) = (T::NAME, other.entity);
                let tell = if by_foreign_key && !DB::RETURNING {
                    "write those rows by this crate before this one, without such a foreign key"
                        .to_owned()
                } else {
                    format!("call `install_triggers::<{entity}>()`")
                };
                return Some(Finding::error(
                    cause,
                    format!(
                        "changes rows of `{}` with {}, which {entity} reads from the cache, and \
                         nobody tells the cache of them",
                        table.identity,
                        match change {
                            Change::Insert => "an insert",
                            Change::Update => "an update",
                            Change::Delete => "a delete",
                        },
                    ),
                    format!(
                        "{tell}, or, if your program tells it, write \
                         `#[orm(accepts(other_rows))]` on {own}"
                    ),
                ));
            }
        }
        None
    }

    /// What else this handle was used with makes of `T`.
    pub(crate) async fn beside_others<T: Persist<DB>>(
        &self,
        table: &TableDescription,
        operation: Operation,
    ) -> Vec<Finding> {
        self.judgement::<T>(operation).await;
        let names = [self.one_cache_name::<T>(table), self.other_names::<T>(table)];
        let rows = Change::ALL.map(|change| self.other_rows::<T>(change));
        names.into_iter().chain(rows).flatten().collect()
    }

    /// Has the catalog asked anew: it was changed.
    pub(crate) fn forget_schema(&self) {
        locked(&self.0.schemas.tables).clear();
        locked(&self.0.schemas.entities).clear();
    }
}

/// A table whose rows a write can change besides its own.
struct Reached {
    name: String,
    cause: String,
    by_foreign_key: bool,
    table: Option<Arc<TableDescription>>,
}

impl<DB: Backend> Open<'_, DB> {
    /// Begins a write that does this to rows of `T`: asks what must be known of their
    /// table.
    ///
    /// # Errors
    /// [`Error::Configuration`] if the write would leave rows in the cache that the
    /// database does not have, and those of [`begin_write`](Self::begin_write).
    pub(crate) async fn begin_write_of<T: Persist<DB>>(
        &mut self,
        changes: &[Change],
        operation: Operation,
    ) -> Result<()> {
        let orm = self.orm().clone();
        orm.meters().of(operation);
        let judgement = match orm.known_judgement::<T>() {
            Some(known) => known,
            None if !orm.0.lives_in_pool => orm.judgement::<T>(operation).await,
            None => {
                if !orm.tables_to_look_at::<T>().is_empty() {
                    // This may be the only connection.
                    let reading = self.begin_read(operation).await?;
                    orm.look_at_tables::<T>(self.connection()).boxed().await;
                    self.read_done(reading, Ok(()))?;
                }
                orm.judge_table::<T>()
            }
        };
        let facts = judgement.for_writing(changes, operation)?;
        self.begin_write(operation).await?;
        self.expect(facts);
        Ok(())
    }
}

impl fmt::Debug for Schemas {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Schemas").finish_non_exhaustive()
    }
}
