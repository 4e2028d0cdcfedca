//! How one request leaves: secrets, guard, client, outcome.
