#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| overdue_fuzz::history::try_bytes(data));
