# The image of the gateway: nothing but the program, the four libraries it links, and certificates.
#
#   docker build --tag tenantry:0.1.0 --build-arg REVISION="$(git rev-parse HEAD)" .
#
# docs/DEPLOYMENT.md has what the image expects, how to read its bill of materials, and how to pin
# the bases by digest.

# Both bases are one Debian, so that what is linked in the first is what the last stage has.
ARG RUST_IMAGE=docker.io/library/rust:1.95.0-slim-trixie
ARG DEBIAN_IMAGE=docker.io/library/debian:13.8-slim

FROM ${RUST_IMAGE} AS build
# Writes the list of crates and their versions into the program, where `cargo audit bin`, Syft, Trivy
# and Grype find it.
RUN cargo install --locked --version 0.7.7 --root /usr/local cargo-auditable
WORKDIR /build
# Dependencies are a layer of their own, which depends on the manifest and the lock alone: a program
# without content, with the same profile. A plain layer rather than a cache mount, because a registry
# can keep a layer, so that machines that build only once have it too.
COPY Cargo.toml Cargo.lock ./
RUN mkdir -p src benches tests/it \
    && touch src/lib.rs \
    && for file in src/main.rs benches/hostile.rs tests/it/main.rs; do echo 'fn main() {}' > "$file"; done \
    && cargo auditable build --locked --release --lib --bin tenantry
COPY src src
# The playground, as it is embedded.
COPY playground/dist playground/dist
# Cargo compares times, and what is copied may be older than what was built above.
RUN find src -name '*.rs' -exec touch {} + \
    && cargo auditable build --locked --release --bin tenantry

# What the program needs of a system, and no shell, package manager or other program.
FROM ${DEBIAN_IMAGE} AS system
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates libgcc-s1 \
    && rm -rf /var/lib/apt/lists/*
COPY --from=build /build/target/release/tenantry /usr/local/bin/tenantry
WORKDIR /image
# Which libraries these are says the program itself. Scanners learn the versions from
# /var/lib/dpkg/status.d, as in Debian's "distroless" images.
RUN set -eu \
    && mkdir -p etc/ssl/certs tmp var/lib/dpkg/status.d var/lib/tenantry \
    && ldd /usr/local/bin/tenantry | grep -o '/[^ ]*' | xargs cp --parents --dereference --target-directory . \
    && cp --parents /usr/local/bin/tenantry . \
    && cp /etc/ssl/certs/ca-certificates.crt etc/ssl/certs/ \
    && cp /usr/lib/os-release etc/os-release \
    && echo 'hosts: files dns' > etc/nsswitch.conf \
    && echo 'tenantry:x:65532:65532::/var/lib/tenantry:/sbin/nologin' > etc/passwd \
    && echo 'tenantry:x:65532:' > etc/group \
    && for package in base-files ca-certificates gcc-14-base libc6 libgcc-s1; do \
           dpkg-query --status "$package" > "var/lib/dpkg/status.d/$package"; \
       done \
    && chmod 1777 tmp \
    && chown 65532:65532 var/lib/tenantry

FROM scratch
ARG VERSION=0.1.0
ARG REVISION=unknown
ARG CREATED=1970-01-01T00:00:00Z
LABEL org.opencontainers.image.title="Tenantry" \
      org.opencontainers.image.description="A GraphQL gateway for multi-tenant portals: the token says who, the database says what." \
      org.opencontainers.image.licenses="MIT OR Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.created="${CREATED}"
COPY --from=system /image /
# A number, so that Kubernetes can see that it is not root.
USER 65532:65532
# Inside a container, loopback is nobody's: the network decides who reaches these two.
ENV TENANTRY_BIND=0.0.0.0:8080 \
    TENANTRY_ADMIN_BIND=0.0.0.0:9090
EXPOSE 8080 9090
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=6s --start-period=30s --retries=3 \
    CMD ["/usr/local/bin/tenantry", "health"]
ENTRYPOINT ["/usr/local/bin/tenantry"]
CMD ["serve"]
