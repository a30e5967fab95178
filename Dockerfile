# sessiond in an image of its own: one static binary and an empty /data and /backups, nothing else.
#
#   docker build -t sessiond .
#   docker run -p 127.0.0.1:5000:5000 -v sessiond:/data \
#     -e ADMIN_EMAIL=admin@example.com -e ADMIN_PASSWORD='correct horse 1' sessiond
#
# Settings are variables (`docker run --rm sessiond --help`); give them with -e, so that the
# healthcheck knows them too.

FROM rust:1.95-slim-bookworm AS build
WORKDIR /build
# A static program cannot look up getrandom(2) at run time as it starts, and would read a device file
# instead that is not everywhere; so it is told to call it.
ENV RUSTFLAGS='-C target-feature=+crt-static --cfg getrandom_backend="linux_getrandom"'

# The dependencies, in a layer that lasts until Cargo.lock changes. --target keeps RUSTFLAGS away
# from build scripts and procedural macros, which cannot be static; it is the machine's own.
COPY Cargo.toml Cargo.lock ./
# Cargo.toml names tests and benches, which must be there and are not built.
RUN mkdir -p src tests/asvs benches \
    && echo 'fn main() {}' > src/main.rs \
    && touch src/lib.rs tests/asvs/main.rs \
        benches/http.rs benches/login_timing.rs benches/steps.rs benches/store.rs \
    && cargo build --release --locked --bin sessiond --target "$(rustc -vV | sed -n 's/^host: //p')"

# The program. cargo goes by times: the stand-ins above are newer than the sources they stood for.
COPY README.md ./
COPY templates templates
COPY src src
RUN touch src/main.rs src/lib.rs \
    && cargo build --release --locked --bin sessiond --target "$(rustc -vV | sed -n 's/^host: //p')" \
    && mkdir -p /image/bin /image/state/data /image/state/backups \
    && chmod 700 /image/state/data /image/state/backups \
    && cp target/*/release/sessiond /image/bin/sessiond

FROM scratch
LABEL org.opencontainers.image.title="sessiond" \
      org.opencontainers.image.description="Users, logins and durable, revocable sessions over plain HTTP" \
      org.opencontainers.image.licenses="MIT OR Apache-2.0"
COPY --from=build /image/bin/ /
COPY --from=build --chown=65532:65532 /image/state/ /
# The last one asks the system for huge pages: of many records fewer are in no cache (docs/PERFORMANCE.md).
ENV API_HOST=0.0.0.0 \
    DATA_DIR=/data \
    BACKUP_DIR=/backups \
    GLIBC_TUNABLES=glibc.malloc.hugetlb=1
EXPOSE 5000
VOLUME /data
USER 65532:65532
HEALTHCHECK --interval=30s --timeout=5s --start-period=5s CMD ["/sessiond", "healthcheck"]
ENTRYPOINT ["/sessiond"]
