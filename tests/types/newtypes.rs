//! Types as users make them.

use cached_orm::{KeyKind, KeyPart, PartWriter};
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, sqlx::Type)]
#[sqlx(transparent)]
pub(crate) struct UserId(pub(crate) i64);

impl KeyPart for UserId {
    const KIND: KeyKind = <i64 as KeyPart>::KIND;

    fn write_part(&self, part: &mut PartWriter<'_>) {
        self.0.write_part(part);
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, sqlx::Type)]
#[sqlx(transparent)]
pub(crate) struct Slug(pub(crate) String);

impl KeyPart for Slug {
    const KIND: KeyKind = KeyKind::Text;

    fn write_part(&self, part: &mut PartWriter<'_>) {
        part.text(&self.0);
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, sqlx::Type)]
#[sqlx(type_name = "color", rename_all = "lowercase")]
pub(crate) enum Color {
    Red,
    Green,
    Blue,
}

impl Color {
    pub(crate) const ALL: [Self; 3] = [Self::Red, Self::Green, Self::Blue];
}

impl KeyPart for Color {
    const KIND: KeyKind = KeyKind::Text;

    fn write_part(&self, part: &mut PartWriter<'_>) {
        part.text(match self {
            Self::Red => "red",
            Self::Green => "green",
            Self::Blue => "blue",
        });
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, sqlx::Type)]
#[repr(i32)]
pub(crate) enum Level {
    Low = -1,
    None = 0,
    High = i32::MAX,
}

impl Level {
    pub(crate) const ALL: [Self; 3] = [Self::Low, Self::None, Self::High];
}

impl KeyPart for Level {
    const KIND: KeyKind = KeyKind::Integer;

    fn write_part(&self, part: &mut PartWriter<'_>) {
        (*self as i32).write_part(part);
    }
}
