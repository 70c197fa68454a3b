//! `ecac_fuzz::audit_log` under libFuzzer.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    ecac_fuzz::audit_log::run(data);
});
