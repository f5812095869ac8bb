use cached_orm::MemcachedOrm;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, MemcachedOrm)]
struct Typed<T> {
    #[primary_key]
    id: i64,
    value: T,
}

#[derive(Serialize, Deserialize, MemcachedOrm)]
struct Borrowed<'a> {
    #[primary_key]
    id: i64,
    name: &'a str,
}

#[derive(Serialize, Deserialize, MemcachedOrm)]
struct Sized<const N: usize> {
    #[primary_key]
    id: i64,
}

#[derive(Serialize, Deserialize, MemcachedOrm)]
struct Conditional
where
    i64: Copy,
{
    #[primary_key]
    id: i64,
}

fn main() {}
