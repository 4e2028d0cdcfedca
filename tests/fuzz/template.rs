//! Gives libFuzzer's bytes to the entry point `template`.

#![no_main]

mod entry;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| entry::read("template", bytes));
