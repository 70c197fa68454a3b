//! `ecac_fuzz::mailbox` under libFuzzer.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    ecac_fuzz::mailbox::run(data);
});
