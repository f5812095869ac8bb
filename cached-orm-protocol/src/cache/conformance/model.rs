use super::{TTL, item, key, stored, timeless};
use crate::cache::{CacheStore, Cas, Deleted, Lookup, Over, Replaced};
use proptest::{collection::vec, prelude::*, test_runner::TestRunner};
use std::{cell::Cell, collections::HashMap};
use tokio::runtime::Runtime;

/// One step over one of a few keys; versions are chosen among those seen.
#[derive(Debug, Clone)]
enum Step {
    Get { key: usize, lease: bool },
    Fence { key: usize, value: u8, over: FenceOver },
    Replace { key: usize, value: u8, over: usize },
    Delete { key: usize, over: usize },
}

#[derive(Debug, Clone, Copy)]
enum FenceOver {
    Anything,
    Nothing,
    /// So far back among those seen.
    Version(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let key = 0..2_usize;
    // Counted from the latest: mostly the current version.
    let over = prop_oneof![3 => Just(0), 2 => 0..5_usize];
    let fence_over = prop_oneof![
        Just(FenceOver::Anything),
        Just(FenceOver::Nothing),
        over.clone().prop_map(FenceOver::Version),
    ];
    let step = prop_oneof![
        3 => (key.clone(), any::<bool>()).prop_map(|(key, lease)| Step::Get { key, lease }),
        3 => (key.clone(), any::<u8>(), fence_over)
            .prop_map(|(key, value, over)| Step::Fence { key, value, over }),
        3 => (key.clone(), any::<u8>(), over.clone())
            .prop_map(|(key, value, over)| Step::Replace { key, value, over }),
        2 => (key, over).prop_map(|(key, over)| Step::Delete { key, over }),
    ];
    vec(step, 1..40)
}

/// What lies under a key; an empty value stands for a lease.
type Model = HashMap<usize, (Vec<u8>, Cas)>;

fn conditional(model: &Model, key: usize, cas: Cas) -> Option<Replaced> {
    match model.get(&key) {
        None => Some(Replaced::NotFound),
        Some((_, current)) if *current != cas => Some(Replaced::Exists),
        Some(_) => None,
    }
}

async fn follow(store: &dyn CacheStore, case: u32, steps: &[Step]) {
    let keys = [0, 1].map(|n| key(&format!("model {case} {n}")));
    let mut model = Model::new();
    let mut seen: [Vec<Cas>; 2] = Default::default();
    for step in steps {
        let version = |key: usize, back: usize| seen[key].iter().rev().nth(back).copied();
        match *step {
            Step::Get { key, lease } => {
                let found = timeless(store.get(&keys[key], lease.then_some(TTL)).await.unwrap());
                match (model.get(&key), found) {
                    (None, Lookup::Miss) if !lease => {}
                    (None, Lookup::Lease(cas)) if lease => {
                        assert!(!seen.iter().flatten().any(|old| *old == cas), "{cas:?} again");
                        model.insert(key, (Vec::new(), cas));
                        seen[key].push(cas);
                    }
                    (Some((value, cas)), Lookup::Leased(found)) if value.is_empty() => {
                        assert_eq!(found, *cas);
                    }
                    (Some((value, cas)), found) => {
                        assert_eq!(found, item(value.clone().into(), *cas));
                    }
                    (None, found) => panic!("{found:?}"),
                }
            }
            Step::Fence { key, value, over } => {
                let (over, refusal) = match over {
                    FenceOver::Anything => (Over::Anything, None),
                    FenceOver::Nothing => {
                        (Over::Nothing, model.get(&key).map(|_| Replaced::Exists))
                    }
                    FenceOver::Version(back) => {
                        let Some(cas) = version(key, back) else { continue };
                        (Over::Version(cas), conditional(&model, key, cas))
                    }
                };
                let value = vec![value; 3];
                let done = store.fence(&keys[key], value.clone().into(), TTL, over).await.unwrap();
                match refusal {
                    Some(refusal) => assert_eq!(done, refusal),
                    None => {
                        model.insert(key, (value, stored(done)));
                        seen[key].push(stored(done));
                    }
                }
            }
            Step::Replace { key, value, over } => {
                let Some(cas) = version(key, over) else { continue };
                let value = vec![value; 5];
                let done = store.replace(&keys[key], value.clone().into(), TTL, cas).await.unwrap();
                match conditional(&model, key, cas) {
                    Some(refusal) => assert_eq!(done, refusal),
                    None => {
                        model.insert(key, (value, stored(done)));
                        seen[key].push(stored(done));
                    }
                }
            }
            Step::Delete { key, over } => {
                let Some(cas) = version(key, over) else { continue };
                let expected = match conditional(&model, key, cas) {
                    None => {
                        model.remove(&key);
                        Deleted::Deleted
                    }
                    Some(Replaced::NotFound) => Deleted::NotFound,
                    Some(_) => Deleted::Exists,
                };
                assert_eq!(store.delete(&keys[key], cas).await.unwrap(), expected);
            }
        }
    }
}

/// Any sequence of commands ends as the model says.
pub fn any_sequence_agrees_with_the_model(runtime: &Runtime, store: &dyn CacheStore, cases: u32) {
    let case = Cell::new(0);
    let config = ProptestConfig { cases, failure_persistence: None, ..Default::default() };
    TestRunner::new(config)
        .run(&steps(), |steps| {
            case.set(case.get() + 1);
            runtime.block_on(follow(store, case.get(), &steps));
            Ok(())
        })
        .unwrap();
}
