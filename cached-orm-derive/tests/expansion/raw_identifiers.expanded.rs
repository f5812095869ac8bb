/// The columns of [`r#Enum`].
#[allow(dead_code)]
struct EnumColumns;
#[allow(dead_code, deprecated, missing_docs)]
const _: () = {
    use ::cached_orm::__private as _orm;
    #[automatically_derived]
    impl _orm::Entity for r#Enum {
        type Key = String;
        const NAME: &'static str = "Enum";
        const TABLE: _orm::Table = _orm::Table::new("enum", &["type"]);
        const FINGERPRINT: u64 = 0xd125_a3e9_9327_daf1;
        fn key(&self) -> String {
            _orm::Clone::clone(&self.r#type)
        }
    }
    #[automatically_derived]
    impl _orm::GivenKey for r#Enum {}
    #[automatically_derived]
    impl _orm::Persist<_orm::Postgres> for r#Enum {
        const SELECT: &'static str = r#"SELECT "type", "fn" FROM "enum""#;
        const SELECT_BY_KEY: &'static str = r#"SELECT "type", "fn" FROM "enum" WHERE "type" = $1"#;
        const LOCK_BY_KEY: &'static str = r#"SELECT "type", "fn" FROM "enum" WHERE "type" = $1 FOR NO KEY UPDATE"#;
        const INSERT: &'static str = r#"INSERT INTO "enum" ("fn", "type") VALUES ($1, $2) RETURNING "type", "fn", txid_current() AS "cached_orm_transaction""#;
        const DELETE: &'static str = r#"DELETE FROM "enum" WHERE "type" = $1 RETURNING "type", "fn", txid_current() AS "cached_orm_transaction""#;
        fn from_row(row: &_orm::Row<'_, _orm::Postgres>) -> _orm::Result<Self> {
            _orm::Ok(Self {
                r#type: row.get::<String>("type")?,
                r#fn: row.get::<i32>("fn")?,
            })
        }
        fn check_columns(columns: &mut _orm::ColumnCheck<'_, _orm::Postgres>) {
            columns.column::<String>("type");
            columns.column::<i32>("fn");
        }
        fn bind_columns(&self, bindings: &mut _orm::Bindings<_orm::Postgres>) {
            bindings.column::<i32>("fn", &self.r#fn);
        }
    }
    impl r#Enum {
        /// Reads the row with this primary key: from the cache, or else from the database.
        async fn fetch(
            db: impl _orm::PgSession,
            key: String,
        ) -> _orm::Result<_orm::Option<Self>> {
            <Self as _orm::MemcachedOrm>::fetch(db, key).await
        }
        /// Writes the row, and reads back what the database made of it.
        async fn update(&mut self, db: impl _orm::PgSession) -> _orm::Result<()> {
            <Self as _orm::MemcachedOrm>::update(self, db).await
        }
        /// Reads the row again from the database, and caches it.
        async fn refresh(&mut self, db: impl _orm::PgSession) -> _orm::Result<()> {
            <Self as _orm::MemcachedOrm>::refresh(self, db).await
        }
        /// Deletes the row; `false` if there is none.
        async fn delete(&self, db: impl _orm::PgSession) -> _orm::Result<bool> {
            <Self as _orm::MemcachedOrm>::delete(self, db).await
        }
        /// The primary key as it stands in cache keys, such as `(7)`.
        fn get_instance_key(&self) -> _orm::String {
            <Self as _orm::MemcachedOrm>::get_instance_key(self)
        }
    }
    type _Column<T> = _orm::Column<r#Enum, T>;
    impl EnumColumns {
        const TYPE: _Column<String> = _Column::primary_key("type");
        const FN: _Column<i32> = _Column::new("fn");
    }
};
