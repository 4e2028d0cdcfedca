//! Gives libFuzzer's bytes to the entry point `event`.

#![no_main]

mod entry;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| entry::read("event", bytes));
