#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| cached_orm::fuzzing::cache_urls(data));
