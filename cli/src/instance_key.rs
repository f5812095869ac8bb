//! Primary keys as they are typed: part by part, or as they stand in cache keys.

/// The parts of a key that is typed as `AD 06`, or as one `(AD)(06)`.
pub(crate) fn of_words(words: &[String]) -> Result<Vec<String>, String> {
    match words {
        [only] if only.starts_with('(') => of_instance_key(only),
        parts => Ok(parts.to_vec()),
    }
}

/// The parts of a key on a line of its own: `(AD)(06)`, or the only part as it is.
pub(crate) fn of_line(line: &str) -> Result<Vec<String>, String> {
    if line.starts_with('(') { of_instance_key(line) } else { Ok(vec![line.to_owned()]) }
}

fn of_instance_key(text: &str) -> Result<Vec<String>, String> {
    let wrong = || {
        "a key that begins with `(` is written as in cache keys, such as `(AD)(06)`, with `%28` \
         for `(`, `%29` for `)` and `%25` for `%`"
            .to_owned()
    };
    let parts = text.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')).ok_or_else(wrong)?;
    let part = |part: &str| {
        let is_plain = !part.contains(['(', ')']);
        is_plain.then(|| unescaped(part)).flatten().ok_or_else(wrong)
    };
    parts.split(")(").map(part).collect()
}

fn unescaped(part: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(part.len());
    let mut rest = part.as_bytes();
    while let [first, after @ ..] = rest {
        if *first != b'%' {
            bytes.push(*first);
            rest = after;
            continue;
        }
        let (digits, after) = after.split_at_checked(2)?;
        bytes.push(u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?);
        rest = after;
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(words: &[&str]) -> Result<Vec<String>, String> {
        of_words(&words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn a_key_is_typed_part_by_part_or_as_it_stands_in_cache_keys() {
        assert_eq!(parts(&["AD", "06"]), Ok(vec!["AD".into(), "06".into()]));
        assert_eq!(parts(&["(AD)(06)"]), Ok(vec!["AD".into(), "06".into()]));
        assert_eq!(parts(&["50%"]), Ok(vec!["50%".into()]));
        assert_eq!(parts(&["(a%20%28b%29%C3%A9)"]), Ok(vec!["a (b)é".into()]));
        assert_eq!(of_line("7"), Ok(vec!["7".into()]));
        assert_eq!(of_line("()"), Ok(vec![String::new()]));
    }

    #[test]
    fn half_a_key_is_none() {
        for wrong in ["(", "(AD", "(AD)06)", "(a%2)", "(a%zz)", "(%FF)", "(AD)(06"] {
            assert!(parts(&[wrong]).is_err_and(|error| error.contains("(AD)(06)")), "{wrong}");
        }
    }
}
