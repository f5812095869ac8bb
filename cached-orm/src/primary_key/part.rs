use super::KeyKind;
use crate::key::escape;
use std::fmt;

/// One column of a primary key.
///
/// Implemented for integers, `bool`, `String`, `Vec<u8>` and, behind the
/// features of their names, for `uuid` (`Hyphenated` and `Simple` too, which are UUIDs
/// as text), `chrono` and `time`. Implement it for
/// a newtype by writing what it wraps:
///
/// ```
/// use cached_orm::{KeyKind, KeyPart, PartWriter};
///
/// #[derive(Clone, PartialEq)]
/// struct AccountId(u32);
///
/// impl KeyPart for AccountId {
///     const KIND: KeyKind = <u32 as KeyPart>::KIND;
///
///     fn write_part(&self, part: &mut PartWriter<'_>) {
///         self.0.write_part(part);
///     }
/// }
/// ```
///
/// Two values that are not equal must write different text, and two that are
/// equal the same: the text is the row's identity in the cache, for every
/// program that shares it. `Option` and floating-point numbers have no
/// implementation, since NULL and NaN equal nothing.
pub trait KeyPart: Clone + PartialEq + Send + Sync + 'static {
    /// What the text is made of, so that triggers can write it too:
    /// [`Orm::install_triggers`](crate::Orm::install_triggers) needs it, and
    /// nothing else does.
    const KIND: KeyKind = KeyKind::Other;

    /// Writes this part's text.
    fn write_part(&self, part: &mut PartWriter<'_>);
}

/// Receives the text of one [`KeyPart`], and escapes it.
///
/// ```
/// use cached_orm::{KeyPart, PartWriter};
///
/// /// A country and a number, written `DE-7`.
/// #[derive(Clone, PartialEq)]
/// struct Plate {
///     country: String,
///     number: u32,
/// }
///
/// impl KeyPart for Plate {
///     fn write_part(&self, part: &mut PartWriter<'_>) {
///         part.text(&self.country);
///         part.display(format_args!("-{}", self.number));
///     }
/// }
/// ```
#[derive(Debug)]
pub struct PartWriter<'k>(&'k mut String);

impl PartWriter<'_> {
    /// Appends text.
    pub fn text(&mut self, text: &str) {
        escape(text, self.0);
    }

    /// Appends bytes, as lower-case hexadecimal digits.
    pub fn bytes(&mut self, bytes: &[u8]) {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        self.0.reserve(bytes.len() * 2);
        for byte in bytes {
            self.0.push(char::from(DIGITS[usize::from(byte >> 4)]));
            self.0.push(char::from(DIGITS[usize::from(byte & 15)]));
        }
    }

    /// Appends what `value` prints.
    pub fn display(&mut self, value: impl fmt::Display) {
        // Neither this writer nor a standard type's `Display` fails.
        let _ = fmt::Write::write_fmt(self, format_args!("{value}"));
    }
}

impl fmt::Write for PartWriter<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.text(text);
        Ok(())
    }
}

/// Appends `(part)`.
pub(crate) fn write(part: &impl KeyPart, key: &mut String) {
    key.push('(');
    part.write_part(&mut PartWriter(key));
    key.push(')');
}

macro_rules! integers {
    ($($ty:ty)*) => {$(
        impl KeyPart for $ty {
            const KIND: KeyKind = KeyKind::Integer;

            fn write_part(&self, part: &mut PartWriter<'_>) {
                // Digits and a sign need no escape.
                part.0.push_str(itoa::Buffer::new().format(*self));
            }
        }
    )*};
}

integers!(i8 i16 i32 i64 u8 u16 u32 u64);

impl KeyPart for bool {
    const KIND: KeyKind = KeyKind::Bool;

    fn write_part(&self, part: &mut PartWriter<'_>) {
        part.text(if *self { "1" } else { "0" });
    }
}

impl KeyPart for String {
    const KIND: KeyKind = KeyKind::Text;

    fn write_part(&self, part: &mut PartWriter<'_>) {
        part.text(self);
    }
}

impl KeyPart for Vec<u8> {
    const KIND: KeyKind = KeyKind::Bytes;

    fn write_part(&self, part: &mut PartWriter<'_>) {
        part.bytes(self);
    }
}

#[cfg(feature = "uuid")]
impl KeyPart for uuid::Uuid {
    const KIND: KeyKind = KeyKind::Uuid;

    fn write_part(&self, part: &mut PartWriter<'_>) {
        part.display(self.as_hyphenated());
    }
}

