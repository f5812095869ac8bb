use crate::running::Service;
use crate::{ask, get};
use serde_json::{Value, json};

/// What must not be told to clients.
const INTERNALS: [&str; 9] =
    ["sqlx", "SELECT", "INSERT", "cities.slug", "cities_", "Rust", "i64", "axum", "places:"];

pub(crate) async fn have_a_status_a_code_and_no_internals(service: &Service) {
    let city = |fields: Value| {
        let mut city =
            json!({ "country": "DE", "name": "Good", "latitude": 1.0, "longitude": 1.0 });
        for (name, value) in fields.as_object().unwrap() {
            city[name] = value.clone();
        }
        Some(city)
    };
    let long = "x".repeat(201);
    let huge = "x".repeat(20_000);
    let cases = [
        ("GET", "/nowhere", None, 404, "not_found"),
        ("GET", "/api/cities/999999999", None, 404, "not_found"),
        ("GET", "/api/cities/one", None, 404, "not_found"),
        ("GET", "/api/cities/99999999999999999999", None, 404, "not_found"),
        ("GET", "/api/cities/by-slug/a%00b", None, 404, "not_found"),
        ("GET", "/api/cities/by-slug/%ff", None, 404, "not_found"),
        ("GET", "/api/countries/AD/regions/%00", None, 404, "not_found"),
        ("GET", "/api/cities?limit=0", None, 400, "invalid"),
        ("GET", "/api/cities?limit=many", None, 400, "invalid"),
        ("GET", "/api/cities?colour=blue", None, 400, "invalid"),
        ("GET", "/api/cities?search=%00", None, 422, "invalid"),
        ("GET", "/api/countries/germany/regions", None, 422, "invalid"),
        ("DELETE", "/api/cities", None, 405, "method_not_allowed"),
        ("POST", "/api/cities", None, 415, "not_json"),
        ("POST", "/api/cities", Some(json!({ "name": "No more" })), 422, "invalid"),
        ("POST", "/api/cities", city(json!({ "colour": "blue" })), 422, "invalid"),
        ("POST", "/api/cities", city(json!({ "name": "  " })), 422, "invalid"),
        ("POST", "/api/cities", city(json!({ "name": long })), 422, "invalid"),
        ("POST", "/api/cities", city(json!({ "name": "a\0b" })), 422, "invalid"),
        ("POST", "/api/cities", city(json!({ "country": "de" })), 422, "invalid"),
        ("POST", "/api/cities", city(json!({ "latitude": 90.1 })), 422, "invalid"),
        ("POST", "/api/cities", city(json!({ "latitude": "high" })), 422, "invalid"),
        ("POST", "/api/cities", city(json!({ "slug": "No Slug" })), 422, "invalid"),
        ("POST", "/api/cities", city(json!({ "slug": "vila-ad" })), 409, "taken"),
        ("POST", "/api/cities", city(json!({ "name": huge })), 413, "unreadable"),
        ("PATCH", "/api/cities/1", Some(json!({})), 422, "invalid"),
        ("PATCH", "/api/cities/1", Some(json!({ "id": 2 })), 422, "invalid"),
        ("PATCH", "/api/cities/1", Some(json!({ "longitude": -180.5 })), 422, "invalid"),
        ("PUT", "/api/countries/AD/regions/9-9", Some(json!({ "name": "x" })), 422, "invalid"),
        ("PUT", "/demo/cache", Some(json!({ "is_running": false })), 404, "not_found"),
    ];
    for (method, path, body, status, code) in cases {
        let answer = ask(service, method, path, body.clone()).await;
        let told = format!("{method} {path} {body:?}: {} {}", answer.status, answer.text);
        assert_eq!(answer.status, status, "{told}");
        let error = &answer.json()["error"];
        assert_eq!(error["code"], code, "{told}");
        assert!(error["message"].as_str().is_some_and(|text| text.len() > 10), "{told}");
        for internal in INTERNALS {
            assert!(!answer.text.contains(internal), "{told}");
        }
    }
    let refused = ask(service, "DELETE", "/api/cities", None).await;
    assert_eq!(refused.headers["allow"], "GET,HEAD,POST");
    assert_eq!(get(service, "/api/cities/1").await.status, 200);
}
