use super::{
    Finding, SchemaReport, Shape, TableDescription, column_rules::missing, description::TableKind,
    findings,
};
use crate::{
    Backend, Error, NamedTable, Operation, Orm, Persist, Result,
    sql::{ColumnCheck, compose, fetch_raw},
};

impl<DB: Backend> Orm<DB> {
    /// Compares the table with what the struct says of it: its columns and their types,
    /// the primary key, indexes, triggers, rules, foreign keys, row-level security,
    /// partitions, and the other structs that this handle was used with.
    ///
    /// What makes the promise false, or calls fail, is an error, and the report says what
    /// to do; what only costs is a warning. The worst of it is looked for at the first use
    /// of a struct too, which is then refused. Call this where a program starts or is
    /// tested, after the migrations: then it is told before, and all at once.
    ///
    /// It reads the catalog, and changes nothing.
    ///
    /// # Errors
    /// [`Error::Database`] if the catalog cannot be read. What is found is no error of
    /// the call.
    ///
    /// ```no_run
    /// # mod user { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/user.rs")); } use user::*;
    /// # async fn example(orm: &Orm<Postgres>) -> Result<(), Box<dyn std::error::Error>> {
    /// let report = orm.verify::<User>().await?;
    /// if !report.is_sound() {
    ///     return Err(report.to_string().into());
    /// }
    /// # Ok(()) }
    /// ```
    pub async fn verify<T: Persist<DB>>(&self) -> Result<SchemaReport> {
        let operation = Operation::on::<T>("verify");
        self.forget_schema();
        let mut connection = self.own_connection(operation).await?;
        let looked = async {
            let described = DB::describe(&mut connection, T::TABLE.name()).await;
            let Some(table) = described.map_err(Error::database(operation))? else {
                return Ok(None);
            };
            let columns = check_columns::<DB, T>(&mut connection, &table, operation).await?;
            Ok::<_, Error>(Some((table, columns)))
        }
        .await;
        connection.answered();
        drop(connection);
        let shape = Shape::of::<DB, T>();
        let Some((table, columns)) = looked? else {
            return Ok(SchemaReport::without_table(&shape));
        };
        let mut found = findings(&shape, &table);
        found.extend(columns);
        found.extend(self.beside_others::<T>(&table).await);
        Ok(SchemaReport::new(&shape, &table, found))
    }

    /// [`verify`](Self::verify) for a table that is known by its name: as far as that can
    /// be told without the struct, so neither the types of its fields nor other structs.
    ///
    /// # Errors
    /// [`Error::Database`] if the catalog cannot be read.
    ///
    /// ```no_run
    /// # async fn example(orm: cached_orm::Orm<cached_orm::Postgres>) -> cached_orm::Result<()> {
    /// use cached_orm::NamedTable;
    ///
    /// let users = NamedTable::new("users").unique([("email", None)]);
    /// print!("{}", orm.verify_table(&users).await?);
    /// # Ok(()) }
    /// ```
    pub async fn verify_table(&self, named: &NamedTable) -> Result<SchemaReport> {
        let operation = Operation::new("verify");
        let mut connection = self.own_connection(operation).await?;
        let described = DB::describe(&mut connection, named.name()).await;
        connection.answered();
        let described = described.map_err(Error::database(operation))?;
        let mut shape = Shape::named(named);
        let Some(table) = described else { return Ok(SchemaReport::without_table(&shape)) };
        if shape.key.is_empty() {
            let primary = table.indexes.iter().find(|index| index.is_primary);
            shape.key = primary.map(|index| index.columns.clone()).unwrap_or_default();
        }
        let mut found = findings(&shape, &table);
        let said = shape.key.iter().chain(shape.indexes.iter().flat_map(|index| &index.columns));
        found.extend(said.filter_map(|column| missing(&table, column)));
        Ok(SchemaReport::new(&shape, &table, found))
    }
}

/// What is wrong with the columns that the struct's fields are read from.
async fn check_columns<DB: Backend, T: Persist<DB>>(
    connection: &mut DB::Connection,
    table: &TableDescription,
    operation: Operation,
) -> Result<Vec<Finding>> {
    let mut names = ColumnCheck::names();
    T::check_columns(&mut names);
    let mut found: Vec<_> =
        names.found().iter().filter_map(|column| missing(table, column.name)).collect();
    if !found.is_empty() {
        return Ok(found);
    }
    // One row, in which everything is NULL.
    let sql = compose::select_nulls::<DB, T>();
    let row = fetch_raw::<DB>(connection, sql, operation).await?;
    let mut check = ColumnCheck::of(&row);
    T::check_columns(&mut check);
    for column in check.found() {
        let Some(described) = table.column(column.name) else { continue };
        let subject = format!("column {}", column.name);
        if !column.is_compatible {
            found.push(Finding::error(
                subject.clone(),
                format!("`{}` cannot be read as `{}`", described.type_name, column.rust_type),
                "change the field's type, or the column's",
            ));
        }
        // A view's catalog does not say it.
        if described.is_nullable && !column.takes_null && table.kind != TableKind::View {
            let is_key = T::TABLE.key_columns().contains(&column.name);
            let cure = match is_key {
                true => "`NOT NULL` on the column".to_owned(),
                false => format!("`Option<{}>`, or `NOT NULL` on the column", column.rust_type),
            };
            let what = format!("can be NULL, which a `{}` cannot", column.rust_type);
            found.push(Finding::error(subject, what, cure));
        }
    }
    Ok(found)
}

impl SchemaReport {
    fn without_table(shape: &Shape) -> Self {
        let finding = Finding::error(
            format!("table {}", shape.table),
            "is not there, or this role cannot see it",
            "create it, or name it with its schema: `#[orm(table = \"app.users\")]`",
        );
        Self { entity: shape.entity.clone(), table: None, findings: vec![finding] }
    }

    fn new(shape: &Shape, table: &TableDescription, mut findings: Vec<Finding>) -> Self {
        findings.sort_by_key(|finding| finding.severity);
        findings.dedup();
        Self { entity: shape.entity.clone(), table: Some(table.identity.clone()), findings }
    }
}
