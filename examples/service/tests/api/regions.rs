use crate::running::Service;
use crate::{ask, get};
use serde_json::{Value, json};

pub(crate) async fn are_put_read_listed_and_deleted(service: &Service) {
    let andorra = get(service, "/api/countries/AD/regions/06").await;
    assert_eq!(andorra.json()["name"], "Sant Julià de Loria");

    let path = "/api/countries/AD/regions/99";
    assert_eq!(get(service, path).await.status, 404);
    for name in ["New", "Newer"] {
        let put = ask(service, "PUT", path, Some(json!({ "name": name }))).await;
        assert_eq!(put.status, 200);
        let region = json!({ "country": "AD", "admin1": "99", "name": name });
        assert_eq!((put.json(), get(service, path).await.json()), (region.clone(), region));
    }

    let first = get(service, "/api/countries/AD/regions?limit=5").await.json();
    let next = first["next"].as_str().unwrap();
    let rest = get(service, &format!("/api/countries/AD/regions?after={next}")).await.json();
    let codes = [&first, &rest].map(codes).concat();
    assert!(codes.is_sorted() && codes.len() > 5, "{codes:?}");
    assert_eq!(codes.last().map(String::as_str), Some("99"));

    assert_eq!(ask(service, "DELETE", path, None).await.status, 204);
    assert_eq!(get(service, path).await.status, 404);
    assert_eq!(ask(service, "DELETE", path, None).await.status, 404);
}

pub(crate) async fn have_cities_that_follow_each_write(service: &Service) {
    let path = "/api/countries/AD/regions/98/cities";
    assert_eq!(names(service, path).await, Vec::<String>::new());
    let mut cities = Vec::new();
    for name in ["Alpha", "Beta", "Gamma"] {
        let new = json!({
            "country": "AD", "admin1": "98", "name": name, "latitude": 42.5, "longitude": 1.5,
        });
        let created = ask(service, "POST", "/api/cities", Some(new)).await;
        assert_eq!(created.status, 201);
        cities.push(created.json());
    }
    assert_eq!(names(service, path).await, ["Alpha", "Beta", "Gamma"]);

    let first = get(service, &format!("{path}?limit=2")).await.json();
    assert_eq!(first["next"], cities[1]["id"]);
    let second = format!("{path}?limit=2&after={}", first["next"]);
    assert_eq!(names(service, &second).await, ["Gamma"]);

    let one = |city: &Value| format!("/api/cities/{}", city["id"]);
    ask(service, "PATCH", &one(&cities[0]), Some(json!({ "name": "Omega" }))).await;
    ask(service, "DELETE", &one(&cities[1]), None).await;
    assert_eq!(names(service, path).await, ["Omega", "Gamma"]);
    for city in [&cities[0], &cities[2]] {
        ask(service, "DELETE", &one(city), None).await;
    }
    assert_eq!(names(service, path).await, Vec::<String>::new());
}

async fn names(service: &Service, path: &str) -> Vec<String> {
    texts(&get(service, path).await.json(), "name")
}

fn codes(page: &Value) -> Vec<String> {
    texts(page, "admin1")
}

fn texts(page: &Value, field: &str) -> Vec<String> {
    let items = page["items"].as_array().unwrap();
    items.iter().map(|item| item[field].as_str().unwrap().to_owned()).collect()
}
