//! `ecac_fuzz::credential` under libFuzzer.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    ecac_fuzz::credential::run(data);
});
