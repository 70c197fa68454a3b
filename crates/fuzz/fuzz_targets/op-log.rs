//! `ecac_fuzz::op_log` under libFuzzer.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    ecac_fuzz::op_log::run(data);
});
