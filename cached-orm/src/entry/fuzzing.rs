//! What may lie under a key: anything.

use super::*;
use crate::{inspect::has_fields, key::Namespace};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

const SHAPE: u64 = 7;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum Condition {
    Always,
    Not(Box<Condition>),
    All(Vec<Condition>),
    Between { least: i64, most: Option<u8> },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Row {
    id: i64,
    name: String,
    code: Option<Vec<u8>>,
    condition: Condition,
    #[serde(default)]
    tags: BTreeMap<String, (bool, char)>,
}

/// Reads `value` as it is, and as the body of an entry that is otherwise right.
pub(crate) fn values(value: &[u8]) {
    let key = CacheKey::of_parts(&Namespace::default(), "rows", &["7"]);
    let signing = Signing::new([[7; 32]]);
    read(value, &key, &Signing::OFF);
    // Nobody can guess a signature.
    assert!(decode::<Row>(value, SHAPE, &key, &signing).is_err());
    assert!(decode_keys::<i64>(value, SHAPE, &key, &signing).is_err());

    for kind in [ROW, ABSENT, KEYS] {
        for flags in
            [0, COMPACT, READABLE, COMPRESSED, COMPACT | COMPRESSED, READABLE | COMPRESSED, 0x80]
        {
            let mut entry = header(kind, SHAPE, &key);
            entry[FLAGS_AT] = flags;
            entry.extend_from_slice(value);
            for signing in [&Signing::OFF, &signing] {
                read(&seal(entry.clone(), signing), &key, signing);
            }
        }
        // With the names that are expected.
        let mut entry = header(kind, SHAPE, &key);
        entry[FLAGS_AT] = COMPACT;
        let usual = Row {
            id: 7,
            name: String::new(),
            code: None,
            condition: Condition::Always,
            tags: BTreeMap::new(),
        };
        let at = entry.len();
        usual.write_body(Form::Compact, &mut entry);
        entry.truncate(at + 8);
        entry.extend_from_slice(value);
        read(&seal(entry, &Signing::OFF), &key, &Signing::OFF);
    }
}

/// What can be read can be written, and is read again as it was.
fn read(entry: &[u8], key: &CacheKey, signing: &Signing) {
    assert!(unpacked_len(entry) <= entry.len().saturating_mul(256));
    let names = ["id", "name", "code", "condition", "tags"];
    assert!(!has_fields(entry, key, &names, signing) || row_body(entry, key, signing).is_some());
    if let Ok(Some(row)) = decode::<Row>(entry, SHAPE, key, signing) {
        for compress_from in [None, Some(0)] {
            let differing = |again: &Row| (*again != row).then_some("something");
            let again = of_row(&row, SHAPE, key, compress_from, signing, differing)
                .expect("it can be written");
            assert_eq!(decode(&again, SHAPE, key, signing), Ok(Some(row.clone())));
        }
    }
    if let Ok(keys) = decode_keys::<(i64, String)>(entry, SHAPE, key, signing)
        && !keys.is_empty()
    {
        let again =
            of_keys(&keys, SHAPE, key, signing, PartialEq::eq).expect("they can be written");
        assert_eq!(decode_keys(&again, SHAPE, key, signing), Ok(keys));
    }
}
