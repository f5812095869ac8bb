//! How deep a body is nested.
//!
//! A type that holds itself, such as an expression in a JSON column, is read by a
//! function that calls itself. rmp-serde counts arrays and maps, up to 1,024, but not
//! the variants of an enum: a few thousand of them, one in the other, would run out of
//! the stack, which ends the process. So a body is looked through before it is read.

/// As many levels as serde reads of JSON. They fit on the stack of a thread even if
/// nothing is optimised and a level is large.
pub(super) const MAX_DEPTH: usize = 128;

/// Whether no more than [`MAX_DEPTH`] arrays and maps lie in one another, in MessagePack.
/// What is none is found by who reads it.
pub(crate) fn is_shallow(body: &[u8]) -> bool {
    // A level takes a byte, and most rows have few that could be one: that is counted
    // faster than anything is looked through.
    body.len() <= MAX_DEPTH
        || openings(body) <= MAX_DEPTH
        || walk(body).is_none_or(|depth| depth <= MAX_DEPTH)
}

/// How many bytes there are that could begin an array or a map, wherever they stand.
fn openings(body: &[u8]) -> usize {
    // 0x80 to 0x9f, and 0xdc to 0xdf.
    let opens = |byte: u8| (byte & 0xe0 == 0x80) | (byte & 0xfc == 0xdc);
    // As many as a byte can count, so that a processor counts many bytes at once.
    let chunks = body.chunks(usize::from(u8::MAX));
    chunks.map(|chunk| usize::from(chunk.iter().map(|it| u8::from(opens(*it))).sum::<u8>())).sum()
}

