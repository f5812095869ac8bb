//! The form in which triggers write keys into the outbox.
//!
//! SQL can neither escape nor hash a key as Rust does, on every database alike;
//! but all of them have hexadecimal digits. So a trigger writes
//! `hex users:(37)(6162)`: the escaped name and, for each part of the key, the
//! UTF-8 bytes of its text. Whoever drains the outbox makes the key of it.

use super::{escape, push_escaped};
use std::fmt::Write as _;

/// Begins the text of such a key. Final keys have no blanks.
pub(super) const HEX: &str = "hex ";

/// What comes before the parts.
pub(super) fn name(table: &str) -> String {
    let mut text = HEX.to_owned();
    escape(table, &mut text);
    text.push(':');
    text
}

/// The text of a key whose name and parts are escaped.
pub(super) fn of_escaped(name: &str, parts: &str) -> String {
    let mut text = HEX.to_owned() + name;
    write_parts(parts, &mut text);
    text
}

/// Appends the parts of an instance key, which are escaped.
pub(super) fn write_parts(instance_key: &str, text: &mut String) {
    let mut bytes = instance_key.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'(' | b')' => text.push(char::from(byte)),
            b'%' => text
                .extend(bytes.by_ref().take(2).map(|digit| char::from(digit.to_ascii_lowercase()))),
            _ => {
                // Writing to a `String` cannot fail.
                let _ = write!(text, "{byte:02x}");
            }
        }
    }
}

/// Appends the key without its namespace; `None` if `text` is none.
pub(super) fn write_key(text: &str, key: &mut String) -> Option<()> {
    let text = text.strip_prefix(HEX)?;
    // An escaped name has no parentheses.
    let (name, parts) = text.split_at(text.find('(')?);
    // A colon ends the table, and the name of an index may follow.
    let is_name = name.contains(':') && name.bytes().all(|byte| matches!(byte, b'!'..=b'~'));
    key.push_str(is_name.then_some(name)?);
    for part in parts.strip_prefix('(')?.strip_suffix(')')?.split(")(") {
        key.push('(');
        for chunk in decode(part.as_bytes())?.utf8_chunks() {
            escape(chunk.valid(), key);
            chunk.invalid().iter().for_each(|&byte| push_escaped(byte, key));
        }
        key.push(')');
    }
    Some(())
}

fn decode(digits: &[u8]) -> Option<Vec<u8>> {
    let digit =
        |digit: u8| char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let pairs = digits.chunks(2).map(|pair| match *pair {
        [high, low] => Some(digit(high)? << 4 | digit(low)?),
        _ => None,
    });
    pairs.collect()
}

#[cfg(test)]
mod tests {
    use crate::key::{CacheKey, Namespace};
    use proptest::prelude::*;

    fn hex(part: &str) -> String {
        part.bytes().map(|byte| format!("{byte:02x}")).collect()
    }

    proptest! {
        #[test]
        fn a_trigger_and_rust_write_the_same_key(
            namespace in "[a-z]{0,8}", left in any::<String>(), right in ".{0,200}", id: i64,
        ) {
            let namespace = Namespace::new(&namespace).expect("a plain name");
            let text = format!("hex users:({})({})({})", hex(&left), hex(&id.to_string()), hex(&right));
            let expected = CacheKey::of_parts(&namespace, "users", &[left, id.to_string(), right]);
            prop_assert_eq!(CacheKey::of_outbox(&namespace, &text), Some(expected));
        }

        #[test]
        fn a_final_key_is_taken_as_it_is(part in any::<String>()) {
            let namespace = Namespace::new("shop").expect("a plain name");
            let key = CacheKey::of_parts(&namespace, "users", &[part]);
            prop_assert_eq!(CacheKey::of_outbox(&namespace, key.as_str()), Some(key));
        }
    }

    #[test]
    fn what_is_no_key_is_none() {
        let namespace = Namespace::default();
        for text in [
            "hex ",
            "hex users:",
            "hex users(37)",
            "hex users:(3)",
            "hex users:(xy)",
            "hex users:(37",
            "hex us ers:(37)",
            "hex users\r\n:(37)",
            "",
            " ",
            "users (7)",
            "users:(7)\r\nflush_all",
            "users:(é)",
        ] {
            assert_eq!(CacheKey::of_outbox(&namespace, text), None, "{text}");
        }
        assert_eq!(CacheKey::of_outbox(&namespace, &"x".repeat(251)), None);
    }
}
