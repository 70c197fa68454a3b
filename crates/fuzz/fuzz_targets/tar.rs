//! `ecac_fuzz::archive` under libFuzzer.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    ecac_fuzz::archive::run(data);
});
