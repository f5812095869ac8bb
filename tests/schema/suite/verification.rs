//! `verify` finds each mistake, says how bad it is and what to do, and finds nothing
//! where all is well.

use super::Here;
use crate::databases::Kind;
use cached_orm::{MemcachedOrm, NamedTable, SchemaReport, Severity};
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, MemcachedOrm)]
#[orm(table = "things")]
struct Thing {
    #[primary_key]
    id: i64,
    #[orm(unique)]
    name: String,
    #[orm(index)]
    city: Option<String>,
    size: i64,
}

/// `things` with everything as it should be, but for these parts of its definition.
fn things(replaced: &[(&str, &str)]) -> String {
    let mut table = "CREATE TABLE things (id BIGINT NOT NULL PRIMARY KEY,
        name VARCHAR(90) NOT NULL UNIQUE, city VARCHAR(90), size BIGINT NOT NULL);
        CREATE INDEX by_city ON things (city)"
        .to_owned();
    for (part, other) in replaced {
        assert!(table.contains(part), "{part}");
        table = table.replace(part, other);
    }
    table
}

async fn report(sql: &str) -> (Here, SchemaReport) {
    let here = Here::built(&[], |builder| builder.drainer(false)).await;
    for statement in sql.split(";;") {
        here.run(statement).await;
    }
    let report = here.orm.verify::<Thing>().await.unwrap();
    (here, report)
}

#[track_caller]
fn assert_found(report: &SchemaReport, severity: Severity, subject: &str, part: &str) {
    let finding = report.findings.iter().find(|finding| {
        finding.severity == severity
            && finding.subject.contains(subject)
            && finding.problem.contains(part)
    });
    let finding = finding.unwrap_or_else(|| panic!("no {severity} {subject}: {part} in\n{report}"));
    assert!(!finding.cure.is_empty());
    assert_eq!(report.is_sound(), report.errors().next().is_none());
    // What is printed tells the same.
    let printed = report.to_string();
    for part in [&finding.subject, &finding.problem, &finding.cure] {
        assert!(printed.contains(part.as_str()), "{printed}");
    }
}

#[tokio::test]
async fn nothing_is_found_where_all_is_well() {
    let (here, report) = report(&things(&[])).await;
    assert!(report.is_sound(), "{report}");
    assert_eq!(report.findings, [], "{report}");
    assert!(report.to_string().contains("nothing was found"), "{report}");
    assert_eq!(report.entity, "Thing");
    assert!(report.table.as_ref().is_some_and(|table| table.ends_with(".things")), "{report}");
    // This crate's own triggers are no finding either.
    here.orm.install_outbox().await.unwrap();
    here.orm.install_triggers::<Thing>().await.unwrap();
    let report = here.orm.verify::<Thing>().await.unwrap();
    assert_eq!(report.findings, [], "{report}");
}

#[tokio::test]
async fn a_table_that_is_not_there() {
    let (_here, report) = report("SELECT 1").await;
    assert_found(&report, Severity::Error, "table things", "is not there");
    assert_eq!(report.table, None);
}

#[tokio::test]
async fn columns() {
    let (_here, missing) = report(&things(&[(", size BIGINT NOT NULL", "")])).await;
    assert_found(&missing, Severity::Error, "column size", "is not in the table");
    let (_here, nullable) = report(&things(&[("size BIGINT NOT NULL", "size BIGINT")])).await;
    assert_found(&nullable, Severity::Error, "column size", "can be NULL");
    let (_here, other) = report(&things(&[("size BIGINT", "size VARCHAR(9)")])).await;
    assert_found(&other, Severity::Error, "column size", "cannot be read as `i64`");
    if Here::DATABASE == Kind::Postgres {
        let sql = "CREATE TYPE city AS ENUM ('Ulm'); CREATE DOMAIN place AS city; "
            .to_owned()
            + &things(&[("city VARCHAR(90)", "city place")]);
        let (_here, domain) = report(&sql).await;
        assert_found(&domain, Severity::Error, "column city", "a domain over an enum");
    }
}

