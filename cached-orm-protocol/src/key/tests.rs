use super::*;

fn of_row(namespace: &Namespace, table: &str, instance_key: &str) -> CacheKey {
    CacheKey::of_row(namespace, table, |key| key.push_str(instance_key))
}

#[test]
fn a_long_key_keeps_its_beginning_and_differs_from_every_other() {
    let namespace = Namespace::new("shop").expect("a plain name");
    let of = |text: String| of_row(&namespace, "users", &format!("({text})"));
    let (left, right) = (of("x".repeat(10_000) + "a"), of("x".repeat(10_000) + "b"));
    assert_eq!(left.as_str().len(), 250);
    assert!(left.as_str().starts_with("shop:users:(xxx"));
    assert_ne!(left, right);
    // A short key cannot be made to look like a shortened one.
    let imitation = left.as_str().trim_start_matches("shop:users:(").to_owned();
    assert_ne!(of(imitation), left);
}

#[test]
fn a_namespace_is_plain() {
    for wrong in ["a:b", "a b", "ä", "a\n", "a(b"] {
        assert!(Namespace::new(wrong).is_err(), "{wrong:?}");
    }
    assert!(Namespace::new(&"x".repeat(65)).is_err());
    let none = Namespace::new("").expect("no namespace");
    assert_eq!(of_row(&none, "users", "(7)").as_str(), "users:(7)");
    assert_eq!(of_row(&none, "a:b (c)", "(7)").as_str(), "a%3Ab%20%28c%29:(7)");
}
