// Sends every document, with its types, to a gateway with the demo data.
import assert from 'node:assert/strict';
import type { GraphQLError, GraphQLResponse } from './client.js';
import { readFragment } from './gql/fragment-masking.js';
import type {
  TenantCardFragment,
  TenantsQuery,
  TypedDocumentString,
  UpdateTenantInput,
} from './gql/graphql.js';
import * as write from './mutations.js';
import * as read from './queries.js';

/** Sends an operation as one of the demo identities. */
export type Send = <Data, Variables>(
  identity: 'ada' | 'bob' | 'carol' | 'mallory',
  document: TypedDocumentString<Data, Variables>,
  variables: NoInfer<Variables>,
) => Promise<GraphQLResponse<Data>>;

/** Returns the data of a response and asserts that it has no errors. */
function dataOf<Data>({ data, errors }: GraphQLResponse<Data>): Data {
  assert.deepEqual(errors, []);
  assert(data !== null);
  return data;
}

const codesByPath = (errors: GraphQLError[]): string[] =>
  errors.map(({ path, extensions }) => `${path?.join('.')}: ${extensions.code}`);

export async function queries(send: Send): Promise<void> {
  const { me } = dataOf(await send('carol', read.Me, {}));
  assert.equal(me.name, 'Carol');
  const memberships = me.memberships.map(({ role, source, tenant }) =>
    [readFragment(read.TenantCard, tenant).slug, role, source].join(' '),
  );
  assert.deepEqual(memberships.sort(), ['acme MEMBER GROUP', 'globex MEMBER DIRECT']);
  for (const identity of ['ada', 'bob', 'mallory'] as const) dataOf(await send(identity, read.Me, {}));

  // Fields that carol may not see are null, each with an error at its path. The rest is complete.
  const carols = await send('carol', read.TenantPage, { slug: 'acme', withAuditLog: true });
  assert.deepEqual(codesByPath(carols.errors).sort(), [
    'tenant.auditLog: FORBIDDEN',
    'tenant.billingInfo: FORBIDDEN',
    'tenant.integrations: FORBIDDEN',
  ]);
  const tenant = carols.data?.tenant;
  assert(tenant);
  assert.equal(tenant.auditLog, null);
  assert.equal(readFragment(read.TenantBilling, tenant).billingInfo, null);
  assert.equal(readFragment(read.TenantCard, tenant).name, 'Acme');
  // A field that is not selected is absent and causes no error.
  assert.equal(dataOf(await send('ada', read.TenantPage, { slug: 'acme' })).tenant?.auditLog, undefined);
  const hidden = dataOf(await send('mallory', read.TenantPage, { slug: 'acme' }));
  assert.equal(hidden.tenant, null);

  const subscription = readFragment(read.TenantCard, tenant).subscription;
  const { id } = readFragment(read.SubscriptionCard, subscription) ?? assert.fail();
  const found = dataOf(await send('carol', read.SubscriptionById, { id })).subscription;
  assert.equal(readFragment(read.SubscriptionCard, found)?.plan, 'BUSINESS');
  const user = dataOf(await send('bob', read.UserById, { id: me.id })).user;
  assert.deepEqual(user?.memberships, [{ role: 'MEMBER', tenant: { slug: 'acme' } }]);

  const { node } = dataOf(await send('carol', read.NodeById, { id }));
  assert(node?.__typename === 'TenantSubscription');
  assert.equal(node.plan, 'BUSINESS');
  assert.equal(dataOf(await send('mallory', read.NodeById, { id })).node, null);
  const { nodes } = dataOf(
    await send('bob', read.NodesByIds, { ids: [me.id, id, 'sub_000000000000000000000000'] }),
  );
  assert.deepEqual(
    nodes.map((one) => one?.__typename),
    ['User', 'TenantSubscription', undefined],
  );
}

