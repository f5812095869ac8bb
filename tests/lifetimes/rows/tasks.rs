//! Types of the program's own: an enum, a newtype as a key, JSON.

use crate::tables::Table;
use cached_orm::{KeyKind, KeyPart, MemcachedOrm, PartWriter};
use serde::{Deserialize, Serialize};

/// PostgreSQL has a type for it; the others store a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, sqlx::Type)]
#[sqlx(type_name = "task_state", rename_all = "snake_case")]
pub(crate) enum TaskState {
    Waiting,
    InProgress,
    Done,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, sqlx::Type)]
#[sqlx(transparent)]
pub(crate) struct TaskId(pub(crate) String);

impl KeyPart for TaskId {
    const KIND: KeyKind = <String as KeyPart>::KIND;

    fn write_part(&self, part: &mut PartWriter<'_>) {
        self.0.write_part(part);
    }
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Details {
    pub(crate) labels: Vec<String>,
    pub(crate) estimate: Option<u32>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, MemcachedOrm)]
#[orm(table = "tasks")]
pub(crate) struct Task {
    #[primary_key]
    pub(crate) id: TaskId,
    pub(crate) state: TaskState,
    pub(crate) before: Option<TaskState>,
    #[orm(json)]
    pub(crate) details: Details,
}

pub(crate) const TASKS: Table = Table {
    postgres: "
        CREATE TYPE task_state AS ENUM ('waiting', 'in_progress', 'done');
        CREATE TABLE tasks (
            id TEXT PRIMARY KEY, state task_state NOT NULL, before task_state,
            details JSONB NOT NULL)",
    // sqlx takes a column that is NOT NULL for another type than its enums.
    mariadb: "
        CREATE TABLE tasks (
            id VARCHAR(100) COLLATE utf8mb4_bin PRIMARY KEY,
            state ENUM ('waiting', 'in_progress', 'done') CHECK (state IS NOT NULL),
            `before` ENUM ('waiting', 'in_progress', 'done'), details JSON NOT NULL)",
    sqlite: "
        CREATE TABLE tasks (
            id TEXT PRIMARY KEY, state TEXT NOT NULL, before TEXT, details TEXT NOT NULL)",
};
