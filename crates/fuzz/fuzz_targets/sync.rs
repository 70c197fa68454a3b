//! `ecac_fuzz::sync` under libFuzzer.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    ecac_fuzz::sync::run(data);
});
