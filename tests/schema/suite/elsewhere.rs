//! Code that looks for names in other schemas than the program does: with the settings of
//! the function that led to it, or as another role.

use super::{
    Database, Here,
    other_rows::{Version, here, version},
};
use cached_orm::{Error, MemcachedOrm, Orm};
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, MemcachedOrm)]
#[orm(table = "cached_orm_elsewhere.crates")]
struct Elsewhere {
    #[primary_key]
    id: i64,
    #[orm(readonly)]
    versions: i64,
}

/// Counts in `crates`, wherever that is.
const COUNT: &str = "CREATE FUNCTION count_up() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    UPDATE crates SET versions = versions + 1 WHERE id = 1; RETURN COALESCE(NEW, OLD); END $$";

/// A second table `crates`, of a role whose schema it is in.
const SETUP: &str = "
    DO $$ BEGIN CREATE ROLE cached_orm_elsewhere;
        EXCEPTION WHEN duplicate_object THEN NULL; END $$;
    DROP SCHEMA IF EXISTS cached_orm_elsewhere CASCADE;
    CREATE SCHEMA cached_orm_elsewhere AUTHORIZATION cached_orm_elsewhere;
    CREATE TABLE cached_orm_elsewhere.crates (id BIGINT PRIMARY KEY, versions BIGINT NOT NULL);
    ALTER TABLE cached_orm_elsewhere.crates OWNER TO cached_orm_elsewhere;
    INSERT INTO cached_orm_elsewhere.crates VALUES (1, 0);
    CREATE TABLE log (id BIGINT);
    CREATE TABLE replies (version BIGINT REFERENCES versions ON DELETE CASCADE);
    INSERT INTO versions VALUES (7, 1);
    INSERT INTO replies VALUES (7);
    DO $$ BEGIN
        EXECUTE format('GRANT ALL ON SCHEMA %I TO cached_orm_elsewhere', current_schema());
        EXECUTE format('GRANT ALL ON ALL TABLES IN SCHEMA %I TO cached_orm_elsewhere',
                       current_schema());
    END $$";

/// A handle whose connections look into the schema of their role first.
async fn handle(here: &Here) -> Orm<Database> {
    let pool = here.other_pool().await;
    let pool = sqlx::pool::PoolOptions::<Database>::new()
        .max_connections(5)
        .after_connect(|connection, _| {
            Box::pin(async move {
                let path = "SELECT set_config('search_path', '$user, ' || current_schema(), FALSE)";
                sqlx::raw_sql(path).execute(connection).await.map(drop)
            })
        })
        .connect_with((*pool.connect_options()).clone())
        .await
        .unwrap();
    Orm::builder(pool).embedded(1 << 20).build().await.unwrap()
}

/// In one test, since it is one schema.
#[tokio::test]
async fn names_in_nested_code_are_not_taken_for_those_of_the_program() {
    let on_insert = "CREATE TRIGGER t AFTER INSERT ON versions FOR EACH ROW EXECUTE FUNCTION f();
         CREATE TRIGGER t AFTER INSERT ON log FOR EACH ROW EXECUTE FUNCTION count_up()";
    let ways = [
        format!(
            "DO $d$ BEGIN EXECUTE format($e$
                CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql
                SET search_path = cached_orm_elsewhere, %I
                AS $f$ BEGIN INSERT INTO log VALUES (1); RETURN NEW; END $f$
             $e$, current_schema()); END $d$;
             {on_insert}"
        ),
        format!(
            "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
             AS $f$ BEGIN INSERT INTO log VALUES (1); RETURN NEW; END $f$;
             ALTER FUNCTION f() OWNER TO cached_orm_elsewhere;
             {on_insert}"
        ),
        "ALTER TABLE replies OWNER TO cached_orm_elsewhere;
         CREATE TRIGGER t BEFORE DELETE ON replies FOR EACH ROW EXECUTE FUNCTION count_up()"
            .to_owned(),
    ];
    for way in ways {
        let here = here().await;
        here.run(SETUP).await;
        here.run(COUNT).await;
        here.run(&way).await;
        let orm = handle(&here).await;
        Elsewhere::fetch_one(&orm, 1).await.unwrap();
        let done = match way.contains("replies") {
            true => Version::delete_by_key(&orm, 7).await.map(drop),
            false => version(1).insert(&orm).await.map(drop),
        };
        assert!(matches!(done, Err(Error::Configuration(_))), "{way}: {done:?}");
        assert_eq!(Elsewhere::fetch_one(&orm, 1).await.unwrap().versions, 0, "{way}");
    }
    // Where the referring table is of the same role, its names are the program's.
    let here = here().await;
    here.run(SETUP).await;
    here.run(COUNT).await;
    here.run("CREATE TRIGGER t BEFORE DELETE ON replies FOR EACH ROW EXECUTE FUNCTION count_up()")
        .await;
    let orm = handle(&here).await;
    Elsewhere::fetch_one(&orm, 1).await.unwrap();
    Version::delete_by_key(&orm, 7).await.unwrap();
    assert_eq!(Elsewhere::fetch_uncached(&orm, 1).await.unwrap().unwrap().versions, 0);
}
