//! Every public method, a line each: its name, how many rows it writes, and a call.
//! `every_method.rs` looks whether one is missing.

use super::{Database, round::Round};
use crate::tables::{Note, Person, PersonColumns};
use cached_orm::{
    AuditOptions, CacheKey, Isolation, MemcachedOrm as _, NamedTable, Orm, Result, RowKeys,
    Savepoint, SetOptions, Transaction,
};
use std::pin::Pin;

pub(super) type Calling<'s> = Pin<Box<dyn Future<Output = Result<()>> + Send + 's>>;

/// A method that works wherever rows are read and written.
#[derive(Clone, Copy)]
pub(super) struct Method {
    pub(super) name: &'static str,
    pub(super) writes: i64,
    pub(super) on_orm: fn(&Orm<Database>, Round) -> Calling<'_>,
    pub(super) in_transaction: fn(&mut Transaction<Database>, Round) -> Calling<'_>,
    pub(super) in_savepoint: for<'s> fn(&'s mut Savepoint<'_, Database>, Round) -> Calling<'s>,
}

/// A method of an `Orm` alone.
#[derive(Clone, Copy)]
pub(super) struct OrmMethod {
    pub(super) name: &'static str,
    pub(super) call: fn(&Orm<Database>, Round) -> Calling<'_>,
}

macro_rules! methods {
    ($($name:literal $writes:literal |$session:ident, $round:ident| $call:expr;)*) => {
        pub(super) const METHODS: &[Method] = &[$(Method {
            name: $name,
            writes: $writes,
            on_orm: |$session, $round| Box::pin(async move { $call.await.map(drop) }),
            in_transaction: |$session, $round| Box::pin(async move { $call.await.map(drop) }),
            in_savepoint: |$session, $round| Box::pin(async move { $call.await.map(drop) }),
        }),*];
    };
}

macro_rules! orm_methods {
    ($($name:literal |$orm:ident, $round:pat_param| $call:expr;)*) => {
        pub(super) const ORM_METHODS: &[OrmMethod] = &[$(OrmMethod {
            name: $name,
            call: |$orm, $round| Box::pin(async move {
                let _ = $call.await;
                Ok(())
            }),
        }),*];
    };
}

methods! {
    "fetch" 0 |s, r| Person::fetch(s, r.id(3));
    "fetch_one" 0 |s, r| Person::fetch_one(s, r.id(3));
    "fetch_many" 0 |s, r| Person::fetch_many(s, [r.id(1), r.id(3), r.id(9)]);
    "fetch_uncached" 0 |s, r| Person::fetch_uncached(s, r.id(2));
    "load_uncached" 0 |s, r| r.person(2, "old").load_uncached(s);
    "fetch_by_field" 0 |s, r| Person::fetch_by_field(s, PersonColumns::COUNTER, -r.id(1));
    "fetch_all_by_field" 0 |s, r| Person::fetch_all_by_field(s, PersonColumns::COUNTER, -r.id(1));
    "fetch_by_unique" 0 |s, r| Person::fetch_by_email(s, r.email(3));
    "fetch_many_by_unique" 0 |s, r| Person::fetch_many_by_email(s, [r.email(3), r.email(9)]);
    "fetch_by_index" 0 |s, r| Person::fetch_by_city(s, r.city());
    "refresh" 0 |s, r| r.person(2, "old").refresh(s);
    "insert" 1 |s, r| r.person(5, "new").insert(s);
    "insert" 1 |s, r| Note { id: 0, text: r.city() }.insert(s);
    "update" 1 |s, r| r.person(2, "new").update(s);
    "execute" 1 |s, r| Person::patch(r.id(2)).set(PersonColumns::NAME, "new").execute(s);
    "upsert" 1 |s, r| r.person(2, "new").upsert(s);
    "upsert" 1 |s, r| r.person(5, "new").upsert(s);
    "delete" 1 |s, r| r.person(2, "old").delete(s);
    "delete_by_key" 1 |s, r| Person::delete_by_key(s, r.id(2));
    "delete_many" 2 |s, r| Person::delete_many(s, [r.id(2), r.id(3)]);
    "insert_many" 2 |s, r| Person::insert_many(s, &[r.person(5, "new"), r.person(6, "new")]);
    "insert_many" 2 |s, r| Note::insert_many(s, &[1, 2].map(|_| Note { id: 0, text: r.city() }));
    "update_many" 2 |s, r| Person::update_many(s, &mut [r.person(2, "new"), r.person(3, "new")]);
}

orm_methods! {
    "begin" |orm, _| orm.begin();
    "begin_with" |orm, _| orm.begin_with(Isolation::Serializable);
    "fetch_or_stale" |orm, r| Person::fetch_or_stale(orm, r.id(3));
    "get_cached_instance" |orm, r| Person::get_cached_instance(orm, r.id(2));
    "set_cached_instance" |orm, r| async move {
        r.person(3, "old").set_cached_instance(orm, SetOptions::default()).await
    };
    "delete_cached_instance" |orm, r| Person::delete_cached_instance(orm, r.id(2));
    "invalidate" |orm, r| Person::invalidate(orm, [r.id(2), r.id(3)]);
    "warm" |orm, r| Person::warm(orm, [r.id(2), r.id(3)], |_| ());
    "status" |orm, _| orm.status();
    "outbox_status" |orm, _| orm.outbox_status();
    "explain" |orm, r| orm.explain::<Person>(r.id(2));
    "explain_key" |orm, r| {
        let key: CacheKey = r.person(2, "old").get_cache_key(orm);
        async move { orm.explain_key(&key).await }
    };
    "explain_row" |orm, r| {
        let id = r.id(2).to_string();
        async move { orm.explain_row(&NamedTable::new("people"), &[&id]).await }
    };
    "audit" |orm, r| orm.audit::<Person>([r.id(2), r.id(3)], AuditOptions::default(), |_| ());
    "audit_table" |orm, _| async move {
        let (table, keys) = (NamedTable::new("people"), RowKeys::Sample(2));
        orm.audit_table(&table, keys, AuditOptions::default(), |_| ()).await
    };
    "verify" |orm, _| orm.verify::<Person>();
    "verify_table" |orm, _| async move { orm.verify_table(&NamedTable::new("people")).await };
    "install_outbox" |orm, _| orm.install_outbox();
    "install_triggers" |orm, _| orm.install_triggers::<Note>();
    "uninstall_triggers" |orm, _| orm.uninstall_triggers::<Note>();
    "triggers_sql" |orm, _| orm.triggers_sql::<Person>();
    "triggers_sql_of" |orm, _| async move {
        orm.triggers_sql_of(&NamedTable::new("people")).await
    };
    "drain_outbox" |orm, _| orm.drain_outbox();
    "publish_metrics" |orm, _| orm.publish_metrics();
}
