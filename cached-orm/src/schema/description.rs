//! A table as the catalog describes it, in the same words for every database.

pub(crate) use super::trigger::{Deeds, Events, Timing, TriggerDescription, WrittenTable};
use sqlx::Database;
use std::future::Future;

/// How a database's catalog is read.
#[doc(hidden)]
pub trait Describe: Database {
    /// The table that statements on the connection would find under this name.
    fn describe(
        connection: &mut Self::Connection,
        name: &str,
    ) -> impl Future<Output = sqlx::Result<Option<TableDescription>>> + Send;

    /// SQL that a writing statement's RETURNING can hold. Its text changes whenever
    /// something is changed on which it depends whether RETURNING shows what will be
    /// committed: [`TableDescription::stamp`] is the same text. While a transaction
    /// has written to the table, nobody else can change it.
    fn stamp(_name: &str) -> Option<String> {
        None
    }
}

/// A table in the catalog.
#[doc(hidden)]
#[derive(Debug, Clone, Default)]
pub struct TableDescription {
    /// Its schema and name as the catalog spells them: the same for every spelling
    /// that leads to it.
    pub(crate) identity: String,
    pub(crate) kind: TableKind,
    pub(crate) lifetime: TableLifetime,
    /// Its storage engine, if that has no transactions.
    pub(crate) engine_without_transactions: Option<String>,
    /// Whether what is written to it may be rows of other tables.
    pub(crate) is_behind_others: bool,
    pub(crate) columns: Vec<ColumnDescription>,
    /// The column that the database numbers where its rows are not returned.
    pub(crate) auto_increment: Option<String>,
    pub(crate) indexes: Vec<IndexDescription>,
    pub(crate) triggers: Vec<TriggerDescription>,
    /// Whether this account would not be shown its triggers.
    pub(crate) hides_triggers: bool,
    /// Whether a function that makes a column's default has statements that write.
    pub(crate) defaults_write: bool,
    /// Its rules, other than a view's own.
    pub(crate) rules: Vec<String>,
    pub(crate) row_security: RowSecurity,
    /// Foreign keys of other tables, or of itself, that refer to it.
    pub(crate) referenced_by: Vec<ForeignKey>,
    /// Its own foreign keys.
    pub(crate) refers_to: Vec<ForeignKey>,
    /// Whether a constraint of it removes other rows (`ON CONFLICT REPLACE`).
    pub(crate) replaces_rows: bool,
    /// Its name without the schema, if it was named with it and need not be.
    pub(crate) other_name: Option<String>,
    /// The identities of other tables that have some of its rows: those that it inherits
    /// from, and that inherit from it.
    pub(crate) relatives: Vec<String>,
    pub(crate) rows_shown: RowsShown,
    /// Whether it can have columns whose names differ in case alone.
    pub(crate) has_exact_names: bool,
    /// What [`Describe::stamp`] gave along with this; `None` where it gives nothing,
    /// or where what it gives may be old.
    pub(crate) stamp: Option<String>,
}

/// When a written row is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum RowsShown {
    /// By a statement that follows the write's.
    #[default]
    Afterwards,
    /// When BEFORE triggers have run, and AFTER triggers have not.
    BeforeAfterTriggers,
    /// Before any trigger ran.
    BeforeTriggers,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum TableKind {
    #[default]
    Ordinary,
    Partitioned,
    /// Other tables inherit from it, whose rows it shows.
    Inherited,
    View,
    Foreign,
    /// Made by a module of SQLite.
    Virtual,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum TableLifetime {
    #[default]
    Permanent,
    /// Emptied when the server crashes.
    Unlogged,
    /// Each connection has another one.
    Temporary,
}

/// Row-level security.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum RowSecurity {
    #[default]
    Off,
    /// Others are restricted by it, and this role is not.
    Bypassed,
    /// It decides which rows this role sees.
    Active,
}

#[derive(Debug, Clone)]
pub(crate) struct ColumnDescription {
    pub(crate) name: String,
    pub(crate) type_name: String,
    pub(crate) is_nullable: bool,
    pub(crate) filled: Filled,
    /// Whether the database compares its values with nothing.
    pub(crate) is_incomparable: bool,
}

/// Who gives values to a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Filled {
    /// Statements, or its default.
    #[default]
    ByStatements,
    /// It is computed of other columns, with every change of these.
    Generated,
    /// It is always numbered by the database.
    Numbered,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct IndexDescription {
    pub(crate) name: String,
    pub(crate) is_unique: bool,
    pub(crate) is_primary: bool,
    pub(crate) is_partial: bool,
    pub(crate) is_deferrable: bool,
    /// Being built, or broken.
    pub(crate) is_invalid: bool,
    /// Every column that it is made of, those in expressions included.
    pub(crate) columns: Vec<String>,
    /// The columns that it begins with, up to the first expression.
    pub(crate) leading: Vec<String>,
    /// Whether it compares in another way than its columns do.
    pub(crate) has_other_collation: bool,
    /// Whether it is over an expression that can be NULL where its columns are not.
    pub(crate) has_other_nulls: bool,
}

/// What is done to a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Change {
    Insert,
    Update,
    Delete,
}

impl Change {
    pub(crate) const ALL: [Self; 3] = [Self::Insert, Self::Update, Self::Delete];
}

