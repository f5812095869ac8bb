use super::{
    Change::{self, Delete, Insert, Update},
    PlainCode,
};
use crate::schema::words::{
    Dialect::{self, MySql, Postgres, Sqlite},
    words,
};

fn read(text: &str, dialect: Dialect) -> Option<PlainCode> {
    PlainCode::read(&words(text, dialect), dialect)
}

fn writes(text: &str, dialect: Dialect) -> Vec<(String, Change, Vec<String>)> {
    let code = read(text, dialect).unwrap_or_else(|| panic!("not plain: {text}"));
    code.writes.into_iter().map(|write| (write.table, write.change, write.own_row_by)).collect()
}

#[test]
fn what_changes_the_own_row_alone_writes_nothing() {
    for (text, dialect) in [
        ("BEGIN NEW.updated_at = now(); RETURN NEW; END", Postgres),
        ("BEGIN NEW.updated_at := now() AT TIME ZONE 'utc'; RETURN NEW; END;", Postgres),
        (
            "BEGIN IF NEW.a IS DISTINCT FROM OLD.a THEN NEW.n := COALESCE(OLD.n, 0) + 1;
             ELSIF TG_OP = 'DELETE' THEN RETURN OLD; ELSE RAISE EXCEPTION 'no %', NEW.id
             USING ERRCODE = 'P0001'; END IF; RETURN NEW; END",
            Postgres,
        ),
        (
            "BEGIN IF row(NEW.*) IS DISTINCT FROM row(OLD.*) THEN NEW.at = CURRENT_TIMESTAMP;
             END IF; RETURN NEW; END",
            Postgres,
        ),
        ("BEGIN -- UPDATE t\n PERFORM pg_notify('t', NEW.id::text); RETURN NULL; END", Postgres),
        ("SET NEW.updated_at = NOW(), NEW.email = LOWER(TRIM(NEW.email))", MySql),
        (
            "BEGIN IF (NEW.n < 0) THEN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'it''s';
          END IF; END",
            MySql,
        ),
        (
            "BEGIN IF NEW.* IS DISTINCT FROM OLD.* AND NEW.tags @> ARRAY['a', NEW.t] THEN
                NEW.n := CAST(extract(epoch FROM now()) AS bigint) + position('a' IN NEW.t);
                NEW.at := now()::timestamp(0) without time zone + NEW.j->>'a' || TG_ARGV[0];
             END IF; RETURN NEW; END",
            Postgres,
        ),
        (
            "BEGIN NEW.slug := regexp_replace(trim(both '-' FROM NEW.t), '\\s+', E'\\n', 'g');
                NEW.t := substring(NEW.t FROM 1 FOR 2)::character varying(2); RETURN NEW; END",
            Postgres,
        ),
        (
            "BEGIN IF NEW.a ? 'b' THEN RAISE 'no'; END IF; RAISE check_violation; RAISE USING
             MESSAGE = 'x'; RAISE EXCEPTION unique_violation USING HINT = 'y'; RETURN NEW; END",
            Postgres,
        ),
        (
            "BEGIN BEGIN NEW.at := now(); END; CASE TG_OP WHEN 'DELETE' THEN RETURN OLD;
             WHEN 'INSERT' THEN NULL; ELSE NULL; END CASE; RETURN NEW; END",
            Postgres,
        ),
        ("FOLLOWS other SET NEW.n = IF(NEW.n < 0, 0, NEW.n), `new`.`u` := @now", MySql),
        (
            "BEGIN /* a */ SET NEW.at = DATE_ADD(NOW(), INTERVAL 1 DAY), # b
             NEW.n = CAST(NEW.t AS UNSIGNED), NEW.b = x'00', NEW.c = \"it's\"; CASE WHEN
             NEW.n > 0 THEN BEGIN END; ELSE SIGNAL SQLSTATE VALUE '45000'; END CASE; END",
            MySql,
        ),
        ("BEGIN SELECT RAISE(ABORT, 'no') WHERE NEW.n < 0; END", Sqlite),
        ("BEGIN SELECT CASE WHEN NEW.n IS NULL THEN RAISE(IGNORE) END; END", Sqlite),
    ] {
        assert_eq!(writes(text, dialect), [], "{text}");
    }
    let code = read("SET NEW.a = CASE WHEN NEW.b THEN 1.5 ELSE 2 END, NEW.`c` = 3", MySql);
    assert_eq!(code.unwrap().assigns, ["a", "c"]);
}

