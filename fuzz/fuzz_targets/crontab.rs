#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| overdue_fuzz::crontab::try_bytes(data));
