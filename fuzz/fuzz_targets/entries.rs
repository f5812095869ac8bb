#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| cached_orm::fuzzing::entries(data));
