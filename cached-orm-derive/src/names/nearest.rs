/// The known name that `name` is probably a misspelling of.
pub(crate) fn nearest<'k>(name: &str, known: &[&'k str]) -> Option<&'k str> {
    let name = name.to_lowercase();
    let most = (name.chars().count() / 3).max(1);
    known
        .iter()
        .map(|known| (distance(&name, &known.to_lowercase()), *known))
        .filter(|(distance, _)| *distance <= most)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, known)| known)
}

/// How many letters to insert, delete, replace or swap with their neighbour.
fn distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut above_last = Vec::new();
    let mut last: Vec<usize> = (0..=to.len()).collect();
    let mut previous = None;
    for (i, letter) in from.chars().enumerate() {
        let mut row = vec![i + 1];
        for (j, &other) in to.iter().enumerate() {
            let replaced = last[j] + usize::from(letter != other);
            let mut best = replaced.min(last[j + 1] + 1).min(row[j] + 1);
            if j > 0 && previous == Some(other) && letter == to[j - 1] {
                best = best.min(above_last[j - 1] + 1);
            }
            row.push(best);
        }
        above_last = std::mem::replace(&mut last, row);
        previous = Some(letter);
    }
    last[to.len()]
}

#[cfg(test)]
mod tests {
    use super::{distance, nearest};

    const KNOWN: [&str; 4] = ["table", "ttl", "ttl_jitter", "database"];

    #[test]
    fn distances() {
        assert_eq!(distance("", ""), 0);
        assert_eq!(distance("", "table"), 5);
        assert_eq!(distance("table", ""), 5);
        assert_eq!(distance("tabel", "table"), 1);
        assert_eq!(distance("tables", "table"), 1);
        assert_eq!(distance("kitten", "sitting"), 3);
    }

    #[test]
    fn finds_what_was_meant() {
        assert_eq!(nearest("tabel", &KNOWN), Some("table"));
        assert_eq!(nearest("ttl_jiter", &KNOWN), Some("ttl_jitter"));
        assert_eq!(nearest("TTL", &KNOWN), Some("ttl"));
        assert_eq!(nearest("databases", &KNOWN), Some("database"));
        assert_eq!(nearest("index", &KNOWN), None);
        assert_eq!(nearest("", &KNOWN), None);
        assert_eq!(nearest("ö", &[]), None);
    }
}