/// How deep the values are nested, or how deep they were when it was too deep; `None`
/// if they end in the middle.
fn walk(mut rest: &[u8]) -> Option<usize> {
    // How many values are still to come on each level.
    let mut open: Vec<u64> = Vec::new();
    let mut deepest = 0;
    while let Some((&marker, after)) = rest.split_first() {
        rest = after;
        let mut size = |bytes: usize| {
            let (digits, after) = rest.split_at_checked(bytes)?;
            rest = after;
            Some(digits.iter().fold(0, |size, digit| size << 8 | u64::from(*digit)))
        };
        let (skipped, values) = match marker {
            0x80..=0x8f => (0, 2 * u64::from(marker & 0x0f)),
            0x90..=0x9f => (0, u64::from(marker & 0x0f)),
            0xa0..=0xbf => (u64::from(marker & 0x1f), 0),
            0xc4 | 0xd9 => (size(1)?, 0),
            0xc5 | 0xda => (size(2)?, 0),
            0xc6 | 0xdb => (size(4)?, 0),
            0xc7 => (size(1)? + 1, 0),
            0xc8 => (size(2)? + 1, 0),
            0xc9 => (size(4)? + 1, 0),
            0xca | 0xce | 0xd2 => (4, 0),
            0xcb | 0xcf | 0xd3 => (8, 0),
            0xcc | 0xd0 => (1, 0),
            0xcd | 0xd1 => (2, 0),
            0xd4..=0xd8 => (1 + (1 << (marker - 0xd4)), 0),
            0xdc => (0, size(2)?),
            0xdd => (0, size(4)?),
            0xde => (0, 2 * size(2)?),
            0xdf => (0, 2 * size(4)?),
            // Numbers that are their own markers, nil, booleans, and 0xc1, which is
            // nothing.
            _ => (0, 0),
        };
        rest = rest.get(usize::try_from(skipped).ok()?..)?;
        if values > 0 {
            open.push(values);
            deepest = deepest.max(open.len());
            if deepest > MAX_DEPTH {
                return Some(deepest);
            }
            continue;
        }
        // A value has ended, and with it whatever it was the last of.
        while let Some(left) = open.last_mut() {
            *left -= 1;
            if *left > 0 {
                break;
            }
            open.pop();
        }
    }
    Some(deepest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entry::{
        Lost,
        body::{Body, Form, read, write},
        write_row,
    };
    use serde::{Deserialize, Serialize};
    use std::collections::BTreeMap;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    enum Condition {
        Always,
        Not(Box<Condition>),
        All(Vec<Condition>),
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Rule {
        id: i64,
        condition: Condition,
    }

    fn rule(depth: usize) -> Rule {
        let deeper = |inner, level| match level % 2 {
            0 => Condition::Not(Box::new(inner)),
            _ => Condition::All(vec![Condition::Always, inner]),
        };
        Rule { id: 1, condition: (0..depth).fold(Condition::Always, deeper) }
    }

    /// As much stack as tests, and the threads of Tokio, have.
    #[test]
    fn what_is_nested_as_deep_as_may_be_is_read_back() {
        let row = rule(80);
        let mut body = Vec::new();
        let (form, _) = write_row(&row, &mut body, |_| None).expect("serde can write it");
        assert_eq!(form, Form::Compact);
        assert_eq!(read::<Rule>(form, &body), Some(row));
    }

    /// A level of it takes more of the stack.
    #[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
    struct Page {
        title: String,
        lines: [String; 12],
        numbers: (f64, f64, f64, f64, Option<u64>),
        part: Part,
    }

    #[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
    #[expect(clippy::large_enum_variant, reason = "it is what is tried")]
    enum Part {
        #[default]
        End,
        Section {
            heading: String,
            notes: [String; 12],
            page: Box<Page>,
        },
        Many(Vec<Part>, String, [u64; 8]),
    }

    #[test]
    fn large_types_fit_on_the_stack_too() {
        let deeper = |part, level: usize| match level % 3 {
            0 => Part::Many(vec![part], String::new(), [7; 8]),
            _ => Part::Section {
                heading: "heading".into(),
                notes: Default::default(),
                page: Box::new(Page { part, ..Page::default() }),
            },
        };
        let depth_of = |levels| {
            let row = Page { part: (0..levels).fold(Part::End, deeper), ..Page::default() };
            let body = rmp_serde::to_vec_named(&row).expect("serde can write it");
            (walk(&body), row, body)
        };
        let deepest =
            (0..).take_while(|levels| depth_of(*levels).0.is_some_and(|depth| depth <= MAX_DEPTH));
        let (depth, row, body) = depth_of(deepest.last().expect("a row is not deep"));
        assert!(depth.is_some_and(|depth| depth > MAX_DEPTH - 4), "{depth:?}");
        assert_eq!(read::<Page>(Form::Named, &body).as_ref(), Some(&row));
        let mut compact = Vec::new();
        let (form, _) = write_row(&row, &mut compact, |_| None).expect("serde can write it");
        assert_eq!(read(form, &compact), Some(row));
    }

    #[test]
    fn what_is_nested_deeper_is_neither_written_nor_read() {
        let written = write_row(&rule(400), &mut Vec::new(), |_| None);
        assert_eq!(written, Err(Lost::Unreadable));
        // No more than that many bytes: what an array or a map costs to write.
        let mut named = b"\x82\xa2id\x01\xa9condition".to_vec();
        named.extend(b"\x81\xa3Not".repeat(1_000_000));
        named.extend(b"\xa6Always");
        assert_eq!(read::<Rule>(Form::Named, &named), None);
        assert_eq!(read::<Rule>(Form::Readable, &named), None);
        // The variant by its number, behind a hash.
        let mut compact = Vec::new();
        assert_eq!(write(&rule(0), Form::Compact, &mut compact), Some(()));
        compact.truncate(8);
        compact.push(1);
        compact.extend(b"\x81\x01".repeat(1_000_000));
        assert_eq!(read::<Rule>(Form::Compact, &compact), None);
    }

    /// The hash before the values is not MessagePack: it may look like a value that
    /// takes in what follows.
    #[test]
    fn the_hash_of_the_names_is_passed_over() {
        let values = b"\x91".repeat(MAX_DEPTH + 1);
        for first in 0..=u8::MAX {
            let body = [&[first; 8], &values[..]].concat();
            assert!(Body::open(&body).is_none(), "{first}");
            assert!(Body::open(&body[..body.len() - 1]).is_some(), "{first}");
        }
    }

    #[test]
    fn depth_is_not_length() {
        let flat: Vec<Vec<i64>> = vec![vec![1]; 10_000];
        let mut body = Vec::new();
        write(&flat, Form::Named, &mut body).expect("serde can write it");
        assert_eq!(walk(&body), Some(2));
        assert_eq!(read::<Vec<Vec<i64>>>(Form::Named, &body), Some(flat));
    }

    #[test]
    fn every_kind_of_value_is_passed_over() {
        let long = "x".repeat(70_000);
        for len in [0, 1, 31, 32, 255, 256, 65_536] {
            let value =
                (&long[..len], -1_i64 << (len % 60), 0.5_f64, None::<bool>, vec![200_u8; 9]);
            let row = BTreeMap::from([("key", value)]);
            let body = rmp_serde::to_vec_named(&(&row, "end")).expect("serde can write it");
            assert_eq!(walk(&body), Some(4), "{len}");
            assert_eq!(walk(&body[..body.len() - 1]), None);
        }
        for extension in 0xc7..=0xc9u8 {
            let mut value = vec![0x92, extension];
            value.extend(match extension {
                0xc7 => &[3, 1, 0x91, 0x91, 0x91, 1][..],
                0xc8 => &[0, 3, 1, 0x91, 0x91, 0x91, 1],
                _ => &[0, 0, 0, 3, 1, 0x91, 0x91, 0x91, 1],
            });
            assert_eq!(walk(&value), Some(1));
        }
        for (marker, len) in [(0xd4, 1), (0xd5, 2), (0xd6, 4), (0xd7, 8), (0xd8, 16)] {
            let value = [&[0x92, marker, 1][..], &vec![0x91; len], &[1]].concat();
            assert_eq!(walk(&value), Some(1));
        }
    }
}
