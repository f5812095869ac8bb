use super::*;
use crate::key::Namespace;
use proptest::prelude::*;
use serde::{Deserialize, Serialize};

const UNSIGNED: &Signing = &Signing::OFF;
const SHAPE: u64 = 0x0123_4567_89ab_cdef;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Place {
    id: i64,
    name: String,
    code: Option<Vec<u8>>,
    tags: Vec<String>,
}

fn key(id: i64) -> CacheKey {
    let namespace = Namespace::new("test").expect("a plain name");
    CacheKey::of_parts(&namespace, "places", &[id.to_string()])
}

fn place() -> impl Strategy<Value = Place> {
    let name = prop_oneof![".*", "[a-c]{0,2000}"];
    let tags = proptest::collection::vec(".{0,8}", 0..8);
    (any::<i64>(), name, any::<Option<Vec<u8>>>(), tags).prop_map(|(id, name, code, tags)| Place {
        id,
        name,
        code,
        tags,
    })
}

proptest! {
    #[test]
    fn an_entry_is_read_back(place in place(), compress_from in any::<Option<u8>>()) {
        let key = key(place.id);
        let entry = of_row(&place, SHAPE, &key, compress_from.map(usize::from), UNSIGNED, |_| None).expect("an entry");
        prop_assert_eq!(decode(&entry, SHAPE, &key, UNSIGNED), Ok(Some(place)));
    }

    #[test]
    fn no_flipped_bit_goes_unnoticed(place in place(), at in any::<proptest::sample::Index>()) {
        let key = key(place.id);
        for entry in [of_row(&place, SHAPE, &key, Some(64), UNSIGNED, |_| None).expect("an entry"), of_absent(&key, UNSIGNED)] {
            let mut broken = entry.to_vec();
            let bit = at.index(broken.len() * 8);
            broken[bit / 8] ^= 1 << (bit % 8);
            prop_assert!(decode::<Place>(&broken, SHAPE, &key, UNSIGNED).is_err(), "bit {} of {}", bit, entry.len());
        }
    }

    #[test]
    fn no_truncated_entry_is_taken(place in place(), at in any::<proptest::sample::Index>()) {
        let key = key(place.id);
        let entry = of_row(&place, SHAPE, &key, Some(64), UNSIGNED, |_| None).expect("an entry");
        let cut = &entry[..at.index(entry.len())];
        prop_assert!(decode::<Place>(cut, SHAPE, &key, UNSIGNED).is_err());
    }

    #[test]
    fn rubbish_is_never_a_row(rubbish in any::<Vec<u8>>(), ours in any::<bool>()) {
        let mut value = if ours { [&MAGIC[..], &[FORMAT]].concat() } else { Vec::new() };
        value.extend_from_slice(&rubbish);
        prop_assert!(decode::<Place>(&value, SHAPE, &key(1), UNSIGNED).is_err());
    }

    #[test]
    fn keys_are_read_back_and_their_entries_are_no_rows(
        keys in proptest::collection::vec(any::<(i64, String)>(), 1..40),
    ) {
        let key = key(7);
        let entry = of_keys(&keys, SHAPE, &key, UNSIGNED, PartialEq::eq).expect("an entry");
        prop_assert_eq!(decode_keys(&entry, SHAPE, &key, UNSIGNED), Ok(keys));
        prop_assert_eq!(
            decode_keys::<(i64, String)>(&entry, SHAPE + 1, &key, UNSIGNED), Err(Unreadable::Shape)
        );
        prop_assert!(decode::<Place>(&entry, SHAPE, &key, UNSIGNED).is_err());
    }

    #[test]
    fn no_flipped_bit_in_keys_goes_unnoticed(
        keys in proptest::collection::vec(any::<i64>(), 1..40), at in any::<proptest::sample::Index>(),
    ) {
        let key = key(7);
        let mut broken = of_keys(&keys, SHAPE, &key, UNSIGNED, PartialEq::eq).expect("an entry").to_vec();
        let bit = at.index(broken.len() * 8);
        broken[bit / 8] ^= 1 << (bit % 8);
        prop_assert!(decode_keys::<i64>(&broken, SHAPE, &key, UNSIGNED).is_err());
    }

    #[test]
    fn what_is_under_another_key_is_found_out(place in place(), other in any::<i64>()) {
        prop_assume!(place.id != other);
        let entry = of_row(&place, SHAPE, &key(place.id), None, UNSIGNED, |_| None).expect("an entry");
        prop_assert_eq!(decode::<Place>(&entry, SHAPE, &key(other), UNSIGNED), Err(Unreadable::Key));
        let absent = of_absent(&key(place.id), UNSIGNED);
        prop_assert_eq!(decode::<Place>(&absent, SHAPE, &key(other), UNSIGNED), Err(Unreadable::Key));
    }
}

#[test]
fn every_bit_of_one_entry_counts() {
    let place = Place { id: 7, name: "Vila".into(), code: None, tags: vec!["x".into()] };
    let key = key(7);
    let entry = of_row(&place, SHAPE, &key, None, UNSIGNED, |_| None).expect("an entry");
    for bit in 0..entry.len() * 8 {
        let mut broken = entry.to_vec();
        broken[bit / 8] ^= 1 << (bit % 8);
        assert!(decode::<Place>(&broken, SHAPE, &key, UNSIGNED).is_err(), "bit {bit}");
    }
}

