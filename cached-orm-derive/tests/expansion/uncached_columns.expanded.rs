/// The columns of [`Account`].
#[allow(dead_code)]
pub struct AccountColumns;
#[allow(dead_code, deprecated, missing_docs)]
const _: () = {
    use ::cached_orm::__private as _orm;
    #[automatically_derived]
    impl _orm::Entity for Account {
        type Key = i64;
        const NAME: &'static str = "Account";
        const TABLE: _orm::Table = _orm::Table::new("accounts", &["id"]);
        const FINGERPRINT: u64 = 0x740d_883c_a707_5287;
        fn key(&self) -> i64 {
            _orm::Clone::clone(&self.id)
        }
        fn uncached_fields(&mut self) -> _orm::Vec<&mut dyn _orm::UncachedField> {
            _orm::vec![& mut self.password, & mut self.memo, & mut self.token]
        }
    }
    #[automatically_derived]
    impl _orm::GivenKey for Account {}
    #[automatically_derived]
    impl _orm::Persist<_orm::Postgres> for Account {
        const SELECT: &'static str = r#"SELECT "id", "name", "password", "notes", "token" FROM "accounts""#;
        const SELECT_BY_KEY: &'static str = r#"SELECT "id", "name", "password", "notes", "token" FROM "accounts" WHERE "id" = $1"#;
        const LOCK_BY_KEY: &'static str = r#"SELECT "id", "name", "password", "notes", "token" FROM "accounts" WHERE "id" = $1 FOR NO KEY UPDATE"#;
        const INSERT: &'static str = r#"INSERT INTO "accounts" ("name", "password", "notes", "id") VALUES ($1, $2, $3, $4) RETURNING "id", "name", "password", "notes", "token", txid_current() AS "cached_orm_transaction""#;
        const DELETE: &'static str = r#"DELETE FROM "accounts" WHERE "id" = $1 RETURNING "id", "name", "password", "notes", "token", txid_current() AS "cached_orm_transaction""#;
        fn from_row(row: &_orm::Row<'_, _orm::Postgres>) -> _orm::Result<Self> {
            _orm::Ok(Self {
                id: row.get::<i64>("id")?,
                name: row.get::<String>("name")?,
                password: row.get_uncached::<String>("password")?,
                memo: row.get_uncached::<Option<Vec<u8>>>("notes")?,
                token: row.get_uncached::<Uuid>("token")?,
            })
        }
        fn check_columns(columns: &mut _orm::ColumnCheck<'_, _orm::Postgres>) {
            columns.column::<i64>("id");
            columns.column::<String>("name");
            columns.uncached_column::<String>("password");
            columns.uncached_column::<Option<Vec<u8>>>("notes");
            columns.uncached_column::<Uuid>("token");
        }
        fn bind_columns(&self, bindings: &mut _orm::Bindings<_orm::Postgres>) {
            bindings.column::<String>("name", &self.name);
            bindings.uncached_column::<String>("password", &self.password);
            bindings.uncached_column::<Option<Vec<u8>>>("notes", &self.memo);
        }
        fn bind_read_back(&self, bindings: &mut _orm::Bindings<_orm::Postgres>) {
            bindings.uncached_column::<Uuid>("token", &self.token);
        }
    }
    #[automatically_derived]
    impl _orm::Persist<_orm::MySql> for Account {
        const SELECT: &'static str = "SELECT `id`, `name`, `password`, `notes`, `token` FROM `accounts`";
        const SELECT_BY_KEY: &'static str = "SELECT `id`, `name`, `password`, `notes`, `token` FROM `accounts` WHERE `id` = ?";
        const LOCK_BY_KEY: &'static str = "SELECT `id`, `name`, `password`, `notes`, `token` FROM `accounts` WHERE `id` = ? FOR UPDATE";
        const INSERT: &'static str = "INSERT INTO `accounts` (`name`, `password`, `notes`, `id`) VALUES (?, ?, ?, ?)";
        const DELETE: &'static str = "DELETE FROM `accounts` WHERE `id` = ?";
        fn from_row(row: &_orm::Row<'_, _orm::MySql>) -> _orm::Result<Self> {
            _orm::Ok(Self {
                id: row.get::<i64>("id")?,
                name: row.get::<String>("name")?,
                password: row.get_uncached::<String>("password")?,
                memo: row.get_uncached::<Option<Vec<u8>>>("notes")?,
                token: row.get_uncached::<Uuid>("token")?,
            })
        }
        fn check_columns(columns: &mut _orm::ColumnCheck<'_, _orm::MySql>) {
            columns.column::<i64>("id");
            columns.column::<String>("name");
            columns.uncached_column::<String>("password");
            columns.uncached_column::<Option<Vec<u8>>>("notes");
            columns.uncached_column::<Uuid>("token");
        }
        fn bind_columns(&self, bindings: &mut _orm::Bindings<_orm::MySql>) {
            bindings.column::<String>("name", &self.name);
            bindings.uncached_column::<String>("password", &self.password);
            bindings.uncached_column::<Option<Vec<u8>>>("notes", &self.memo);
        }
        fn bind_read_back(&self, bindings: &mut _orm::Bindings<_orm::MySql>) {
            bindings.uncached_column::<Uuid>("token", &self.token);
        }
    }
    impl Account {
        /// Reads the row with this primary key: from the cache, or else from the database.
        pub async fn fetch<S: _orm::Session>(
            db: S,
            key: i64,
        ) -> _orm::Result<_orm::Option<Self>>
        where
            Self: _orm::Persist<S::Database>,
        {
            <Self as _orm::MemcachedOrm>::fetch(db, key).await
        }
        /// Writes the row, and reads back what the database made of it.
        pub async fn update<S: _orm::Session>(&mut self, db: S) -> _orm::Result<()>
        where
            Self: _orm::Persist<S::Database>,
        {
            <Self as _orm::MemcachedOrm>::update(self, db).await
        }
        /// Reads the row again from the database, and caches it.
        pub async fn refresh<S: _orm::Session>(&mut self, db: S) -> _orm::Result<()>
        where
            Self: _orm::Persist<S::Database>,
        {
            <Self as _orm::MemcachedOrm>::refresh(self, db).await
        }
        /// Deletes the row; `false` if there is none.
        pub async fn delete<S: _orm::Session>(&self, db: S) -> _orm::Result<bool>
        where
            Self: _orm::Persist<S::Database>,
        {
            <Self as _orm::MemcachedOrm>::delete(self, db).await
        }
        /// The primary key as it stands in cache keys, such as `(7)`.
        pub fn get_instance_key(&self) -> _orm::String {
            <Self as _orm::MemcachedOrm>::get_instance_key(self)
        }
    }
    type _Column<T> = _orm::Column<Account, T>;
    impl AccountColumns {
        pub const ID: _Column<i64> = _Column::primary_key("id");
        pub const NAME: _Column<String> = _Column::new("name");
        pub const PASSWORD: _Column<String> = _Column::new("password");
        pub const MEMO: _Column<Option<Vec<u8>>> = _Column::new("notes");
        pub const TOKEN: _Column<Uuid> = _Column::read_back("token");
    }
};
