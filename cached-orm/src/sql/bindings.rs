use super::{Backend, Storable};
use crate::{
    Uncached,
    key::{KeyPart, PrimaryKey},
};
use sqlx::error::BoxDynError;

/// The arguments of a statement on `DB`.
type Arguments<DB> = <DB as sqlx::Database>::Arguments;

/// Collects a statement's arguments.
///
/// Like `sqlx::query::Query` it keeps an encoding error until the statement
/// runs, so that binding reads as a list.
#[derive(Debug)]
pub struct Bindings<DB: Backend> {
    arguments: Result<Arguments<DB>, BoxDynError>,
    /// Columns that there was no value of.
    not_loaded: Vec<&'static str>,
}

impl<DB: Backend> Bindings<DB> {
    pub(crate) fn new() -> Self {
        Self { arguments: Ok(Arguments::<DB>::default()), not_loaded: Vec::new() }
    }

    /// Adds the next argument. The derive names `T`, so that rustc underlines
    /// the field's type in the user's struct where a bound is not met.
    pub fn push<T: Storable<DB>>(&mut self, value: &T) {
        self.add(|arguments| value.add_to(arguments));
    }

    /// Adds the next argument, unless it is not loaded: its column must then be
    /// left out of the statement.
    pub fn push_uncached<T: Storable<DB>>(&mut self, column: &'static str, value: &Uncached<T>) {
        match value.get() {
            Some(value) => self.push(value),
            None => self.not_loaded.push(column),
        }
    }

    /// The columns that were not added, which the statement leaves out.
    pub(crate) fn take_not_loaded(&mut self) -> Vec<&'static str> {
        std::mem::take(&mut self.not_loaded)
    }

    /// Adds the next argument, as JSON.
    #[cfg(feature = "json")]
    pub fn push_json<T>(&mut self, value: &T)
    where
        DB: super::backend::JsonBackend,
        T: serde::Serialize + Sync,
    {
        self.add(|arguments| DB::add_json(arguments, value));
    }

    fn add(&mut self, add: impl FnOnce(&mut Arguments<DB>) -> Result<(), BoxDynError>) {
        if let Ok(arguments) = &mut self.arguments
            && let Err(error) = add(arguments)
        {
            self.arguments = Err(error);
        }
    }

    /// A column that has no value, although the statement has not left it out.
    pub(crate) fn not_loaded(&self) -> Option<&'static str> {
        self.not_loaded.first().copied()
    }

    /// How many arguments were added.
    pub(crate) fn len(&self) -> usize {
        self.arguments.as_ref().map_or(0, sqlx::Arguments::len)
    }

    pub(crate) fn finish(self) -> Result<Arguments<DB>, BoxDynError> {
        self.arguments
    }
}

/// A primary key whose parts `DB` can store.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a primary key in a `{DB}` table",
    label = "`{DB}` cannot store this key"
)]
pub trait BindKey<DB: Backend>: PrimaryKey {
    /// Adds the key's parts, in the order of the fields.
    #[doc(hidden)]
    fn bind(&self, bindings: &mut Bindings<DB>);
}

#[diagnostic::do_not_recommend]
impl<DB: Backend, K: KeyPart + Storable<DB>> BindKey<DB> for K {
    fn bind(&self, bindings: &mut Bindings<DB>) {
        bindings.push(self);
    }
}

macro_rules! composite {
    ($($part:ident)+) => {
        #[diagnostic::do_not_recommend]
        impl<DB: Backend, $($part: KeyPart + Storable<DB>),+> BindKey<DB> for ($($part,)+) {
            #[allow(non_snake_case)]
            fn bind(&self, bindings: &mut Bindings<DB>) {
                let ($($part,)+) = self;
                $(bindings.push($part);)+
            }
        }
    };
}

composite!(A B);
composite!(A B C);
composite!(A B C D);
composite!(A B C D E);
composite!(A B C D E F);
composite!(A B C D E F G);
composite!(A B C D E F G H);
