use super::{Engine, Options, lock_by_select, same_for_each};
use crate::{
    rows::{Hot, NotedHot},
    servers::DatabaseServer,
};
use sqlx::{
    MySql, Pool,
    mysql::{MySqlConnectOptions, MySqlSslMode},
};
use std::path::Path;

impl Engine for MySql {
    const TITLE: &'static str = "MariaDB or MySQL";
    const KEYS_ARE_LOCKED_BY_US: bool = false;

    type Old = Hot;
    type New = NotedHot;

    fn server() -> Result<Option<DatabaseServer>, String> {
        DatabaseServer::mariadb().map(Some)
    }

    fn options(port: u16, _: &Path) -> Options<Self> {
        let options = MySqlConnectOptions::new().host("127.0.0.1").port(port);
        options.username("root").database("test").ssl_mode(MySqlSslMode::Disabled)
    }

    const TABLES: &'static str = "
        CREATE TABLE hot (
            id BIGINT PRIMARY KEY, revision BIGINT NOT NULL, attempt BIGINT NOT NULL,
            body VARCHAR(300) NOT NULL, label BIGINT NOT NULL UNIQUE,
            bucket BIGINT NOT NULL, note VARCHAR(20) NOT NULL DEFAULT 'old', INDEX (bucket));
        CREATE TABLE ledger (id BIGINT PRIMARY KEY, revision BIGINT NOT NULL);
        CREATE TRIGGER count_insert BEFORE INSERT ON hot FOR EACH ROW BEGIN
            UPDATE ledger SET revision = revision + 1 WHERE id = NEW.id;
            IF NEW.revision <> (SELECT revision FROM ledger WHERE id = NEW.id) THEN
                SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'not the next revision';
            END IF;
        END;
        CREATE TRIGGER count_update BEFORE UPDATE ON hot FOR EACH ROW BEGIN
            UPDATE ledger SET revision = revision + 1 WHERE id = NEW.id;
            IF NEW.revision <> (SELECT revision FROM ledger WHERE id = NEW.id) THEN
                SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'not the next revision';
            END IF;
        END;
        CREATE TRIGGER count_delete BEFORE DELETE ON hot FOR EACH ROW
            UPDATE ledger SET revision = revision + 1 WHERE id = OLD.id";

    const OUTBOX_LOG: &'static str = "
        CREATE TABLE outbox_log (
            id BIGINT PRIMARY KEY, cache_key VARCHAR(250) NOT NULL,
            put_at DOUBLE NOT NULL, gone_at DOUBLE, INDEX (cache_key));
        CREATE TRIGGER log_put AFTER INSERT ON cached_orm_outbox FOR EACH ROW
            INSERT INTO outbox_log VALUES
                (NEW.id, NEW.cache_key, UNIX_TIMESTAMP(SYSDATE(6)), NULL);
        CREATE TRIGGER log_gone AFTER DELETE ON cached_orm_outbox FOR EACH ROW
            UPDATE outbox_log SET gone_at = UNIX_TIMESTAMP(SYSDATE(6)) WHERE id = OLD.id";

    async fn pending_between(
        pool: &Pool<Self>,
        cache_key: &str,
        began: f64,
        ended: f64,
    ) -> sqlx::Result<i64> {
        let sql = "SELECT COUNT(*) FROM outbox_log WHERE cache_key = ?
                   AND put_at <= ? AND (gone_at IS NULL OR gone_at >= ?)";
        sqlx::query_scalar(sql).bind(cache_key).bind(ended).bind(began).fetch_one(pool).await
    }

    lock_by_select!("?");
    same_for_each!();
}