/// A foreign key, seen from the table that it refers to, or from its own.
#[derive(Debug, Clone)]
pub(crate) struct ForeignKey {
    pub(crate) name: String,
    /// The identity of the table at the other end.
    pub(crate) other: String,
    /// The columns that are referred to; none if that is the primary key.
    pub(crate) referred: Vec<String>,
    /// The columns that refer to them.
    pub(crate) referring: Vec<String>,
    pub(crate) on_delete: Action,
    pub(crate) on_update: Action,
    /// Whether this account is shown what it does. Else it may be anything.
    pub(crate) shows_actions: bool,
    /// Whether code that its actions run looks for names in other schemas than this
    /// connection's.
    pub(crate) acts_elsewhere: bool,
}

/// What a foreign key does to the rows that refer to a changed one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    /// It leaves them, or refuses the change.
    Nothing,
    Cascade,
    SetNull,
    SetDefault,
}

impl TableDescription {
    /// The triggers that are not this crate's.
    pub(crate) fn other_triggers(&self) -> impl Iterator<Item = &TriggerDescription> {
        self.triggers.iter().filter(|trigger| !trigger.is_own)
    }

    /// Whether it has triggers of this crate.
    pub(crate) fn has_own_triggers(&self) -> bool {
        self.triggers.iter().any(|trigger| trigger.is_own)
    }

    /// Whether the two can have a row in common.
    pub(crate) fn shares_rows(&self, other: &Self) -> bool {
        self.identity == other.identity || self.relatives.contains(&other.identity)
    }

    /// Whether a foreign key changes or deletes its rows with those of another table.
    pub(crate) fn follows_others(&self) -> bool {
        let has_action =
            |key: &ForeignKey| key.on_delete != Action::Nothing || key.on_update != Action::Nothing;
        self.refers_to.iter().any(has_action)
    }

    /// The columns of its primary key.
    pub(crate) fn primary_key(&self) -> &[String] {
        let primary = self.indexes.iter().find(|index| index.is_primary);
        primary.map_or(&[], |index| &index.columns)
    }

    pub(crate) fn column(&self, name: &str) -> Option<&ColumnDescription> {
        self.columns.iter().find(|column| self.is_one_name(&column.name, name))
    }

    /// Whether it is a column that is computed of others.
    pub(crate) fn is_generated(&self, column: &str) -> bool {
        self.column(column).is_some_and(|column| column.filled == Filled::Generated)
    }

    /// The columns that an update changes which gives values to these. Of which columns
    /// a generated one is made is not looked at.
    pub(crate) fn changed_with(&self, columns: &[String]) -> Vec<String> {
        let mut changed = columns.to_vec();
        if !changed.is_empty() {
            let generated = self.columns.iter().filter(|it| it.filled == Filled::Generated);
            changed.extend(generated.map(|column| column.name.clone()));
        }
        if columns.iter().any(|column| self.is_row_number(column)) {
            changed.extend_from_slice(self.primary_key());
        }
        changed
    }

    /// Whether all of `columns` are among `others`, by names as this database takes them.
    pub(crate) fn are_among<A: AsRef<str>, B: AsRef<str>>(
        &self,
        columns: &[A],
        others: &[B],
    ) -> bool {
        let is_there =
            |column: &A| others.iter().any(|it| self.is_one_name(it.as_ref(), column.as_ref()));
        columns.iter().all(is_there)
    }

    /// Whether SQLite takes it for the row's number, which may be its primary key.
    pub(crate) fn is_row_number(&self, name: &str) -> bool {
        self.rows_shown == RowsShown::BeforeTriggers
            && ["rowid", "oid", "_rowid_"].iter().any(|it| is_alike(it, name))
            && self.column(name).is_none()
    }

    fn is_one_name(&self, left: &str, right: &str) -> bool {
        if self.has_exact_names { left == right } else { is_alike(left, right) }
    }
}

impl ForeignKey {
    /// An action of it, for people.
    pub(crate) fn action_name(&self, action: Action) -> String {
        match self.shows_actions {
            true => action.name().to_owned(),
            false => format!(
                "{}, for all that this account is shown: grant it REFERENCES on the whole database",
                action.name()
            ),
        }
    }
}

impl Action {
    /// As catalogs spell it: `CASCADE`, or PostgreSQL's letter.
    pub(crate) fn of(text: &str) -> Self {
        match text {
            "c" | "CASCADE" => Self::Cascade,
            "n" | "SET NULL" => Self::SetNull,
            "d" | "SET DEFAULT" => Self::SetDefault,
            _ => Self::Nothing,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Nothing => "NO ACTION",
            Self::Cascade => "CASCADE",
            Self::SetNull => "SET NULL",
            Self::SetDefault => "SET DEFAULT",
        }
    }
}

/// Whether two names of columns could be one: on PostgreSQL they need not be.
pub(crate) fn is_alike(left: &str, right: &str) -> bool {
    left.eq_ignore_ascii_case(right)
}

/// Whether one of `columns` could be among `others`.
pub(crate) fn meet<A: AsRef<str>, B: AsRef<str>>(columns: &[A], others: &[B]) -> bool {
    columns.iter().any(|column| others.iter().any(|it| is_alike(it.as_ref(), column.as_ref())))
}
