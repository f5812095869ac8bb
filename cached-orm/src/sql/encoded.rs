//! What a row's columns send to the database: by that it is told whether two rows are
//! the same, whatever `PartialEq` or serde make of them.

use super::{Backend, Bindings, Loaded, Storable};
use crate::{Persist, entry::body::Form};
use sqlx::{encode::IsNull, error::BoxDynError};
use std::{any::Any, fmt};

/// A row's columns as arguments, one after another.
pub(crate) struct Encoded<DB: Backend> {
    bytes: Vec<u8>,
    arguments: Vec<Argument<DB>>,
}

struct Argument<DB: Backend> {
    value: Value,
    /// Where the value decides on it.
    type_info: Option<DB::TypeInfo>,
    /// Whether its bytes are a JSON document.
    is_json: bool,
    /// Where its bytes end, and those of the next begin.
    end: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Value {
    Null,
    Bytes,
    /// Its type cannot encode it.
    Unknown,
}

impl<DB: Backend> Encoded<DB> {
    pub(super) fn new() -> Self {
        Self { bytes: Vec::new(), arguments: Vec::new() }
    }

    pub(super) fn push<T: Storable<DB>>(&mut self, value: &T) {
        if let Some(plain) = plain(value) {
            return self.add(None, |bytes| {
                bytes.extend_from_slice(plain);
                Ok(IsNull::No)
            });
        }
        let type_info = value.type_of_argument();
        self.add(type_info, |bytes| value.encode_to(bytes));
    }

    #[cfg(feature = "json")]
    pub(super) fn push_json<T>(&mut self, value: &T)
    where
        DB: super::JsonBackend,
        T: serde::Serialize + Sync,
    {
        self.add(None, |bytes| {
            if super::json::is_none(value) {
                return Ok(IsNull::Yes);
            }
            serde_json::to_writer(bytes, value)?;
            Ok(IsNull::No)
        });
        if let Some(argument) = self.arguments.last_mut() {
            argument.is_json = true;
        }
    }

    fn add(
        &mut self,
        type_info: Option<DB::TypeInfo>,
        encode: impl FnOnce(&mut Vec<u8>) -> Result<IsNull, BoxDynError>,
    ) {
        let start = self.bytes.len();
        let value = match encode(&mut self.bytes) {
            Ok(IsNull::Yes) => Value::Null,
            Ok(IsNull::No) => Value::Bytes,
            Err(_) => Value::Unknown,
        };
        // What it may have written before it failed says nothing.
        let end = if value == Value::Bytes { self.bytes.len() } else { start };
        self.bytes.truncate(end);
        self.arguments.push(Argument { value, type_info, is_json: false, end });
    }

    pub(super) fn len(&self) -> usize {
        self.arguments.len()
    }

    fn bytes(&self, place: usize) -> &[u8] {
        let start = place.checked_sub(1).map_or(0, |before| self.arguments[before].end);
        &self.bytes[start..self.arguments[place].end]
    }

    /// How one argument compares with that of another row.
    fn compare(&self, other: &Self, place: usize) -> Compared {
        let (one, its) = (&self.arguments[place], &other.arguments[place]);
        if one.value == Value::Unknown || one.value != its.value || one.type_info != its.type_info {
            return Compared::Different;
        }
        let (one, its) = (self.bytes(place), other.bytes(place));
        if one == its {
            return Compared::Same;
        }
        let sorted = |bytes: &[u8]| {
            let mut bytes = bytes.to_vec();
            bytes.sort_unstable();
            bytes
        };
        if one.len() == its.len() && sorted(one) == sorted(its) {
            Compared::InAnotherOrder
        } else {
            Compared::Different
        }
    }
}

// Not derived: it is the user's data.
impl<DB: Backend> fmt::Debug for Encoded<DB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Encoded").field("arguments", &self.len()).finish_non_exhaustive()
    }
}

/// What is sent as it is. It may be long, and SQLite's driver shows it slowly.
fn plain<T: 'static>(value: &T) -> Option<&[u8]> {
    let value: &dyn Any = value;
    if let Some(text) = value.downcast_ref::<String>() {
        Some(text.as_bytes())
    } else if let Some(bytes) = value.downcast_ref::<Vec<u8>>() {
        Some(bytes)
    } else if let Some(text) = value.downcast_ref::<Option<String>>() {
        text.as_ref().map(String::as_bytes)
    } else {
        value.downcast_ref::<Option<Vec<u8>>>()?.as_deref()
    }
}

