/// The columns of [`Member`].
#[allow(dead_code)]
pub struct MemberColumns;
#[allow(dead_code, deprecated, missing_docs)]
const _: () = {
    use ::cached_orm::__private as _orm;
    #[automatically_derived]
    impl _orm::Entity for Member {
        type Key = (i64, i64);
        const NAME: &'static str = "Member";
        const TABLE: _orm::Table = _orm::Table::new("members", &["tenant", "number"]);
        const VERSION: _orm::Option<&'static str> = _orm::Some("revision");
        const FINGERPRINT: u64 = 0xb2d9_0f47_d264_09d2;
        const POLICY: _orm::CachePolicy = _orm::CachePolicy::DEFAULT
            .ttl(_orm::Duration::from_secs(600));
        const INDEXES: &'static [_orm::Index<Self>] = &[
            _orm::Index::unique(
                &[_orm::IndexColumn::of::<Option<String>>("email")],
                |row| _orm::IndexValue::new().part(&row.email),
            ),
            _orm::Index::list(
                &[_orm::IndexColumn::of::<String>("city")],
                |row| _orm::IndexValue::new().part(&row.city),
            ),
            _orm::Index::unique(
                &[
                    _orm::IndexColumn::of::<i64>("tenant"),
                    _orm::IndexColumn::of::<String>("handle"),
                ],
                |row| _orm::IndexValue::new().part(&row.tenant).part(&row.handle),
            ),
        ];
        fn key(&self) -> (i64, i64) {
            (_orm::Clone::clone(&self.tenant), _orm::Clone::clone(&self.number))
        }
        fn uncached_fields(&mut self) -> _orm::Vec<&mut dyn _orm::UncachedField> {
            _orm::vec![& mut self.password]
        }
    }
    #[automatically_derived]
    impl _orm::GivenKey for Member {}
    #[automatically_derived]
    impl _orm::Persist<_orm::Postgres> for Member {
        const SELECT: &'static str = r#"SELECT "tenant", "number", "email", "handle", "city", "settings", "password", "revision" FROM "members""#;
        const SELECT_BY_KEY: &'static str = r#"SELECT "tenant", "number", "email", "handle", "city", "settings", "password", "revision" FROM "members" WHERE "tenant" = $1 AND "number" = $2"#;
        const LOCK_BY_KEY: &'static str = r#"SELECT "tenant", "number", "email", "handle", "city", "settings", "password", "revision" FROM "members" WHERE "tenant" = $1 AND "number" = $2 FOR NO KEY UPDATE"#;
        const INSERT: &'static str = r#"INSERT INTO "members" ("email", "handle", "city", "settings", "password", "revision", "tenant", "number") VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING "tenant", "number", "email", "handle", "city", "settings", "password", "revision", txid_current() AS "cached_orm_transaction""#;
        const DELETE: &'static str = r#"DELETE FROM "members" WHERE "tenant" = $1 AND "number" = $2 RETURNING "tenant", "number", "email", "handle", "city", "settings", "password", "revision", txid_current() AS "cached_orm_transaction""#;
        fn from_row(row: &_orm::Row<'_, _orm::Postgres>) -> _orm::Result<Self> {
            _orm::Ok(Self {
                tenant: row.get::<i64>("tenant")?,
                number: row.get::<i64>("number")?,
                email: row.get::<Option<String>>("email")?,
                handle: row.get::<String>("handle")?,
                city: row.get::<String>("city")?,
                settings: row.get_json::<Settings>("settings")?,
                password: row.get_uncached::<String>("password")?,
                revision: row.get::<i64>("revision")?,
            })
        }
        fn check_columns(columns: &mut _orm::ColumnCheck<'_, _orm::Postgres>) {
            columns.column::<i64>("tenant");
            columns.column::<i64>("number");
            columns.column::<Option<String>>("email");
            columns.column::<String>("handle");
            columns.column::<String>("city");
            columns.json_column::<Settings>("settings");
            columns.uncached_column::<String>("password");
            columns.column::<i64>("revision");
        }
        fn bind_columns(&self, bindings: &mut _orm::Bindings<_orm::Postgres>) {
            bindings.column::<Option<String>>("email", &self.email);
            bindings.column::<String>("handle", &self.handle);
            bindings.column::<String>("city", &self.city);
            bindings.json_column::<Settings>("settings", &self.settings);
            bindings.uncached_column::<String>("password", &self.password);
        }
        fn bind_version(&self, bindings: &mut _orm::Bindings<_orm::Postgres>) {
            bindings.version::<i64>("revision", &self.revision);
        }
    }
    impl Member {
        /// Reads the row with this primary key: from the cache, or else from the database.
        pub async fn fetch(
            db: impl _orm::PgSession,
            key: (i64, i64),
        ) -> _orm::Result<_orm::Option<Self>> {
            <Self as _orm::MemcachedOrm>::fetch(db, key).await
        }
        /// Reads the row with this `email`: from the cache, or else from the database.
        pub async fn fetch_by_email(
            db: impl _orm::PgSession,
            email: impl _orm::Into<String>,
        ) -> _orm::Result<_orm::Option<Self>> {
            let value: String = email.into();
            _orm::fetch_by_unique(
                    db,
                    "fetch_by_email",
                    &<Self as _orm::Entity>::INDEXES[0],
                    value,
                )
                .await
        }
        /// Reads the rows with these values of `email`, in the order asked: from the cache, or else from the database.
        pub fn fetch_many_by_email(
            db: impl _orm::PgSession,
            values: impl _orm::IntoIterator<Item = impl _orm::Into<String>>,
        ) -> impl _orm::Future<
            Output = _orm::Result<_orm::Vec<_orm::Option<Self>>>,
        > + _orm::Send {
            _orm::fetch_many_by_unique::<
                String,
                _,
                _,
            >(db, "fetch_many_by_email", &<Self as _orm::Entity>::INDEXES[0], values)
        }
        /// Reads the rows with this `city`, in the order of their primary keys: from the cache, or else from the database.
        pub async fn fetch_by_city(
            db: impl _orm::PgSession,
            city: impl _orm::Into<String>,
        ) -> _orm::Result<_orm::Vec<Self>> {
            let value: String = city.into();
            _orm::fetch_by_index(
                    db,
                    "fetch_by_city",
                    &<Self as _orm::Entity>::INDEXES[1],
                    value,
                )
                .await
        }
        /// Reads the row with this `tenant` and `handle`: from the cache, or else from the database.
        pub async fn fetch_by_tenant_and_handle(
            db: impl _orm::PgSession,
            tenant: impl _orm::Into<i64>,
            handle: impl _orm::Into<String>,
        ) -> _orm::Result<_orm::Option<Self>> {
            let value: (i64, String) = (tenant.into(), handle.into());
            _orm::fetch_by_unique(
                    db,
                    "fetch_by_tenant_and_handle",
                    &<Self as _orm::Entity>::INDEXES[2],
                    value,
                )
                .await
        }
        /// Reads the rows with these values of `tenant` and `handle`, in the order asked: from the cache, or else from the database.
        pub fn fetch_many_by_tenant_and_handle(
            db: impl _orm::PgSession,
            values: impl _orm::IntoIterator<Item = impl _orm::Into<(i64, String)>>,
        ) -> impl _orm::Future<
            Output = _orm::Result<_orm::Vec<_orm::Option<Self>>>,
        > + _orm::Send {
            _orm::fetch_many_by_unique::<
                (i64, String),
                _,
                _,
            >(
                db,
                "fetch_many_by_tenant_and_handle",
                &<Self as _orm::Entity>::INDEXES[2],
                values,
            )
        }
        /// Writes the row, and reads back what the database made of it.
        pub async fn update(&mut self, db: impl _orm::PgSession) -> _orm::Result<()> {
            <Self as _orm::MemcachedOrm>::update(self, db).await
        }
        /// Reads the row again from the database, and caches it.
        pub async fn refresh(&mut self, db: impl _orm::PgSession) -> _orm::Result<()> {
            <Self as _orm::MemcachedOrm>::refresh(self, db).await
        }
        /// Deletes the row; `false` if there is none.
        pub async fn delete(&self, db: impl _orm::PgSession) -> _orm::Result<bool> {
            <Self as _orm::MemcachedOrm>::delete(self, db).await
        }
        /// The primary key as it stands in cache keys, such as `(7)`.
        pub fn get_instance_key(&self) -> _orm::String {
            <Self as _orm::MemcachedOrm>::get_instance_key(self)
        }
    }
    type _Column<T> = _orm::Column<Member, T>;
    impl MemberColumns {
        pub const TENANT: _Column<i64> = _Column::key_part("tenant");
        pub const NUMBER: _Column<i64> = _Column::key_part("number");
        pub const EMAIL: _Column<Option<String>> = _Column::new("email").indexed();
        pub const HANDLE: _Column<String> = _Column::new("handle");
        pub const CITY: _Column<String> = _Column::new("city").indexed();
        pub const SETTINGS: _Column<_orm::Json<Settings>> = _Column::new("settings")
            .json();
        pub const PASSWORD: _Column<String> = _Column::new("password");
        pub const REVISION: _Column<i64> = _Column::version("revision");
    }
};
