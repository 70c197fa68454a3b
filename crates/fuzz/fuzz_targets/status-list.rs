//! `ecac_fuzz::status_list` under libFuzzer.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    ecac_fuzz::status_list::run(data);
});
