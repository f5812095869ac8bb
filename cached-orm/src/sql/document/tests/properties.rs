//! Whatever is in a document: if it is kept, what is written of it is read as the same.

use super::super::comes_back;
use proptest::{collection::vec, option, prelude::*, sample::subsequence};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::IgnoredAny};
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashSet};

/// It loses the order of places, whether it is an admin, and what is hidden.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Team {
    #[serde(default)]
    tags: HashSet<u8>,
    #[serde(default, serialize_with = "ascending")]
    places: Vec<u8>,
    #[serde(default, skip_serializing, deserialize_with = "is_there")]
    admin: bool,
    #[serde(default = "five", skip_serializing)]
    hidden: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<f64>,
    #[serde(default)]
    teams: Vec<Self>,
    #[serde(default)]
    by_name: BTreeMap<String, Self>,
    #[serde(default)]
    other: Option<Other>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
enum Other {
    Team(Box<Team>),
    Tags {
        tags: Vec<HashSet<u8>>,
        #[serde(default, skip_serializing)]
        places: Vec<u8>,
    },
    Both(HashSet<u8>, Box<Team>),
}

fn ascending<S: Serializer>(places: &[u8], to: S) -> Result<S::Ok, S::Error> {
    let mut places = places.to_vec();
    places.sort_unstable();
    places.serialize(to)
}

fn is_there<'de, D: Deserializer<'de>>(value: D) -> Result<bool, D::Error> {
    IgnoredAny::deserialize(value).map(|_| true)
}

fn five() -> Option<u8> {
    Some(5)
}

fn tags() -> impl Strategy<Value = Value> {
    subsequence((0..6).collect::<Vec<u8>>(), 0..6).prop_shuffle().prop_map(Value::from)
}

fn places() -> impl Strategy<Value = Value> {
    vec(0..3_u8, 0..3).prop_map(Value::from)
}

fn leaf() -> impl Strategy<Value = Value> {
    let rare = |value: BoxedStrategy<Value>| option::weighted(0.15, value);
    let anything = prop_oneof![Just(Value::Null), Just(json!({})), Just(json!([1]))].boxed();
    let note = prop_oneof![Just(Value::Null), any::<f32>().prop_map(Value::from)];
    let parts = (
        option::of(tags()),
        option::of(places()),
        rare(anything.clone()),
        rare(prop_oneof![Just(Value::Null), Just(json!(5)), Just(json!(6))].boxed()),
        option::of(note),
        option::of(anything),
    );
    parts.prop_map(|(tags, places, admin, hidden, note, unknown)| {
        object([
            ("tags", tags),
            ("places", places),
            ("admin", admin),
            ("hidden", hidden),
            ("note", note),
            ("unknown", unknown),
        ])
    })
}

fn object<const N: usize>(members: [(&str, Option<Value>); N]) -> Value {
    let members = members.into_iter();
    members.filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}

fn team() -> impl Strategy<Value = Value> {
    leaf().prop_recursive(2, 8, 2, |inner| {
        let other = prop_oneof![
            inner.clone().prop_map(|team| json!({ "Team": team })),
            (vec(tags(), 0..3), option::weighted(0.2, vec(0..3_u8, 1..3))).prop_map(|(tags, places)| {
                json!({ "Tags": object([("tags", Some(tags.into())), ("places", places.map(Value::from))]) })
            }),
            (tags(), inner.clone()).prop_map(|(tags, team)| json!({ "Both": [tags, team] })),
        ];
        (leaf(), vec(inner.clone(), 0..2), option::of(inner), option::of(other)).prop_map(
            |(mut team, teams, named, other)| {
                team["teams"] = teams.into();
                team["by_name"] = named.map_or(json!({}), |named| json!({ "a": named }));
                team["other"] = other.into();
                team
            },
        )
    })
}

/// Whether the team is written whole.
fn loses_nothing(team: &Team) -> bool {
    let other = match &team.other {
        None => true,
        Some(Other::Team(team)) => loses_nothing(team),
        Some(Other::Tags { places, .. }) => places.is_empty(),
        Some(Other::Both(_, team)) => loses_nothing(team),
    };
    other
        && team.places.is_sorted()
        && !team.admin
        && team.hidden == five()
        && team.teams.iter().chain(team.by_name.values()).all(loses_nothing)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn what_is_kept_is_read_as_it_was(document in team()) {
        let text = document.to_string();
        let read: Team = serde_json::from_str(&text).unwrap();
        let is_kept = comes_back(&text, &read);
        let again = serde_json::to_value(&read).and_then(serde_json::from_value::<Team>).unwrap();
        if is_kept {
            prop_assert_eq!(&read, &again, "{}", text);
        }
        // A hidden value may be what is read if it is not there; that is not seen.
        if loses_nothing(&read) && !text.contains("hidden") {
            prop_assert!(is_kept, "{}", text);
        }
    }
}
