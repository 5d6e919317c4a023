//! See `thumbs_host_fuzz::clients::redis`.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| thumbs_host_fuzz::clients::redis::check(input));
