//! Writes while memcached is away.

use super::Here;
use crate::{
    documents::{PLAYERS, Player, PlayerColumns},
    memcached::OwnServer,
};
use cached_orm::{Error, MemcachedOrm as _};
use std::time::Duration;

#[tokio::test]
async fn without_an_outbox_every_write_fails_and_changes_nothing() {
    let server = OwnServer::absent();
    let here = Here::built(&[PLAYERS], |builder| {
        builder.memcached([server.address()]).timeout(Duration::from_millis(300))
    })
    .await;
    here.run("INSERT INTO players VALUES (1, 'player 1', 1), (2, 'player 2', 2)").await;
    let mut both = [Player::new(1, 7), Player::new(2, 7)];
    let refused = [
        Player::new(1, 7).upsert(&here.orm).await.map(drop).unwrap_err(),
        Player::new(3, 7).upsert(&here.orm).await.map(drop).unwrap_err(),
        Player::patch(1)
            .set(PlayerColumns::TEAM, 7)
            .execute(&here.orm)
            .await
            .map(drop)
            .unwrap_err(),
        Player::delete_by_key(&here.orm, 1).await.map(drop).unwrap_err(),
        Player::delete_many(&here.orm, [1, 2]).await.map(drop).unwrap_err(),
        Player::update_many(&here.orm, &mut both).await.unwrap_err(),
        Player::insert_many(&here.orm, &[Player::new(3, 7), Player::new(4, 7)])
            .await
            .map(drop)
            .unwrap_err(),
    ];
    for error in refused {
        assert!(matches!(error, Error::NotFenced { .. }), "{error}");
    }
    let mut transaction = here.orm.begin().await.unwrap();
    assert!(transaction.touch::<Player>(1).await.unwrap());
    let error = transaction.commit().await.unwrap_err();
    assert!(matches!(error, Error::NotFenced { .. }), "{error}");
    let error = Player::invalidate(&here.orm, [1]).await.unwrap_err();
    assert!(matches!(error, Error::Cache { .. }), "{error}");

    for id in 1..=2 {
        let expected = Player::new(id, id as i32);
        assert_eq!(Player::fetch_one(&here.orm, id).await.unwrap(), expected);
    }
    assert_eq!(Player::fetch(&here.orm, 3).await.unwrap(), None);
    assert_eq!(Player::fetch_by_team(&here.orm, 7).await.unwrap(), []);
}
