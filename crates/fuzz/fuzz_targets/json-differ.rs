//! `ecac_fuzz::json_differ` under libFuzzer.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    ecac_fuzz::json_differ::run(data);
});
