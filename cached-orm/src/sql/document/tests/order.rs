//! What has no order, and what has lost it.

use super::{super::comes_back, kept};
use serde::{Deserialize, Serialize, Serializer};
use std::collections::{BTreeSet, HashMap, HashSet};

#[test]
fn another_order_is_the_same_only_where_there_is_none() {
    assert!(kept::<HashSet<u8>>("[9,8,7,6,5,4,3,2,1]"));
    assert!(kept::<HashMap<String, HashSet<u8>>>(r#"{"b":[1,2,3,4],"a":[9,8,7]}"#));
    assert!(kept::<BTreeSet<u8>>("[1,2,3]") && !kept::<BTreeSet<u8>>("[3,1,2]"));
    assert!(!comes_back("[1,2]", &[1, 2, 2]) && !comes_back("[1,2]", &[1, 3]));
}

/// Beside a set, what is written sorted is not in any order.
#[derive(Serialize, Deserialize)]
struct Ranked {
    tags: HashSet<u8>,
    #[serde(serialize_with = "ascending")]
    places: Vec<u8>,
}

fn ascending<S: Serializer>(places: &[u8], to: S) -> Result<S::Ok, S::Error> {
    let mut places = places.to_vec();
    places.sort_unstable();
    places.serialize(to)
}

#[test]
fn only_what_comes_in_another_order_has_none() {
    let tags = "[9,8,7,6,5,4,3,2,1]";
    let ranked = |places| format!(r#"{{"tags":{tags},"places":{places}}}"#);
    assert!(kept::<Ranked>(&ranked("[1,2,3]")) && !kept::<Ranked>(&ranked("[3,1,2]")));
    assert!(!kept::<Vec<Ranked>>(&format!("[{},{}]", ranked("[1,2]"), ranked("[2,1]"))));
    // The order of lists, of equal sets among them.
    assert!(kept::<Vec<HashSet<u8>>>(&format!("[[1,2,3,4],{tags},[4,3,2,1]]")));
    #[derive(Serialize, Deserialize)]
    struct Shortest(#[serde(serialize_with = "shortest_first")] Vec<HashSet<u8>>);
    fn shortest_first<S: Serializer>(sets: &[HashSet<u8>], to: S) -> Result<S::Ok, S::Error> {
        let mut sets: Vec<_> = sets.iter().collect();
        sets.sort_by_key(|set| set.len());
        sets.serialize(to)
    }
    assert!(kept::<Shortest>(&format!("[[1,2],[2,1],{tags}]")));
    assert!(!kept::<Shortest>(&format!("[{tags},[1,2],[2,1]]")));
    // Sets of sets and of lists.
    assert!(kept::<HashSet<BTreeSet<u8>>>("[[3],[2],[1,4],[1]]"));
    assert!(kept::<HashSet<Vec<u8>>>("[[2,1],[1,2],[3,1],[3],[4,1]]"));
    assert!(!kept::<HashSet<BTreeSet<u8>>>("[[3],[2],[4,1],[1]]"));
    assert!(kept::<HashSet<u8>>("[1,2]") && kept::<HashSet<u8>>("[2,1]"));
}
