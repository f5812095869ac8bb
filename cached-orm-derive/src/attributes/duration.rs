use std::time::Duration;

const UNITS: [(char, u64); 4] = [('d', 86_400), ('h', 3_600), ('m', 60), ('s', 1)];

/// Ten years: longer than any cache lives, and far from every overflow.
const LONGEST: u64 = 3_650 * 86_400;

/// Reads `30s`, `10m` or `1h30m`.
pub(super) fn parse(text: &str) -> Result<Duration, String> {
    let wrong = || {
        format!(
            "`{text}` is not a duration; write whole days, hours, minutes and seconds, as in `30s`, `10m` or `1h30m`"
        )
    };
    let mut units = UNITS.iter();
    let mut seconds = 0_u64;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.find(|letter: char| !letter.is_ascii_digit()).ok_or_else(wrong)?;
        let (number, unit) = rest.split_at(digits);
        let letter = unit.chars().next().ok_or_else(wrong)?;
        // Continuing the search keeps the units in order, and each to one use.
        let (_, length) = units.find(|(name, _)| *name == letter).ok_or_else(wrong)?;
        if number.is_empty() {
            return Err(wrong());
        }
        let part = number.parse().unwrap_or(u64::MAX).saturating_mul(*length);
        seconds = seconds.saturating_add(part);
        rest = &unit[letter.len_utf8()..];
    }
    match seconds {
        _ if text.is_empty() => Err(wrong()),
        0 => Err(format!("`{text}` is no time at all; write at least `1s`")),
        1..=LONGEST => Ok(Duration::from_secs(seconds)),
        _ => Err(format!("`{text}` is too long; write at most `3650d`")),
    }
}

#[cfg(test)]
mod tests {
    use super::parse;
    use std::time::Duration;

    #[test]
    fn reads_durations() {
        for (text, seconds) in [
            ("1s", 1),
            ("10m", 600),
            ("1h30m", 5_400),
            ("2d", 172_800),
            ("1d1h1m1s", 90_061),
            ("90s", 90),
            ("0h5s", 5),
            ("3650d", 315_360_000),
        ] {
            assert_eq!(parse(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
    }

    #[test]
    fn refuses_what_it_cannot_read() {
        for text in [
            "", " ", "10", "m", "10 m", " 10m", "-1s", "+1s", "1.5h", "500ms", "1s1m", "1m1m",
            "1M", "1µs", "٣s", "1h30",
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.contains("is not a duration"), "{text}: {error}");
        }
        for text in ["0s", "0h0m"] {
            assert!(parse(text).unwrap_err().contains("at least `1s`"), "{text}");
        }
        for text in ["3651d", "99999999999999999999s", "18446744073709551615d"] {
            assert!(parse(text).unwrap_err().contains("at most `3650d`"), "{text}");
        }
    }
}
