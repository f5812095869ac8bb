//! The rows of one attempt, which no other has.

use super::Stage;
use crate::tables::Person;
use cached_orm::{MemcachedOrm as _, Uncached};
use sqlx::AssertSqlSafe;
use std::sync::atomic::{AtomicI64, Ordering};

/// Four rows: the first is written before a method is tried, the second and third by
/// it, and the fourth after it, or around it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Round(i64);

/// What the database holds of a round.
#[derive(Debug, PartialEq)]
pub(super) struct Snapshot {
    people: Vec<(i64, String, String, String)>,
    notes: i64,
}

impl Round {
    /// With its rows in the database, and three of them in the cache.
    pub(super) async fn new(stage: &Stage) -> Self {
        static NEXT: AtomicI64 = AtomicI64::new(0);
        let round = Self(NEXT.fetch_add(10, Ordering::Relaxed));
        let rows = (1..=4).map(|row| {
            let id = round.id(row);
            format!("({id}, 'old', 'e{id}', '{}', 0, 'secret')", round.city())
        });
        let rows = rows.collect::<Vec<_>>().join(", ");
        stage.run(&format!("INSERT INTO people VALUES {rows}")).await;
        for row in [1, 2, 4] {
            Person::fetch_one(&stage.orm, round.id(row)).await.unwrap();
        }
        Person::fetch_by_email(&stage.orm, round.email(2)).await.unwrap();
        Person::fetch_by_email(&stage.orm, round.email(5)).await.unwrap();
        Person::fetch_by_city(&stage.orm, round.city()).await.unwrap();
        round
    }

    pub(super) fn id(self, row: i64) -> i64 {
        self.0 + row
    }

    pub(super) fn email(self, row: i64) -> String {
        format!("e{}", self.id(row))
    }

    pub(super) fn city(self) -> String {
        format!("c{}", self.0)
    }

    /// The row as it is written, with a name of its own.
    pub(super) fn person(self, row: i64, name: &str) -> Person {
        Person {
            id: self.id(row),
            name: name.to_owned(),
            email: self.email(row),
            city: self.city(),
            counter: 0,
            secret: Uncached::new("secret".to_owned()),
        }
    }

    pub(super) async fn snapshot(self, stage: &Stage) -> Snapshot {
        let (first, last) = (self.0, self.0 + 9);
        let people = format!(
            "SELECT id, name, email, city FROM people WHERE id BETWEEN {first} AND {last} ORDER BY id"
        );
        let notes = format!("SELECT COUNT(*) FROM notes WHERE text = '{}'", self.city());
        let people = sqlx::query_as(AssertSqlSafe(people)).persistent(false);
        let notes = sqlx::query_scalar(AssertSqlSafe(notes)).persistent(false);
        Snapshot {
            people: people.fetch_all(&stage.watch).await.unwrap(),
            notes: notes.fetch_one(&stage.watch).await.unwrap(),
        }
    }

    /// Asserts that every read by the cache says what the database says.
    pub(super) async fn assert_agrees(self, stage: &Stage, snapshot: &Snapshot, what: &str) {
        if let Some(disagreement) = self.disagreement(stage, snapshot).await {
            panic!("{what}: {disagreement}");
        }
    }

    /// What a read by the cache says that the database does not.
    pub(super) async fn disagreement(self, stage: &Stage, snapshot: &Snapshot) -> Option<String> {
        let orm = &stage.orm;
        let tuple = |row: Person| (row.id, row.name, row.email, row.city);
        for _ in 0..2 {
            let ids: Vec<_> = (1..=9).map(|row| self.id(row)).collect();
            let rows = Person::fetch_many(orm, ids).await.unwrap();
            let rows: Vec<_> = rows.into_iter().flatten().map(tuple).collect();
            if rows != snapshot.people {
                return Some(format!("by primary key {rows:?}, and there is {snapshot:?}"));
            }
            let mut rows = Person::fetch_by_city(orm, self.city()).await.unwrap();
            rows.sort_by_key(|row| row.id);
            let rows: Vec<_> = rows.into_iter().map(tuple).collect();
            if rows != snapshot.people {
                return Some(format!("by city {rows:?}, and there is {snapshot:?}"));
            }
            for row in [2, 5] {
                let found = Person::fetch_by_email(orm, self.email(row)).await.unwrap().map(tuple);
                let expected = snapshot.people.iter().find(|person| person.2 == self.email(row));
                if found.as_ref() != expected {
                    return Some(format!("by email {found:?}, and there is {expected:?}"));
                }
            }
        }
        None
    }
}

impl Snapshot {
    /// Whether the row has this name.
    pub(super) fn has(&self, round: Round, row: i64, name: &str) -> bool {
        self.people.iter().any(|person| person.0 == round.id(row) && person.1 == name)
    }

    /// How many rows are other ones than before, of those that a method writes.
    pub(super) fn changes_since(&self, before: &Self, round: Round) -> i64 {
        let row = |snapshot: &Self, id| {
            snapshot.people.iter().find(|person| person.0 == id).cloned()
        };
        let of_method = [2, 3, 5, 6, 7, 8, 9].map(|row| round.id(row));
        let changed = of_method.iter().filter(|id| row(self, **id) != row(before, **id));
        i64::try_from(changed.count()).unwrap() + self.notes - before.notes
    }
}
