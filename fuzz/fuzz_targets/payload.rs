#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| overdue_fuzz::payload::try_bytes(data));
