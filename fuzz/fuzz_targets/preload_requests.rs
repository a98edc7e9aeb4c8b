//! `cargo +nightly fuzz run preload_requests`

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| fuzz_targets::preload_requests::run(data));
