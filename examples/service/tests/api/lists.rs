use crate::running::Service;
use crate::{cities::create, get};
use serde_json::Value;

pub(crate) async fn come_in_pages_that_have_each_city_once(service: &Service) {
    let whole = get(service, "/api/cities?country=LU&limit=200").await.json();
    let whole: Vec<_> = ids(&whole);
    assert!(whole.len() > 20, "there are cities in Luxembourg");
    assert!(whole.is_sorted());

    let mut seen = Vec::new();
    let mut path = "/api/cities?country=LU&limit=7".to_owned();
    loop {
        let page = get(service, &path).await.json();
        assert!(ids(&page).len() <= 7);
        seen.extend(ids(&page));
        let Some(next) = page["next"].as_i64() else { break };
        path = format!("/api/cities?country=LU&limit=7&after={next}");
    }
    assert_eq!(seen, whole);

    let all = get(service, "/api/cities").await.json();
    assert_eq!(ids(&all).len(), 20);
    let none = get(service, "/api/cities?country=XX").await.json();
    assert_eq!((ids(&none).len(), &none["next"]), (0, &Value::Null));
}

pub(crate) async fn are_searched_by_any_part_of_a_name(service: &Service) {
    let city = create(service, "100% Wörth_x").await;
    for part in ["100%25", "wörth", "TH_X", "%25 w"] {
        let found = get(service, &format!("/api/cities?search={}", escaped(part))).await.json();
        assert!(ids(&found).contains(&city["id"].as_i64().unwrap()), "{part}: {found}");
    }
    // What is special in SQL is not special here.
    for part in ["1%2500", "th%5fy", "100__w"] {
        let found = get(service, &format!("/api/cities?search={}", escaped(part))).await.json();
        assert!(!ids(&found).contains(&city["id"].as_i64().unwrap()), "{part}");
    }
    crate::ask(service, "DELETE", &format!("/api/cities/{}", city["id"]), None).await;
}

fn escaped(part: &str) -> String {
    part.replace(' ', "%20").replace('ö', "%C3%B6")
}

fn ids(page: &Value) -> Vec<i64> {
    page["items"].as_array().unwrap().iter().map(|city| city["id"].as_i64().unwrap()).collect()
}
