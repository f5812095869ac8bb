use super::Database;
use crate::{place::Place, tables::USERS};

#[tokio::test(flavor = "multi_thread")]
async fn a_sound_table_and_one_that_is_not() {
    let place = Place::<Database>::with(USERS).await;
    let sound = place.cli(&["verify", "users", "--index", "email"]);
    assert_eq!(sound.code, Some(0), "{sound:?}");

    place.run("CREATE TABLE loose (id BIGINT PRIMARY KEY, email VARCHAR(90))").await;
    let run = place.cli(&["verify", "loose", "--unique", "email", "--index", "nickname"]);
    assert_eq!(run.code, Some(1), "{run:?}");
    for part in ["error", "unique email", "CREATE UNIQUE INDEX", "column nickname", "warning"] {
        assert!(run.out.contains(part), "{run:?} does not say {part}");
    }
    let json = place.cli(&["verify", "loose", "--unique", "email", "--json"]).json();
    assert_eq!(json["entity"], "loose");
    assert_eq!(json["findings"][0]["severity"], "error");
    assert_eq!(json["findings"][0]["subject"], "unique email");

    let none = place.cli(&["verify", "nowhere"]);
    assert_eq!(none.code, Some(1), "{none:?}");
    assert!(none.out.contains("is not there"), "{none:?}");
    place.end().await;
}
