//! What the catalog says of the tables of the structs that a handle is used with.

use super::{Orm, locked};
use crate::{
    Backend, Error, Operation, Persist, Result,
    schema::{Accepted, Change, Finding, Refuses, Shape, TableDescription, TableFacts, dangers},
};
use futures_util::FutureExt as _;
use std::{
    any::TypeId,
    collections::{HashMap, HashSet},
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
/// lead to them. Where there are more, any could be among them.
pub(super) const MOST_TABLES: usize = 256;

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
    /// Whether the schema was changed since.
    is_old: bool,
}

impl Look {
    fn is_fresh(&self) -> bool {
        !self.is_old && self.at.elapsed() < if self.is_answered { BELIEVED } else { ASKED_AGAIN }
    }
}

/// What follows for a struct.
pub(super) struct Judgement {
    /// By what is done to rows; nothing is relied on where it is not known.
    facts: Option<[(Change, TableFacts); 3]>,
    /// Why it must not be used.
    all: Option<String>,
    /// Why it must not be written.
    writes: Option<String>,
    /// Why its rows must not be inserted, updated or deleted.
    changes: [(Change, Option<String>); 3],
    is_answered: bool,
    at: Instant,
    /// How many structs and indexes the handle had been used with.
    pub(super) uses: usize,
}

impl Judgement {
    fn is_fresh(&self, uses: usize) -> bool {
        let time = if self.is_answered && !self.refuses() { BELIEVED } else { ASKED_AGAIN };
        self.uses == uses && self.at.elapsed() < time
    }

    pub(super) fn refuses(&self) -> bool {
        self.all.is_some()
            || self.writes.is_some()
            || self.changes.iter().any(|(_, reason)| reason.is_some())
    }

    fn for_reading(&self, operation: Operation) -> Result<()> {
        refused(self.all.as_ref(), operation)
    }

    pub(super) fn for_writing(
        &self,
        changes: &[Change],
        operation: Operation,
    ) -> Result<TableFacts> {
        let of_changes = self.changes.iter().filter(|(change, _)| changes.contains(change));
        let of_change = of_changes.filter_map(|(_, reason)| reason.as_ref()).next();
        refused(self.all.as_ref().or(self.writes.as_ref()).or(of_change), operation)?;
        Ok(self.facts(changes))
    }

    fn facts(&self, changes: &[Change]) -> TableFacts {
        let of_changes = self.facts.iter().flatten().filter(|(it, _)| changes.contains(it));
        of_changes.map(|(_, facts)| *facts).reduce(TableFacts::or).unwrap_or_default()
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
        // What a write has cached is remembered like what was read.
        self.meters().of(operation);
        self.judgement::<T>().await.facts(&[Change::Insert, Change::Update])
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
            _ => {
                self.meters().of(operation);
                self.judgement::<T>().await.for_reading(operation)
            }
        }
    }

    /// What follows for a struct, which need not be one that the handle is used with.
    pub(super) async fn judgement<T: Persist<DB>>(&self) -> Arc<Judgement> {
        if let Some(known) = self.known_judgement::<T>() {
            return known;
        }
        let began = Instant::now();
        let judgement = self.asked_judgement::<T>().await;
        if judgement.refuses() && self.forget_looks_before(began) {
            return self.asked_judgement::<T>().await;
        }
        judgement
    }

    async fn asked_judgement<T: Persist<DB>>(&self) -> Arc<Judgement> {
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

    pub(super) fn known_judgement<T: Persist<DB>>(&self) -> Option<Arc<Judgement>> {
        let known = locked(&self.0.schemas.entities).get(&TypeId::of::<T>()).cloned()?;
        known.is_fresh(self.meters().uses().count()).then_some(known)
    }

    /// Has those tables asked for again that were looked at before: a refusal must not
    /// rest on what was mended since. Whether there were any.
    pub(super) fn forget_looks_before(&self, began: Instant) -> bool {
        let mut tables = locked(&self.0.schemas.tables);
        let mut are_any = false;
        for look in tables.values_mut().filter(|look| look.at < began) {
            are_any |= !look.is_old;
            look.is_old = true;
        }
        are_any
    }

    /// The tables of which nothing is known, or nothing that is believed any longer:
    /// those of the structs that were used, and those that writes of `T` lead to.
    pub(super) fn tables_to_look_at<T: Persist<DB>>(&self) -> Vec<String> {
        let mut names: Vec<_> =
            self.meters().uses().subjects().map(|subject| subject.table).collect();
        names.push(T::TABLE.name());
        let mut names: Vec<_> = names.into_iter().map(str::to_owned).collect();
        if !T::ACCEPTS.contains(&Accepted::OtherRows) {
            let reached = Change::ALL.into_iter().flat_map(|change| self.reached::<T>(change));
            names.extend(reached.filter_map(|reached| reached.name));
        }
        names.sort_unstable();
        names.dedup();
        let tables = locked(&self.0.schemas.tables);
        names.retain(|name| !tables.get(name).is_some_and(Look::is_fresh));
        names
    }

    /// Asks for what is not known, until nothing new is led to.
    pub(super) async fn look_at_tables<T: Persist<DB>>(&self, connection: &mut DB::Connection) {
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
                let look = Look { table, is_answered, at: Instant::now(), is_old: false };
                locked(&self.0.schemas.tables).insert(name, look);
            }
        }
    }

    pub(super) fn judge_table<T: Persist<DB>>(&self) -> Arc<Judgement> {
        let uses = self.meters().uses().count();
        let look = locked(&self.0.schemas.tables).get(T::TABLE.name()).cloned();
        let table = look.as_ref().and_then(|look| look.table.clone());
        let mut judgement = Judgement {
            facts: None,
            all: None,
            writes: None,
            changes: Change::ALL.map(|change| (change, None)),
            at: look.as_ref().map_or_else(Instant::now, |look| look.at),
            is_answered: look.as_ref().is_some_and(|look| look.is_answered && !look.is_old),
            uses,
        };
        if let Some(table) = table {
            let facts = |change| (change, TableFacts::of(&table, T::TABLE.key_columns(), change));
            judgement.facts = judgement.is_answered.then(|| Change::ALL.map(facts));
            let dangers = dangers(&Shape::of::<DB, T>(), &table);
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
    pub(super) fn table_known(&self, name: &str) -> Option<Arc<TableDescription>> {
        locked(&self.0.schemas.tables).get(name).and_then(|look| look.table.clone())
    }

    /// Refuses a write that is about to be committed for what the program has begun to
    /// read meanwhile.
    pub(crate) fn judge_write<T: Persist<DB>>(
        &self,
        changes: &[Change],
        operation: Operation,
    ) -> Result<()> {
        self.judge_table::<T>().for_writing(changes, operation).map(drop)
    }

    /// Whether rows that are read from now on may be stored, or those that are written
    /// from now on. Notes that their struct is used, so that each commit is under way now,
    /// or is still to be judged, or is over.
    pub(crate) fn may_store(&self, operation: Operation) -> bool {
        self.meters().of(operation);
        let uses = self.meters().uses();
        uses.may_store(|| operation.subject().and_then(|subject| uses.came(subject)))
    }

    /// Has the catalog asked anew: it was changed. Until it has answered, what it said last
    /// is the best that a commit can be judged by.
    pub(crate) fn forget_schema(&self) {
        locked(&self.0.schemas.tables).values_mut().for_each(|look| look.is_old = true);
        locked(&self.0.schemas.entities).clear();
    }
}

impl fmt::Debug for Schemas {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Schemas").finish_non_exhaustive()
    }
}
