//! Types by name and arrays in lists of values.

use super::Here;
use crate::tables::Table;
use cached_orm::MemcachedOrm;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, sqlx::Type)]
#[sqlx(type_name = "mood", rename_all = "lowercase")]
enum Mood {
    Glad,
    Sad,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, MemcachedOrm)]
#[orm(table = "feelings", database = Postgres)]
struct Feeling {
    #[primary_key]
    #[orm(generated)]
    id: i32,
    mood: Mood,
    before: Option<Mood>,
    words: Vec<String>,
    strength: Option<i16>,
    #[orm(json)]
    notes: Option<Vec<u32>>,
}

const FEELINGS: Table = Table::everywhere(
    "CREATE TYPE mood AS ENUM ('glad', 'sad');
     CREATE TABLE feelings (
         id SERIAL PRIMARY KEY, mood mood NOT NULL, before mood, words VARCHAR(20)[] NOT NULL,
         strength SMALLINT, notes JSON)",
);

fn feelings(offset: i32) -> Vec<Feeling> {
    let feeling = |n: i32| Feeling {
        id: 0,
        mood: if n % 2 == 0 { Mood::Glad } else { Mood::Sad },
        before: (n % 3 == 0).then_some(Mood::Sad),
        words: vec![format!("word {n}"); n as usize % 3],
        strength: (n % 4 == 0).then_some(n as i16),
        notes: (n % 5 == 0).then(|| vec![n as u32]),
    };
    (offset..offset + 21).map(feeling).collect()
}

#[tokio::test]
async fn enums_arrays_and_json_in_many_rows() {
    let here = Here::with(&[FEELINGS]).await;
    let mut rows = Feeling::insert_many(&here.orm, &feelings(0)).await.unwrap();
    for offset in [0, 1, 30] {
        for (row, new) in rows.iter_mut().zip(feelings(offset)) {
            *row = Feeling { id: row.id, ..new };
        }
        let expected = rows.clone();
        Feeling::update_many(&here.orm, &mut rows).await.unwrap();
        assert_eq!(rows, expected);
        for row in &rows {
            let read = Feeling::fetch_uncached(&here.orm, row.id).await.unwrap();
            assert_eq!(read.as_ref(), Some(row));
            assert_eq!(Feeling::fetch(&here.orm, row.id).await.unwrap(), read);
        }
    }
    let patch = Feeling::patch(rows[0].id)
        .set(FeelingColumns::MOOD, Mood::Sad)
        .set(FeelingColumns::BEFORE, Some(Mood::Glad))
        .set(FeelingColumns::WORDS, vec!["é".to_owned()]);
    let patched = patch.execute(&here.orm).await.unwrap();
    assert_eq!((patched.mood, patched.before), (Mood::Sad, Some(Mood::Glad)));
    assert_eq!(Feeling::fetch_one(&here.orm, patched.id).await.unwrap(), patched);
}
