//! Primary keys, and the texts of their columns: what an instance key is made of.

mod kind;
mod part;

pub use kind::KeyKind;
pub(crate) use part::write as write_part;
pub use part::{KeyPart, PartWriter};

/// What a primary key can be: a [`KeyPart`], or a tuple of them for a
/// composite key.
///
/// ```
/// use cached_orm::PrimaryKey;
///
/// fn identifies_a_row<K: PrimaryKey>() {}
/// identifies_a_row::<i64>();
/// identifies_a_row::<(String, i64)>();
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a primary key",
    label = "not a type that identifies a row",
    note = "use an integer of 8 to 64 bits, `bool`, `String`, `Vec<u8>`, a UUID or a date, or implement `cached_orm::KeyPart` for your type",
    note = "`Option` and floating-point numbers are refused: NULL and NaN equal nothing"
)]
pub trait PrimaryKey: Clone + PartialEq + Send + Sync + 'static {
    /// What the parts are made of.
    #[doc(hidden)]
    const KINDS: &'static [KeyKind];

    /// Appends the instance key.
    #[doc(hidden)]
    fn write_instance_key(&self, key: &mut String);
}

// Without this rustc speaks of `KeyPart`, and not of the message above.
#[diagnostic::do_not_recommend]
impl<K: KeyPart> PrimaryKey for K {
    const KINDS: &'static [KeyKind] = &[K::KIND];

    fn write_instance_key(&self, key: &mut String) {
        part::write(self, key);
    }
}

macro_rules! composite {
    ($($part:ident)+) => {
        #[diagnostic::do_not_recommend]
        impl<$($part: KeyPart),+> PrimaryKey for ($($part,)+) {
            const KINDS: &'static [KeyKind] = &[$($part::KIND),+];

            #[allow(non_snake_case)]
            fn write_instance_key(&self, key: &mut String) {
                let ($($part,)+) = self;
                $(part::write($part, key);)+
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

#[cfg(test)]
mod tests;
