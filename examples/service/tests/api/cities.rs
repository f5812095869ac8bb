use crate::running::Service;
use crate::{ask, ask_with, get};
use serde_json::{Value, json};

pub(crate) async fn are_created_read_changed_and_deleted(service: &Service) {
    let city = create(service, "Neustadt an der Prüfung").await;
    let path = format!("/api/cities/{}", city["id"]);

    let read = get(service, &path).await;
    assert_eq!((read.status, read.json()), (200, city.clone()));
    assert_eq!(read.headers["etag"], "\"1\"");

    let change = json!({ "name": "Altstadt", "longitude": 7.5 });
    let changed = ask(service, "PATCH", &path, Some(change)).await;
    assert_eq!(changed.status, 200);
    let read = get(service, &path).await.json();
    assert_eq!(read, changed.json());
    assert_eq!((&read["name"], &read["longitude"]), (&json!("Altstadt"), &json!(7.5)));
    // What was not given is as it was.
    assert_eq!((&read["latitude"], &read["slug"]), (&city["latitude"], &city["slug"]));
    assert_eq!(read["revision"], 2);

    let deleted = ask(service, "DELETE", &path, None).await;
    assert_eq!((deleted.status, deleted.text.as_str()), (204, ""));
    assert_eq!(get(service, &path).await.status, 404);
    assert_eq!(ask(service, "DELETE", &path, None).await.status, 404);
    let change = Some(json!({ "name": "Altstadt" }));
    assert_eq!(ask(service, "PATCH", &path, change).await.status, 404);
}

pub(crate) async fn are_changed_only_by_who_has_seen_the_last_revision(service: &Service) {
    let city = create(service, "Twice Edited").await;
    let path = format!("/api/cities/{}", city["id"]);
    let seen = [("if-match", "\"1\"")];
    let first = ask_with(service, "PATCH", &path, &seen, Some(json!({ "name": "One" }))).await;
    assert_eq!((first.status, &first.json()["revision"]), (200, &json!(2)));
    assert_eq!(first.headers["etag"], "\"2\"");

    let second = ask_with(service, "PATCH", &path, &seen, Some(json!({ "name": "Two" }))).await;
    assert_eq!(second.status, 412);
    assert_eq!(second.json()["error"]["code"], "changed_meanwhile");
    assert_eq!(get(service, &path).await.json()["name"], "One");

    let any = [("if-match", "*")];
    let third = ask_with(service, "PATCH", &path, &any, Some(json!({ "name": "Three" }))).await;
    assert_eq!((third.status, &third.json()["name"]), (200, &json!("Three")));
    ask(service, "DELETE", &path, None).await;
}

pub(crate) async fn have_a_slug_each(service: &Service) {
    // There is none with this slug, and that is remembered too.
    let path = "/api/cities/by-slug/the-only-one-de";
    assert_eq!(get(service, path).await.status, 404);
    let city = create(service, "The Only One").await;
    assert_eq!(city["slug"], "the-only-one-de");
    assert_eq!(get(service, path).await.json(), city);

    let again = json!({ "country": "DE", "name": "the only one!", "latitude": 1, "longitude": 1 });
    let again = ask(service, "POST", "/api/cities", Some(again)).await;
    assert_eq!((again.status, &again.json()["error"]["code"]), (409, &json!("taken")));

    ask(service, "DELETE", &format!("/api/cities/{}", city["id"]), None).await;
    assert_eq!(get(service, path).await.status, 404);
}

/// A city of Germany without a region.
pub(crate) async fn create(service: &Service, name: &str) -> Value {
    let new = json!({ "country": "DE", "name": name, "latitude": 50.25, "longitude": 8.5 });
    let created = ask(service, "POST", "/api/cities", Some(new)).await;
    assert_eq!(created.status, 201, "{}", created.text);
    let city = created.json();
    assert_eq!(created.headers["location"], format!("/api/cities/{}", city["id"]).as_str());
    city
}