#[test]
fn plain_writes_name_their_tables() {
    let own = || vec!["id".to_owned()];
    for (text, dialect, written) in [
        (
            "BEGIN INSERT INTO audit.log (a, b) VALUES (NEW.id, to_jsonb(NEW)); RETURN NEW; END",
            Postgres,
            ("log", Insert, vec![]),
        ),
        (
            "BEGIN UPDATE crates SET n = n + 1 WHERE id = NEW.crate_id; RETURN NULL; END",
            Postgres,
            ("crates", Update, vec![]),
        ),
        ("BEGIN UPDATE \"Cs\" SET n = 1; RETURN NULL; END", Postgres, ("Cs", Update, vec![])),
        ("INSERT INTO `log` VALUES (NEW.id, 'x'), (NULL, NOW())", MySql, ("log", Insert, vec![])),
        ("BEGIN DELETE FROM a.t WHERE x = OLD.y AND id = OLD.id; END", MySql, ("t", Delete, own())),
        (
            "BEGIN INSERT INTO log SELECT 'D', now(), user, OLD.*; RETURN NULL; END",
            Postgres,
            ("log", Insert, vec![]),
        ),
        ("BEGIN DELETE FROM t; END", Sqlite, ("t", Delete, vec![])),
        (
            "BEGIN UPDATE t SET at = datetime('now') WHERE id = NEW.id; END",
            Sqlite,
            ("t", Update, own()),
        ),
        ("BEGIN UPDATE t SET n = 1 WHERE t.id = NEW.id; END", Sqlite, ("t", Update, own())),
        ("BEGIN UPDATE t SET n = 1 WHERE id = NEW.id OR 1; END", Sqlite, ("t", Update, vec![])),
        ("BEGIN UPDATE t SET n = 1 WHERE id = NEW.id - 1; END", Sqlite, ("t", Update, vec![])),
        ("BEGIN UPDATE t SET n = 1 WHERE id = NEW.parent; END", Sqlite, ("t", Update, vec![])),
        (
            "BEGIN NEW.id := NEW.parent; UPDATE t SET n = 1 WHERE id = NEW.id; RETURN NEW; END",
            Postgres,
            ("t", Update, vec![]),
        ),
        ("BEGIN UPDATE t SET n = 1 WHERE NOT id = NEW.id; END", Sqlite, ("t", Update, vec![])),
        ("BEGIN UPDATE t SET n = 1 WHERE id IS NEW.id; END", Sqlite, ("t", Update, own())),
        ("BEGIN UPDATE t SET n = 1 WHERE OLD.ID == id; END", Sqlite, ("t", Update, own())),
        (
            "BEGIN UPDATE t SET n = 1 WHERE ((id = NEW.id) AND NOT n = 1 AND (n = 2 OR n = 3)); END",
            Sqlite,
            ("t", Update, own()),
        ),
        (
            "BEGIN UPDATE t SET n = 1 WHERE n BETWEEN 1 AND id = NEW.id; END",
            Sqlite,
            ("t", Update, vec![]),
        ),
        (
            "BEGIN UPDATE t SET n = 1 WHERE (id = NEW.id) OR (n = 1); END",
            Sqlite,
            ("t", Update, vec![]),
        ),
        ("BEGIN UPDATE t SET n = 1 WHERE id != NEW.id; END", Sqlite, ("t", Update, vec![])),
        ("BEGIN UPDATE t SET n = 1 WHERE u.id = NEW.id; END", Sqlite, ("t", Update, vec![])),
        (
            "BEGIN UPDATE t SET n = 1 WHERE \"ID\" = NEW.id; RETURN NEW; END",
            Postgres,
            ("t", Update, vec![]),
        ),
        (
            "BEGIN UPDATE t u SET n = u.n + 1 WHERE u.id = NEW.id AND u.n = 1; RETURN NEW; END",
            Postgres,
            ("t", Update, own()),
        ),
        (
            "BEGIN DELETE FROM t AS u WHERE u.id = OLD.id; RETURN NEW; END",
            Postgres,
            ("t", Delete, own()),
        ),
        ("UPDATE hp AS p SET p.n = hp.n + 1 WHERE n = 2 LIMIT 1", MySql, ("hp", Update, vec![])),
        ("DELETE FROM Log LIMIT 5", MySql, ("Log", Delete, vec![])),
        ("INSERT IGNORE INTO Log (n) VALUE (1)", MySql, ("Log", Insert, vec![])),
        ("INSERT `Log` SET n = 1, at = NOW()", MySql, ("Log", Insert, vec![])),
        ("INSERT INTO user (id) VALUES (1)", MySql, ("user", Insert, vec![])),
        (
            "BEGIN INSERT INTO t VALUES (NEW.*) ON CONFLICT (id) DO NOTHING; RETURN NEW; END",
            Postgres,
            ("t", Insert, vec![]),
        ),
        ("BEGIN INSERT OR IGNORE INTO t VALUES (x'00'); END", Sqlite, ("t", Insert, vec![])),
    ] {
        let (table, change, own_row_by) = written;
        assert_eq!(writes(text, dialect), [(table.to_owned(), change, own_row_by)], "{text}");
    }
}

