# `make test` is the complete CI run. The other targets are its steps and some development helpers.

.PHONY: test fmt prose lint unit schema deny snapshot clean

test: fmt prose lint playground-check unit schema clients live portal bench-check

fmt:
	cargo fmt --check

# Checks the wording of docs and doc comments, the links between Markdown files, and that the plot of
# docs/PERFORMANCE.md shows its table.
prose:
	scripts/check-prose --test
	scripts/check-prose
	scripts/plot-performance --check

lint:
	cargo clippy --locked --all-targets -- -D warnings

# Runs all Rust tests: the suites of both stores, authentication against a real provider, the
# GraphQL over HTTP audits, the playground in a browser, the migration from Mongoose, and the deployment
# files. Fetches missing tools first: mongod and its shell, the provider, mkcert for its certificate, the
# audits, Mongoose, a browser and docker-compose.
unit: mongod oidc smtp audits mongoose browser deployment
	cargo test --locked

.PHONY: mongod
mongod:
	scripts/fetch-mongod

.PHONY: oidc
oidc:
	scripts/fetch-oidc

# The SMTP server of the mail tests.
.PHONY: smtp
smtp: oidc
	scripts/lay-out-npm tests/smtp

.PHONY: audits
audits:
	scripts/lay-out-npm tests/audits

.PHONY: mongoose
mongoose:
	scripts/lay-out-npm tests/mongoose

# The browser, and the npm package that drives it in the playground tests.
.PHONY: browser
browser:
	scripts/fetch-chromium >/dev/null
	scripts/lay-out-npm tests/browser

# Builds the playground. The result is committed and embedded in the program, so that building the
# program needs no Node.js. The check builds it again and compares.
.PHONY: playground playground-check
playground:
	scripts/build-playground

playground-check:
	scripts/build-playground --check

# Takes the playground screenshots in docs/img, from gateways that the script starts.
.PHONY: playground-pictures
playground-pictures: browser
	cargo build --locked
	scripts/picture-playground

# The tools that the deployment tests run.
.PHONY: deployment
deployment:
	scripts/fetch-deploy

# Uses the program, as a client developer does who generates code from the schema.
schema:
	cargo run --locked --quiet -- schema --check schema.graphql

# Generates clients from the schema and runs them against a gateway. Also reports schema changes that
# break clients of the last release. The gateway is the one built here, unless TENANTRY names another.
.PHONY: clients
clients: $(if $(TENANTRY),,program)
	scripts/lay-out-npm tests/clients
	npm --prefix tests/clients run --silent check

# Runs live operations with the clients of docs/CLIENTS.md, against the gateway that is built here.
.PHONY: live
live: $(if $(TENANTRY),,program)
	scripts/lay-out-npm tests/live
	npm --prefix tests/live test --silent

.PHONY: program
program:
	cargo build --locked --quiet

# Run this at a release: saves the schema as the baseline for later checks.
.PHONY: release-schema
release-schema:
	scripts/lay-out-npm tests/clients
	npm --prefix tests/clients run --silent release

# Tests the example portal: its types and its list of documents match the schema, its functions and its texts pass
# their unit tests, and the whole chain works in a browser. Fetches missing tools first. The time limit is that of a
# whole file of tests.
.PHONY: portal
portal: portal-built
	CHROMIUM=$$(scripts/fetch-chromium) node --test --test-timeout=1800000 tests/portal/server.test.mjs tests/portal/end-to-end.test.mjs

.PHONY: portal-built
portal-built: mongod oidc program
	scripts/fetch-chromium
	scripts/fetch-caddy
	scripts/lay-out-npm tests/portal
	scripts/lay-out-npm tests/smtp
	scripts/lay-out-npm examples/portal
	cd examples/portal && npm run --silent codegen:check && npm run --silent lint && npm run --silent typecheck && npm run --silent test && npm run --silent build

# Takes the portal screenshots in docs/img again. Look at them before you commit them.
.PHONY: portal-shots
portal-shots: portal-built
	node tests/portal/screenshots.mjs

# Measures the most that one hostile caller can take from the release program, and fails if a figure exceeds
# its bound. `make hostile WRITE=1` also writes the table in docs/OPERATIONS.md.
.PHONY: hostile
hostile: mongod
	scripts/measure-hostile $(if $(WRITE),--write)

# Measures the work of one request in the process, and counts its instructions if valgrind is installed.
# `make bench-check` fails if a count has grown by more than 5 %. It needs an optimized build, which takes about
# ten minutes the first time.
.PHONY: bench bench-check
bench:
	scripts/bench

bench-check:
	scripts/bench --check

# Checks the crates: duplicates, licences, sources, unused ones, and advisories. Needs `cargo install
# cargo-deny cargo-machete`. Only the last step needs the network: it fetches RustSec's database.
deny:
	cargo deny --locked check bans licenses sources
	cargo machete
	cargo deny --locked check advisories

# Writes all files again that tests compare with. Read the diff before you commit it.
snapshot:
	cargo run --locked --quiet -- schema > schema.graphql
	INSTA_UPDATE=always cargo test --locked

clean:
	cargo clean
	rm -rf .cache .tenantry