#[tokio::test]
async fn primary_keys() {
    let (_here, none) = report(&things(&[(" PRIMARY KEY", "")])).await;
    assert_found(&none, Severity::Error, "primary key id", "several rows may have one key");
    let (_here, unique) = report(&things(&[(" PRIMARY KEY", " UNIQUE")])).await;
    assert_eq!(unique.findings, [], "{unique}");
    if Here::DATABASE == Kind::Postgres {
        let sql = things(&[(" PRIMARY KEY", " PRIMARY KEY DEFERRABLE")]);
        let (_here, late) = report(&sql).await;
        assert_found(&late, Severity::Error, "primary key id", "at the end of a transaction");
    }
}

#[tokio::test]
async fn unique_indexes() {
    let mut mistakes = vec![
        (things(&[(" UNIQUE", "")]), "there is no such index"),
        (things(&[(" UNIQUE", "")]) + "; CREATE INDEX i ON things (name)", "there is no such index"),
        (
            things(&[(" UNIQUE", "")]) + "; CREATE UNIQUE INDEX i ON things (name, size)",
            "there is no such index",
        ),
    ];
    if Here::DATABASE != Kind::MariaDb {
        let partial = "; CREATE UNIQUE INDEX i ON things (name) WHERE size > 0";
        mistakes.push((things(&[(" UNIQUE", "")]) + partial, "leaves rows out"));
        let collation = if Here::DATABASE == Kind::Postgres { "\"C\"" } else { "NOCASE" };
        let other = format!("; CREATE UNIQUE INDEX i ON things (name COLLATE {collation})");
        mistakes.push((things(&[(" UNIQUE", "")]) + &other, "another collation"));
    }
    if Here::DATABASE == Kind::Postgres {
        let late = things(&[(" UNIQUE", " UNIQUE DEFERRABLE INITIALLY IMMEDIATE")]);
        mistakes.push((late, "at the end of a transaction"));
    }
    for (sql, why) in mistakes {
        let (_here, report) = report(&sql).await;
        assert_found(&report, Severity::Error, "unique name", why);
    }
    if Here::DATABASE != Kind::MariaDb {
        // Nobody looks for NULL by it.
        let partial = "; CREATE UNIQUE INDEX i ON things (name) WHERE name IS NOT NULL";
        let (_here, sound) = report(&(things(&[(" UNIQUE", "")]) + partial)).await;
        assert_eq!(sound.findings, [], "{sound}");
    }
}

#[tokio::test]
async fn indexes_that_are_not_there_cost() {
    let sql = things(&[("CREATE INDEX by_city ON things (city)", "SELECT 1")]);
    let (_here, none) = report(&sql).await;
    assert_found(&none, Severity::Warning, "index city", "reads the whole table");
    assert!(none.is_sound(), "{none}");
    let sql = things(&[("things (city)", "things (size, city)")]);
    let (_here, second) = report(&sql).await;
    assert_found(&second, Severity::Warning, "index city", "reads the whole table");
    let sql = things(&[("things (city)", "things (city, size)")]);
    let (_here, wider) = report(&sql).await;
    assert_eq!(wider.findings, [], "{wider}");
}