export async function lists(send: Send): Promise<void> {
  const orderBy = { field: 'SLUG', direction: 'ASC' } as const;
  const slugs: string[] = [];
  const page = async (after: string | null): Promise<void> => {
    const { tenants } = dataOf(await send('ada', read.Tenants, { first: 4, after, orderBy }));
    assert.equal(tenants.totalCount, 6);
    slugs.push(...cards(tenants.edges).map((card) => card.slug));
    const { hasNextPage, endCursor } = readFragment(read.PageParts, tenants.pageInfo);
    if (hasNextPage) await page(endCursor);
  };
  await page(null);
  assert.deepEqual(slugs, ['acme', 'dezky', 'globex', 'hooli', 'initech', 'umbrella']);
  const back = dataOf(await send('ada', read.Tenants, { last: 2, orderBy })).tenants;
  assert.deepEqual(
    cards(back.edges).map((card) => card.slug),
    ['initech', 'umbrella'],
  );
  const before = back.edges[0]?.cursor ?? assert.fail();
  const earlier = dataOf(await send('ada', read.Tenants, { last: 1, before, orderBy })).tenants;
  assert.deepEqual(
    cards(earlier.edges).map((card) => card.slug),
    ['hooli'],
  );
  const few = dataOf(
    await send('ada', read.Tenants, { filter: { status: ['SUSPENDED'], search: 'INI' } }),
  );
  assert.deepEqual(
    cards(few.tenants.edges).map((card) => card.name),
    ['Initech'],
  );

  const { users } = dataOf(await send('ada', read.Users, { filter: { search: 'car' } }));
  assert.deepEqual(
    users.nodes.map((one) => one?.name),
    ['Carol'],
  );
  // An error on a non-null root field makes `data` null.
  const forbidden = await send('bob', read.Users, {});
  assert.equal(forbidden.data, null);
  assert.deepEqual(codesByPath(forbidden.errors), ['users: FORBIDDEN']);
  const { subscriptions } = dataOf(
    await send('ada', read.Subscriptions, { filter: { status: ['UNPAID'] } }),
  );
  assert.deepEqual(
    subscriptions.nodes.map((one) => one?.tenant.slug),
    ['initech'],
  );
  const { auditLog } = dataOf(await send('ada', read.AuditLogPage, { filter: { action: 'tenant.create' } }));
  const events = auditLog.nodes.flatMap((node) => (node ? [readFragment(read.EventRow, node)] : []));
  const created = events.map(
    ({ actorKind, target, tenant }) => `${actorKind} ${target?.__typename} ${tenant?.slug}`,
  );
  assert.deepEqual(
    created.sort(),
    slugs.map((slug) => `SYSTEM Tenant ${slug}`),
  );
}

function cards(edges: TenantsQuery['tenants']['edges']): TenantCardFragment[] {
  return edges.flatMap(({ node }) => (node ? [readFragment(read.TenantCard, node)] : []));
}

export async function tenants(send: Send): Promise<void> {
  const input = {
    slug: 'initrode',
    name: ' Initrode ',
    billingInfo: { email: 'billing@initrode.example' },
  };
  const created = dataOf(await send('ada', write.CreateTenant, { input })).createTenant.tenant;
  const { id, name, version, plan } = readFragment(read.TenantCard, created);
  assert.deepEqual({ name, version, plan }, { name: 'Initrode', version: 1, plan: 'FREE' });

  const update = (input: Omit<UpdateTenantInput, 'id'>) =>
    send('ada', write.UpdateTenant, { input: { id, ...input } });
  const billing = async (input: Omit<UpdateTenantInput, 'id'>) => {
    const { tenant } = dataOf(await update(input)).updateTenant;
    return readFragment(read.TenantBilling, tenant).billingInfo;
  };
  // An omitted field is unchanged, null clears it.
  const added = await billing({ version, name: 'Initrode Ltd', billingInfo: { vatId: 'DE123456789' } });
  assert.deepEqual([added?.email, added?.vatId], ['billing@initrode.example', 'DE123456789']);
  const cleared = await billing({ billingInfo: { email: null, vatId: undefined } });
  assert.deepEqual([cleared?.email, cleared?.vatId], [null, 'DE123456789']);
  assert.equal(await billing({ billingInfo: null }), null);

  // An update with a stale version is rejected with the current version and changes nothing.
  const stale = await update({ version, name: 'Initrode Inc' });
  assert.deepEqual(codesByPath(stale.errors), ['updateTenant: STALE_VERSION']);
  assert.equal(stale.errors[0]?.extensions.currentVersion, 4);
  // All input errors are reported at once, each with its path in the input.
  const wrong = await update({ name: null, domains: ['initrode.example', 'com'] });
  assert.deepEqual(codesByPath(wrong.errors), ['updateTenant: BAD_USER_INPUT']);
  const paths = wrong.errors[0]?.extensions.fields?.map((field) => field.path);
  assert.deepEqual(paths?.sort(), ['input.domains.1', 'input.name']);
  const taken = await update({ slug: 'acme' });
  assert.equal(taken.errors[0]?.extensions.field, 'slug');

  const { deletedId } = dataOf(
    await send('ada', write.DeleteTenant, { input: { id, version: 4 } }),
  ).deleteTenant;
  assert.equal(deletedId, id);
}

