//! `cargo +nightly fuzz run raw_sql`

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| fuzz_targets::raw_sql::run(data));
