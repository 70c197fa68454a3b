//! `ecac_fuzz::csv_differ` under libFuzzer.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    ecac_fuzz::csv_differ::run(data);
});
