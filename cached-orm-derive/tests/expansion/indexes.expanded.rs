/// The columns of [`Member`].
#[allow(dead_code)]
pub struct MemberColumns;
#[allow(dead_code, deprecated, missing_docs)]
const _: () = {
    use ::cached_orm::__private as _orm;
    #[automatically_derived]
    impl _orm::Entity for Member {
        type Key = (i32, i32);
        const NAME: &'static str = "Member";
        const TABLE: _orm::Table = _orm::Table::new("members", &["team", "number"]);
        const CACHE_NAME: &'static str = "members";
        const FINGERPRINT: u64 = 0xc921_ac6c_aac7_1387;
        const POLICY: _orm::CachePolicy = _orm::CachePolicy::DEFAULT
            .negative_ttl(_orm::Some(_orm::Duration::from_secs(2)));
        const INDEXES: &'static [_orm::Index<Self>] = &[
            _orm::Index::unique(
                &[_orm::IndexColumn::of::<Option<String>>("email")],
                |row| _orm::IndexValue::new().part(&row.email),
            ),
            _orm::Index::unique(
                &[
                    _orm::IndexColumn::of::<i32>("team"),
                    _orm::IndexColumn::of::<String>("handle"),
                ],
                |row| _orm::IndexValue::new().part(&row.team).part(&row.handle),
            ),
            _orm::Index::list(
                &[
                    _orm::IndexColumn::of::<i32>("team"),
                    _orm::IndexColumn::of::<Option<String>>("city"),
                ],
                |row| _orm::IndexValue::new().part(&row.team).part(&row.city),
            ),
        ];
        fn key(&self) -> (i32, i32) {
            (_orm::Clone::clone(&self.team), _orm::Clone::clone(&self.number))
        }
        fn take_skipped(&mut self, other: &mut Self) {
            _orm::swap(&mut self.draft, &mut other.draft);
        }
    }
    #[automatically_derived]
    impl _orm::GivenKey for Member {}
    #[automatically_derived]
    impl _orm::Persist<_orm::Postgres> for Member {
        const SELECT: &'static str = r#"SELECT "team", "number", "handle", "email", "city", "settings", "joined", "legacy" FROM "members""#;
        const SELECT_BY_KEY: &'static str = r#"SELECT "team", "number", "handle", "email", "city", "settings", "joined", "legacy" FROM "members" WHERE "team" = $1 AND "number" = $2"#;
        const LOCK_BY_KEY: &'static str = r#"SELECT "team", "number", "handle", "email", "city", "settings", "joined", "legacy" FROM "members" WHERE "team" = $1 AND "number" = $2 FOR NO KEY UPDATE"#;
        const INSERT: &'static str = r#"INSERT INTO "members" ("handle", "email", "city", "settings", "team", "number") VALUES ($1, $2, $3, $4, $5, $6) RETURNING "team", "number", "handle", "email", "city", "settings", "joined", "legacy", txid_current() AS "cached_orm_transaction""#;
        const DELETE: &'static str = r#"DELETE FROM "members" WHERE "team" = $1 AND "number" = $2 RETURNING "team", "number", "handle", "email", "city", "settings", "joined", "legacy", txid_current() AS "cached_orm_transaction""#;
        fn from_row(row: &_orm::Row<'_, _orm::Postgres>) -> _orm::Result<Self> {
            _orm::Ok(Self {
                team: row.get::<i32>("team")?,
                number: row.get::<i32>("number")?,
                handle: row.get::<String>("handle")?,
                email: row.get::<Option<String>>("email")?,
                city: row.get::<Option<String>>("city")?,
                settings: row.get_json::<Settings>("settings")?,
                joined: row.get::<DateTime<Utc>>("joined")?,
                legacy: row.get::<Option<i32>>("legacy")?,
                draft: _orm::skipped::<bool>(),
            })
        }
        fn check_columns(columns: &mut _orm::ColumnCheck<'_, _orm::Postgres>) {
            columns.column::<i32>("team");
            columns.column::<i32>("number");
            columns.column::<String>("handle");
            columns.column::<Option<String>>("email");
            columns.column::<Option<String>>("city");
            columns.json_column::<Settings>("settings");
            columns.column::<DateTime<Utc>>("joined");
            columns.column::<Option<i32>>("legacy");
        }
        fn bind_columns(&self, bindings: &mut _orm::Bindings<_orm::Postgres>) {
            bindings.column::<String>("handle", &self.handle);
            bindings.column::<Option<String>>("email", &self.email);
            bindings.column::<Option<String>>("city", &self.city);
            bindings.json_column::<Settings>("settings", &self.settings);
        }
        fn bind_read_back(&self, bindings: &mut _orm::Bindings<_orm::Postgres>) {
            bindings.column::<DateTime<Utc>>("joined", &self.joined);
            bindings.column::<Option<i32>>("legacy", &self.legacy);
        }
    }
    impl Member {
        /// Reads the row with this primary key: from the cache, or else from the database.
        pub async fn fetch(
            db: impl _orm::PgSession,
            key: (i32, i32),
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
        /// Reads the row with this `team` and `handle`: from the cache, or else from the database.
        pub async fn fetch_by_team_and_handle(
            db: impl _orm::PgSession,
            team: impl _orm::Into<i32>,
            handle: impl _orm::Into<String>,
        ) -> _orm::Result<_orm::Option<Self>> {
            let value: (i32, String) = (team.into(), handle.into());
            _orm::fetch_by_unique(
                    db,
                    "fetch_by_team_and_handle",
                    &<Self as _orm::Entity>::INDEXES[1],
                    value,
                )
                .await
        }
        /// Reads the rows with these values of `team` and `handle`, in the order asked: from the cache, or else from the database.
        pub fn fetch_many_by_team_and_handle(
            db: impl _orm::PgSession,
            values: impl _orm::IntoIterator<Item = impl _orm::Into<(i32, String)>>,
        ) -> impl _orm::Future<
            Output = _orm::Result<_orm::Vec<_orm::Option<Self>>>,
        > + _orm::Send {
            _orm::fetch_many_by_unique::<
                (i32, String),
                _,
                _,
            >(
                db,
                "fetch_many_by_team_and_handle",
                &<Self as _orm::Entity>::INDEXES[1],
                values,
            )
        }
        /// Reads the rows with this `team` and `city`, in the order of their primary keys: from the cache, or else from the database.
        pub async fn fetch_by_team_and_city(
            db: impl _orm::PgSession,
            team: impl _orm::Into<i32>,
            city: impl _orm::Into<String>,
        ) -> _orm::Result<_orm::Vec<Self>> {
            let value: (i32, String) = (team.into(), city.into());
            _orm::fetch_by_index(
                    db,
                    "fetch_by_team_and_city",
                    &<Self as _orm::Entity>::INDEXES[2],
                    value,
                )
                .await
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
        pub const TEAM: _Column<i32> = _Column::key_part("team");
        pub const NUMBER: _Column<i32> = _Column::key_part("number");
        pub const HANDLE: _Column<String> = _Column::new("handle");
        pub const EMAIL: _Column<Option<String>> = _Column::new("email").indexed();
        pub const CITY: _Column<Option<String>> = _Column::new("city");
        pub const SETTINGS: _Column<_orm::Json<Settings>> = _Column::new("settings")
            .json();
        pub const JOINED: _Column<DateTime<Utc>> = _Column::read_back("joined");
        pub const LEGACY: _Column<Option<i32>> = _Column::read_back("legacy");
    }
};
