// Relay's client: its runtime with what its compiler made, against a gateway that runs nothing else.
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
const { tenants, members, refusals, editing } = require('./relay/built/walk.js');

const file = (path) => resolve(import.meta.dirname, path);
const schema = buildSchema(readFileSync(file('../../schema.graphql'), 'utf8'));
const MANIFEST = file('relay/persisted.json');
const documents = operations(MANIFEST, readFileSync(MANIFEST, 'utf8'));

let gateway;
before(async () => {
  const only = { TENANTRY_DOCUMENTS_FILE: MANIFEST, TENANTRY_DOCUMENTS_ONLY: 'true' };
  gateway = await start(only);
});
after(() => gateway?.stop());

const as = (who) => environment(gateway.endpoint, () => gateway.tokens[who]);

test('pages come together in the store, those of `node` too', async () => {
  await tenants(as('ada'));
  await members(as('bob'));
});

test('what was refused is told from what is not there', () => refusals(as('carol')));

test('a change is seen wherever its identifier is', () => editing(as('ada')));

test('every document runs by its identifier, and is answered in its shape', async () => {
  const ask = async (name, variables) => {
    const { id, document } = documents.find((one) => one.name === name);
    const response = await fetch(gateway.endpoint, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${gateway.tokens.ada}` },
      body: JSON.stringify({ doc_id: id, variables }),
    });
    const { data, errors } = await response.json();
    assert.equal(errors, undefined, name);
    assert.deepEqual(mismatches(schema, document.loc.source.body, variables, data), [], name);
    asked.push(name);
    return data;
  };
  const asked = [];
  const input = { slug: 'initrode', name: 'Initrode' };
  const { createTenant } = await ask('EditingCreateMutation', { input });
  const { id } = createTenant.tenant;
  await ask('EditingUpdateMutation', { input: { id, billingInfo: { email: null } } });
  await ask('TenantListQuery', { count: 3, filter: { status: ['ACTIVE'] } });
  await ask('TenantListPaginationQuery', { count: 3 });
  await ask('TenantPageQuery', { slug: 'initrode' });
  await ask('TenantPageRefetchQuery', { id });
  await ask('MemberListPaginationQuery', { id, role: 'OWNER' });
  await ask('ListsTenantQuery', { id, count: 3 });
  await ask('ListsUsersQuery', { count: 3 });
  await ask('ListsSubscriptionsQuery', { count: 3 });
  const { auditLog } = await ask('ListsAuditLogQuery', { count: 3 });
  const event = auditLog.edges[0].node.id;
  await ask('NodesEventQuery', { id: event });
  await ask('NodesQuery', { id: event, ids: [id, event] });
  // Of another kind than the fragment's: an object without its fields.
  await ask('NodesUserQuery', { id });
  await ask('NodesSubscriptionQuery', { id });
  await ask('EditingDeleteMutation', { input: { id } });
  assert.deepEqual(asked.sort(), documents.map(({ name }) => name).sort());
});
