# `make test` is what CI runs, and all of it. The other targets are its parts and a few conveniences.

.PHONY: test fmt lint unit schema deny snapshot clean

test: fmt lint unit schema portal

fmt:
	cargo fmt --check

lint:
	cargo clippy --locked --all-targets -- -D warnings

# The suites of both stores, identity against a real provider, and the audits of GraphQL over HTTP: a
# mongod, the provider, what makes its certificate and the audits are fetched where they are not there.
unit: mongod oidc audits
	cargo test --locked

.PHONY: mongod
mongod:
	scripts/fetch-mongod

.PHONY: oidc
oidc:
	scripts/fetch-oidc

.PHONY: audits
audits:
	scripts/lay-out-npm tests/audits

# Through the program, as somebody who generates code from it would.
schema:
	cargo run --locked --quiet -- schema --check schema.graphql

# The example portal: its types and its list of documents fit the schema, and the whole chain works in a
# browser. What it needs is fetched where it is not there.
.PHONY: portal
portal: portal-built
	node --test --test-timeout=120000 tests/portal/parts.test.mjs tests/portal/chain.test.mjs

.PHONY: portal-built
portal-built: mongod oidc
	scripts/fetch-chromium
	scripts/fetch-caddy
	scripts/lay-out-npm tests/portal
	scripts/lay-out-npm examples/portal
	cargo build --locked --quiet
	cd examples/portal && npm run --silent codegen:check && npm run --silent typecheck && npm run --silent build

# The pictures of docs/img, anew: look at them before you commit them.
.PHONY: portal-shots
portal-shots: portal-built
	node tests/portal/shots.mjs

# Licences, advisories and duplicates; needs `cargo install cargo-deny`, and its database of advisories.
deny:
	cargo deny check

# Writes what tests compare with anew: read the difference before you commit it.
snapshot:
	cargo run --locked --quiet -- schema > schema.graphql
	INSTA_UPDATE=always cargo test --locked

clean:
	cargo clean
	rm -rf .cache .tenantry
