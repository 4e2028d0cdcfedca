# What `.ci/run` does, and its parts.

default: check

# Everything a change must pass.
check:
    .ci/run

# The tests alone.
test:
    cargo test --workspace

# Worlds from seeds, for so many seconds: prints the first that breaks a promise and how to repeat it.
sim seconds="60":
    .ci/sim {{seconds}}

# Whether the simulation catches each deliberate fault of `tests/sim/faults/`, or those named.
teeth *faults:
    tests/sim/teeth {{faults}}

# Formatting and lints alone.
lint:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets -- -D warnings

# Bytes for one entry point of `tests/fuzz`, or for all: `docs/architecture.md` says what they are.
fuzz target="event journey expression template frame record" seconds="60":
    .ci/fuzz "{{target}}" {{seconds}}

# The shop's click stream through `cart-recovery`: exact totals, doubled events, kills.
bench-shop:
    .ci/shop

# What telling who it was and whether we may costs, from a thousand profiles to ten million.
bench-people *flags="--most 10000000":
    cargo run --release --package wayfare-bench -- people {{flags}}

# What the engine costs: `docs/performance.md` says how to read it.
bench-speed *flags:
    cargo build --release --package wayfare --package wayfare-bench
    target/release/wayfare-bench speed --wayfare target/release/wayfare {{flags}}

# The server under load, killed hundreds of times in front of a receiver that stalls, resets and lies.
torture *flags:
    .ci/torture --kills 300 --life 4000 {{flags}}

# Second copies after a kill, beside other engines: `docs/performance.md` has the table.
torture-peers *flags:
    .ci/torture --peers --kills 1 {{flags}}
