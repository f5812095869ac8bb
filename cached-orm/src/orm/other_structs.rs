//! What the other structs that a handle is used with make of a struct: whose rows they
//! have in the cache that its writes change.

use super::{Orm, schemas::MOST_TABLES};
use crate::{
    Backend, Persist, PrimaryKey as _,
    error::Subject,
    schema::{Accepted, Change, Finding, From, Step, TableDescription, TableKind, steps},
    sql::{names_one_table, split_table},
    triggers,
};
use std::{
    collections::{HashSet, VecDeque},
    sync::Arc,
};

impl<DB: Backend> Orm<DB> {
    /// Why a write through `T` would leave rows in the cache: they lie under another
    /// struct's keys, which is on the same table by whatever name.
    pub(super) fn other_names<T: Persist<DB>>(&self, table: &TableDescription) -> Option<Finding> {
        let is_left_behind = |other: &&'static Subject| {
            other.cache_name != T::CACHE_NAME
                && !T::ALSO_FENCES.contains(&other.cache_name)
                && self.has_rows_of(other, table)
                && !self.is_told_by_triggers(table, other)
        };
        let Subject { entity, table: name, cache_name, .. } =
            self.meters().uses().subjects().find(is_left_behind)?;
        let is_relative = |its: Arc<TableDescription>| its.identity != table.identity;
        let same = if *name == T::TABLE.name() {
            format!("{entity} is on the same table")
        } else if self.table_known(name).is_some_and(is_relative) {
            format!(
                "{entity} is on `{name}`, which has rows of this table (inheritance, partitions)"
            )
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

    /// Whether the struct can have rows of the table. Where its own was not looked at yet,
    /// as when all that was read so far lay in the cache, it is known by its name.
    fn has_rows_of(&self, entity: &Subject, table: &TableDescription) -> bool {
        let last = |name: &str| split_table(name).1.to_lowercase();
        match self.table_known(entity.table) {
            Some(its) => its.shares_rows(table),
            None => last(&table.identity) == last(entity.table),
        }
    }

    /// Whether the table has this crate's triggers for the struct.
    fn is_told_by_triggers(&self, table: &TableDescription, entity: &Subject) -> bool {
        let name = triggers::name(self.namespace().name(), entity.table, entity.cache_name);
        table.triggers.iter().any(|trigger| trigger.is_own && trigger.name.starts_with(&name))
    }

    /// Why rows of `T` could be taken for other ones: those of another table, or of the
    /// same one by another key.
    pub(super) fn one_cache_name<T: Persist<DB>>(
        &self,
        table: &TableDescription,
    ) -> Option<Finding> {
        let is_alike = |other: &Subject| {
            let (own, its) = (T::TABLE.key_columns(), other.key_columns);
            own.len() == its.len()
                && own.iter().zip(its).all(|(own, its)| own.eq_ignore_ascii_case(its))
                && T::Key::KINDS == other.key_kinds
        };
        let is_mistaken = |other: &&'static Subject| {
            other.cache_name == T::CACHE_NAME
                && (!is_alike(other)
                    || self.table_known(other.table).is_some_and(|its| !its.shares_rows(table)))
        };
        let other = self.meters().uses().subjects().find(is_mistaken)?;
        let Subject { entity, table: name, cache_name, key_columns, key_kinds } = other;
        let kinds: Vec<_> = key_kinds.iter().map(|kind| format!("{kind:?}")).collect();
        let rows = if is_alike(other) {
            format!("rows of {entity}, which are of another table (`{name}`),")
        } else {
            format!(
                "rows of {entity}, whose primary key is {} ({}),",
                key_columns.join(", "),
                kinds.join(", ")
            )
        };
        Some(Finding::error(
            format!("cache name {cache_name}"),
            format!(
                "{rows} lie in the cache under the same name, and would be taken for rows of {}",
                T::NAME
            ),
            "give each struct a `cache_name` of its own; those on one table also need triggers \
             (`install_triggers`), or `also_fences` where they have one primary key",
        ))
    }

    /// Whether these names lead to the same rows, as far as the catalog was asked.
    pub(crate) fn is_one_table(&self, name: &str, other: &str) -> bool {
        name == other
            || match (self.table_known(name), self.table_known(other)) {
                (Some(one), Some(other)) => one.shares_rows(&other),
                _ => false,
            }
    }

