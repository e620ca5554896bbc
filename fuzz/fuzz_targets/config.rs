#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| overdue_fuzz::config::try_bytes(data));
