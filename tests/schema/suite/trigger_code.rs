//! Whatever a trigger's code is, and whatever it calls: a write that leads to rows of
//! another struct is refused, and one that plainly does not is done.

use super::{
    Here,
    other_rows::{Crate, here, version},
};
use crate::databases::{Kind, is_mariadb};
use cached_orm::{Error, MemcachedOrm as _};

/// A trigger on `versions` with this body.
fn on_insert(body: &str) -> String {
    match Here::DATABASE {
        Kind::Postgres => format!(
            "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $f$ BEGIN
                {body}; RETURN NEW; END $f$;
             CREATE TRIGGER t AFTER INSERT ON versions FOR EACH ROW EXECUTE FUNCTION f()"
        ),
        Kind::MariaDb => {
            format!("CREATE TRIGGER t AFTER INSERT ON versions FOR EACH ROW BEGIN {body}; END")
        }
        Kind::Sqlite => format!("CREATE TRIGGER t AFTER INSERT ON versions BEGIN {body}; END"),
    }
}



/// What is made, statement by statement, that has an INSERT change a crate.
fn ways_to_count() -> Vec<Vec<String>> {
    let bodies: &[&str] = match Here::DATABASE {
        Kind::Postgres => &[
            "UPDATE CRATES SET versions = 1 WHERE id = 1",
            "UPDATE ONLY \"crates\" AS c SET versions = 1",
            "IF '{}'::jsonb #>> '{a}' IS NULL THEN UPDATE crates SET versions = 1; END IF",
            "PERFORM E'it\\'s'; UPDATE crates SET versions = 1",
            "PERFORM $x$it's$x$; UPDATE crates SET versions = 1",
            "WITH u AS (UPDATE crates SET versions = 1 RETURNING id) INSERT INTO log SELECT id FROM u",
            "EXECUTE format('UPDATE %I SET versions = 1', 'crates')",
            "EXECUTE 'UPDATE crates SET versions = 1'",
            "INSERT INTO crates VALUES (1, 1) ON CONFLICT (id) DO UPDATE SET versions = 1",
            "UPDATE shown SET versions = 1",
            "INSERT INTO ruled VALUES (1)",
            "UPDATE log SET id = (SELECT count_up())",
            "PERFORM called_1()",
            "PERFORM atomic()",
            "EXECUTE E'UPDATE\\ncrates SET versions = 1'",
            "EXECUTE 'DO $d$ BEGIN UPDATE crates SET versions = 1; END $d$'",
            "UPDATE U&\"cr\\0061tes\" SET versions = 1",
            "PERFORM NEW.id @+ 1",
            "PERFORM counts(NEW.id)",
            "PERFORM lower(NEW.id)",
            "UPDATE versions SET seen = (SELECT count_up() WHERE id = NEW.id) WHERE id = NEW.id",
            "TRUNCATE crates",
            "NEW.id := 2; UPDATE versions SET seen = 1 WHERE id = NEW.id",
            // To PostgreSQL a back quote is no quote.
            "IF NEW.id < 0 THEN PERFORM 1 ` 2; END IF; UPDATE crates SET versions = 1;
                IF NEW.id < 0 THEN PERFORM 1 ` 3; END IF",
            "INSERT INTO \u{212a} VALUES (1)",
            "UPDATE log SET id = log.read_as_column WHERE log.id > 0",
            "INSERT INTO noted AS n VALUES (1) ON CONFLICT (id) DO UPDATE SET id = n.id",
            "PERFORM E'a'\n'\\''; UPDATE crates SET versions = 1; PERFORM 'x'",
        ],
        Kind::MariaDb => &[
            "UPDATE `crates` SET versions = 1 WHERE id = 1",
            "INSERT crates VALUES (1, 1) ON DUPLICATE KEY UPDATE versions = versions + 1",
            "INSERT INTO log VALUES (1); SET @a = 'it\\'s'; UPDATE crates SET versions = 1",
            "SET @a = 1--1; UPDATE crates SET versions = 1",
            "IF 1 = 1 THEN UPDATE log, crates SET versions = 1; END IF",
            "DELETE c FROM log l RIGHT JOIN crates c ON TRUE",
            "WHILE EXISTS (SELECT 1 FROM crates WHERE versions = 0)
                DO UPDATE crates SET versions = 1; END WHILE",
            "/*!50003 UPDATE crates SET versions = 1 */",
            "CALL count_up",
            "CALL count_up()",
            "SET @a = called_1()",
            "UPDATE shown SET versions = 1",
            "UPDATE .crates SET versions = 1",
            "UPDATE (crates) SET versions = 1",
            "UPDATE (SELECT 1 AS one) o JOIN crates SET versions = o.one",
            "DELETE c FROM (SELECT 1 FROM log WHERE 1) l RIGHT JOIN crates c ON TRUE",
            "INSERT INTO Log VALUES (1)",
            "INSERT IGNORE noted SET id = 1 ON DUPLICATE KEY UPDATE id = id",
            "INSERT INTO notes VALUES (curdate ())",
            "INSERT INTO notes VALUES (curdate/**/())",
            "INSERT INTO notes VALUES (1 /*!50003 + called_1() */)",
        ],
        Kind::Sqlite => &[
            "UPDATE 'crates' SET versions = 1",
            "UPDATE OR IGNORE [crates] SET versions = 1",
            "INSERT INTO log SELECT 'it\\'; UPDATE crates SET versions = 1",
            "REPLACE INTO Crates VALUES (1, 1)",
            "INSERT INTO shown VALUES (1)",
            "UPDATE versions SET seen = (SELECT 1 WHERE id = NEW.id)",
            "INSERT INTO noted VALUES (1) ON CONFLICT (id) DO UPDATE SET id = id",
        ],
    };
    let around: &[&str] = match Here::DATABASE {
        Kind::Postgres => &[
            "CREATE TABLE log (id BIGINT)",
            "INSERT INTO log VALUES (1)",
            "CREATE VIEW shown AS SELECT * FROM crates",
            "CREATE FUNCTION in_crates() RETURNS trigger LANGUAGE plpgsql
                AS 'BEGIN UPDATE crates SET versions = versions + 1; RETURN NEW; END'",
            "CREATE FUNCTION read_as_column(log) RETURNS BIGINT LANGUAGE sql
                AS 'UPDATE crates SET versions = versions + 1 RETURNING id'",
            "CREATE TABLE noted (id BIGINT PRIMARY KEY)",
            "INSERT INTO noted VALUES (1)",
            "CREATE TRIGGER t AFTER UPDATE ON noted FOR EACH ROW EXECUTE FUNCTION in_crates()",
            "CREATE TABLE k (id BIGINT)",
            "CREATE TABLE \u{212a} (id BIGINT)",
            "CREATE TRIGGER t AFTER INSERT ON \u{212a} FOR EACH ROW EXECUTE FUNCTION in_crates()",
            "CREATE TABLE ruled (id BIGINT)",
            "CREATE RULE also AS ON INSERT TO ruled DO ALSO UPDATE crates SET versions = 1",
            "CREATE FUNCTION count_up() RETURNS BIGINT LANGUAGE sql
                AS 'UPDATE crates SET versions = versions + 1 RETURNING id'",
            "CREATE FUNCTION atomic() RETURNS BIGINT LANGUAGE sql
                BEGIN ATOMIC UPDATE crates SET versions = versions + 1 RETURNING id; END",
            "CREATE FUNCTION counted(BIGINT, BIGINT) RETURNS BIGINT LANGUAGE sql
                AS 'UPDATE crates SET versions = versions + 1 RETURNING id'",
            "CREATE OPERATOR @+ (LEFTARG = BIGINT, RIGHTARG = BIGINT, FUNCTION = counted)",
            "CREATE AGGREGATE counts (BIGINT) (SFUNC = counted, STYPE = BIGINT)",
            "CREATE FUNCTION lower(BIGINT) RETURNS BIGINT LANGUAGE sql
                AS 'UPDATE crates SET versions = versions + 1 RETURNING id'",
            "CREATE FUNCTION called_5() RETURNS BIGINT LANGUAGE sql AS 'SELECT count_up()'",
            "CREATE FUNCTION called_4() RETURNS BIGINT LANGUAGE sql AS 'SELECT called_5()'",
            "CREATE FUNCTION called_3() RETURNS BIGINT LANGUAGE sql AS 'SELECT called_4()'",
            "CREATE FUNCTION called_2() RETURNS BIGINT LANGUAGE sql AS 'SELECT called_3()'",
            "CREATE FUNCTION called_1() RETURNS BIGINT LANGUAGE sql AS 'SELECT called_2()'",
        ],
        Kind::MariaDb => &[
            "CREATE TABLE log (id BIGINT)",
            // Another table where letters' case counts.
            "CREATE TABLE IF NOT EXISTS Log (id BIGINT)",
            "CREATE TABLE notes (note VARCHAR(20))",
            "CREATE TRIGGER u AFTER INSERT ON Log FOR EACH ROW
                UPDATE crates SET versions = versions + 1",
            "CREATE TABLE noted (id BIGINT PRIMARY KEY)",
            "INSERT INTO noted VALUES (1)",
            "CREATE TRIGGER v AFTER UPDATE ON noted FOR EACH ROW
                UPDATE crates SET versions = versions + 1",
            "CREATE FUNCTION `curdate` () RETURNS BIGINT MODIFIES SQL DATA BEGIN
                UPDATE crates SET versions = versions + 1; RETURN 1; END",
            "CREATE VIEW shown AS SELECT * FROM crates",
            "CREATE PROCEDURE count_up() UPDATE crates SET versions = versions + 1",
            "CREATE FUNCTION called_2() RETURNS BIGINT MODIFIES SQL DATA BEGIN
                UPDATE crates SET versions = versions + 1; RETURN 1; END",
            "CREATE FUNCTION called_1() RETURNS BIGINT MODIFIES SQL DATA RETURN `called_2`()",
        ],
        Kind::Sqlite => &[
            "CREATE TABLE log (id BIGINT)",
            "CREATE TABLE noted (id INTEGER PRIMARY KEY)",
            "INSERT INTO noted VALUES (1)",
            "CREATE TRIGGER u AFTER UPDATE ON noted BEGIN
                UPDATE crates SET versions = versions + 1; END",
            "CREATE VIEW shown AS SELECT * FROM crates",
            "CREATE TRIGGER instead INSTEAD OF INSERT ON shown BEGIN
                UPDATE crates SET versions = versions + 1; END",
        ],
    };
    let mut ways: Vec<Vec<String>> = Vec::new();
    let owned = |statements: &[&str]| statements.iter().map(|it| (*it).to_owned()).collect();
    for body in bodies {
        let mut way: Vec<String> = owned(around);
        way.push(on_insert(body));
        ways.push(way);
    }
    // Called as this crate's own are.
    ways.push(vec![
        on_insert("UPDATE crates SET versions = 1").replace(" t AFTER", " cached_orm_v_0123abcd AFTER"),
    ]);
    if Here::DATABASE != Kind::MariaDb {
        // MariaDB has no foreign keys to generated columns.
        ways.push(vec![
            "CREATE TABLE parents (id BIGINT PRIMARY KEY, a BIGINT,
                g BIGINT GENERATED ALWAYS AS (a * 2) STORED UNIQUE)"
                .to_owned(),
            "INSERT INTO parents (id, a) VALUES (1, 0)".to_owned(),
            "DROP TABLE crates".to_owned(),
            "CREATE TABLE crates (id BIGINT PRIMARY KEY,
                versions BIGINT NOT NULL REFERENCES parents (g) ON UPDATE CASCADE)"
                .to_owned(),
            "INSERT INTO crates VALUES (1, 0)".to_owned(),
            on_insert("UPDATE parents SET a = a + 1 WHERE id = 1"),
        ]);
    }
    // What is no trigger's body.
    let others: &[&[&str]] = match Here::DATABASE {
        Kind::Postgres => &[
            // `"a.b".c` beside `a."b.c"`.
            &[
                "CREATE TABLE \"b.c\" (id BIGINT)",
                "CREATE FUNCTION in_crates() RETURNS trigger LANGUAGE plpgsql
                    AS 'BEGIN UPDATE crates SET versions = versions + 1; RETURN NEW; END'",
                "DO $do$ BEGIN EXECUTE format('
                    CREATE SCHEMA %1$I;
                    CREATE TABLE %1$I.c (id BIGINT);
                    CREATE TRIGGER t AFTER INSERT ON %1$I.c FOR EACH ROW EXECUTE FUNCTION in_crates();
                    CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $f$ BEGIN
                        INSERT INTO %1$I.c VALUES (1); RETURN NEW; END $f$;
                    CREATE TRIGGER t AFTER INSERT ON versions FOR EACH ROW EXECUTE FUNCTION f()',
                    current_schema() || '.b'); END $do$",
            ],
            &[
                "CREATE FUNCTION count_up() RETURNS BIGINT LANGUAGE sql
                    AS 'UPDATE crates SET versions = versions + 1 RETURNING id'",
                "ALTER TABLE versions ADD COLUMN number BIGINT DEFAULT count_up()",
            ],
            &[
                "CREATE FUNCTION count_up() RETURNS BIGINT LANGUAGE sql
                    AS 'UPDATE crates SET versions = versions + 1 RETURNING id'",
                "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql
                    AS 'BEGIN RETURN NEW; END'",
                "CREATE TRIGGER t AFTER INSERT ON versions FOR EACH ROW WHEN (count_up() > 0)
                    EXECUTE FUNCTION f()",
            ],
            &[
                "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN
                    EXECUTE format(''UPDATE %I SET versions = 1'', TG_ARGV[0]); RETURN NEW; END'",
                "CREATE TRIGGER t AFTER INSERT ON versions FOR EACH ROW
                    EXECUTE FUNCTION f('crates')",
            ],
            // Names are compared letter by letter.
            &[
                "ALTER TABLE versions ADD COLUMN \"ID\" BIGINT DEFAULT 1",
                "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN
                    UPDATE versions SET seen = 1 WHERE \"ID\" = NEW.\"ID\"; RETURN NEW; END'",
                "CREATE TRIGGER t AFTER INSERT ON versions FOR EACH ROW EXECUTE FUNCTION f()",
            ],
            // A type that is called like one of the database's, and found before it.
            &[
                "CREATE FUNCTION count_up(text) RETURNS BOOLEAN LANGUAGE sql
                    AS 'UPDATE crates SET versions = versions + 1 RETURNING TRUE'",
                "CREATE DOMAIN uuid AS text CHECK (count_up(VALUE))",
                "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN
                    NEW.seen := length(NEW.id::uuid); RETURN NEW; END'",
                "DO $$ BEGIN EXECUTE format('ALTER FUNCTION f() SET search_path = %I, pg_catalog',
                    current_schema()); END $$",
                "CREATE TRIGGER t BEFORE INSERT ON versions FOR EACH ROW EXECUTE FUNCTION f()",
            ],
            &[
                "ALTER TABLE crates RENAME TO crates_1",
                "CREATE TABLE crates (id BIGINT PRIMARY KEY, versions BIGINT)",
                "DROP TABLE crates",
                "CREATE TABLE above (id BIGINT, versions BIGINT NOT NULL DEFAULT 0)",
                "CREATE TABLE crates (PRIMARY KEY (id)) INHERITS (above)",
                "INSERT INTO crates SELECT * FROM crates_1",
                "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql
                    AS 'BEGIN UPDATE above SET versions = 1; RETURN NEW; END'",
                "CREATE TRIGGER t AFTER INSERT ON versions FOR EACH ROW EXECUTE FUNCTION f()",
            ],
        ],
        Kind::MariaDb => &[],
        Kind::Sqlite => &[
            &["CREATE TRIGGER [on] AFTER INSERT ON versions BEGIN
                UPDATE crates SET versions = versions + 1; END"],
            &["CREATE TRIGGER IF NOT EXISTS main.\"delete\" AFTER INSERT ON versions BEGIN
                UPDATE crates SET versions = versions + 1; END"],
            &["CREATE TRIGGER t AFTER INSERT ON versions WHEN NEW.id > 0 BEGIN
                UPDATE crates SET versions = versions + 1; END"],
            // Before a row is inserted, its number is another row's.
            &["CREATE TRIGGER t BEFORE INSERT ON versions BEGIN
                UPDATE versions SET seen = 1 WHERE rowid = NEW.rowid; END"],
            // Its primary key by another name.
            &[
                "CREATE TABLE parents (id INTEGER PRIMARY KEY, n BIGINT)",
                "INSERT INTO parents VALUES (0, 1)",
                "DROP TABLE crates",
                "CREATE TABLE crates (id BIGINT PRIMARY KEY,
                    versions BIGINT NOT NULL REFERENCES parents (id) ON UPDATE CASCADE)",
                "INSERT INTO crates VALUES (1, 0)",
                "CREATE TRIGGER t AFTER INSERT ON versions BEGIN
                    UPDATE parents SET rowid = rowid + 1 WHERE n = 1; END",
            ],
        ],
    };
    ways.extend(others.iter().map(|statements| owned(statements)));
    ways
}

#[tokio::test]
async fn a_write_that_leads_to_another_structs_rows_is_refused() {
    // `.table` is of MariaDB's grammar, and not of MySQL's.
    let is_mysql = Here::DATABASE == Kind::MariaDb && !is_mariadb().await;
    let has_dot = |way: &Vec<String>| way.iter().any(|statement| statement.contains(" .crates"));
    for way in ways_to_count().into_iter().filter(|way| !(is_mysql && has_dot(way))) {
        let here = here().await;
        for statement in &way {
            here.run(statement).await;
        }
        let what = way.last().expect("a statement");
        Crate::fetch_one(&here.orm, 1).await.unwrap();
        let done = version(1).insert(&here.orm).await;
        assert!(matches!(done, Err(Error::Configuration(_))), "{what}: {done:?}");
        assert_eq!(Crate::fetch_one(&here.orm, 1).await.unwrap().versions, 0, "{what}");
    }
}

#[tokio::test]
async fn plain_code_that_leads_nowhere_is_none_of_that() {
    let bodies: &[&str] = match Here::DATABASE {
        Kind::Postgres => &[
            "INSERT INTO notes VALUES ('UPDATE crates'), (TG_TABLE_NAME), ('crates')",
            "INSERT INTO log (id) VALUES (NEW.crate_id)",
            "-- UPDATE crates\n PERFORM pg_notify('versions', NEW.id::text)",
            "UPDATE log SET id = NEW.crate_id /* of /* its */ crates */ WHERE id = 1",
            "DELETE FROM log WHERE id = NEW.id",
            "UPDATE elsewhere.crates SET versions = 1",
            "IF NEW.crate_id IS NULL THEN RAISE EXCEPTION 'no crate of %', NEW.id; END IF",
            "INSERT INTO log AS l VALUES (NEW.id) ON CONFLICT (id) DO UPDATE
                SET id = l.id + excluded.id",
            "INSERT INTO notes VALUES (TG_ARGV[0]), (E'a\\n'), (CAST(NEW.id AS text)),
                (regexp_replace('a b', '\\s', '-')), (extract(epoch FROM now())::text)",
            "UPDATE log l SET id = l.id + 1 WHERE l.id = NEW.id",
            "IF NEW.* IS DISTINCT FROM OLD.* THEN BEGIN NULL; END; END IF",
            "CASE TG_OP WHEN 'DELETE' THEN RAISE check_violation; ELSE NULL; END CASE",
            "UPDATE versions SET seen = 1 WHERE versions.id = NEW.id AND seen IS NULL",
        ],
        Kind::MariaDb => &[
            "INSERT INTO log (id) VALUES (NEW.crate_id)",
            "INSERT INTO notes VALUES (REPLACE('crates', 'c', 'd'))",
            "UPDATE log SET id = NEW.crate_id WHERE id = 1; DELETE FROM log WHERE id = 2",
            "IF NEW.crate_id IS NULL THEN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'none'; END IF",
            "INSERT INTO CamelCase (id) VALUES (NEW.id)",
            "INSERT IGNORE log SET id = IF(NEW.id > 0, CONNECTION_ID(), NEW.id)
                ON DUPLICATE KEY UPDATE id = id + VALUES(id)",
            "INSERT INTO user (id) VALUE (NEW.id) /* their */; # crates
                UPDATE log SET id = CAST('1' AS UNSIGNED) LIMIT 1",
            "INSERT INTO notes VALUES (DATE_ADD(NOW(), INTERVAL 1 DAY)), (@nothing), (x'41')",
        ],
        Kind::Sqlite => &[
            "INSERT INTO log (id) VALUES (NEW.crate_id)",
            "INSERT INTO notes VALUES ('UPDATE crates'), ('crates')",
            "-- UPDATE crates\n SELECT RAISE(ABORT, 'no crate') WHERE NEW.crate_id IS NULL",
            "UPDATE log SET id = NEW.crate_id WHERE id = 1; DELETE FROM log WHERE id = 2",
            "INSERT OR IGNORE INTO log VALUES (CAST('1' AS INTEGER)), (x'00')",
            "INSERT INTO log VALUES (1) ON CONFLICT (id) DO UPDATE SET id = id + excluded.id",
            "UPDATE versions SET seen = 1 WHERE id IS NEW.id",
            "UPDATE Versions SET seen = 1 WHERE (ID == NEW.id AND seen IS NULL)",
        ],
    };
    for body in bodies {
        let here = here().await;
        here.run("CREATE TABLE log (id BIGINT UNIQUE); CREATE TABLE notes (note VARCHAR(40))").await;
        if Here::DATABASE == Kind::MariaDb {
            here.run("CREATE TABLE CamelCase (id BIGINT); CREATE TABLE user (id BIGINT)").await;
        }
        if Here::DATABASE == Kind::Postgres {
            here.run("CREATE SCHEMA IF NOT EXISTS elsewhere;
                      CREATE TABLE IF NOT EXISTS elsewhere.crates (versions BIGINT)")
                .await;
        }
        here.run(&on_insert(body)).await;
        Crate::fetch_one(&here.orm, 1).await.unwrap();
        let done = version(1).insert(&here.orm).await;
        assert!(done.is_ok(), "{body}: {done:?}");
    }
}

/// A row that had the value is another one than that which is written.
#[tokio::test]
async fn a_trigger_that_frees_a_unique_value() {
    let sql = match Here::DATABASE {
        // Its triggers cannot.
        Kind::MariaDb => return,
        Kind::Postgres => {
            "CREATE UNIQUE INDEX one ON versions (seen);
             CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                UPDATE versions SET seen = NULL WHERE seen = NEW.seen; RETURN NEW; END $$;
             CREATE TRIGGER t BEFORE INSERT ON versions FOR EACH ROW EXECUTE FUNCTION f()"
        }
        Kind::Sqlite => {
            "CREATE UNIQUE INDEX one ON versions (seen);
             CREATE TRIGGER t BEFORE INSERT ON versions BEGIN
                UPDATE versions SET seen = NULL WHERE seen = NEW.seen; END"
        }
    };
    let here = here().await;
    here.run(sql).await;
    let error = version(1).insert(&here.orm).await.unwrap_err();
    assert!(matches!(error, Error::Configuration(_)), "{error}");
}
