/// The columns of [`User`].
#[allow(dead_code)]
pub struct UserColumns;
#[allow(dead_code, deprecated, missing_docs)]
const _: () = {
    use ::cached_orm::__private as _orm;
    #[automatically_derived]
    impl _orm::Entity for User {
        type Key = i64;
        const NAME: &'static str = "User";
        const TABLE: _orm::Table = _orm::Table::new("users", &["id"]);
        const FINGERPRINT: u64 = 0x9ee9_293b_7abb_fdad;
        const POLICY: _orm::CachePolicy = _orm::CachePolicy::DEFAULT
            .ttl(_orm::Duration::from_secs(600));
        fn key(&self) -> i64 {
            _orm::Clone::clone(&self.id)
        }
    }
    #[automatically_derived]
    impl _orm::Persist<_orm::Sqlite> for User {
        const SELECT: &'static str = "SELECT `id`, `email`, `name` FROM `users`";
        const SELECT_BY_KEY: &'static str = "SELECT `id`, `email`, `name` FROM `users` WHERE `id` = $1";
        const INSERT: &'static str = "INSERT INTO `users` (`email`, `name`) VALUES ($1, $2) RETURNING `id`, `email`, `name`";
        const DELETE: &'static str = "DELETE FROM `users` WHERE `id` = $1 RETURNING `id`, `email`, `name`";
        fn from_row(row: &_orm::Row<'_, _orm::Sqlite>) -> _orm::Result<Self> {
            _orm::Ok(Self {
                id: row.get::<i64>("id")?,
                email: row.get::<String>("email")?,
                name: row.get::<String>("name")?,
            })
        }
        fn check_columns(columns: &mut _orm::ColumnCheck<'_, _orm::Sqlite>) {
            columns.column::<i64>("id");
            columns.column::<String>("email");
            columns.column::<String>("name");
        }
        fn bind_columns(&self, bindings: &mut _orm::Bindings<_orm::Sqlite>) {
            bindings.column::<String>("email", &self.email);
            bindings.column::<String>("name", &self.name);
        }
        fn bind_given_key(&self, _: &mut _orm::Bindings<_orm::Sqlite>) {}
    }
    impl User {
        /// Reads the row with this primary key: from the cache, or else from the database.
        pub async fn fetch(
            db: impl _orm::SqliteSession,
            key: i64,
        ) -> _orm::Result<_orm::Option<Self>> {
            <Self as _orm::MemcachedOrm>::fetch(db, key).await
        }
        /// Writes the row, and reads back what the database made of it.
        pub async fn update(
            &mut self,
            db: impl _orm::SqliteSession,
        ) -> _orm::Result<()> {
            <Self as _orm::MemcachedOrm>::update(self, db).await
        }
        /// Reads the row again from the database, and caches it.
        pub async fn refresh(
            &mut self,
            db: impl _orm::SqliteSession,
        ) -> _orm::Result<()> {
            <Self as _orm::MemcachedOrm>::refresh(self, db).await
        }
        /// Deletes the row; `false` if there is none.
        pub async fn delete(&self, db: impl _orm::SqliteSession) -> _orm::Result<bool> {
            <Self as _orm::MemcachedOrm>::delete(self, db).await
        }
        /// The primary key as it stands in cache keys, such as `(7)`.
        pub fn get_instance_key(&self) -> _orm::String {
            <Self as _orm::MemcachedOrm>::get_instance_key(self)
        }
    }
    type _Column<T> = _orm::Column<User, T>;
    impl UserColumns {
        pub const ID: _Column<i64> = _Column::primary_key("id");
        pub const EMAIL: _Column<String> = _Column::new("email");
        pub const NAME: _Column<String> = _Column::new("name");
    }
};
