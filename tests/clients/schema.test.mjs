// The schema file has the format of graphql-js, the schema follows Relay's specifications (object
// identification, cursor connections), and the shape check of responses finds every mismatch.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { test } from 'node:test';
import { buildSchema, isObjectType, printSchema } from 'graphql';
import { meets, requirement } from './support/requirements.mjs';
import { mismatches } from './support/shape.mjs';

const sdl = readFileSync(resolve(import.meta.dirname, '../../schema.graphql'), 'utf8');
const schema = buildSchema(sdl);
const fields = (type) =>
  Object.fromEntries(Object.values(type.getFields()).map(({ name, type }) => [name, String(type)]));
const objects = Object.values(schema.getTypeMap()).filter(
  (type) => isObjectType(type) && !type.name.startsWith('__'),
);

test('the schema file is what printSchema prints, with the guards of the fields', () => {
  // `printSchema` omits the directives of fields.
  const withoutGuards = sdl.replaceAll(/ @guard\(requires: [A-Z_]+\)$/gm, '');
  assert.equal(`${printSchema(schema)}\n`, withoutGuards);
});

test('a client finds the requirement of a field in the schema', () => {
  assert.equal(requirement(schema, 'Tenant', 'billingInfo'), 'TENANT_ADMIN');
  assert.equal(requirement(schema, 'Mutation', 'deleteTenant'), 'PLATFORM_ADMIN');
  assert.equal(requirement(schema, 'User', 'email'), undefined);
  const viewers = [null, 'MEMBER', 'ADMIN', 'OWNER'].map((role) => ({ platformAdmin: false, role }));
  const meeting = (requires) => viewers.filter((viewer) => meets(requires, viewer)).map(({ role }) => role);
  assert.deepEqual(meeting('TENANT_MEMBER'), ['MEMBER', 'ADMIN', 'OWNER']);
  assert.deepEqual(meeting('TENANT_ADMIN'), ['ADMIN', 'OWNER']);
  assert.deepEqual(meeting('TENANT_OWNER'), ['OWNER']);
  assert.deepEqual(meeting('PLATFORM_ADMIN'), []);
  assert.deepEqual(meeting(undefined), [null, 'MEMBER', 'ADMIN', 'OWNER']);
  assert(meets('PLATFORM_ADMIN', { platformAdmin: true, role: null }));
});

test('every type with an `id` is a Node', () => {
  // Relay stores one record per `id`, regardless of the type.
  const node = schema.getType('Node');
  assert.deepEqual(fields(node), { id: 'ID!' });
  const identified = objects.filter((type) => 'id' in type.getFields()).map(({ name }) => name);
  const nodes = schema.getPossibleTypes(node).map(({ name }) => name);
  assert.deepEqual(identified.sort(), nodes.toSorted());
  assert(nodes.length >= 4);
  const query = schema.getQueryType().getFields();
  const signature = ({ args, type }) => `(${args.map((one) => `${one.name}: ${one.type}`)}): ${type}`;
  assert.equal(signature(query.node), '(id: ID!): Node');
  assert.equal(signature(query.nodes), '(ids: [ID!]!): [Node]!');
});

test('every paginated list is a connection in both directions', () => {
  assert.deepEqual(fields(schema.getType('PageInfo')), {
    hasNextPage: 'Boolean!',
    hasPreviousPage: 'Boolean!',
    startCursor: 'String',
    endCursor: 'String',
  });
  let lists = 0;
  for (const parent of objects) {
    for (const { name, args, type } of Object.values(parent.getFields())) {
      const element = /^(\w+)Connection!?$/.exec(type)?.[1];
      if (!element) continue;
      lists += 1;
      const declared = Object.fromEntries(args.map((argument) => [argument.name, String(argument.type)]));
      const page = { first: 'Int', after: 'String', last: 'Int', before: 'String' };
      assert.deepEqual({ ...declared, ...page }, declared, `${parent}.${name}`);
      const { edges, pageInfo, nodes } = fields(schema.getType(`${element}Connection`));
      const connection = { edges: `[${element}Edge!]!`, pageInfo: 'PageInfo!', nodes: `[${element}]!` };
      assert.deepEqual({ edges, pageInfo, nodes }, connection);
      assert.deepEqual(fields(schema.getType(`${element}Edge`)), { cursor: 'String!', node: element });
    }
  }
  assert(lists >= 6);
});

test('a response of the wrong shape is reported', () => {
  const text = `query Q($more: Boolean = false) {
    me { id role createdAt memberships { role } }
    node(id: "x") { __typename ... on Tenant { slug } ... on User { name } }
    tenant(slug: "x") @include(if: $more) { version }
  }`;
  const me = {
    id: 'usr_1',
    role: null,
    createdAt: '2026-01-31T08:00:00.000Z',
    memberships: [{ role: 'OWNER' }],
  };
  const right = { me, node: { __typename: 'Tenant', slug: 'acme' } };
  const found = (data, variables = {}) => mismatches(schema, text, variables, data);
  assert.deepEqual(found(right), []);
  assert.deepEqual(found({ ...right, node: null }), []);
  assert.deepEqual(found(right, { more: true }), ['.tenant: missing']);
  const wrong = (change) => found({ ...right, me: { ...me, ...change } });
  assert.deepEqual(wrong({ id: 1 }), ['.me.id: 1 is not a valid ID']);
  assert.deepEqual(wrong({ id: null }), ['.me.id: null']);
  assert.deepEqual(wrong({ name: 'Ada' }), ['.me.name: not selected']);
  assert.deepEqual(wrong({ role: 'GUEST' }), ['.me.role: GUEST is not a value of TenantRole']);
  assert.deepEqual(wrong({ createdAt: '2026-01-31' }), ['.me.createdAt: "2026-01-31" is not a valid DateTime']);
  assert.deepEqual(wrong({ memberships: [null] }), ['.me.memberships.0: null']);
  assert.deepEqual(wrong({ memberships: {} }), ['.me.memberships: not a list']);
  assert.deepEqual(found({ ...right, node: { __typename: 'User', slug: 'acme' } }), [
    '.node.slug: not selected',
    '.node.name: missing',
  ]);
});