// What MySQL, MariaDB and SQLite keep as text. The part's text is the UUID's own,
// whatever the column's.
#[cfg(feature = "uuid")]
impl KeyPart for uuid::fmt::Hyphenated {
    const KIND: KeyKind = KeyKind::UuidText;

    fn write_part(&self, part: &mut PartWriter<'_>) {
        self.as_uuid().write_part(part);
    }
}

#[cfg(feature = "uuid")]
impl KeyPart for uuid::fmt::Simple {
    const KIND: KeyKind = KeyKind::UuidText;

    fn write_part(&self, part: &mut PartWriter<'_>) {
        self.as_uuid().write_part(part);
    }
}

/// Microseconds, which is what the databases keep; nanoseconds only where a
/// value has them, so that it does not print like another.
#[cfg(any(feature = "chrono", feature = "time"))]
fn write_fraction(nanoseconds: u32, part: &mut PartWriter<'_>) {
    if nanoseconds.is_multiple_of(1_000) {
        part.display(format_args!(".{:06}", nanoseconds / 1_000));
    } else {
        part.display(format_args!(".{nanoseconds:09}"));
    }
}

#[cfg(feature = "chrono")]
mod chrono_parts {
    use super::{KeyKind, KeyPart, PartWriter, write_fraction};
    use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Timelike as _, Utc};

    const SECOND: u32 = 1_000_000_000;

    impl KeyPart for NaiveDate {
        const KIND: KeyKind = KeyKind::Date;

        fn write_part(&self, part: &mut PartWriter<'_>) {
            part.display(self);
        }
    }

    impl KeyPart for NaiveTime {
        const KIND: KeyKind = KeyKind::Time;

        fn write_part(&self, part: &mut PartWriter<'_>) {
            // The nanoseconds of a leap second go on after a thousand million.
            let second = self.second() + self.nanosecond() / SECOND;
            part.display(format_args!("{:02}-{:02}-{second:02}", self.hour(), self.minute()));
            write_fraction(self.nanosecond() % SECOND, part);
        }
    }

    impl KeyPart for NaiveDateTime {
        const KIND: KeyKind = KeyKind::DateTime;

        fn write_part(&self, part: &mut PartWriter<'_>) {
            self.date().write_part(part);
            part.text("T");
            self.time().write_part(part);
        }
    }

    impl KeyPart for DateTime<Utc> {
        const KIND: KeyKind = KeyKind::Timestamp;

        fn write_part(&self, part: &mut PartWriter<'_>) {
            self.naive_utc().write_part(part);
            part.text("Z");
        }
    }
}

#[cfg(feature = "time")]
mod time_parts {
    use super::{KeyKind, KeyPart, PartWriter, write_fraction};
    use time::{Date, OffsetDateTime, PrimitiveDateTime, Time, UtcOffset};

    impl KeyPart for Date {
        const KIND: KeyKind = KeyKind::Date;

        fn write_part(&self, part: &mut PartWriter<'_>) {
            let (year, month, day) = (self.year(), u8::from(self.month()), self.day());
            // As chrono writes it.
            match year {
                0..=9999 => part.display(format_args!("{year:04}")),
                _ => part.display(format_args!("{year:+05}")),
            }
            part.display(format_args!("-{month:02}-{day:02}"));
        }
    }

    impl KeyPart for Time {
        const KIND: KeyKind = KeyKind::Time;

        fn write_part(&self, part: &mut PartWriter<'_>) {
            let (hour, minute, second) = (self.hour(), self.minute(), self.second());
            part.display(format_args!("{hour:02}-{minute:02}-{second:02}"));
            write_fraction(self.nanosecond(), part);
        }
    }

    impl KeyPart for PrimitiveDateTime {
        const KIND: KeyKind = KeyKind::DateTime;

        fn write_part(&self, part: &mut PartWriter<'_>) {
            self.date().write_part(part);
            part.text("T");
            self.time().write_part(part);
        }
    }

    impl KeyPart for OffsetDateTime {
        const KIND: KeyKind = KeyKind::Timestamp;

        fn write_part(&self, part: &mut PartWriter<'_>) {
            // At the ends of the calendar the date in UTC may not exist; there
            // the offset becomes part of the text.
            let (date_time, zone) = match self.checked_to_offset(UtcOffset::UTC) {
                Some(utc) => (utc, "Z".to_owned()),
                None => (*self, format!("+{}", self.offset().whole_seconds())),
            };
            PrimitiveDateTime::new(date_time.date(), date_time.time()).write_part(part);
            part.text(&zone);
        }
    }
}