#[tokio::test]
async fn triggers() {
    let after = match Here::DATABASE {
        Kind::Postgres => {
            ";; CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
             CREATE FUNCTION own() RETURNS trigger LANGUAGE plpgsql AS
                $$ BEGIN UPDATE things SET size = 1 WHERE id = NEW.id; RETURN NULL; END $$;
             CREATE TRIGGER after_it AFTER UPDATE ON things FOR EACH ROW EXECUTE FUNCTION own();
             CREATE TABLE log (id BIGINT);
             CREATE FUNCTION counted() RETURNS trigger LANGUAGE plpgsql AS
                $$ BEGIN INSERT INTO log VALUES (NEW.id); RETURN NULL; END $$;
             CREATE TRIGGER counted AFTER INSERT ON things
                FOR EACH ROW EXECUTE FUNCTION counted();
             CREATE CONSTRAINT TRIGGER at_commit AFTER INSERT ON things DEFERRABLE INITIALLY DEFERRED
                FOR EACH ROW EXECUTE FUNCTION f();
             CREATE TRIGGER before_delete BEFORE DELETE ON things
                FOR EACH ROW EXECUTE FUNCTION f();
             CREATE TRIGGER stamp BEFORE UPDATE ON things FOR EACH ROW EXECUTE FUNCTION f()"
        }
        Kind::MariaDb => {
            ";; CREATE TRIGGER after_it AFTER UPDATE ON things FOR EACH ROW BEGIN END;
             CREATE TRIGGER before_delete BEFORE DELETE ON things FOR EACH ROW BEGIN END;
             CREATE TABLE log (id BIGINT);
             CREATE TRIGGER counted AFTER INSERT ON things
                FOR EACH ROW INSERT INTO log VALUES (NEW.id);
             CREATE TRIGGER stamp BEFORE UPDATE ON things FOR EACH ROW SET NEW.size = 1"
        }
        Kind::Sqlite => {
            ";; CREATE TRIGGER after_it AFTER UPDATE ON things
                BEGIN UPDATE things SET size = 1 WHERE id = NEW.id; END;
             CREATE TABLE log (id BIGINT);
             CREATE TRIGGER counted AFTER INSERT ON things
                BEGIN INSERT INTO log VALUES (NEW.id); END;
             CREATE TRIGGER before_delete BEFORE DELETE ON things BEGIN SELECT 1; END;
             CREATE TRIGGER stamp BEFORE UPDATE ON things BEGIN SELECT 1; END"
        }
    };
    let (_here, report) = report(&(things(&[]) + after)).await;
    assert!(report.is_sound(), "{report}");
    assert_found(&report, Severity::Warning, "trigger counted", "changes rows of");
    if Here::DATABASE == Kind::MariaDb {
        // The others do nothing there that a read after the statement does not see.
        assert_eq!(report.findings.len(), 1, "{report}");
        return;
    }
    let about = |name: &str| {
        report.findings.iter().filter(|finding| finding.subject == format!("trigger {name}")).count()
    };
    assert_found(&report, Severity::Warning, "trigger after_it", "after the statement");
    assert_eq!((about("after_it"), about("counted")), (1, 1), "{report}");
    assert_found(&report, Severity::Warning, "trigger before_delete", "before a DELETE");
    if Here::DATABASE == Kind::Postgres {
        assert_found(&report, Severity::Warning, "trigger at_commit", "at COMMIT");
        assert!(!report.to_string().contains("trigger stamp"), "{report}");
    }
}

#[tokio::test]
async fn foreign_keys_in_and_out() {
    let sql = "CREATE TABLE cities (city VARCHAR(90) NOT NULL PRIMARY KEY);
        CREATE TABLE things (id BIGINT NOT NULL PRIMARY KEY, name VARCHAR(90) NOT NULL UNIQUE,
            city VARCHAR(90), size BIGINT NOT NULL,
            FOREIGN KEY (city) REFERENCES cities (city) ON DELETE SET NULL);
        CREATE TABLE parts (id BIGINT PRIMARY KEY, thing BIGINT,
            FOREIGN KEY (thing) REFERENCES things (id) ON DELETE CASCADE);
        CREATE TABLE kept (id BIGINT PRIMARY KEY, thing BIGINT,
            FOREIGN KEY (thing) REFERENCES things (id));
        CREATE INDEX by_city ON things (city)";
    let (_here, report) = report(sql).await;
    assert!(report.is_sound(), "{report}");
    assert_found(&report, Severity::Warning, "parts", "CASCADE changes rows of");
    assert_found(&report, Severity::Warning, "foreign key", "SET NULL changes rows of this table");
    assert_eq!(report.findings.len(), 2, "{report}");
}

/// A struct that is used beside, on the child's table.
#[tokio::test]
async fn rows_of_other_structs() {
    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, MemcachedOrm)]
    #[orm(table = "parts")]
    struct Part {
        #[primary_key]
        id: i64,
        thing: i64,
    }
    let sql = things(&[])
        + "; CREATE TABLE parts (id BIGINT PRIMARY KEY, thing BIGINT NOT NULL,
            FOREIGN KEY (thing) REFERENCES things (id) ON DELETE CASCADE)";
    let (here, before) = report(&sql).await;
    assert!(before.is_sound(), "{before}");
    Part::fetch(&here.orm, 1).await.unwrap();
    let report = here.orm.verify::<Thing>().await.unwrap();
    assert_found(&report, Severity::Error, "foreign key", "which Part reads from the cache");
}

