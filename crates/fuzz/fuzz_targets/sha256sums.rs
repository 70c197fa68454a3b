//! `ecac_fuzz::sums` under libFuzzer.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    ecac_fuzz::sums::run(data);
});
