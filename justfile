# What `.ci/run` does, and its parts.

default: check

# Everything a change must pass.
check:
    .ci/run

# The tests alone.
test:
    cargo test --workspace

# Formatting and lints alone.
lint:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets -- -D warnings
