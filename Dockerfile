# The image of the gateway. It contains only the program, the four libraries that it links, and
# certificates.
#
#   docker build --tag tenantry:0.1.0 --build-arg REVISION="$(git rev-parse HEAD)" .
#
# docs/DEPLOYMENT.md describes how to run the image, how to read its bill of materials, and how to
# pin the base images by digest.

# Both base images are the same Debian release, so that the program runs with the libraries that it
# was linked against.
ARG RUST_IMAGE=docker.io/library/rust:1.95.0-slim-trixie
ARG DEBIAN_IMAGE=docker.io/library/debian:13.8-slim

FROM ${RUST_IMAGE} AS build
# Embeds the list of crates and their versions in the program, where `cargo audit bin`, Syft, Trivy
# and Grype find it.
RUN cargo install --locked --version 0.7.7 --root /usr/local cargo-auditable
WORKDIR /build
# Builds the dependencies in their own layer, which depends on the manifest and the lock file only.
# The program in this step is empty, but has the same profile. A plain layer works better than a
# cache mount: a registry can store it, so machines that build only once can use it too.
COPY Cargo.toml Cargo.lock ./
RUN mkdir -p src benches tests/it \
    && touch src/lib.rs \
    && for file in src/main.rs benches/hostile.rs benches/requests.rs tests/it/main.rs; \
    do echo 'fn main() {}' > "$file"; done \
    && cargo auditable build --locked --release --lib --bin tenantry
COPY src src
# The built playground, which the program embeds.
COPY playground/dist playground/dist
# Cargo compares modification times, and the copied files may be older than the build above.
RUN find src -name '*.rs' -exec touch {} + \
    && cargo auditable build --locked --release --bin tenantry

# Collects the system files that the program needs, without a shell, a package manager or other
# programs.
FROM ${DEBIAN_IMAGE} AS system
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates libgcc-s1 \
    && rm -rf /var/lib/apt/lists/*
COPY --from=build /build/target/release/tenantry /usr/local/bin/tenantry
WORKDIR /image
# ldd reports the libraries that the program links. Scanners read their versions from
# /var/lib/dpkg/status.d, as in Debian-based "distroless" images.
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
      org.opencontainers.image.description="GraphQL gateway for multi-tenant SaaS portals: OpenID Connect authentication, authorization by the memberships in your database" \
      org.opencontainers.image.licenses="MIT OR Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.created="${CREATED}"
COPY --from=system /image /
# A number, so that Kubernetes can verify that the user is not root.
USER 65532:65532
# Other containers cannot reach loopback addresses of this one, so both ports listen on all
# interfaces. The network decides which clients reach them.
ENV TENANTRY_BIND=0.0.0.0:8080 \
    TENANTRY_ADMIN_BIND=0.0.0.0:9090
EXPOSE 8080 9090
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=6s --start-period=30s --retries=3 \
    CMD ["/usr/local/bin/tenantry", "health"]
ENTRYPOINT ["/usr/local/bin/tenantry"]
CMD ["serve"]
