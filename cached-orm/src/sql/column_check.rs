use super::{Backend, Storable};

/// What a struct's fields ask of their columns, one call for each field: for
/// [`Orm::verify`](crate::Orm::verify).
#[derive(Debug)]
pub struct ColumnCheck<'r, DB: Backend> {
    /// A row in which everything is NULL.
    row: Option<&'r DB::Row>,
    found: Vec<CheckedColumn>,
}

/// A column, and what its field's type makes of it.
#[derive(Debug)]
pub(crate) struct CheckedColumn {
    pub(crate) name: &'static str,
    pub(crate) rust_type: String,
    /// Whether values of the column's type can be read.
    pub(crate) is_compatible: bool,
    /// Whether NULL can be.
    pub(crate) takes_null: bool,
}

impl<'r, DB: Backend> ColumnCheck<'r, DB> {
    /// Only their names.
    pub(crate) fn names() -> Self {
        Self { row: None, found: Vec::new() }
    }

    pub(crate) fn of(row: &'r DB::Row) -> Self {
        Self { row: Some(row), found: Vec::new() }
    }

    pub(crate) fn found(&self) -> &[CheckedColumn] {
        &self.found
    }

    /// A column that is read as a `T`.
    pub fn column<T: Storable<DB>>(&mut self, name: &'static str) {
        let found =
            self.row.map(|row| (T::is_compatible(row, name), takes_null::<DB, T>(row, name)));
        self.add::<T>(name, found);
    }

    /// A column whose value is an [`Uncached`](crate::Uncached) of `T`.
    pub fn uncached_column<T: Storable<DB>>(&mut self, name: &'static str) {
        self.column::<T>(name);
    }

    /// A column in which a `T` lies as JSON.
    #[cfg(feature = "json")]
    pub fn json_column<T>(&mut self, name: &'static str)
    where
        DB: super::JsonBackend,
        T: serde::de::DeserializeOwned,
    {
        let found = self.row.map(|row| (true, DB::json_column::<T>(row, name).is_ok()));
        self.add::<T>(name, found);
    }

    fn add<T>(&mut self, name: &'static str, found: Option<(bool, bool)>) {
        let (is_compatible, takes_null) = found.unwrap_or((true, true));
        let rust_type = short(std::any::type_name::<T>());
        self.found.push(CheckedColumn { name, rust_type, is_compatible, takes_null });
    }
}

/// SQLite's driver makes an empty value of NULL.
fn takes_null<DB: Backend, T: Storable<DB>>(row: &DB::Row, name: &str) -> bool {
    let is_told = DB::NAME != "SQLite" || std::any::type_name::<T>().contains("Option<");
    is_told && T::from_column(row, name).is_ok()
}

/// `core::option::Option<alloc::string::String>` as `Option<String>`.
fn short(name: &str) -> String {
    let is_of_path = |char: char| char.is_alphanumeric() || char == '_' || char == ':';
    let mut short = String::new();
    let mut rest = name;
    while let Some(first) = rest.chars().next() {
        let length = rest.find(|char| !is_of_path(char)).unwrap_or(rest.len());
        if length == 0 {
            short.push(first);
            rest = &rest[first.len_utf8()..];
            continue;
        }
        let (path, after) = rest.split_at(length);
        short.push_str(path.rsplit("::").next().unwrap_or(path));
        rest = after;
    }
    short
}

#[cfg(test)]
mod tests {
    use super::short;

    #[test]
    fn types_are_called_as_they_are_written() {
        for (name, expected) in [
            ("i64", "i64"),
            ("core::option::Option<alloc::string::String>", "Option<String>"),
            ("(a::B, c::D<e::F>)", "(B, D<F>)"),
        ] {
            assert_eq!(short(name), expected);
        }
    }
}
