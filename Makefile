# `make test` is what CI runs, and all of it. The other targets are its parts and a few conveniences.

.PHONY: test fmt lint unit schema deny snapshot clean

test: fmt lint playground-check unit schema clients portal

fmt:
	cargo fmt --check

lint:
	cargo clippy --locked --all-targets -- -D warnings

# The suites of both stores, identity against a real provider, the audits of GraphQL over HTTP, the
# playground in a browser, and what is deployed: a mongod and its shell, the provider, what makes its
# certificate, the audits, a browser and docker-compose are fetched where they are not there.
unit: mongod oidc audits browser deployment
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

# What the tests of the playground drive.
.PHONY: browser
browser:
	scripts/fetch-chromium >/dev/null
	scripts/lay-out-npm tests/browser

# The program embeds what is built here, so that building it needs no Node. The check builds anew and
# compares.
.PHONY: playground playground-check
playground:
	scripts/build-playground

playground-check:
	scripts/build-playground --check

# The pictures in docs/img, by a gateway of its own.
.PHONY: playground-pictures
playground-pictures: browser
	cargo build --locked
	scripts/picture-playground

# What the tests of what is deployed run.
.PHONY: deployment
deployment:
	scripts/fetch-deploy

# Through the program, as somebody who generates code from it would.
schema:
	cargo run --locked --quiet -- schema --check schema.graphql

# Clients that are generated from the schema, and what a change of it breaks since the last release; the
# gateway that they ask is this one, where TENANTRY names no other.
.PHONY: clients
clients: $(if $(TENANTRY),,program)
	scripts/lay-out-npm tests/clients
	npm --prefix tests/clients run --silent check

.PHONY: program
program:
	cargo build --locked --quiet

# At a release: what changes are held against from then on.
.PHONY: release-schema
release-schema:
	scripts/lay-out-npm tests/clients
	npm --prefix tests/clients run --silent release

# The example portal: its types and its list of documents fit the schema, and the whole chain works in a
# browser. What it needs is fetched where it is not there.
.PHONY: portal
portal: portal-built
	CHROMIUM=$$(scripts/fetch-chromium) node --test --test-timeout=120000 tests/portal/parts.test.mjs tests/portal/chain.test.mjs

.PHONY: portal-built
portal-built: mongod oidc program
	scripts/fetch-chromium
	scripts/fetch-caddy
	scripts/lay-out-npm tests/portal
	scripts/lay-out-npm examples/portal
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
