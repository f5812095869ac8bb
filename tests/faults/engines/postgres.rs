use super::{Engine, Options, lock_by_select, same_for_each};
use crate::{
    rows::{Hot, NotedHot},
    servers::DatabaseServer,
};
use sqlx::{
    Pool, Postgres,
    postgres::{PgConnectOptions, PgSslMode},
};
use std::path::Path;

impl Engine for Postgres {
    const TITLE: &'static str = "PostgreSQL";
    const KEYS_ARE_LOCKED_BY_US: bool = false;

    type Old = Hot;
    type New = NotedHot;

    fn server() -> Result<Option<DatabaseServer>, String> {
        DatabaseServer::postgres().map(Some)
    }

    fn options(port: u16, _: &Path) -> Options<Self> {
        let options = PgConnectOptions::new_without_pgpass().host("127.0.0.1").port(port);
        options.username("postgres").database("postgres").ssl_mode(PgSslMode::Disable)
    }

    const TABLES: &'static str = "
        CREATE TABLE hot (
            id BIGINT PRIMARY KEY, revision BIGINT NOT NULL, attempt BIGINT NOT NULL,
            body TEXT NOT NULL, label BIGINT NOT NULL UNIQUE, bucket BIGINT NOT NULL,
            note TEXT NOT NULL DEFAULT 'old');
        CREATE INDEX ON hot (bucket);
        CREATE TABLE ledger (id BIGINT PRIMARY KEY, revision BIGINT NOT NULL);
        CREATE FUNCTION count_insert() RETURNS trigger LANGUAGE plpgsql AS $$
            DECLARE latest BIGINT;
            BEGIN
                SELECT revision INTO latest FROM ledger WHERE id = NEW.id FOR UPDATE;
                -- There is one before ON CONFLICT.
                SELECT greatest(latest, max(revision)) INTO latest FROM hot WHERE id = NEW.id;
                IF NEW.revision <> latest + 1 THEN RAISE EXCEPTION 'not the next revision'; END IF;
                UPDATE ledger SET revision = NEW.revision WHERE id = NEW.id;
                RETURN NEW;
            END $$;
        CREATE TRIGGER count_insert BEFORE INSERT ON hot
            FOR EACH ROW EXECUTE FUNCTION count_insert();
        -- It writes to no other table, so that updates are written through.
        CREATE FUNCTION count_update() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                IF NEW.revision <> OLD.revision + 1 THEN
                    RAISE EXCEPTION 'not the next revision';
                END IF;
                RETURN NEW;
            END $$;
        CREATE TRIGGER count_update BEFORE UPDATE ON hot
            FOR EACH ROW EXECUTE FUNCTION count_update();
        CREATE FUNCTION count_delete() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                UPDATE ledger SET revision = OLD.revision + 1 WHERE id = OLD.id;
                RETURN OLD;
            END $$;
        CREATE TRIGGER count_delete BEFORE DELETE ON hot
            FOR EACH ROW EXECUTE FUNCTION count_delete()";

    const OUTBOX_LOG: &'static str = "
        CREATE TABLE outbox_log (
            id BIGINT PRIMARY KEY, cache_key TEXT NOT NULL,
            put_at FLOAT8 NOT NULL, gone_at FLOAT8);
        CREATE INDEX ON outbox_log (cache_key);
        CREATE FUNCTION log_outbox() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                IF TG_OP = 'INSERT' THEN
                    INSERT INTO outbox_log VALUES
                        (NEW.id, NEW.cache_key, extract(epoch FROM clock_timestamp()));
                ELSE
                    UPDATE outbox_log SET gone_at = extract(epoch FROM clock_timestamp())
                        WHERE id = OLD.id;
                END IF;
                RETURN NULL;
            END $$;
        CREATE TRIGGER log_outbox AFTER INSERT OR DELETE ON cached_orm_outbox
            FOR EACH ROW EXECUTE FUNCTION log_outbox()";

    async fn pending_between(
        pool: &Pool<Self>,
        cache_key: &str,
        began: f64,
        ended: f64,
    ) -> sqlx::Result<i64> {
        let sql = "SELECT COUNT(*) FROM outbox_log WHERE cache_key = $1
                   AND put_at <= $2 AND (gone_at IS NULL OR gone_at >= $3)";
        sqlx::query_scalar(sql).bind(cache_key).bind(ended).bind(began).fetch_one(pool).await
    }

    lock_by_select!("$1");
    same_for_each!();
}