#[test]
fn an_insert_that_may_update() {
    for (text, dialect) in [
        (
            "BEGIN INSERT INTO t AS u (id) VALUES (1) ON CONFLICT (id) DO UPDATE
             SET n = u.n + excluded.n, \"M\" = 1 WHERE u.n > 1; RETURN NEW; END",
            Postgres,
        ),
        (
            "BEGIN INSERT INTO t VALUES (1) ON CONFLICT ON CONSTRAINT c DO UPDATE
             SET n = 1, \"M\" = 2; RETURN NEW; END",
            Postgres,
        ),
        ("BEGIN INSERT INTO t VALUES (1) ON CONFLICT DO UPDATE SET n = n + 1, M = 1; END", Sqlite),
        ("INSERT t VALUES (1) ON DUPLICATE KEY UPDATE n = VALUES(n), t.M = 1", MySql),
        ("INSERT INTO t SET n = 1 ON DUPLICATE KEY UPDATE n = n + 1, M = 1", MySql),
    ] {
        let code = read(text, dialect).unwrap_or_else(|| panic!("not plain: {text}"));
        let [insert, update] = &code.writes[..] else { panic!("{text}: {:?}", code.writes) };
        assert_eq!((&*insert.table, insert.change), ("t", Insert), "{text}");
        assert_eq!((&*update.table, update.change), ("t", Update), "{text}");
        assert_eq!((&*update.sets, &*update.own_row_by), (&["n".into(), "M".into()][..], &[][..]));
    }
}

/// To PostgreSQL each can be a call.
#[test]
fn what_is_named_with_its_table_is_told() {
    let text = "BEGIN UPDATE t SET n = t.f + 1, m = NEW.g WHERE t.id = 1; RETURN NEW; END";
    assert_eq!(read(text, Postgres).unwrap().columns, ["f", "id"]);
}

#[test]
fn values_of_the_own_row_that_code_changes() {
    let text =
        "BEGIN NEW.n := 1; UPDATE t SET m = 1 WHERE id = NEW.id AND n = NEW.n; RETURN NEW; END";
    assert_eq!(writes(text, Postgres), [("t".to_owned(), Update, vec!["id".to_owned()])]);
}