#[tokio::test]
async fn what_only_one_database_has() {
    match Here::DATABASE {
        Kind::Postgres => {
            let mistakes = [
                (
                    "ALTER TABLE things ENABLE ROW LEVEL SECURITY",
                    Severity::Warning,
                    "row-level security",
                    "restricts other roles",
                ),
                (
                    "CREATE TABLE more () INHERITS (things)",
                    Severity::Error,
                    "things",
                    "has child tables",
                ),
                (
                    "CREATE RULE r AS ON UPDATE TO things DO ALSO NOTHING",
                    Severity::Error,
                    "rule r",
                    "makes other statements",
                ),
                ("ALTER TABLE things SET UNLOGGED", Severity::Warning, "things", "is unlogged"),
            ];
            for (sql, severity, subject, part) in mistakes {
                let (_here, report) = report(&(things(&[]) + ";;" + sql)).await;
                assert_found(&report, severity, subject, part);
            }
            let parted = things(&[("size BIGINT NOT NULL)", "size BIGINT NOT NULL, PRIMARY KEY (id),
                UNIQUE (id, name)) PARTITION BY RANGE (id)"), (" PRIMARY KEY,", ","), (" UNIQUE,", ",")]);
            let (_here, report) = report(&parted).await;
            assert_found(&report, Severity::Error, "things", "is partitioned");
            assert_found(&report, Severity::Error, "unique name", "there is no such index");
        }
        Kind::MariaDb => {
            let (_here, report) = report(&(things(&[]) + ";; ALTER TABLE things ENGINE = MyISAM")).await;
            assert_found(&report, Severity::Error, "engine MyISAM", "has no transactions");
        }
        Kind::Sqlite => {
            let (_here, report) = report(&things(&[(" UNIQUE", " UNIQUE ON CONFLICT REPLACE")])).await;
            assert_found(&report, Severity::Error, "ON CONFLICT REPLACE", "removes other rows");
        }
    }
}

#[tokio::test]
async fn views() {
    let sql = things(&[("TABLE things", "TABLE behind"), ("ON things", "ON behind")])
        + "; CREATE VIEW things AS SELECT * FROM behind";
    let (_here, report) = report(&sql).await;
    assert_found(&report, Severity::Error, "things", "is a view");
}

/// Its columns are not said to be NOT NULL, whatever they are made of.
#[tokio::test]
async fn a_view_that_is_accepted_is_sound() {
    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, MemcachedOrm)]
    #[orm(table = "shown", accepts(views))]
    struct Shown {
        #[primary_key]
        id: i64,
    }
    let here = Here::with(&[]).await;
    here.run(
        "CREATE TABLE behind (id BIGINT NOT NULL PRIMARY KEY);
         CREATE VIEW shown AS SELECT * FROM behind",
    )
    .await;
    let report = here.orm.verify::<Shown>().await.unwrap();
    assert!(report.is_sound(), "{report}");
}

/// Without the struct, as the command line does it.
#[tokio::test]
async fn tables_that_are_known_by_their_names() {
    let (here, _) = report(&things(&[(" UNIQUE", "")])).await;
    let table = NamedTable::new("things").unique([("name", None)]).index([("city", None)]);
    let report = here.orm.verify_table(&table).await.unwrap();
    assert_found(&report, Severity::Error, "unique name", "there is no such index");
    assert_eq!(report.entity, "things");
    let table = NamedTable::new("things").index([("town", None)]);
    let report = here.orm.verify_table(&table).await.unwrap();
    assert_found(&report, Severity::Error, "column town", "is not in the table");
    let report = here.orm.verify_table(&NamedTable::new("things")).await.unwrap();
    assert_eq!(report.findings, [], "{report}");
    let report = here.orm.verify_table(&NamedTable::new("nothing")).await.unwrap();
    assert_found(&report, Severity::Error, "table nothing", "is not there");
}