enum Compared {
    Same,
    /// They are of the same bytes.
    InAnotherOrder,
    Different,
}

/// The columns in which two rows are not the same to the database. Those that the
/// cache does not hold are left out.
///
/// Values without an order, such as those of a `HashMap`, are the same in any.
pub(crate) fn differing<DB: Backend, T: Persist<DB>>(one: &T, other: &T) -> Vec<&'static str> {
    let (columns, one_encoded) = encoded::<DB, T>(one);
    let (_, other_encoded) = encoded::<DB, T>(other);
    let is_different = |place: &usize| match one_encoded.compare(&other_encoded, *place) {
        Compared::Same => false,
        Compared::InAnotherOrder => {
            !is_same_in_some_order::<DB, T>(one, &one_encoded, &other_encoded, *place)
        }
        Compared::Different => true,
    };
    let places = 0..one_encoded.len().min(other_encoded.len());
    places.filter(is_different).filter_map(|place| columns.get(place).copied()).collect()
}

/// The same for a cached row and the one in the database, whose documents are known too.
pub(crate) fn differing_from_loaded<DB: Backend, T: Persist<DB>>(
    cached: &T,
    loaded: &Loaded<T>,
) -> Vec<&'static str> {
    let mut columns = differing::<DB, T>(cached, &loaded.row);
    columns.extend(loaded.lost.filter(|lost| !columns.contains(lost)));
    columns
}

/// Whether a row has columns of JSON, in whose documents there may be more than they
/// send.
pub(crate) fn has_json<DB: Backend, T: Persist<DB>>(row: &T) -> bool {
    encoded::<DB, T>(row).1.arguments.iter().any(|argument| argument.is_json)
}

/// The names of the columns that the cache holds, and what they send.
fn encoded<DB: Backend, T: Persist<DB>>(row: &T) -> (Vec<&'static str>, Encoded<DB>) {
    let mut bindings = Bindings::encoding();
    bindings.key(T::TABLE.key_columns(), &row.key());
    row.bind_columns(&mut bindings);
    row.bind_version(&mut bindings);
    row.bind_read_back(&mut bindings);
    bindings.into_encoded()
}

/// Whether a column has another order each time the row is read, as one with a
/// `HashSet`, and is the same but for that. Each has an order of its own, which may be
/// that of another by chance.
fn is_same_in_some_order<DB: Backend, T: Persist<DB>>(
    row: &T,
    one: &Encoded<DB>,
    other: &Encoded<DB>,
    place: usize,
) -> bool {
    const TRIES: usize = 32;
    let mut body = Vec::new();
    let read = |form: Form| {
        body.clear();
        row.write_body(form, &mut body)?;
        let again = || T::read_body(form, &body).map(|row| encoded::<DB, T>(&row).1);
        let first = again()?;
        let mut documents = Documents::of(one, other, place);
        let mut has_no_order = false;
        Some((1..TRIES).filter_map(|_| again()).any(|order| {
            has_no_order |= first.bytes(place) != order.bytes(place);
            documents.settle(order.bytes(place));
            has_no_order && documents.are_same()
        }))
    };
    Form::ALL.into_iter().find_map(read).unwrap_or(false)
}

/// A column's documents in two rows, if it is one of JSON. Of those it is known which part
/// has no order.
#[cfg(feature = "json")]
struct Documents(Option<[serde_json::Value; 2]>);

#[cfg(feature = "json")]
impl Documents {
    fn of<DB: Backend>(one: &Encoded<DB>, other: &Encoded<DB>, place: usize) -> Self {
        let read = |row: &Encoded<DB>| serde_json::from_slice(row.bytes(place)).unwrap_or_default();
        Self(one.arguments[place].is_json.then(|| [read(one), read(other)]))
    }

    /// Learns from the first one, when it is written again.
    fn settle(&mut self, again: &[u8]) {
        if let Some([one, other]) = &mut self.0
            && let Ok(mut again) = serde_json::from_slice(again)
        {
            super::document::settle(other, one, &mut again);
        }
    }

    fn are_same(&self) -> bool {
        self.0.as_ref().is_none_or(|[one, other]| one == other)
    }
}

#[cfg(not(feature = "json"))]
struct Documents;

#[cfg(not(feature = "json"))]
impl Documents {
    fn of<DB: Backend>(_: &Encoded<DB>, _: &Encoded<DB>, _: usize) -> Self {
        Self
    }

    fn settle(&mut self, _: &[u8]) {}

    fn are_same(&self) -> bool {
        true
    }
}
