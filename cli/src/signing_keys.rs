//! The keys that a program signs its entries with.

use crate::failure::Failure;

/// What was written, as keys. No part of it is repeated: they are secrets.
pub(crate) fn parse(keys: &[String]) -> Result<Vec<[u8; 32]>, Failure> {
    let read = keys.iter().map(|key| digits(key.trim())).collect::<Option<_>>();
    read.ok_or_else(|| {
        Failure::usage(
            "a signing key is not 64 hexadecimal digits",
            "Write the 32 bytes of each key of `sign_entries` as hexadecimal digits, with commas \
             between keys, in CACHE_SIGNING_KEYS or `--signing-keys`.",
        )
    })
}

fn digits(text: &str) -> Option<[u8; 32]> {
    let mut key = [0; 32];
    if text.len() != 2 * key.len() {
        return None;
    }
    for (byte, pair) in key.iter_mut().zip(text.as_bytes().chunks(2)) {
        let [high, low] = [pair[0], pair[1]].map(|digit| char::from(digit).to_digit(16));
        *byte = u8::try_from(high? << 4 | low?).ok()?;
    }
    Some(key)
}

#[cfg(test)]
mod tests {
    use super::digits;

    #[test]
    fn a_key_is_its_digits() {
        let key: String = (0..32).map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(digits(&key), Some(std::array::from_fn(|at| at as u8)));
        assert_eq!(digits(&key.to_uppercase()), digits(&key));
        for wrong in
            ["", &key[1..], &format!("{key}0"), &format!("{}é", &key[..62]), &"+f".repeat(32)]
        {
            assert_eq!(digits(wrong), None, "{wrong}");
        }
    }
}
