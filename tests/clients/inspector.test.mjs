// The check of changes: that it says what breaks, of whom, and lets the rest pass.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, test } from 'node:test';

const here = import.meta.dirname;
// Without descriptions, so that a line can be taken out.
const released = readFileSync(resolve(here, 'released/schema.graphql'), 'utf8').replace(/^\s*"""[^]*?"""\n/gm, '');
const folder = mkdtempSync(join(tmpdir(), 'tenantry-inspector-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const write = (name, text) => {
  writeFileSync(join(folder, name), text);
  return name;
};

const card = 'fragment Card on Tenant { id slug }';
/** One list in each form: GraphQL Code Generator's, Relay's, Apollo's. */
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
      // Two in one document, and a fragment of one of them.
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

/** The check's exit code and what it says, one line each. */
function check(schema, lists = manifests) {
  const program = resolve(here, 'inspector/check.mjs');
  const files = ['--released', write('released.graphql', released), '--schema', write('schema.graphql', schema)];
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...files, ...lists], {
    cwd: folder,
    encoding: 'utf8',
  });
  return { status, lines: stdout.trimEnd().split('\n'), stderr };
}

/** The operations under each change. */
function told(lines) {
  const changes = {};
  let touched;
  for (const line of lines.slice(0, -1)) {
    const change = /^(\w+ \S+): /.exec(line)?.[1];
    if (change) touched = changes[change] = [];
    else touched.push(line.trim());
  }
  return changes;
}

/** The schema with each of these changes in it: after the first text, the second becomes the third. */
function changed(...changes) {
  return changes.reduce((schema, [after, from, to]) => {
    const start = schema.indexOf(after);
    const at = schema.indexOf(from, start);
    assert(start >= 0 && at >= 0, `nothing to change: ${from}`);
    return schema.slice(0, at) + to + schema.slice(at + from.length);
  }, released);
}

test('what was released breaks nothing', () => {
  const { status, lines } = check(released);
  assert.deepEqual(lines, ['0 breaking and 0 dangerous changes; 0 of 9 operations break']);
  assert.equal(status, 0);
});

test('each breaking change is told with the operations that it breaks', () => {
  const { status, lines } = check(
    changed(
      ['type Tenant implements', 'slug: String!', 'handle: String!'],
      ['\tusers(', 'filter: UserFilter', 'filter: UserFilter!'],
      ['enum Plan', '\tFREE\n', ''],
      ['input UpdateTenantInput', 'name: String', 'name: String!'],
      ['enum MembershipSource', '\tGROUP\n', ''],
      ['type User implements', 'name: String!', 'name: String'],
    ).replaceAll(' = FREE', ''),
  );
  assert.equal(status, 1);
  assert.deepEqual(told(lines), {
    // Its default went with the value, so that it has to be given.
    'BREAKING CreateTenantInput.plan': ['breaks Create (07 in apollo.json)'],
    'BREAKING MembershipSource.GROUP': [],
    'BREAKING Plan.FREE': [
      'breaks Update (06 in apollo.json)',
      'breaks Create (07 in apollo.json)',
      'breaks Free (08 in apollo.json)',
    ],
    // Who gives a value of its own is none the worse.
    'BREAKING Query.users.filter': ['breaks Users (03 in relay.json)'],
    'BREAKING Tenant.slug': ['breaks Page (sha256:01 in codegen.json)'],
    'BREAKING UpdateTenantInput.name': ['breaks Update (06 in apollo.json)'],
    'BREAKING User.name': ['breaks Users (03 in relay.json)', 'breaks All (04 in relay.json)'],
  });
  assert.match(lines.at(-1), /^7 breaking and 0 dangerous changes; 6 of 9 operations break$/);
});

test('what is only more passes, and a new value is a warning', () => {
  const more = changed(
    ['type Tenant implements', 'slug: String!', 'slug: String!\n\tmotto: String'],
    ['input UpdateTenantInput', 'name: String', 'name: String\n\tmotto: String'],
    ['type Query', 'me: User!', 'me: User!\n\tmotto(of: ID): String'],
  );
  assert.equal(check(more).status, 0);
  assert.match(check(more).lines.at(-1), /^0 breaking .* 0 of 9 operations break$/);
  const { status, lines } = check(changed(['enum TenantStatus', '\tARCHIVED', '\tARCHIVED\n\tMERGED']));
  assert.equal(status, 0);
  assert.match(lines[0], /^dangerous TenantStatus.MERGED:/);
  assert.deepEqual(lines.slice(1, -1), ['  may surprise Names (sha256:02 in codegen.json)']);
});

test('a file that is not what it should be is told from a change', () => {
  const wrong = write('wrong.json', JSON.stringify({ '09': 'query {' }));
  for (const { status, stderr } of [check(released, [wrong]), check(released, ['none.json']), check('type')]) {
    assert.equal(status, 2);
    assert.match(stderr, /wrong\.json: 09: Syntax Error|none\.json|schema\.graphql: Syntax Error/);
  }
});