    /// The tables whose rows such a write of `T` can change besides its own, as far as
    /// they are known.
    pub(super) fn reached<T: Persist<DB>>(&self, change: Change) -> Vec<Reached> {
        let Some(table) = self.table_known(T::TABLE.name()) else { return Vec::new() };
        let key = T::TABLE.key_columns().iter().map(|column| (*column).to_owned());
        let mut reached: Vec<Reached> = Vec::new();
        let mut seen = HashSet::new();
        let mut to_follow = VecDeque::from([(table, change, From::Write(key.collect()))]);
        while let Some((table, change, from)) = to_follow.pop_front() {
            for step in steps(&table, change, &from) {
                if reached.len() >= MOST_TABLES {
                    return reached;
                }
                let name = step.table.as_ref().filter(|name| names_one_table(name));
                let next = name.and_then(|name| self.table_known(name));
                // The struct may know it by other columns than the table.
                let is_own_row = next
                    .as_ref()
                    .is_some_and(|next| step.is_own_row(&table, next, T::TABLE.key_columns()));
                let from = step.leads_on();
                let Step { table: name, change, cause, by_foreign_key, .. } = step;
                let what = (name.clone(), change, from.clone(), is_own_row);
                if !seen.insert(what) {
                    continue;
                }
                if let Some(next) = &next {
                    to_follow.push_back((Arc::clone(next), change, from));
                }
                if !is_own_row {
                    reached.push(Reached { name, cause, by_foreign_key, table: next });
                }
            }
        }
        reached
    }

    /// Why such a write through `T` would leave rows in the cache: triggers and foreign
    /// keys change them, and nobody tells the cache.
    pub(super) fn other_rows<T: Persist<DB>>(&self, change: Change) -> Option<Finding> {
        if T::ACCEPTS.contains(&Accepted::OtherRows) || self.store().holds_nothing() {
            return None;
        }
        let reached = self.reached::<T>(change);
        let own = self.table_known(T::TABLE.name());
        let is_view = own.as_ref().is_some_and(|own| own.kind == TableKind::View);
        let follows_others = own.is_some_and(|own| own.follows_others());
        // Where not all of them are known, any could be among them.
        let are_too_many = reached.len() >= MOST_TABLES;
        for Reached { table, cause, by_foreign_key, .. } in reached {
            // A table of which the catalog does not tell may lead to any.
            let table = table.filter(|_| !are_too_many);
            let is_left_behind = |other: &&'static Subject| {
                let is_it = match &table {
                    // MySQL's triggers cannot change the table that they are on, unless by its
                    // foreign keys, and of a view's own rows it is known that they may be old.
                    None => {
                        other.table != T::TABLE.name()
                            || (DB::RETURNING || follows_others) && !is_view
                    }
                    Some(table) => self.has_rows_of(other, table),
                };
                // MySQL's foreign keys fire no triggers.
                let is_told = |its: &TableDescription| {
                    (DB::RETURNING || !by_foreign_key) && self.is_told_by_triggers(its, other)
                };
                is_it && !self.table_known(other.table).is_some_and(|its| is_told(&its))
            };
            let Some(other) = self.meters().uses().subjects().find(is_left_behind) else {
                continue;
            };
            let (own, entity) = (T::NAME, other.entity);
            let tell = match by_foreign_key && !DB::RETURNING {
                true => {
                    "write those rows by this crate before this one, without such a foreign key"
                        .to_owned()
                }
                false => format!("call `install_triggers::<{entity}>()`"),
            };
            let changes = match &table {
                Some(table) => format!("changes rows of `{}`", table.identity),
                None => format!(
                    "has code that is not plain, or that this account may not read: it may \
                     change rows of `{}`",
                    other.table
                ),
            };
            let change = match change {
                Change::Insert => "an insert",
                Change::Update => "an update",
                Change::Delete => "a delete",
            };
            return Some(Finding::error(
                cause,
                format!(
                    "{changes} with {change}, which {entity} reads from the cache, and nobody \
                     tells the cache of them"
                ),
                format!(
                    "{tell}; or, if it changes none of them, or your program tells the cache, \
                     write `#[orm(accepts(other_rows))]` on {own}"
                ),
            ));
        }
        None
    }

    /// What else this handle was used with makes of `T`.
    pub(crate) async fn beside_others<T: Persist<DB>>(
        &self,
        table: &TableDescription,
    ) -> Vec<Finding> {
        self.judgement::<T>().await;
        let names = [self.one_cache_name::<T>(table), self.other_names::<T>(table)];
        let rows = Change::ALL.map(|change| self.other_rows::<T>(change));
        names.into_iter().chain(rows).flatten().collect()
    }
}

/// A table whose rows a write can change besides its own.
pub(super) struct Reached {
    /// `None` if it may be any.
    pub(super) name: Option<String>,
    cause: String,
    by_foreign_key: bool,
    table: Option<Arc<TableDescription>>,
}
