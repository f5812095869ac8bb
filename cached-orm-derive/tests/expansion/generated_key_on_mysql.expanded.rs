/// The columns of [`Invoice`].
#[allow(dead_code)]
struct InvoiceColumns;
#[allow(dead_code, deprecated, missing_docs)]
const _: () = {
    use ::cached_orm::__private as _orm;
    #[automatically_derived]
    impl _orm::Entity for Invoice {
        type Key = (i32, u64);
        const NAME: &'static str = "Invoice";
        const TABLE: _orm::Table = _orm::Table::new("odd`name", &["tenant", "number"]);
        const FINGERPRINT: u64 = 0x78ac_8e6b_93e9_ca8a;
        fn key(&self) -> (i32, u64) {
            (_orm::Clone::clone(&self.tenant), _orm::Clone::clone(&self.number))
        }
    }
    #[automatically_derived]
    impl _orm::Persist<_orm::MySql> for Invoice {
        const SELECT: &'static str = "SELECT `tenant`, `number`, `total` FROM `odd``name`";
        const SELECT_BY_KEY: &'static str = "SELECT `tenant`, `number`, `total` FROM `odd``name` WHERE `tenant` = ? AND `number` = ?";
        const LOCK_BY_KEY: &'static str = "SELECT `tenant`, `number`, `total` FROM `odd``name` WHERE `tenant` = ? AND `number` = ? FOR UPDATE";
        const INSERT: &'static str = "INSERT INTO `odd``name` (`total`, `tenant`) VALUES (?, ?)";
        const SELECT_INSERTED: _orm::Option<&'static str> = _orm::Some(
            "SELECT `tenant`, `number`, `total` FROM `odd``name` WHERE `tenant` = ? AND `number` = LAST_INSERT_ID() FOR UPDATE",
        );
        const DELETE: &'static str = "DELETE FROM `odd``name` WHERE `tenant` = ? AND `number` = ?";
        fn from_row(row: &_orm::Row<'_, _orm::MySql>) -> _orm::Result<Self> {
            _orm::Ok(Self {
                tenant: row.get::<i32>("tenant")?,
                number: row.get::<u64>("number")?,
                total: row.get::<i64>("total")?,
            })
        }
        fn check_columns(columns: &mut _orm::ColumnCheck<'_, _orm::MySql>) {
            columns.column::<i32>("tenant");
            columns.column::<u64>("number");
            columns.column::<i64>("total");
        }
        fn bind_columns(&self, bindings: &mut _orm::Bindings<_orm::MySql>) {
            bindings.column::<i64>("total", &self.total);
        }
        fn bind_given_key(&self, bindings: &mut _orm::Bindings<_orm::MySql>) {
            bindings.column::<i32>("tenant", &self.tenant);
        }
    }
    impl Invoice {
        /// Reads the row with this primary key: from the cache, or else from the database.
        async fn fetch(
            db: impl _orm::MySqlSession,
            key: (i32, u64),
        ) -> _orm::Result<_orm::Option<Self>> {
            <Self as _orm::MemcachedOrm>::fetch(db, key).await
        }
        /// Writes the row, and reads back what the database made of it.
        async fn update(&mut self, db: impl _orm::MySqlSession) -> _orm::Result<()> {
            <Self as _orm::MemcachedOrm>::update(self, db).await
        }
        /// Reads the row again from the database, and caches it.
        async fn refresh(&mut self, db: impl _orm::MySqlSession) -> _orm::Result<()> {
            <Self as _orm::MemcachedOrm>::refresh(self, db).await
        }
        /// Deletes the row; `false` if there is none.
        async fn delete(&self, db: impl _orm::MySqlSession) -> _orm::Result<bool> {
            <Self as _orm::MemcachedOrm>::delete(self, db).await
        }
        /// The primary key as it stands in cache keys, such as `(7)`.
        fn get_instance_key(&self) -> _orm::String {
            <Self as _orm::MemcachedOrm>::get_instance_key(self)
        }
    }
    type _Column<T> = _orm::Column<Invoice, T>;
    impl InvoiceColumns {
        const TENANT: _Column<i32> = _Column::key_part("tenant");
        const NUMBER: _Column<u64> = _Column::key_part("number");
        const TOTAL: _Column<i64> = _Column::new("total");
    }
};
