//! How does a service take webhooks so that each has its effect exactly once? It verifies the raw
//! body (`signature`), then remembers the id together with the effect (`ledger`). The program around
//! them is `main.rs`. Nothing here is Wayfare's: any sender of Standard Webhooks will do.

pub mod ledger;
pub mod signature;
