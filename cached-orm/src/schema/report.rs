//! What is found when a table is compared with what a struct says of it.

use serde::Serialize;
use std::fmt;

/// What [`Orm::verify`](crate::Orm::verify) has found.
///
/// Printed, it is a table with a line for each finding, and below each what to do.
///
/// ```no_run
/// # mod user { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/user.rs")); } use user::*;
/// # async fn example(orm: &Orm<Postgres>) -> Result<()> {
/// let report = orm.verify::<User>().await?;
/// print!("{report}");
/// assert!(report.is_sound(), "the cache could show what the database does not have");
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct SchemaReport {
    /// The struct, or the table's name if there is none.
    pub entity: String,
    /// The table as the catalog spells it, with its schema; `None` if there is none.
    pub table: Option<String>,
    /// Errors first.
    pub findings: Vec<Finding>,
}

/// One thing that is not as it should be.
///
/// ```no_run
/// # mod user { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/user.rs")); } use user::*;
/// # async fn example(orm: &Orm<Postgres>) -> Result<()> {
/// for finding in orm.verify::<User>().await?.errors() {
///     eprintln!("{}: {}; {}", finding.subject, finding.problem, finding.cure);
/// }
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// What it is about: a column, an index, a trigger, the table.
    pub subject: String,
    /// What is wrong, and what follows.
    pub problem: String,
    /// What to do.
    pub cure: String,
    /// Whether the struct is refused because of it, at its first use.
    #[serde(skip)]
    pub(crate) refuses: Refuses,
}

/// How bad a [`Finding`] is.
///
/// ```
/// use cached_orm::Severity;
///
/// assert!(Severity::Error < Severity::Warning);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// It makes the promise false, or calls fail.
    Error,
    /// It costs time, or is worth knowing.
    Warning,
}

/// Which uses of a struct are refused because of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refuses {
    Nothing,
    Writes,
    All,
}

impl SchemaReport {
    /// Whether there is no error.
    pub fn is_sound(&self) -> bool {
        self.errors().next().is_none()
    }

    /// What makes the promise false, or calls fail.
    pub fn errors(&self) -> impl Iterator<Item = &Finding> {
        self.with(Severity::Error)
    }

    /// What only costs, or is worth knowing.
    pub fn warnings(&self) -> impl Iterator<Item = &Finding> {
        self.with(Severity::Warning)
    }

    fn with(&self, severity: Severity) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(move |finding| finding.severity == severity)
    }
}

impl Finding {
    pub(crate) fn error(
        subject: impl Into<String>,
        problem: impl Into<String>,
        cure: impl Into<String>,
    ) -> Self {
        Self {
            severity: Severity::Error,
            subject: subject.into(),
            problem: problem.into(),
            cure: cure.into(),
            refuses: Refuses::Nothing,
        }
    }

    pub(crate) fn warning(
        subject: impl Into<String>,
        problem: impl Into<String>,
        cure: impl Into<String>,
    ) -> Self {
        Self { severity: Severity::Warning, ..Self::error(subject, problem, cure) }
    }

    pub(crate) fn refuses(self, refuses: Refuses) -> Self {
        Self { refuses, ..self }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Error => "error",
            Self::Warning => "warning",
        })
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}; {}", self.subject, self.problem, self.cure)
    }
}

impl fmt::Display for SchemaReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { entity, table, findings } = self;
        match table {
            Some(table) if table == entity => writeln!(f, "{table}")?,
            Some(table) => writeln!(f, "{entity}, table {table}")?,
            None => writeln!(f, "{entity}, no table")?,
        }
        let width = findings.iter().map(|finding| finding.subject.chars().count()).max();
        let width = width.unwrap_or_default().min(40);
        for Finding { severity, subject, problem, cure, .. } in findings {
            writeln!(f, "  {severity:<7}  {subject:<width$}  {problem}")?;
            writeln!(f, "  {:7}  {:width$}  {cure}", "", "")?;
        }
        if findings.is_empty() {
            writeln!(f, "  nothing was found")?;
        }
        Ok(())
    }
}
