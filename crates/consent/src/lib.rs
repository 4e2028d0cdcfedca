//! Whether we may: consent records, choices and verdicts.
