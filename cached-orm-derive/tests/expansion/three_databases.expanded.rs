/// The columns of [`HttpRoute`].
#[allow(dead_code)]
struct HttpRouteColumns;
#[allow(dead_code, deprecated, missing_docs)]
const _: () = {
    use ::cached_orm::__private as _orm;
    #[automatically_derived]
    impl _orm::Entity for HttpRoute {
        type Key = i64;
        const NAME: &'static str = "HttpRoute";
        const TABLE: _orm::Table = _orm::Table::new("http_route", &["id"]);
        const FINGERPRINT: u64 = 0x7af3_046c_6baf_f657;
        fn key(&self) -> i64 {
            _orm::Clone::clone(&self.id)
        }
    }
    #[automatically_derived]
    impl _orm::GivenKey for HttpRoute {}
    #[automatically_derived]
    impl _orm::Persist<_orm::Postgres> for HttpRoute {
        const SELECT: &'static str = r#"SELECT "id", "path" FROM "http_route""#;
        const SELECT_BY_KEY: &'static str = r#"SELECT "id", "path" FROM "http_route" WHERE "id" = $1"#;
        const LOCK_BY_KEY: &'static str = r#"SELECT "id", "path" FROM "http_route" WHERE "id" = $1 FOR NO KEY UPDATE"#;
        const INSERT: &'static str = r#"INSERT INTO "http_route" ("path", "id") VALUES ($1, $2) RETURNING "id", "path", txid_current() AS "cached_orm_transaction""#;
        const DELETE: &'static str = r#"DELETE FROM "http_route" WHERE "id" = $1 RETURNING "id", "path", txid_current() AS "cached_orm_transaction""#;
        fn from_row(row: &_orm::Row<'_, _orm::Postgres>) -> _orm::Result<Self> {
            _orm::Ok(Self {
                id: row.get::<i64>("id")?,
                path: row.get::<String>("path")?,
            })
        }
        fn check_columns(columns: &mut _orm::ColumnCheck<'_, _orm::Postgres>) {
            columns.column::<i64>("id");
            columns.column::<String>("path");
        }
        fn bind_columns(&self, bindings: &mut _orm::Bindings<_orm::Postgres>) {
            bindings.column::<String>("path", &self.path);
        }
    }
    #[automatically_derived]
    impl _orm::Persist<_orm::MySql> for HttpRoute {
        const SELECT: &'static str = "SELECT `id`, `path` FROM `http_route`";
        const SELECT_BY_KEY: &'static str = "SELECT `id`, `path` FROM `http_route` WHERE `id` = ?";
        const LOCK_BY_KEY: &'static str = "SELECT `id`, `path` FROM `http_route` WHERE `id` = ? FOR UPDATE";
        const INSERT: &'static str = "INSERT INTO `http_route` (`path`, `id`) VALUES (?, ?)";
        const DELETE: &'static str = "DELETE FROM `http_route` WHERE `id` = ?";
        fn from_row(row: &_orm::Row<'_, _orm::MySql>) -> _orm::Result<Self> {
            _orm::Ok(Self {
                id: row.get::<i64>("id")?,
                path: row.get::<String>("path")?,
            })
        }
        fn check_columns(columns: &mut _orm::ColumnCheck<'_, _orm::MySql>) {
            columns.column::<i64>("id");
            columns.column::<String>("path");
        }
        fn bind_columns(&self, bindings: &mut _orm::Bindings<_orm::MySql>) {
            bindings.column::<String>("path", &self.path);
        }
    }
    #[automatically_derived]
    impl _orm::Persist<_orm::Sqlite> for HttpRoute {
        const SELECT: &'static str = "SELECT `id`, `path` FROM `http_route`";
        const SELECT_BY_KEY: &'static str = "SELECT `id`, `path` FROM `http_route` WHERE `id` = $1";
        const INSERT: &'static str = "INSERT INTO `http_route` (`path`, `id`) VALUES ($1, $2) RETURNING `id`, `path`";
        const DELETE: &'static str = "DELETE FROM `http_route` WHERE `id` = $1 RETURNING `id`, `path`";
        fn from_row(row: &_orm::Row<'_, _orm::Sqlite>) -> _orm::Result<Self> {
            _orm::Ok(Self {
                id: row.get::<i64>("id")?,
                path: row.get::<String>("path")?,
            })
        }
        fn check_columns(columns: &mut _orm::ColumnCheck<'_, _orm::Sqlite>) {
            columns.column::<i64>("id");
            columns.column::<String>("path");
        }
        fn bind_columns(&self, bindings: &mut _orm::Bindings<_orm::Sqlite>) {
            bindings.column::<String>("path", &self.path);
        }
    }
    impl HttpRoute {
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
    type _Column<T> = _orm::Column<HttpRoute, T>;
    impl HttpRouteColumns {
        const ID: _Column<i64> = _Column::primary_key("id");
        const PATH: _Column<String> = _Column::new("path");
    }
};
