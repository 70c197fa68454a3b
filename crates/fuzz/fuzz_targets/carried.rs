//! `ecac_fuzz::carried` under libFuzzer.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    ecac_fuzz::carried::run(data);
});
