#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| sessiond::fuzzing::journal_lines(bytes));
