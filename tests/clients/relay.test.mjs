// Relay's runtime and compiled artifacts against a gateway that accepts only their documents.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { buildSchema } from 'graphql';
import { operations } from './inspector/manifest.mjs';
import { start } from './support/gateway.mjs';
import { mismatches } from './support/shape.mjs';

// Relay's runtime and its artifacts are CommonJS.
const require = createRequire(import.meta.url);
const { environment } = require('./relay/built/network.js');
const { tenants, members, forbiddenFields, editing } = require('./relay/built/walk.js');

const file = (path) => resolve(import.meta.dirname, path);
const schema = buildSchema(readFileSync(file('../../schema.graphql'), 'utf8'));
const MANIFEST = file('relay/persisted.json');
const documents = operations(MANIFEST, readFileSync(MANIFEST, 'utf8'));

let gateway;
before(async () => {
  gateway = await start({
    TENANTRY_TRUSTED_DOCUMENTS_FILE: MANIFEST,
    TENANTRY_TRUSTED_DOCUMENTS_MODE: 'enforce',
  });
});
after(() => gateway?.stop());

const as = (identity) => environment(gateway.endpoint, () => gateway.tokens[identity]);

test('the store merges pages of root lists and of `node`', async () => {
  await tenants(as('ada'));
  await members(as('bob'));
});

test('a forbidden field is distinguishable from a null field', () => forbiddenFields(as('carol')));

test('a mutation updates every record with its identifier', () => editing(as('ada')));

test('every document runs by its identifier and its response has the right shape', async () => {
  const execute = async (name, variables) => {
    const { id, document } = documents.find((one) => one.name === name);
    const response = await fetch(gateway.endpoint, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${gateway.tokens.ada}` },
      body: JSON.stringify({ doc_id: id, variables }),
    });
    const { data, errors } = await response.json();
    assert.equal(errors, undefined, name);
    assert.deepEqual(mismatches(schema, document.loc.source.body, variables, data), [], name);
    executed.push(name);
    return data;
  };
  const executed = [];
  const input = { slug: 'initrode', name: 'Initrode' };
  const { createTenant } = await execute('EditingCreateMutation', { input });
  const { id } = createTenant.tenant;
  await execute('EditingUpdateMutation', { input: { id, billingInfo: { email: null } } });
  await execute('TenantListQuery', { count: 3, filter: { status: ['ACTIVE'] } });
  await execute('TenantListPaginationQuery', { count: 3 });
  await execute('TenantPageQuery', { slug: 'initrode' });
  await execute('TenantPageRefetchQuery', { id });
  await execute('MemberListPaginationQuery', { id, role: 'OWNER' });
  await execute('ListsTenantQuery', { id, count: 3 });
  await execute('ListsUsersQuery', { count: 3 });
  await execute('ListsSubscriptionsQuery', { count: 3 });
  const { auditLog } = await execute('ListsAuditLogQuery', { count: 3 });
  const event = auditLog.edges[0].node.id;
  await execute('NodesEventQuery', { id: event });
  await execute('NodesQuery', { id: event, ids: [id, event] });
  // A node of another type than the fragment's is an object without the fragment's fields.
  await execute('NodesUserQuery', { id });
  await execute('NodesSubscriptionQuery', { id });
  await execute('EditingDeleteMutation', { input: { id } });
  assert.deepEqual(executed.sort(), documents.map(({ name }) => name).sort());
});
