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
        const TABLE: _orm::Table = _orm::Table::new("app.users", &["id"]);
        const CACHE_NAME: &'static str = "users";
        const FINGERPRINT: u64 = 0xe524_8f60_d008_6e04;
        const POLICY: _orm::CachePolicy = _orm::CachePolicy::DEFAULT
            .ttl(_orm::Duration::from_secs(5400))
            .ttl_jitter(0.25)
            .negative_ttl(_orm::None)
            .min_compress_len(_orm::Some(1024));
        fn key(&self) -> i64 {
            _orm::Clone::clone(&self.id)
        }
        fn take_skipped(&mut self, other: &mut Self) {
            _orm::swap(&mut self.scratch, &mut other.scratch);
        }
    }
    #[automatically_derived]
    impl _orm::Persist<_orm::Postgres> for User {
        const SELECT: &'static str = r##"SELECT "id", "fullName", "e ""mail""#", "preferences", "createdAt", "legacy", "parent" FROM "app"."users""##;
        const SELECT_BY_KEY: &'static str = r##"SELECT "id", "fullName", "e ""mail""#", "preferences", "createdAt", "legacy", "parent" FROM "app"."users" WHERE "id" = $1"##;
        const LOCK_BY_KEY: &'static str = r##"SELECT "id", "fullName", "e ""mail""#", "preferences", "createdAt", "legacy", "parent" FROM "app"."users" WHERE "id" = $1 FOR NO KEY UPDATE"##;
        const INSERT: &'static str = r###"INSERT INTO "app"."users" ("fullName", "e ""mail""#", "preferences", "parent") VALUES ($1, $2, $3, $4) RETURNING "id", "fullName", "e ""mail""#", "preferences", "createdAt", "legacy", "parent", txid_current() AS "cached_orm_transaction""###;
        const DELETE: &'static str = r##"DELETE FROM "app"."users" WHERE "id" = $1 RETURNING "id", "fullName", "e ""mail""#", "preferences", "createdAt", "legacy", "parent", txid_current() AS "cached_orm_transaction""##;
        fn from_row(row: &_orm::Row<'_, _orm::Postgres>) -> _orm::Result<Self> {
            _orm::Ok(Self {
                id: row.get::<i64>("id")?,
                full_name: row.get::<String>("fullName")?,
                email: row.get::<String>("e \"mail\"#")?,
                preferences: row.get_json::<Preferences>("preferences")?,
                created_at: row.get::<DateTime<Utc>>("createdAt")?,
                legacy: row.get::<Option<i32>>("legacy")?,
                parent: row.get::<PhantomData<User>>("parent")?,
                scratch: _orm::skipped::<Vec<u8>>(),
            })
        }
        fn check_columns(columns: &mut _orm::ColumnCheck<'_, _orm::Postgres>) {
            columns.column::<i64>("id");
            columns.column::<String>("fullName");
            columns.column::<String>("e \"mail\"#");
            columns.json_column::<Preferences>("preferences");
            columns.column::<DateTime<Utc>>("createdAt");
            columns.column::<Option<i32>>("legacy");
            columns.column::<PhantomData<User>>("parent");
        }
        fn bind_columns(&self, bindings: &mut _orm::Bindings<_orm::Postgres>) {
            bindings.column::<String>("fullName", &self.full_name);
            bindings.column::<String>("e \"mail\"#", &self.email);
            bindings.json_column::<Preferences>("preferences", &self.preferences);
            bindings.column::<PhantomData<User>>("parent", &self.parent);
        }
        fn bind_read_back(&self, bindings: &mut _orm::Bindings<_orm::Postgres>) {
            bindings.column::<DateTime<Utc>>("createdAt", &self.created_at);
            bindings.column::<Option<i32>>("legacy", &self.legacy);
        }
        fn bind_given_key(&self, _: &mut _orm::Bindings<_orm::Postgres>) {}
    }
    #[automatically_derived]
    impl _orm::Persist<_orm::Sqlite> for User {
        const SELECT: &'static str = r##"SELECT `id`, `fullName`, `e "mail"#`, `preferences`, `createdAt`, `legacy`, `parent` FROM `app`.`users`"##;
        const SELECT_BY_KEY: &'static str = r##"SELECT `id`, `fullName`, `e "mail"#`, `preferences`, `createdAt`, `legacy`, `parent` FROM `app`.`users` WHERE `id` = $1"##;
        const INSERT: &'static str = r###"INSERT INTO `app`.`users` (`fullName`, `e "mail"#`, `preferences`, `parent`) VALUES ($1, $2, $3, $4) RETURNING `id`, `fullName`, `e "mail"#`, `preferences`, `createdAt`, `legacy`, `parent`"###;
        const DELETE: &'static str = r##"DELETE FROM `app`.`users` WHERE `id` = $1 RETURNING `id`, `fullName`, `e "mail"#`, `preferences`, `createdAt`, `legacy`, `parent`"##;
        fn from_row(row: &_orm::Row<'_, _orm::Sqlite>) -> _orm::Result<Self> {
            _orm::Ok(Self {
                id: row.get::<i64>("id")?,
                full_name: row.get::<String>("fullName")?,
                email: row.get::<String>("e \"mail\"#")?,
                preferences: row.get_json::<Preferences>("preferences")?,
                created_at: row.get::<DateTime<Utc>>("createdAt")?,
                legacy: row.get::<Option<i32>>("legacy")?,
                parent: row.get::<PhantomData<User>>("parent")?,
                scratch: _orm::skipped::<Vec<u8>>(),
            })
        }
        fn check_columns(columns: &mut _orm::ColumnCheck<'_, _orm::Sqlite>) {
            columns.column::<i64>("id");
            columns.column::<String>("fullName");
            columns.column::<String>("e \"mail\"#");
            columns.json_column::<Preferences>("preferences");
            columns.column::<DateTime<Utc>>("createdAt");
            columns.column::<Option<i32>>("legacy");
            columns.column::<PhantomData<User>>("parent");
        }
        fn bind_columns(&self, bindings: &mut _orm::Bindings<_orm::Sqlite>) {
            bindings.column::<String>("fullName", &self.full_name);
            bindings.column::<String>("e \"mail\"#", &self.email);
            bindings.json_column::<Preferences>("preferences", &self.preferences);
            bindings.column::<PhantomData<User>>("parent", &self.parent);
        }
        fn bind_read_back(&self, bindings: &mut _orm::Bindings<_orm::Sqlite>) {
            bindings.column::<DateTime<Utc>>("createdAt", &self.created_at);
            bindings.column::<Option<i32>>("legacy", &self.legacy);
        }
        fn bind_given_key(&self, _: &mut _orm::Bindings<_orm::Sqlite>) {}
    }
    impl User {
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
    type _Column<T> = _orm::Column<User, T>;
    impl UserColumns {
        pub const ID: _Column<i64> = _Column::primary_key("id");
        pub const FULL_NAME: _Column<String> = _Column::new("fullName");
        pub const EMAIL: _Column<String> = _Column::new("e \"mail\"#");
        pub const PREFERENCES: _Column<_orm::Json<Preferences>> = _Column::new(
                "preferences",
            )
            .json();
        pub const CREATED_AT: _Column<DateTime<Utc>> = _Column::read_back("createdAt");
        pub const LEGACY: _Column<Option<i32>> = _Column::read_back("legacy");
        pub const PARENT: _Column<PhantomData<User>> = _Column::new("parent");
    }
};
