# The recipes, each with what it is for
default:
    @just --list

# Everything that must hold before a change lands
check:
    .ci/run

# All tests, or those whose names contain a text
test *arguments:
    cargo test --locked {{ arguments }}

# Serve on 127.0.0.1:5000 with the records in data/
run *arguments:
    cargo run --locked -- {{ arguments }}

# Put all code into its form
fmt:
    cargo fmt

# Formatting and lints, as strict as they must hold
lint:
    cargo fmt --check
    cargo clippy --all-targets --locked -- -D warnings

# The Postman collection against a server of its own
newman *binary:
    postman/run {{ binary }}

# The pages in Chromium, with screenshots of all in target/screenshots (about two minutes)
browser *arguments:
    .ci/browser {{ arguments }}

# The programs in examples/, each driven with curl
examples:
    .ci/examples

# The container image
image:
    docker build --tag sessiond .

# Licences and sources of the dependencies, and crates that must not be among them
deny:
    .ci/tool cargo-deny@0.20.2
    cargo deny --locked check bans licenses sources

# Known weaknesses of the dependencies
audit:
    .ci/audit

# What the program is made of, as CycloneDX, into target/
sbom:
    .ci/sbom

# The proof of the ASVS requirements, and its table in docs/ASVS.md
asvs *arguments:
    UPDATE_ASVS=1 cargo test --locked --test asvs {{ arguments }}

# Kills, faults at every system call and full disks, the long way: 1,000 rounds in release (about six minutes, and the build)
crash *arguments:
    CRASH=long cargo test --release --locked --test crash -- --nocapture --test-threads=1 {{ arguments }}

# Every reader of foreign bytes against libFuzzer, each for so many seconds
fuzz *arguments:
    .ci/fuzz {{ arguments }}

# All figures of docs/PERFORMANCE.md, table after table (about twelve minutes, and the builds; on a machine that does nothing else)
bench: bench-steps bench-store bench-http perf-check

# Whether the time of a refused login tells who exists (about a minute; on a machine that does nothing else)
bench-timing:
    cargo bench --locked --bench login_timing

# What the steps of a request cost, each beside the least that it could, in process (about a minute, and the build)
bench-steps *arguments:
    cargo bench --locked --bench steps -- {{ arguments }}

# Start, memory, look-ups, durable writes and folds, up to a million records (about two minutes, 4 GB of memory)
bench-store *arguments:
    cargo bench --locked --bench store -- {{ arguments }}

# Instructions per guarded GET against the kept figure (a minute, and the builds; also on a machine that is busy)
perf-check:
    .ci/perf-check

# CPU per request beside a bare handler and the peers, logins under a flood, footprint (about eight minutes, and the builds; needs wrk)
bench-http *arguments:
    benches/peers/build
    cargo bench --locked --bench http -- {{ arguments }}

# Write docs/openapi.json anew, as the program serves it
openapi:
    UPDATE_OPENAPI=1 cargo test --locked --test suite the_copy_in_docs

# Hold the program to its OpenAPI document (about two minutes; needs python3-venv)
contract:
    cargo build --locked
    LOGIN_THROTTLE=off SESSIONS_PER_USER=10000 .ci/with-server target/debug/sessiond .ci/schemathesis
