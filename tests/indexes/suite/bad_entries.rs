//! What others put under the keys of indexes, or what becomes of an entry there.

use super::Here;
use crate::{
    databases::Kind,
    memcached::Wire,
    members::{MEMBERS, Member},
};
use cached_orm::MemcachedOrm as _;

struct Keys {
    email: String,
    city: String,
}

async fn with_ann() -> (Here, Member, Keys) {
    let here = Here::with(&[MEMBERS]).await;
    let ann = Member::of("ann", "Rome").insert(&here.orm).await.unwrap();
    let namespace = here.namespace();
    let keys = Keys {
        email: format!("{namespace}:members:email(ann@example.org)"),
        city: format!("{namespace}:members:city(Rome)"),
    };
    assert_reads(&here, &ann).await;
    (here, ann, keys)
}

async fn assert_reads(here: &Here, ann: &Member) {
    let one = Member::fetch_by_email(&here.orm, "ann@example.org").await.unwrap();
    assert_eq!(one.as_ref(), Some(ann));
    let all = Member::fetch_by_city(&here.orm, "Rome").await.unwrap();
    assert_eq!(all.as_slice(), std::slice::from_ref(ann));
}

/// A bad entry is no error, and what replaces it is good.
async fn assert_heals(here: &Here, ann: &Member, what: &str) {
    let before = here.statistics();
    assert_reads(here, ann).await;
    let between = here.statistics();
    assert!(between.loads > before.loads, "{what}");
    assert_reads(here, ann).await;
    assert_eq!(here.statistics().loads, between.loads, "{what}");
}

#[tokio::test]
async fn the_keys_are_as_documented() {
    let (_, _, keys) = with_ann().await;
    assert!(Wire::shared().get(&keys.email).is_some());
    assert!(Wire::shared().get(&keys.city).is_some());
}

#[tokio::test]
async fn rubbish_is_replaced() {
    let (here, ann, keys) = with_ann().await;
    for value in [&b"0"[..], b"{\"id\":1}", b"\0", &[0xFF; 1000], b"\x0EcoE"] {
        for key in [&keys.email, &keys.city] {
            Wire::shared().set(key, value);
            assert_heals(&here, &ann, &format!("{value:?}")).await;
        }
    }
}

#[tokio::test]
async fn an_entry_with_a_flipped_bit_leads_nobody_astray() {
    let (here, ann, keys) = with_ann().await;
    for key in [&keys.email, &keys.city] {
        let entry = Wire::shared().get(key).expect("an entry");
        for at in 0..entry.len() {
            let mut flipped = entry.clone();
            flipped[at] ^= 1 << (at % 8);
            Wire::shared().set(key, &flipped);
            assert_reads(&here, &ann).await;
        }
    }
}

#[tokio::test]
async fn entries_under_anothers_key_are_not_believed() {
    let (here, ann, keys) = with_ann().await;
    let bob = Member::of("bob", "Oslo").insert(&here.orm).await.unwrap();
    assert_eq!(Member::fetch_by_city(&here.orm, "Oslo").await.unwrap().len(), 1);
    let namespace = here.namespace();
    let row = Wire::shared().get(bob.get_cache_key(&here.orm).as_str()).expect("an entry");
    let email = Wire::shared().get(&format!("{namespace}:members:email(bob@example.org)"));
    let city = Wire::shared().get(&format!("{namespace}:members:city(Oslo)"));
    for entry in [row, email.expect("an entry"), city.expect("an entry")] {
        Wire::shared().set(&keys.email, &entry);
        assert_heals(&here, &ann, "a pointer").await;
        Wire::shared().set(&keys.city, &entry);
        assert_heals(&here, &ann, "a list").await;
    }
}

/// The struct's other version, to which the index over the city is unique.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, cached_orm::MemcachedOrm)]
#[orm(table = "members")]
struct OnePerCity {
    #[primary_key]
    id: i64,
    #[orm(unique)]
    city: Option<String>,
    note: String,
}

#[tokio::test]
async fn versions_that_call_an_index_unique_and_others_that_do_not_share_entries() {
    let (here, ann, _) = with_ann().await;
    // Without the index the struct would be refused. It goes while programs run.
    here.run("CREATE UNIQUE INDEX one_per_city ON members (city)").await;
    // The table was looked at without it.
    here.orm.verify::<OnePerCity>().await.unwrap();
    let one = OnePerCity::fetch_by_city(&here.orm, "Rome").await.unwrap();
    assert_eq!(one.map(|row| row.id), Some(ann.id));
    here.run(match Here::DATABASE {
        Kind::MariaDb => "DROP INDEX one_per_city ON members",
        _ => "DROP INDEX one_per_city",
    })
    .await;
    here.run("INSERT INTO members (team, handle, city, note) VALUES (1, 'bob', 'Oslo', '')").await;
    here.run("INSERT INTO members (team, handle, city, note) VALUES (1, 'cid', 'Oslo', '')").await;
    for _ in 0..2 {
        assert_eq!(Member::fetch_by_city(&here.orm, "Oslo").await.unwrap().len(), 2);
        OnePerCity::fetch_by_city(&here.orm, "Oslo").await.unwrap_err();
    }
}

#[tokio::test]
async fn a_fence_is_respected() {
    let (here, ann, keys) = with_ann().await;
    let mut fence = b"\xF1CO\x1A".to_vec();
    fence.extend_from_slice(&[7; 16]);
    fence.push(0);
    for key in [&keys.email, &keys.city] {
        Wire::shared().set(key, &fence);
        for _ in 0..2 {
            assert_reads(&here, &ann).await;
        }
        assert_eq!(Wire::shared().get(key).as_deref(), Some(&*fence));
    }
    assert_eq!(here.statistics().fenced, 6);
}
