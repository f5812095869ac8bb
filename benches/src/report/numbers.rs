//! Figures as people read them.

/// `12,300/s`.
pub(crate) fn rate(per_second: f64) -> String {
    format!("{}/s", count(three_digits(per_second)))
}

/// `310 ns`, `3.1 µs`, `31 µs`, `1.2 ms`, `1.2 s`.
pub(crate) fn duration(micros: f64) -> String {
    let (value, unit) = match micros {
        _ if micros < 0.9995 => return format!("{:.0} ns", micros * 1e3),
        _ if micros < 999.5 => (micros, "µs"),
        _ if micros < 999_500.0 => (micros / 1e3, "ms"),
        _ => (micros / 1e6, "s"),
    };
    if value < 9.95 { format!("{value:.1} {unit}") } else { format!("{value:.0} {unit}") }
}

/// `1,234,567`, without a fraction.
pub(crate) fn count(value: f64) -> String {
    let digits = format!("{:.0}", value.abs());
    let mut grouped = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    if value <= -0.5 { format!("-{grouped}") } else { grouped }
}

/// Any figure: whole from 100 on, else with as many places as tell three digits.
pub(crate) fn figure(value: f64) -> String {
    let places = match value.abs() {
        size if size >= 99.95 || value.fract() == 0.0 => return count(value),
        size if size >= 9.995 => 1,
        size if size >= 0.9995 => 2,
        _ => 3,
    };
    format!("{value:.places$}")
}

/// More digits than that are noise.
fn three_digits(value: f64) -> f64 {
    if value < 1000.0 {
        return value;
    }
    let unit = 10f64.powf(value.log10().floor() - 2.0);
    (value / unit).round() * unit
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_have_three_digits() {
        assert_eq!(rate(12_345.6), "12,300/s");
        assert_eq!(rate(999_999.0), "1,000,000/s");
        assert_eq!(rate(1_234_567.0), "1,230,000/s");
        assert_eq!(rate(87.4), "87/s");
        assert_eq!(rate(0.0), "0/s");
    }

    #[test]
    fn durations_take_the_unit_that_suits() {
        let shown: Vec<_> =
            [0.0, 0.31, 0.99951, 3.12, 9.96, 31.4, 999.6, 1234.0, 1_234_000.0].map(duration).into();
        let expected =
            ["0 ns", "310 ns", "1.0 µs", "3.1 µs", "10 µs", "31 µs", "1.0 ms", "1.2 ms", "1.2 s"];
        assert_eq!(shown, expected);
    }

    #[test]
    fn figures_lose_what_nobody_reads() {
        let shown: Vec<_> =
            [1.0, 0.1234, 1.234, 12.34, 123.4, 12_345.6, -1234.0].map(figure).into();
        assert_eq!(shown, ["1", "0.123", "1.23", "12.3", "123", "12,346", "-1,234"]);
    }
}
