/// The columns of [`Membership`].
#[allow(dead_code)]
pub(crate) struct MembershipColumns;
#[allow(dead_code, deprecated, missing_docs)]
const _: () = {
    use ::cached_orm::__private as _orm;
    #[automatically_derived]
    impl _orm::Entity for Membership {
        type Key = (Uuid, String);
        const NAME: &'static str = "Membership";
        const TABLE: _orm::Table = _orm::Table::new("membership", &["tenant", "handle"]);
        const FINGERPRINT: u64 = 0x45a7_702f_924b_5fda;
        fn key(&self) -> (Uuid, String) {
            (_orm::Clone::clone(&self.tenant), _orm::Clone::clone(&self.handle))
        }
    }
    #[automatically_derived]
    impl _orm::GivenKey for Membership {}
    #[automatically_derived]
    impl _orm::Persist<_orm::Postgres> for Membership {
        const SELECT: &'static str = r#"SELECT "tenant", "role", "handle" FROM "membership""#;
        const SELECT_BY_KEY: &'static str = r#"SELECT "tenant", "role", "handle" FROM "membership" WHERE "tenant" = $1 AND "handle" = $2"#;
        const LOCK_BY_KEY: &'static str = r#"SELECT "tenant", "role", "handle" FROM "membership" WHERE "tenant" = $1 AND "handle" = $2 FOR NO KEY UPDATE"#;
        const INSERT: &'static str = r#"INSERT INTO "membership" ("role", "tenant", "handle") VALUES ($1, $2, $3) RETURNING "tenant", "role", "handle", txid_current() AS "cached_orm_transaction""#;
        const DELETE: &'static str = r#"DELETE FROM "membership" WHERE "tenant" = $1 AND "handle" = $2 RETURNING "tenant", "role", "handle", txid_current() AS "cached_orm_transaction""#;
        fn from_row(row: &_orm::Row<'_, _orm::Postgres>) -> _orm::Result<Self> {
            _orm::Ok(Self {
                tenant: row.get::<Uuid>("tenant")?,
                role: row.get::<String>("role")?,
                handle: row.get::<String>("handle")?,
            })
        }
        fn check_columns(columns: &mut _orm::ColumnCheck<'_, _orm::Postgres>) {
            columns.column::<Uuid>("tenant");
            columns.column::<String>("role");
            columns.column::<String>("handle");
        }
        fn bind_columns(&self, bindings: &mut _orm::Bindings<_orm::Postgres>) {
            bindings.column::<String>("role", &self.role);
        }
    }
    impl Membership {
        /// Reads the row with this primary key: from the cache, or else from the database.
        pub(crate) async fn fetch(
            db: impl _orm::PgSession,
            key: (Uuid, String),
        ) -> _orm::Result<_orm::Option<Self>> {
            <Self as _orm::MemcachedOrm>::fetch(db, key).await
        }
        /// Writes the row, and reads back what the database made of it.
        pub(crate) async fn update(
            &mut self,
            db: impl _orm::PgSession,
        ) -> _orm::Result<()> {
            <Self as _orm::MemcachedOrm>::update(self, db).await
        }
        /// Reads the row again from the database, and caches it.
        pub(crate) async fn refresh(
            &mut self,
            db: impl _orm::PgSession,
        ) -> _orm::Result<()> {
            <Self as _orm::MemcachedOrm>::refresh(self, db).await
        }
        /// Deletes the row; `false` if there is none.
        pub(crate) async fn delete(
            &self,
            db: impl _orm::PgSession,
        ) -> _orm::Result<bool> {
            <Self as _orm::MemcachedOrm>::delete(self, db).await
        }
        /// The primary key as it stands in cache keys, such as `(7)`.
        pub(crate) fn get_instance_key(&self) -> _orm::String {
            <Self as _orm::MemcachedOrm>::get_instance_key(self)
        }
    }
    type _Column<T> = _orm::Column<Membership, T>;
    impl MembershipColumns {
        pub(crate) const TENANT: _Column<Uuid> = _Column::key_part("tenant");
        pub(crate) const ROLE: _Column<String> = _Column::new("role");
        pub(crate) const HANDLE: _Column<String> = _Column::key_part("handle");
    }
};
