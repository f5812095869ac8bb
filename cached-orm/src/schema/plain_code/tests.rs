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
        (
            "BEGIN DELETE FROM a.t WHERE x = OLD.y AND id = OLD.id; END",
            MySql,
            ("t", Delete, vec![]),
        ),
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
    ] {
        let (table, change, own_row_by) = written;
        assert_eq!(writes(text, dialect), [(table.to_owned(), change, own_row_by)], "{text}");
    }
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
        ("PERFORM NEW.a @@ NEW.b", Postgres),
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
        ("UPDATE t AS u SET n = 1", Postgres),
        ("UPDATE क्रम SET n = 1", Postgres),
        ("INSERT INTO t SELECT 1 FROM u", Postgres),
        ("INSERT INTO t SELECT f()", Postgres),
        ("INSERT INTO t VALUES (1) ON CONFLICT (id) DO UPDATE SET n = 1", Postgres),
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
        ("INSERT t VALUES (1)", MySql),
        ("INSERT INTO t VALUES (1) ON DUPLICATE KEY UPDATE n = 1", MySql),
        ("REPLACE INTO t VALUES (1)", MySql),
        ("WHILE 1 DO SET NEW.a = 1; END WHILE", MySql),
        ("UPDATE OR REPLACE t SET n = 1", Sqlite),
        ("INSERT OR REPLACE INTO t VALUES (1)", Sqlite),
        ("SELECT f()", Sqlite),
        ("SELECT 1 FROM t", Sqlite),
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
