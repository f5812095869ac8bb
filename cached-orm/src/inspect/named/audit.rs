use super::{
    super::{Audit, AuditOptions, hits::Hit, verdict::Suspect},
    fields::{Compared, compare, fields},
    report::{RowKeys, TableAudit},
    rows::{Comparable, Parts, comparable},
};
use crate::{
    Backend, CacheKey, Error, NamedTable, Operation, Orm, Result,
    coherence::Value,
    entry::{Kind, Signing, facts},
    named_table::Known,
};
use std::collections::HashSet;
use tokio::time::sleep;

const AUDIT: Operation = Operation::new("audit");

/// Keys that are asked for at once.
const KEYS_AT_ONCE: usize = 256;

/// An entry, whether it is of a row, and the primary key and the cache key that it has.
type RowHit<'k> = Hit<(&'k Parts, CacheKey), bool>;

/// What is compared, and what was learnt of it.
struct Comparison<'t> {
    table: &'t NamedTable,
    known: Known,
    signing: &'t Signing,
    columns: Vec<Comparable>,
    /// For each column, whether an entry's value was the database's.
    has_agreed: Vec<bool>,
}

impl<DB: Backend> Orm<DB> {
    /// Compares what the cache has for rows of a table that is known by its name with
    /// the database, as far as that can be done without the struct.
    ///
    /// It is done as in [`audit`](Self::audit), with the same verdicts, and changes
    /// nothing. For certain is whether one has a row of which the other says that there
    /// is none. Values are compared of columns of integers, texts, booleans, bytes and
    /// UUIDs that lie in the entry as serde writes such values; entries of rows have no
    /// names for them, so they are compared only if the entry was written with just
    /// [these names](NamedTable::fields), which its checksum of names tells. A column
    /// counts once an entry's value has been the database's: until then its field may
    /// have a form of its own, as enums have. A field that has one only for some values
    /// must be [left out](NamedTable::except), or is told as different. NULL in an
    /// entry is not compared, since columns that are not cached look like it.
    ///
    /// `progress` is called after every chunk of keys.
    ///
    /// # Errors
    /// [`Error::Configuration`] if the table or a key is not as it is described,
    /// [`Error::Database`] if rows or outbox cannot be read.
    ///
    /// ```no_run
    /// # async fn example(orm: cached_orm::Orm<cached_orm::Postgres>) -> cached_orm::Result<()> {
    /// use cached_orm::{AuditOptions, NamedTable, RowKeys};
    ///
    /// let (users, keys) = (NamedTable::new("users"), RowKeys::Sample(1_000));
    /// let audit = orm.audit_table(&users, keys, AuditOptions::default(), |_| {}).await?;
    /// println!("{audit}");
    /// # Ok(()) }
    /// ```
    pub async fn audit_table(
        &self,
        table: &NamedTable,
        keys: RowKeys,
        options: AuditOptions,
        mut progress: impl FnMut(&TableAudit) + Send,
    ) -> Result<TableAudit> {
        let (known, keys) = self.keys_of(table, keys).await?;
        let columns = comparable::<DB>(table, &known);
        let has_agreed = vec![false; columns.len()];
        let mut comparison =
            Comparison { table, known, signing: self.signing(), columns, has_agreed };
        let mut report = TableAudit { keys: keys.len() as u64, ..TableAudit::default() };
        for keys in keys.chunks(KEYS_AT_ONCE) {
            let hits = self.entries_of(&comparison, keys, &mut report.audit).await;
            if !hits.is_empty() {
                sleep(options.settle).await;
                let suspects = self.suspects(&mut comparison, hits, &mut report).await?;
                self.judge(table.name(), suspects, options, &mut report.audit).await?;
            }
            progress(&report);
        }
        comparison.tell(&mut report);
        Ok(report)
    }

    /// The table, and the keys that are asked for, each once.
    async fn keys_of(&self, table: &NamedTable, keys: RowKeys) -> Result<(Known, Vec<Parts>)> {
        let mut connection = self.load_connection(AUDIT).await?;
        let answer = async {
            let known = table.find::<DB>(&mut connection, AUDIT).await?;
            let keys = match keys {
                RowKeys::Sample(rows) => {
                    let sample = known.sample::<DB>(&mut connection, rows).await;
                    sample.map_err(Error::database(AUDIT))?
                }
                RowKeys::These(keys) => {
                    let mut seen = HashSet::new();
                    keys.into_iter().filter(|key| seen.insert(key.clone())).collect()
                }
            };
            keys.iter().try_for_each(|parts| known.check(parts)).map_err(|reason| {
                Error::Configuration(format!("{AUDIT} of `{}`: {reason}", table.name()))
            })?;
            Ok((known, keys))
        }
        .await;
        connection.answered();
        answer
    }

