/// How `rename_all` spells a column: serde's names and rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Case {
    Lower,
    Upper,
    Pascal,
    Camel,
    Snake,
    ScreamingSnake,
    Kebab,
    ScreamingKebab,
}

impl Case {
    const ALL: [(&str, Self); 8] = [
        ("lowercase", Self::Lower),
        ("UPPERCASE", Self::Upper),
        ("PascalCase", Self::Pascal),
        ("camelCase", Self::Camel),
        ("snake_case", Self::Snake),
        ("SCREAMING_SNAKE_CASE", Self::ScreamingSnake),
        ("kebab-case", Self::Kebab),
        ("SCREAMING-KEBAB-CASE", Self::ScreamingKebab),
    ];

    pub(crate) const NAMES: [&str; 8] = {
        let mut names = [""; 8];
        let mut i = 0;
        while i < names.len() {
            names[i] = Self::ALL[i].0;
            i += 1;
        }
        names
    };

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(known, _)| *known == name).map(|(_, case)| *case)
    }

    /// Spells a field's name, which is in snake case.
    pub(crate) fn apply(self, field: &str) -> String {
        match self {
            Self::Lower | Self::Snake => field.to_owned(),
            Self::Upper | Self::ScreamingSnake => field.to_ascii_uppercase(),
            Self::Pascal => field.split('_').map(capitalized).collect(),
            Self::Camel => {
                let pascal = Self::Pascal.apply(field);
                let mut letters = pascal.chars();
                let first = letters.next().map(|letter| letter.to_ascii_lowercase());
                first.into_iter().chain(letters).collect()
            }
            Self::Kebab => field.replace('_', "-"),
            Self::ScreamingKebab => field.to_ascii_uppercase().replace('_', "-"),
        }
    }
}

fn capitalized(word: &str) -> String {
    let mut letters = word.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}

/// A struct's name as a table's: `UserAccount` is `user_account`, and
/// `HTTPRoute` is `http_route`.
pub(crate) fn snake_case(name: &str) -> String {
    let letters: Vec<char> = name.chars().collect();
    let mut snake = String::with_capacity(name.len() + 4);
    for (i, &letter) in letters.iter().enumerate() {
        let starts_word = letter.is_uppercase() && i > 0 && letters[i - 1] != '_' && {
            let after_lower = !letters[i - 1].is_uppercase();
            let before_lower = letters.get(i + 1).is_some_and(|next| next.is_lowercase());
            after_lower || before_lower
        };
        if starts_word {
            snake.push('_');
        }
        snake.extend(letter.to_lowercase());
    }
    snake
}

#[cfg(test)]
mod tests {
    use super::{Case, snake_case};

    #[test]
    fn spells_fields_as_serde_does() {
        let spelt = Case::NAMES.map(|name| Case::named(name).map(|case| case.apply("created_at")));
        let expected = [
            "created_at",
            "CREATED_AT",
            "CreatedAt",
            "createdAt",
            "created_at",
            "CREATED_AT",
            "created-at",
            "CREATED-AT",
        ];
        assert_eq!(spelt, expected.map(|name| Some(name.to_owned())));
        assert_eq!(Case::named("Camel"), None);
    }

    #[test]
    fn spells_odd_fields() {
        assert_eq!(Case::Camel.apply("id"), "id");
        assert_eq!(Case::Camel.apply("_id"), "id");
        assert_eq!(Case::Camel.apply("a__b"), "aB");
        assert_eq!(Case::Camel.apply("straße_é"), "straßeé");
        for name in Case::NAMES {
            let _ = Case::named(name).map(|case| case.apply("__"));
        }
    }

    #[test]
    fn makes_tables_of_structs() {
        for (name, table) in [
            ("User", "user"),
            ("UserAccount", "user_account"),
            ("HTTPRoute", "http_route"),
            ("UserV2", "user_v2"),
            ("Order66Item", "order66_item"),
            ("snake_already", "snake_already"),
            ("Under_Score", "under_score"),
            ("Ärger", "ärger"),
            ("A", "a"),
        ] {
            assert_eq!(snake_case(name), table);
        }
    }
}
