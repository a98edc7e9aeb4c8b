//! `cargo +nightly fuzz run stored_values`

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| fuzz_targets::stored_values::run(data));