/// In each something could be reached that is not in the text, or be read in another way.
#[test]
fn what_is_not_known_is_not_plain() {
    for (statement, dialect) in [
        ("CALL f()", Postgres),
        ("PERFORM f()", Postgres),
        ("PERFORM public.lower('a')", Postgres),
        ("PERFORM (SELECT 1)", Postgres),
        ("PERFORM NEW.f()", Postgres),
        ("PERFORM w.f", Postgres),
        ("PERFORM 1 ` 2; END IF; UPDATE hc SET n = 1; PERFORM 1 ` 3", Postgres),
        ("UPDATE \u{212a} SET n = 1", Postgres),
        ("PERFORM 1$x$ + ' $x$; UPDATE t SET n = 1; PERFORM '", Postgres),
        ("PERFORM E'a'\n'\\'', t.f(), '", Postgres),
        ("PERFORM U&'a'", Postgres),
        ("PERFORM CAST(1 AS public.text)", Postgres),
        ("PERFORM NEW.a::double", Postgres),
        ("PERFORM (1 AS text)", Postgres),
        ("PERFORM trim((1 FROM t))", Postgres),
        ("PERFORM varying(1)", Postgres),
        ("PERFORM set_config('search_path', 'a', false)", Postgres),
        ("UPDATE new SET n = 1 WHERE id = new.id", Postgres),
        ("UPDATE t AS old SET n = 1 WHERE id = old.id", Postgres),
        ("UPDATE t AS u SET n = t.f", Postgres),
        ("UPDATE only t SET n = 1", Postgres),
        ("DELETE FROM only t", Postgres),
        ("DELETE FROM t USING u", Postgres),
        ("RAISE EXCEPTION f()", Postgres),
        ("PERFORM NEW.a OPERATOR(x.+) 1", Postgres),
        ("PERFORM NEW.a::mine", Postgres),
        ("PERFORM CAST(NEW.a AS mine)", Postgres),
        ("PERFORM mine 'a'", Postgres),
        ("PERFORM U&\"\\0066\"(1)", Postgres),
        ("PERFORM E'it\\'s'", Postgres),
        ("PERFORM 'it\\'", Postgres),
        ("PERFORM 1 FROM t", Postgres),
        ("NEW := OLD", Postgres),
        ("RETURN (NEW.id + 1, NEW.body)", Postgres),
        ("PERFORM zone('a')", Postgres),
        ("PERFORM 1 -- \rUPDATE t SET n = 1", Postgres),
        ("UPDATE t\u{a0} SET n = 1", Postgres),
        ("SELECT 1 INTO NEW", Postgres),
        ("EXECUTE 'UPDATE t SET n = 1'", Postgres),
        ("FOR r IN SELECT 1 LOOP NULL; END LOOP", Postgres),
        ("UPDATE t SET n = (SELECT 1 FROM u WHERE id = NEW.id)", Postgres),
        ("UPDATE t SET n = 1 FROM u WHERE t.id = NEW.id", Postgres),
        ("UPDATE ONLY t SET n = 1", Postgres),
        ("UPDATE क्रम SET n = 1", Postgres),
        ("INSERT INTO t SELECT 1 FROM u", Postgres),
        ("INSERT INTO t SELECT f()", Postgres),
        ("INSERT INTO t VALUES (1) ON CONFLICT (f(id)) DO UPDATE SET n = 1", Postgres),
        ("INSERT INTO t VALUES (1) ON CONFLICT (id) DO UPDATE SET n = f()", Postgres),
        ("INSERT INTO t VALUES (1) RETURNING f(1)", Postgres),
        ("INSERT INTO t DEFAULT VALUES", Postgres),
        ("WITH x AS (DELETE FROM t) INSERT INTO log VALUES (1)", Postgres),
        ("TRUNCATE t", Postgres),
        ("MERGE INTO t USING s ON TRUE WHEN MATCHED THEN DELETE", Postgres),
        ("IF (SELECT f()) THEN NULL; END IF", Postgres),
        ("RAISE EXCEPTION '%', f()", Postgres),
        ("SET @a = f()", MySql),
        ("SET NEW.a = f()", MySql),
        ("SET NEW.a = 1, @b = f()", MySql),
        ("SET NEW.a = (SELECT f())", MySql),
        ("UPDATE a, t SET t.n = 1", MySql),
        ("DELETE a FROM a JOIN t", MySql),
        ("INSERT delayed t VALUES (1)", MySql),
        ("INSERT INTO t VALUES (1) ON DUPLICATE KEY UPDATE n = f()", MySql),
        ("UPDATE low_priority t SET n = 1", MySql),
        ("DELETE FROM a USING a JOIN t", MySql),
        ("SET NEW.a = NOW ()", MySql),
        ("SET NEW.a = NOW/**/()", MySql),
        ("SET NEW.a = 1 /*!50003 + f() */", MySql),
        ("SET NEW.a = SYS_GUID()", MySql),
        ("SET NEW.a = 'a' 'b'", MySql),
        ("REPLACE INTO t VALUES (1)", MySql),
        ("WHILE 1 DO SET NEW.a = 1; END WHILE", MySql),
        ("UPDATE OR REPLACE t SET n = 1", Sqlite),
        ("INSERT OR REPLACE INTO t VALUES (1)", Sqlite),
        ("SELECT f()", Sqlite),
        ("SELECT 1 FROM t", Sqlite),
        ("INSERT OR ROLLBACK INTO t VALUES (1)", Sqlite),
        ("UPDATE 't' SET n = 1", Sqlite),
    ] {
        let text = format!("BEGIN {statement}; END");
        assert_eq!(read(&text, dialect), None, "{text}");
    }
    for text in
        ["DECLARE new t; BEGIN RETURN new; END", "BEGIN RETURN NEW; END; CALL f()", "", "BEGIN"]
    {
        assert_eq!(read(text, Postgres), None, "{text}");
    }
}