    /// The entries of these keys that answer reads.
    async fn entries_of<'k>(
        &self,
        comparison: &Comparison<'_>,
        keys: &'k [Parts],
        audit: &mut Audit,
    ) -> Vec<RowHit<'k>> {
        let table = comparison.table;
        let key = |parts| CacheKey::of_parts(self.namespace(), table.cache_name_or_table(), parts);
        let cache_keys: Vec<_> = keys.iter().map(|parts| key(parts.as_slice())).collect();
        let asked = keys.iter().zip(cache_keys.iter().cloned()).collect();
        let read = |(_, key): &(&Parts, CacheKey), entry: &Value| match facts(
            &entry.bytes,
            key,
            comparison.signing,
        )
        .ok()?
        .kind
        {
            Kind::Row if !table.is_over(entry.ttl) => Some(true),
            Kind::Absent => Some(false),
            _ => None,
        };
        self.hits(asked, &cache_keys, read, audit).await
    }

    /// Those among them that differ from the database; those that agree are counted.
    async fn suspects(
        &self,
        comparison: &mut Comparison<'_>,
        hits: Vec<RowHit<'_>>,
        report: &mut TableAudit,
    ) -> Result<Vec<Suspect>> {
        let keys: Vec<_> = hits.iter().map(|hit| hit.asked.0).collect();
        let mut connection = self.load_connection(AUDIT).await?;
        let loading = comparison.known.load::<DB>(&mut connection, &keys, &comparison.columns);
        let rows = loading.await;
        connection.answered();
        let rows = rows.map_err(Error::database(AUDIT))?;
        let mut compared = Vec::new();
        for hit in hits {
            let row = rows.get(hit.asked.0);
            let differing = match row {
                Some(row) if hit.content => comparison.differing(&hit, row, report),
                _ => Vec::new(),
            };
            compared.push((hit, row.is_some(), differing));
        }
        let mut suspects = Vec::new();
        for (hit, is_in_database, differing) in compared {
            let differing = differing.into_iter().filter(|column| comparison.has_agreed[*column]);
            let columns: Vec<_> =
                differing.map(|column| comparison.columns[column].name.clone()).collect();
            let Hit { asked: (parts, key), entry, content: is_in_cache } = hit;
            if is_in_cache == is_in_database && columns.is_empty() {
                report.audit.agreed += 1;
                self.counters().audits_agreed.add_one();
                continue;
            }
            let cache_name = comparison.table.cache_name_or_table();
            suspects.push(Suspect {
                key,
                trigger_text: CacheKey::outbox_text_of_parts(cache_name, parts),
                version: entry.cas,
                is_in_cache,
                is_in_database,
                columns,
            });
        }
        Ok(suspects)
    }
}

impl Comparison<'_> {
    /// The columns, by number, of which the entry has other values than the row.
    fn differing(
        &mut self,
        hit: &RowHit<'_>,
        row: &[Option<String>],
        report: &mut TableAudit,
    ) -> Vec<usize> {
        let names = self.table.field_names(&self.known.table);
        let key = &hit.asked.1;
        let Some(fields) = fields(&hit.entry.bytes, key, &names, self.signing) else {
            report.only_presence += 1;
            return Vec::new();
        };
        let mut differing = Vec::new();
        let columns = self.columns.iter().zip(row).zip(&mut self.has_agreed);
        for (number, ((column, text), has_agreed)) in columns.enumerate() {
            let field = fields.iter().find(|(name, _)| *name == column.name);
            let compared = field.map(|(_, field)| compare(field, text.as_deref(), column.kind));
            match compared {
                Some(Compared::Alike) => *has_agreed = true,
                Some(Compared::Different) => differing.push(number),
                Some(Compared::Unknown) | None => {}
            }
        }
        differing
    }

    /// Tells what was compared.
    fn tell(&self, report: &mut TableAudit) {
        for column in &self.known.table.columns {
            let place = self.columns.iter().position(|it| it.name == column.name);
            let list = match place {
                Some(place) if self.has_agreed[place] => &mut report.columns,
                _ => &mut report.columns_not_compared,
            };
            list.push(column.name.clone());
        }
    }
}
