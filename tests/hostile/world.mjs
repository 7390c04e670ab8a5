// The users and the tenant that the measurements use, and the inputs that a hostile caller sends.

import { execute } from './client.mjs';

export const ME = '{ me { id } }';
export const UPDATE =
  'mutation($input: UpdateTenantInput!) { updateTenant(input: $input) { tenant { version } } }';
export const CREATE = 'mutation($input: CreateTenantInput!) { createTenant(input: $input) { tenant { id } } }';
const ADD = 'mutation($input: AddTenantMemberInput!) { addTenantMember(input: $input) { membership { role } } }';

/** Returns the variables of `UPDATE`. */
export const rename = (id, name) => ({ input: { id, name } });

/**
 * Creates a platform admin (ada), the owner of a tenant (bob), and a user without a membership (mallory). Returns
 * their tokens and the id of the tenant.
 */
export async function createWorld(gateway, issuer) {
  const tokens = {
    ada: issuer.token('ada', ['platform-admins']),
    bob: issuer.token('bob', []),
    mallory: issuer.token('mallory', []),
  };
  const run = async (name, query, variables) => {
    const { json, text } = await execute(gateway.public, tokens[name], query, variables);
    if (!json?.data || json.errors) throw new Error(`the measurement cannot begin: ${text}`);
    return json.data;
  };
  await run('ada', ME);
  const { me } = await run('bob', ME);
  await run('mallory', ME);
  const { createTenant } = await run('ada', CREATE, { input: { slug: 'acme', name: 'Acme' } });
  const tenant = createTenant.tenant.id;
  await run('ada', ADD, { input: { tenantId: tenant, userId: me.id, role: 'OWNER' } });
  return { ...tokens, tenant, execute: run };
}

const repeat = (count, text) => Array.from({ length: count }, (_, n) => text(n)).join('');
/** The size of a body, a little below the limit. */
const BODY_BYTES = 255 * 1024;
const fill = (unit) => unit.repeat(Math.floor(BODY_BYTES / unit.length)).replace(/,$/, '');
const body = (query, variables) => `{"query":"${query}","variables":${variables}}`;

/** A body of an undeclared variable: short lists in lists, which take the most memory for their length. */
export const UNDECLARED = body(ME, `{"a":[${fill(`${'['.repeat(100)}${']'.repeat(100)},`)}]}`);

/** Bodies of almost the maximum size, each of which makes another part of the gateway work. */
export const BODIES = {
  'undeclared variable': UNDECLARED,
  'list of numbers': body('{ __typename }', `{"a":[${fill('0,')}]}`),
  'object with a repeated key': body('{ __typename }', `{${fill('"a":1,')}}`),
  'object with many keys': body('{ __typename }', `{${repeat(22_000, (n) => `"a${n}":1,`).slice(0, -1)}}`),
  'escaped string': body('{ __typename }', `{"a":"${fill('\\u0041')}"}`),
  'extensions': `{"query":"{ __typename }","extensions":{"a":[${fill('{},')}]}}`,
  'document of braces': body(fill('{'), '{}'),
  'document of a comment': body(`{ __typename } # ${fill('{ x } ')}`, '{}'),
  'document of white space': body(`{ __typename${fill(' ')}}`, '{}'),
};

/** Documents within the limits of size and tokens, each of which makes another check work. */
export const DOCUMENTS = {
  'fragments that double': `{ me { ...F0 } }${repeat(40, (n) => ` fragment F${n} on User { ...F${n + 1} ...F${n + 1} }`)} fragment F40 on User { id }`,
  'one field 1,990 times': `{ me { ${'id '.repeat(1990)}} }`,
  'fields to merge on 4 levels': `{ ${repeat(20, () => 'me { memberships { tenant { subscription { id plan id plan } } } } ')}}`,
  'fields to merge in fragments': `{ ${repeat(90, (n) => `...F${n} `)}} ${repeat(90, (n) => `fragment F${n} on Query { me { ...U${n} memberships { role } } } fragment U${n} on User { id }`)}`,
  'unknown fields': `{ me { ${repeat(1900, (n) => `x${n} `)}} }`,
  'nested inline fragments': `{ ${'...{'.repeat(480)} __typename ${'}'.repeat(480)} }`,
  'nested fields': `{ ${'me{'.repeat(480)} id ${'}'.repeat(480)} }`,
  'nested lists': `{ nodes(ids: ${'['.repeat(950)}${']'.repeat(950)}) { id } }`,
  'unused variables': `query(${repeat(480, (n) => `$v${n}: Int `)}) { __typename }`,
  'unused fragments': `{ __typename } ${repeat(280, (n) => `fragment F${n} on User { id }`)}`,
  'directives': `{ me { ${'id @skip(if: false) '.repeat(50)}} }`,
  'many operations': `${repeat(300, (n) => `query Q${n} { me { id } }`)}`,
  'long string': `{ tenant(slug: "${'\\\\u0041'.repeat(7_000)}") { id } }`,
  'most expensive selection': '{ tenants(first: 16) { nodes { members(first: 100) { nodes { user { id } } } } } }',
};

/** A mutation of 20 root fields, none of which mallory may execute. */
export const REFUSED = `mutation {${repeat(20, (n) => ` m${n}: createTenant(input: {slug: "x${n}", name: "X"}) { tenant { id } }`)} }`;