export async function members(send: Send): Promise<void> {
  const tenant = dataOf(await send('ada', read.TenantPage, { slug: 'acme' })).tenant;
  const tenantId = readFragment(read.TenantCard, tenant)?.id ?? assert.fail();
  const input = { subject: 'newcomer', email: 'newcomer@example.org', name: 'Newcomer' };
  const user = dataOf(await send('ada', write.CreateUser, { input })).createUser.user;
  const userId = user.id;
  const changed = dataOf(await send('ada', write.UpdateUser, { input: { id: userId, disabled: true } }));
  assert.deepEqual([changed.updateUser.user.disabled, changed.updateUser.user.version], [true, 2]);

  const member = { tenantId, userId };
  const added = dataOf(await send('ada', write.AddTenantMember, { input: member })).addTenantMember;
  assert.equal(readFragment(read.MemberRow, added.membership).role, 'MEMBER');
  const promoted = await send('bob', write.UpdateTenantMember, { input: { ...member, role: 'ADMIN' } });
  const { membership } = dataOf(promoted).updateTenantMember;
  assert.equal(readFragment(read.MemberRow, membership).role, 'ADMIN');
  const removed = dataOf(
    await send('bob', write.RemoveTenantMember, { input: member }),
  ).removeTenantMember;
  assert.deepEqual(removed, {
    removedUserId: userId,
    tenant: { id: tenantId, members: { totalCount: 2 } },
  });
  assert.equal(
    dataOf(await send('ada', write.DeleteUser, { input: { id: userId } })).deleteUser.deletedId,
    userId,
  );
}

export async function invitations(send: Send): Promise<void> {
  const tenant = dataOf(await send('ada', read.TenantPage, { slug: 'acme' })).tenant;
  const tenantId = readFragment(read.TenantCard, tenant)?.id ?? assert.fail();
  const invite = async (email: string) =>
    dataOf(await send('bob', write.InviteTenantMember, { input: { tenantId, email } })).inviteTenantMember;
  const { token, acceptUrl, invitation } = await invite('Mallory@example.org');
  assert.deepEqual([invitation.email, invitation.role, invitation.status], ['mallory@example.org', 'MEMBER', 'PENDING']);
  assert(token && acceptUrl?.includes(token));
  const input = { id: invitation.id, expiresInDays: 1 };
  const renewed = dataOf(await send('bob', write.ResendInvitation, { input })).resendInvitation;
  assert(renewed.token && renewed.token !== token);

  const preview = async (token: string) =>
    dataOf(await send('mallory', read.InvitationByToken, { token })).invitation;
  assert.equal(await preview(token), null);
  assert.equal((await preview(renewed.token))?.tenantName, 'Acme');
  const accept = { input: { token: renewed.token } };
  const accepted = dataOf(await send('mallory', write.AcceptInvitation, accept)).acceptInvitation;
  assert.equal(readFragment(read.MemberRow, accepted.membership).role, 'MEMBER');
  const again = await send('mallory', write.AcceptInvitation, accept);
  assert.deepEqual(codesByPath(again.errors), ['acceptInvitation: NOT_FOUND']);

  const unwanted = (await invite('newcomer@example.org')).invitation;
  const revoked = dataOf(await send('bob', write.RevokeInvitation, { input: { id: unwanted.id } }));
  assert.equal(revoked.revokeInvitation.invitation.status, 'REVOKED');
  const { me } = dataOf(await send('mallory', read.Me, {}));
  const member = { tenantId, userId: me.id };
  dataOf(await send('bob', write.RemoveTenantMember, { input: member }));
}

export async function subscriptions(send: Send): Promise<void> {
  const tenant = dataOf(await send('ada', read.TenantPage, { slug: 'umbrella' })).tenant;
  const card = readFragment(read.TenantCard, tenant) ?? assert.fail();
  assert.equal(card.subscription, null);
  const input = {
    tenantId: card.id,
    plan: 'STARTER',
    currentPeriodEnd: '2030-01-31T09:00:00+01:00',
  } as const;
  const created = dataOf(await send('ada', write.CreateSubscription, { input })).createSubscription;
  const { id, status, currentPeriodEnd } = readFragment(read.SubscriptionCard, created.subscription);
  assert.deepEqual([status, currentPeriodEnd], ['TRIALING', '2030-01-31T08:00:00.000Z']);
  const change = { id, plan: 'BUSINESS', currentPeriodEnd: null } as const;
  const { subscription } = dataOf(
    await send('ada', write.UpdateSubscription, { input: change }),
  ).updateSubscription;
  assert.equal(readFragment(read.SubscriptionCard, subscription).currentPeriodEnd, null);
  assert.equal(subscription.tenant.plan, 'BUSINESS');
  const deleted = dataOf(await send('ada', write.DeleteSubscription, { input: { id } }));
  assert.equal(deleted.deleteSubscription.deletedId, id);
}
