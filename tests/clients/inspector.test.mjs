// The schema check names each breaking change with the operations that it breaks, and accepts the rest.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, test } from 'node:test';

const here = import.meta.dirname;
// Descriptions are removed so that a test can remove single lines.
const released = readFileSync(resolve(here, 'released/schema.graphql'), 'utf8').replace(/^\s*"""[^]*?"""\n/gm, '');
const folder = mkdtempSync(join(tmpdir(), 'tenantry-inspector-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const write = (name, text) => {
  writeFileSync(join(folder, name), text);
  return name;
};

const card = 'fragment Card on Tenant { id slug }';
/** One manifest in each format: GraphQL Code Generator, Relay, Apollo. */
const manifests = [
  write(
    'codegen.json',
    JSON.stringify({
      'sha256:01': `query Page($slug: String!) { tenant(slug: $slug) { ...Card } } ${card}`,
      'sha256:02': 'query Names { tenants { nodes { name status } } }',
    }),
  ),
  write(
    'relay.json',
    JSON.stringify({
      // One document with two operations, and a fragment of one of them.
      '03': `query Users($filter: UserFilter) { users(filter: $filter) { nodes { name } } }
             query Any($id: ID!) { node(id: $id) { ...Any } } fragment Any on Node { id }`,
      '04': 'query All { users(filter: { disabled: false }) { nodes { name } } }',
    }),
  ),
  write(
    'apollo.json',
    JSON.stringify({
      format: 'apollo-persisted-query-manifest',
      version: 1,
      operations: [
        [
          '06',
          'Update',
          'mutation Update($input: UpdateTenantInput!) { updateTenant(input: $input) { tenant { name } } }',
        ],
        [
          '07',
          'Create',
          'mutation Create($input: CreateTenantInput!) { createTenant(input: $input) { tenant { name } } }',
        ],
        ['08', 'Free', 'query Free { tenants(filter: { plan: [FREE] }) { totalCount } }'],
        ['09', 'Paid', 'query Paid { tenants(filter: { plan: [BUSINESS] }) { totalCount } }'],
      ].map(([id, name, body]) => ({ id, name, type: body.split(' ')[0], body })),
    }),
  ),
];

/** Runs the check and returns its exit code and its output by line. */
function check(schema, files = manifests, before = released) {
  const program = resolve(here, 'inspector/check.mjs');
  const schemas = ['--released', write('released.graphql', before), '--schema', write('schema.graphql', schema)];
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...schemas, ...files], {
    cwd: folder,
    encoding: 'utf8',
  });
  return { status, lines: stdout.trimEnd().split('\n'), stderr };
}

/** Groups the listed operations by change. */
function operationsByChange(lines) {
  const changes = {};
  let operations;
  for (const line of lines.slice(0, -1)) {
    const change = /^(\w+ \S+): /.exec(line)?.[1];
    if (change) operations = changes[change] = [];
    else operations.push(line.trim());
  }
  return changes;
}

/** Applies changes to the released schema. Each replaces `from` by `to` at its first place after `after`. */
function changed(...changes) {
  return changes.reduce((schema, [after, from, to]) => {
    const start = schema.indexOf(after);
    const at = schema.indexOf(from, start);
    assert(start >= 0 && at >= 0, `not in the released schema: ${from}`);
    return schema.slice(0, at) + to + schema.slice(at + from.length);
  }, released);
}

test('the released schema has no changes', () => {
  const { status, lines } = check(released);
  assert.deepEqual(lines, ['0 breaking and 0 dangerous changes; 0 of 9 operations break']);
  assert.equal(status, 0);
});

test('each breaking change is listed with the operations that it breaks', () => {
  const { status, lines } = check(
    changed(
      ['type Tenant implements', 'slug: String!', 'handle: String!'],
      ['  users(', 'filter: UserFilter', 'filter: UserFilter!'],
      ['enum Plan', '  FREE\n', ''],
      ['input UpdateTenantInput', 'name: String', 'name: String!'],
      ['enum MembershipSource', '  GROUP\n', ''],
      ['type User implements', 'name: String!', 'name: String'],
    ).replaceAll(' = FREE', ''),
  );
  assert.equal(status, 1);
  assert.deepEqual(operationsByChange(lines), {
    // The field has lost its default together with the enum value, so it is required now.
    'BREAKING CreateTenantInput.plan': ['breaks Create (07 in apollo.json)'],
    'BREAKING MembershipSource.GROUP': [],
    'BREAKING Plan.FREE': [
      'breaks Update (06 in apollo.json)',
      'breaks Create (07 in apollo.json)',
      'breaks Free (08 in apollo.json)',
    ],
    // An operation that already gives a value does not break.
    'BREAKING Query.users.filter': ['breaks Users (03 in relay.json)'],
    'BREAKING Tenant.slug': ['breaks Page (sha256:01 in codegen.json)'],
    'BREAKING UpdateTenantInput.name': ['breaks Update (06 in apollo.json)'],
    'BREAKING User.name': ['breaks Users (03 in relay.json)', 'breaks All (04 in relay.json)'],
  });
  assert.match(lines.at(-1), /^7 breaking and 0 dangerous changes; 6 of 9 operations break$/);
});

test('additions are accepted and a new enum value is a warning', () => {
  const more = changed(
    ['type Tenant implements', 'slug: String!', 'slug: String!\n  motto: String'],
    ['input UpdateTenantInput', 'name: String', 'name: String\n  motto: String'],
    ['type Query', 'me: User!', 'me: User!\n  motto(of: ID): String'],
  );
  assert.equal(check(more).status, 0);
  assert.match(check(more).lines.at(-1), /^0 breaking .* 0 of 9 operations break$/);
  const { status, lines } = check(changed(['enum TenantStatus', '  ARCHIVED', '  ARCHIVED\n  MERGED']));
  assert.equal(status, 0);
  assert.match(lines[0], /^dangerous TenantStatus.MERGED:/);
  assert.deepEqual(lines.slice(1, -1), ['  may affect Names (sha256:02 in codegen.json)']);
});

test('a changed guard is a warning, and the first guards are not', () => {
  const types = (guard) =>
    `type Query { tenant(slug: String!): Tenant } type Tenant { id: ID slug: String ${guard} }`;
  const guarded = (requirement) =>
    `directive @guard(requires: Requirement!) on FIELD_DEFINITION enum Requirement { ADMIN OWNER }
     ${types(requirement && `@guard(requires: ${requirement})`)}`;
  const page = manifests.slice(0, 1);
  const compared = (before, now) => check(now, page, before);
  assert.deepEqual(operationsByChange(compared(types(''), guarded('ADMIN')).lines), {});
  const affects = ['may affect Page (sha256:01 in codegen.json)'];
  const added = compared(guarded(''), guarded('ADMIN'));
  assert.deepEqual(operationsByChange(added.lines), { 'dangerous Tenant.slug.@guard': affects });
  const raised = compared(guarded('ADMIN'), guarded('OWNER'));
  assert.deepEqual(operationsByChange(raised.lines), { 'dangerous Tenant.slug.@guard.requires': affects });
  assert.deepEqual([added.status, raised.status], [0, 0]);
});

test('an unreadable file exits with another code than a breaking change', () => {
  const wrong = write('wrong.json', JSON.stringify({ '09': 'query {' }));
  for (const { status, stderr } of [check(released, [wrong]), check(released, ['none.json']), check('type')]) {
    assert.equal(status, 2);
    assert.match(stderr, /wrong\.json: 09: Syntax Error|none\.json|schema\.graphql: Syntax Error/);
  }
});
