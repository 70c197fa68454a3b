//! `ecac_fuzz::op_decode` under libFuzzer.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    ecac_fuzz::op_decode::run(data);
});
