/// The columns of [`Document`].
#[allow(dead_code)]
struct DocumentColumns;
#[allow(dead_code, deprecated, missing_docs)]
const _: () = {
    use ::cached_orm::__private as _orm;
    #[automatically_derived]
    impl _orm::Entity for Document {
        type Key = i64;
        const NAME: &'static str = "Document";
        const TABLE: _orm::Table = _orm::Table::new("documents", &["id"]);
        const VERSION: _orm::Option<&'static str> = _orm::Some("lock_version");
        const FINGERPRINT: u64 = 0x8b86_1459_92c9_bb9b;
        fn key(&self) -> i64 {
            _orm::Clone::clone(&self.id)
        }
    }
    #[automatically_derived]
    impl _orm::GivenKey for Document {}
    #[automatically_derived]
    impl _orm::Persist<_orm::Postgres> for Document {
        const SELECT: &'static str = r#"SELECT "id", "lock_version", "title" FROM "documents""#;
        const SELECT_BY_KEY: &'static str = r#"SELECT "id", "lock_version", "title" FROM "documents" WHERE "id" = $1"#;
        const LOCK_BY_KEY: &'static str = r#"SELECT "id", "lock_version", "title" FROM "documents" WHERE "id" = $1 FOR NO KEY UPDATE"#;
        const INSERT: &'static str = r#"INSERT INTO "documents" ("title", "lock_version", "id") VALUES ($1, $2, $3) RETURNING "id", "lock_version", "title", txid_current() AS "cached_orm_transaction""#;
        const DELETE: &'static str = r#"DELETE FROM "documents" WHERE "id" = $1 RETURNING "id", "lock_version", "title", txid_current() AS "cached_orm_transaction""#;
        fn from_row(row: &_orm::Row<'_, _orm::Postgres>) -> _orm::Result<Self> {
            _orm::Ok(Self {
                id: row.get::<i64>("id")?,
                revision: row.get::<i32>("lock_version")?,
                title: row.get::<String>("title")?,
            })
        }
        fn check_columns(columns: &mut _orm::ColumnCheck<'_, _orm::Postgres>) {
            columns.column::<i64>("id");
            columns.column::<i32>("lock_version");
            columns.column::<String>("title");
        }
        fn bind_columns(&self, bindings: &mut _orm::Bindings<_orm::Postgres>) {
            bindings.column::<String>("title", &self.title);
        }
        fn bind_version(&self, bindings: &mut _orm::Bindings<_orm::Postgres>) {
            bindings.version::<i32>("lock_version", &self.revision);
        }
    }
    #[automatically_derived]
    impl _orm::Persist<_orm::MySql> for Document {
        const SELECT: &'static str = "SELECT `id`, `lock_version`, `title` FROM `documents`";
        const SELECT_BY_KEY: &'static str = "SELECT `id`, `lock_version`, `title` FROM `documents` WHERE `id` = ?";
        const LOCK_BY_KEY: &'static str = "SELECT `id`, `lock_version`, `title` FROM `documents` WHERE `id` = ? FOR UPDATE";
        const INSERT: &'static str = "INSERT INTO `documents` (`title`, `lock_version`, `id`) VALUES (?, ?, ?)";
        const DELETE: &'static str = "DELETE FROM `documents` WHERE `id` = ?";
        fn from_row(row: &_orm::Row<'_, _orm::MySql>) -> _orm::Result<Self> {
            _orm::Ok(Self {
                id: row.get::<i64>("id")?,
                revision: row.get::<i32>("lock_version")?,
                title: row.get::<String>("title")?,
            })
        }
        fn check_columns(columns: &mut _orm::ColumnCheck<'_, _orm::MySql>) {
            columns.column::<i64>("id");
            columns.column::<i32>("lock_version");
            columns.column::<String>("title");
        }
        fn bind_columns(&self, bindings: &mut _orm::Bindings<_orm::MySql>) {
            bindings.column::<String>("title", &self.title);
        }
        fn bind_version(&self, bindings: &mut _orm::Bindings<_orm::MySql>) {
            bindings.version::<i32>("lock_version", &self.revision);
        }
    }
    impl Document {
        /// Reads the row with this primary key: from the cache, or else from the database.
        async fn fetch<S: _orm::Session>(
            db: S,
            key: i64,
        ) -> _orm::Result<_orm::Option<Self>>
        where
            Self: _orm::Persist<S::Database>,
        {
            <Self as _orm::MemcachedOrm>::fetch(db, key).await
        }
        /// Writes the row, and reads back what the database made of it.
        async fn update<S: _orm::Session>(&mut self, db: S) -> _orm::Result<()>
        where
            Self: _orm::Persist<S::Database>,
        {
            <Self as _orm::MemcachedOrm>::update(self, db).await
        }
        /// Reads the row again from the database, and caches it.
        async fn refresh<S: _orm::Session>(&mut self, db: S) -> _orm::Result<()>
        where
            Self: _orm::Persist<S::Database>,
        {
            <Self as _orm::MemcachedOrm>::refresh(self, db).await
        }
        /// Deletes the row; `false` if there is none.
        async fn delete<S: _orm::Session>(&self, db: S) -> _orm::Result<bool>
        where
            Self: _orm::Persist<S::Database>,
        {
            <Self as _orm::MemcachedOrm>::delete(self, db).await
        }
        /// The primary key as it stands in cache keys, such as `(7)`.
        fn get_instance_key(&self) -> _orm::String {
            <Self as _orm::MemcachedOrm>::get_instance_key(self)
        }
    }
    type _Column<T> = _orm::Column<Document, T>;
    impl DocumentColumns {
        const ID: _Column<i64> = _Column::primary_key("id");
        const REVISION: _Column<i32> = _Column::version("lock_version");
        const TITLE: _Column<String> = _Column::new("title");
    }
};
