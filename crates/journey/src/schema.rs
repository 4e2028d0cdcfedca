//! What may stand in a journey file and in its test, for editors? JSON Schemas (draft 2020-12) that
//! complete keys and explain them. Not here: the whole truth, which only the checker knows (whether
//! blocks are there, expressions can be read, a webhook is reached by a decision).

/// The schema of a journey file.
pub const JOURNEY: &str = include_str!("schema/journey.json");
/// The schema of a test file.
pub const TEST: &str = include_str!("schema/test.json");