#[test]
fn another_shape_is_not_decoded_but_an_absent_row_has_none() {
    let place = Place { id: 7, name: String::new(), code: None, tags: Vec::new() };
    let key = key(7);
    let entry = of_row(&place, SHAPE, &key, None, UNSIGNED, |_| None).expect("an entry");
    assert_eq!(decode::<Place>(&entry, SHAPE + 1, &key, UNSIGNED), Err(Unreadable::Shape));
    assert_eq!(decode::<Place>(&of_absent(&key, UNSIGNED), SHAPE + 1, &key, UNSIGNED), Ok(None));
    assert_eq!(
        decode_keys::<i64>(&of_absent(&key, UNSIGNED), SHAPE, &key, UNSIGNED),
        Ok(Vec::new())
    );
}

#[test]
fn a_newer_format_is_told_from_rubbish() {
    let mut entry = of_absent(&key(7), UNSIGNED).to_vec();
    entry[FORMAT_AT] = FORMAT + 1;
    assert_eq!(decode::<Place>(&entry, SHAPE, &key(7), UNSIGNED), Err(Unreadable::Format));
    assert_eq!(
        decode::<Place>(b"VALUE of somebody", SHAPE, &key(7), UNSIGNED),
        Err(Unreadable::Foreign)
    );
    assert_eq!(decode::<Place>(b"", SHAPE, &key(7), UNSIGNED), Err(Unreadable::Foreign));
}

#[test]
fn a_row_that_serde_cannot_write_has_no_entry() {
    #[derive(Deserialize)]
    struct Unwritable;
    impl Serialize for Unwritable {
        fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            Err(serde::ser::Error::custom("no"))
        }
    }
    assert_eq!(
        of_row(&Unwritable, SHAPE, &key(7), None, UNSIGNED, |_| None),
        Err(Lost::Unwritable)
    );
}

/// A program of the version before, to which this form is none that it knows.
#[test]
fn an_entry_in_a_form_for_people_is_of_a_newer_format_to_the_version_before() {
    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    struct Host {
        id: i64,
        at: std::net::SocketAddrV6,
    }
    let host = Host { id: 7, at: "[fe80::1%3]:80".parse().expect("an address") };
    let differing = |again: &Host| (*again != host).then_some("at");
    let entry = of_row(&host, SHAPE, &key(7), None, UNSIGNED, differing).expect("an entry");
    assert_eq!(decode(&entry, SHAPE, &key(7), UNSIGNED), Ok(Some(host.clone())));
    // What it knows of flags is whether they are 0, 1, 2 or 3, beside 4 for a signature.
    assert_eq!(entry[FLAGS_AT], READABLE);
    let mut unknown = entry.to_vec();
    unknown[FLAGS_AT] |= COMPACT;
    let unknown = seal(unknown, UNSIGNED);
    assert_eq!(decode::<Host>(&unknown, SHAPE, &key(7), UNSIGNED), Err(Unreadable::Format));
}

#[test]
fn keys_that_come_back_as_others_have_no_entry() {
    #[derive(Clone, PartialEq, Deserialize)]
    struct Masked(i64);
    impl Serialize for Masked {
        fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.serialize_i64(0)
        }
    }
    let keys = [Masked(0), Masked(1)];
    let of = |keys: &[Masked]| of_keys(keys, SHAPE, &key(7), UNSIGNED, PartialEq::eq);
    assert!(of(&keys[..1]).is_ok());
    assert_eq!(of(&keys), Err(Lost::Key));
}

#[cfg(feature = "lz4")]
mod compressed {
    use super::*;

    fn long(len: usize) -> Place {
        Place { id: 7, name: "ab".repeat(len / 2), code: None, tags: Vec::new() }
    }

    #[test]
    fn only_what_is_long_enough_and_becomes_smaller_is_compressed() {
        let key = key(7);
        let plain = of_row(&long(4000), SHAPE, &key, None, UNSIGNED, |_| None).expect("an entry");
        let small =
            of_row(&long(4000), SHAPE, &key, Some(1000), UNSIGNED, |_| None).expect("an entry");
        assert!(small.len() < plain.len() / 4);
        assert_eq!(of_row(&long(4000), SHAPE, &key, Some(10_000), UNSIGNED, |_| None), Ok(plain));
        let random = Place { code: Some(rand::random::<[u8; 32]>().to_vec()), ..long(0) };
        let entry = of_row(&random, SHAPE, &key, Some(0), UNSIGNED, |_| None).expect("an entry");
        assert_eq!(entry[FLAGS_AT] & COMPRESSED, 0);
    }

    #[test]
    fn a_bomb_is_rubbish() {
        let key = key(7);
        // 4 GiB, it says.
        for length in [u32::MAX, (64 << 20) + 1, 1 << 20] {
            let mut entry = header(ROW, SHAPE, &key);
            entry[FLAGS_AT] = COMPRESSED;
            entry.extend_from_slice(&length.to_le_bytes());
            entry.extend_from_slice(&[0x1f, b'a', 1, 0, 255, 255, 255]);
            let entry = seal(entry, UNSIGNED);
            assert_eq!(decode::<Place>(&entry, SHAPE, &key, UNSIGNED), Err(Unreadable::Body));
        }
    }
}
