//! What is durable. The log is the truth: what is in it and synced has happened.

pub mod log;
