//! The journey graph executor: what follows from one input.

pub mod delivery;
